"""A server that makes embeddings, and models of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gtekit.evaluation.models.endpoint import EndpointModel, EndpointOptions, open_endpoint
from tests.evaluation.models.embedding_server import EmbeddingServer, serve

KEY = "sk-test-7Qz91kfTnotarealkey55"
OpenModel = Callable[..., EndpointModel]


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with serve(EmbeddingServer()) as server:
        yield server


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def open_model(server: EmbeddingServer) -> OpenModel:
    """Open the server's model with these options; few retries and short waits, unless a test says otherwise."""

    def call(
        name: str = "hash-8",
        *,
        key_variable: str | None = None,
        paid_vectors: Path | None = None,
        address: str | None = None,
        **options: object,
    ) -> EndpointModel:
        chosen = EndpointOptions(**{"max_retries": 2, "timeout_s": 10.0, **options})  # type: ignore[arg-type]
        return open_endpoint(
            name,
            address=address or server.address,
            key_variable=key_variable,
            paid_vectors=paid_vectors,
            options=chosen,
        )

    return call


def ignore(_: int) -> None:
    """Progress that nobody looks at."""


def whole_chain(error: BaseException | None) -> Iterator[str]:
    """Everything that an error and those behind it say of themselves."""
    while error is not None:
        yield str(error)
        yield repr(error)
        error = error.__cause__ or error.__context__
