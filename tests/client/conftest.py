"""A server of the real model, and one of a tiny model with prompts, each beside the model that it serves."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import gtekit
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.client import Client
from gtekit.serving.settings import ServerSettings
from tests.serving.conftest import running, server, start_server

if TYPE_CHECKING:
    from tests.serving.conftest import RunningServer

__all__ = ["server", "start_server"]


@pytest.fixture(scope="session")
def client(server: "RunningServer") -> Iterator[Client]:
    """Of all-MiniLM-L6-v2."""
    with Client(server.url) as held:
        yield held


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> gtekit.Embedder:
    """A tiny model that marks queries and passages, and has a prompt that is used where none is named."""
    folder = write_seeded_checkpoint(tmp_path_factory.mktemp("marked"), size="tiny")
    prompts = {"query": "query: ", "passage": "passage: ", "any": "text: "}
    settings = {"prompts": prompts, "default_prompt_name": "any"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    return gtekit.load(folder, language_warning=False)


@pytest.fixture(scope="session")
def marked_client(marked: gtekit.Embedder) -> Iterator[Client]:
    """A client of that model."""
    with (
        running({"marked": marked}, ServerSettings(port=0, model=("marked",), log="off")) as held,
        Client(held.url) as c,
    ):
        yield c
