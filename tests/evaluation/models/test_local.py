"""gtekit's own models behind the interface of evaluation."""

from pathlib import Path

import numpy as np

import gtekit
from gtekit.evaluation.models.local import LocalModel
from gtekit.evaluation.models.names import short_name
from gtekit.evaluation.published import find_published


def test_vectors_are_those_of_encode_bit_for_bit(tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint, language_warning=False)
    texts = [f"text number {number}" for number in range(50)]
    done: list[int] = []
    for prompt, normalize in (("", None), ("query: ", True), ("", False)):
        embeddings = LocalModel(model).embed(texts, prompt=prompt, normalize=normalize, done=done.append)
        np.testing.assert_array_equal(embeddings, model.encode(texts, prompt=prompt, normalize=normalize))
    assert done[-1] == len(texts)


def test_texts_longer_than_the_model_reads_are_counted_and_not_warned_of(tiny_checkpoint: Path) -> None:
    model = LocalModel(gtekit.load(tiny_checkpoint, language_warning=False))
    model.embed(["short", "long " * 200, "longer " * 300], prompt="", normalize=None, done=lambda _: None)
    assert model.texts_cut == 2


def test_what_decides_the_vectors_is_known(minilm: gtekit.Embedder) -> None:
    facts = LocalModel(minilm).facts
    assert (facts.name, facts.kind, facts.precision, facts.max_tokens) == (
        "all-MiniLM-L6-v2",
        "gtekit",
        "float32",
        256,
    )
    assert facts.fingerprint == minilm.fingerprint
    assert facts.prompts == {}


def test_a_folder_is_called_by_its_last_name_and_is_nobody_s_published_model(tiny_checkpoint: Path) -> None:
    facts = LocalModel(gtekit.load(tiny_checkpoint)).facts
    assert facts.name == f"./{tiny_checkpoint.name}"
    assert find_published("./gte-small") is None


def test_a_model_is_known_by_its_short_name_only_with_its_true_owner() -> None:
    assert short_name("thenlper/gte-small") == "gte-small"
    assert short_name("sentence-transformers/sentence-t5-xxl") == "sentence-t5-xxl"
    assert short_name("someone/gte-small") == "someone/gte-small"
    assert find_published("someone/gte-small") is None
