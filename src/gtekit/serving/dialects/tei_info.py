"""GET /info: what the models are and what a request may hold, under TEI's names and under those of the library."""

import msgspec

from gtekit.serving.dialects.model_facts import ModelFacts, facts_of
from gtekit.serving.dialects.tei_shapes import model_of
from gtekit.serving.inputs import truncation_for
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.served_models import ServedModel, ServedModels
from gtekit.serving.settings import ServerSettings
from gtekit.serving.state import State
from gtekit.version import __version__

RERANK = (
    "The cosine of query and document embeddings, by one model for both: no cross-encoder reads the two together. "
    "/rerank and /v1/rerank give it as it is, -1 to 1, whatever raw_scores says; /v2/rerank gives 0 where it is below. "
    "The order is always that of the cosines."
)


class EmbeddingKind(msgspec.Struct, kw_only=True):
    """How token vectors become the vector of a text."""

    pooling: str


class ModelKind(msgspec.Struct, kw_only=True):
    """What a model is for: embedding, all of them."""

    embedding: EmbeddingKind


class ModelInfo(ModelFacts, kw_only=True):
    """One model, and its other names."""

    aliases: list[str]


class Info(ModelInfo, kw_only=True):
    """Answer of /info: TEI's fields, those of the model that was asked for, and all models."""

    model_id: str
    model_sha: str | None
    model_dtype: str
    served_model_name: str
    model_type: ModelKind
    max_concurrent_requests: int
    max_input_length: int
    max_batch_tokens: int
    max_batch_requests: int | None
    max_client_batch_size: int
    auto_truncate: bool
    tokenization_workers: int
    version: str
    sha: str | None
    docker_label: str | None
    rerank: str
    models: list[ModelInfo]


async def info(request: Request, state: State, account: Account) -> Response:
    """Answer GET /info; ?model=NAME picks one of several."""
    return Response(body=msgspec.json.encode(describe(state, model_of(request, state, None))))


def describe(state: State, served: ServedModel) -> Info:
    """Give all that is said of a server and one of its models."""
    settings, model = state.settings, served.model
    models = [] if state.models is None else [_model_info(each, state.models, settings) for each in state.models]
    return Info(
        **msgspec.structs.asdict(_model_info(served, state.models, settings)),
        model_id=model.name,
        model_sha=model.revision,
        model_dtype=model.precision,
        served_model_name=served.name,
        model_type=ModelKind(embedding=EmbeddingKind(pooling=model.pooling)),
        max_concurrent_requests=settings.max_connections,
        max_input_length=model.max_tokens,
        max_batch_tokens=settings.bulk_call_tokens,
        max_batch_requests=None,
        max_client_batch_size=settings.max_texts,
        auto_truncate=truncation_for(settings, "end") != "error",
        tokenization_workers=2,  # one for short requests, one for long ones
        version=__version__,
        sha=None,
        docker_label=None,
        rerank=RERANK,
        models=models,
    )


def _model_info(served: ServedModel, models: ServedModels | None, settings: ServerSettings) -> ModelInfo:
    aliases = [alias.partition("=")[0] for alias in settings.alias]
    return ModelInfo(
        **facts_of(served), aliases=[alias for alias in aliases if models is not None and models.find(alias) is served]
    )
