# gtekit serve in a container.
#
#   docker build -t gtekit .                                     the model is downloaded when the server starts
#   docker build -t gtekit --build-arg MODEL=gte-small .         the model is in the image, and no network is needed
#   docker run --rm -p 8080:8080 gtekit
#   docker run --rm -p 8080:8080 -e GTEKIT_SERVE_PRECISION=int8 -v ./keys.toml:/etc/gtekit/keys.toml:ro \
#       -e GTEKIT_SERVE_KEYS_FILE=/etc/gtekit/keys.toml gtekit --max-texts 500
#
# Every setting of gtekit serve is a flag after the name of the image, a variable GTEKIT_SERVE_..., or a line of the TOML
# file that GTEKIT_SERVE_CONFIG names; each goes before those after it. So the model of the image, where it has one, goes
# before a file's. A port other than 8080 is best left to docker (-p 9000:8080), or given as GTEKIT_SERVE_PORT: the health
# check sees variables alone.

ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN python -m venv /opt/gtekit \
    && pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && /opt/gtekit/bin/pip install --no-cache-dir "$(ls /wheels/gtekit-*.whl)[serve]"

FROM python:${PYTHON}-slim
COPY --from=build /opt/gtekit /opt/gtekit
ENV PATH=/opt/gtekit/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/models
RUN useradd --uid 10001 --no-create-home --home-dir /models --shell /usr/sbin/nologin gtekit \
    && mkdir /models \
    && chown gtekit:gtekit /models
USER 10001:10001

# a short name or a hub id; empty: none is in the image
ARG MODEL=
RUN if [ -n "$MODEL" ]; then gtekit pull "$MODEL"; fi

# other machines reach a container by its network alone, so here it listens on it
ENV GTEKIT_SERVE_MODEL=${MODEL} \
    GTEKIT_SERVE_HOST=0.0.0.0
EXPOSE 8080
# SIGTERM lets requests under way finish: give `docker stop` as long as GTEKIT_SERVE_DRAIN_S, which is 30 seconds
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=25s --start-period=120s --retries=3 CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('GTEKIT_SERVE_PORT', '8080')}/ready\", timeout=20)"]
ENTRYPOINT ["gtekit", "serve"]
