"""Which prompt goes before texts that are compared with their like."""

import shutil
from pathlib import Path

import pytest

import gtekit
from gtekit.errors import SpaceError
from gtekit.tasks.alike import EmbeddedAs, alike_options


@pytest.fixture(scope="module")
def marked(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> gtekit.Embedder:
    """A model that marks queries and documents, as E5 does."""
    folder = tmp_path_factory.mktemp("marked") / "model"
    shutil.copytree(tiny_checkpoint, folder)
    settings = folder / "config_sentence_transformers.json"
    settings.write_text('{"prompts": {"query": "query: ", "passage": "passage: "}}', "utf-8")
    return gtekit.load(folder)


def test_a_model_without_prompts_gets_none(minilm: gtekit.Embedder) -> None:
    assert alike_options(minilm, {"normalize": False}) == {"normalize": True}


def test_a_model_that_marks_both_gets_the_mark_of_queries(marked: gtekit.Embedder) -> None:
    assert alike_options(marked, {}) == {"normalize": True, "prompt_name": "query"}


def test_a_prompt_that_was_asked_for_stays(marked: gtekit.Embedder) -> None:
    assert alike_options(marked, {"prompt": ""}) == {"normalize": True, "prompt": ""}
    assert alike_options(marked, {"prompt_name": "passage"})["prompt_name"] == "passage"


def test_what_decides_the_cosines_is_told(marked: gtekit.Embedder) -> None:
    assert EmbeddedAs.of(marked, {}) == EmbeddedAs("query: ", 32)
    other = EmbeddedAs.of(marked, {"prompt_name": "passage", "dimensions": 8})
    assert other == EmbeddedAs("passage: ", 8)
    with pytest.raises(SpaceError, match="a thing was fitted to vectors of 32 dimensions with the prompt 'query: '"):
        EmbeddedAs("query: ", 32).check(other, "a thing")
