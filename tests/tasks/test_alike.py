"""Which prompt goes before texts that are compared with their like."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, SpaceError
from gtekit.tasks import (
    classify,
    cluster,
    deduplicate,
    deduplicate_stream,
    fit_classifier,
    load_classifier,
    pair_scores,
    paraphrase_stream,
    paraphrases,
    summarize,
    summary_scores,
    zero_shot,
)
from gtekit.tasks.alike import EmbeddedAs, alike_options


@pytest.fixture(scope="module")
def marked(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> gtekit.Embedder:
    """A model that marks queries and documents, as E5 does."""
    folder = tmp_path_factory.mktemp("marked") / "model"
    shutil.copytree(tiny_checkpoint, folder)
    settings = folder / "config_sentence_transformers.json"
    settings.write_text('{"prompts": {"query": "query: ", "passage": "passage: "}}', "utf-8")
    return gtekit.load(folder, language_warning=False)


def test_a_model_without_prompts_gets_none(minilm: gtekit.Embedder) -> None:
    assert alike_options(minilm, {}) == {"normalize": True}
    assert alike_options(minilm, {"normalize": None}) == {"normalize": True}


def test_other_lengths_are_refused_and_not_ignored(minilm: gtekit.Embedder) -> None:
    texts = ["a", "b"]
    calls: list[Callable[[], object]] = [
        lambda: alike_options(minilm, {"normalize": False}),
        lambda: paraphrases(minilm, texts, normalize=False),
        lambda: paraphrase_stream(minilm, texts, threshold=0.5, normalize=False),
        lambda: deduplicate(minilm, texts, normalize=False),
        lambda: deduplicate_stream(minilm, texts, 0.5, normalize=False),
        lambda: pair_scores(minilm, texts, texts, normalize=False),
        lambda: zero_shot(minilm, texts, texts, encode={"normalize": False}),
        lambda: cluster(minilm, texts, clusters=1, encode={"normalize": False}),
    ]
    for call in calls:
        with pytest.raises(ArgumentError, match="normalize=False is not possible here"):
            call()


def test_every_task_puts_the_mark_before_its_texts(marked: gtekit.Embedder, tmp_path: Path) -> None:
    texts = ["one text", "another of them", "a third", "the fourth one", "and five", "six"]
    labels = ["x", "y"] * 3
    plain: EncodeKeywords = {"prompt": "query: "}
    assert np.array_equal(
        zero_shot(marked, texts, ["a", "b"]).scores, zero_shot(marked, texts, ["a", "b"], encode=plain).scores
    )
    other = zero_shot(marked, texts, ["a", "b"], encode={"prompt": ""})
    assert not np.array_equal(zero_shot(marked, texts, ["a", "b"]).scores, other.scores)
    assert classify(marked, texts, ["a", "b"]).labels == zero_shot(marked, texts, ["a", "b"], encode=plain).labels
    assert np.array_equal(
        cluster(marked, texts, clusters=2).centers, cluster(marked, texts, clusters=2, encode=plain).centers
    )
    text = "One sentence. Two of them."
    unit: EncodeKeywords = {"prompt": "query: ", "normalize": True}
    found = summarize(marked, text, sentences=2).sentences[0].score
    assert found == pytest.approx(float(marked.encode(["One sentence."], **unit)[0] @ marked.encode([text], **unit)[0]))
    assert summary_scores(marked, text, [text])[0] == pytest.approx(1)
    classifier = fit_classifier(marked, texts, labels, c=1.0, folds=0)
    assert classifier.encode_options == {"prompt": "query: "}
    by_vectors = classifier.predict_vectors(marked.encode(texts, prompt="query: ")).scores
    assert np.array_equal(classifier.predict_proba(texts), by_vectors)
    classifier.save(tmp_path / "a.classifier")
    assert load_classifier(tmp_path / "a.classifier", marked).encode_options == {"prompt": "query: "}


def test_a_classifier_keeps_the_prompt_that_was_named_and_whole_numbers_of_numpy(
    marked: gtekit.Embedder, tmp_path: Path
) -> None:
    encode: EncodeKeywords = {"prompt_name": "passage", "dimensions": np.int64(8)}  # type: ignore[typeddict-item]
    classifier = fit_classifier(marked, ["a", "b", "c", "d"], [1, 2, 1, 2], c=1.0, folds=0, encode=encode)
    classifier.save(tmp_path / "a.classifier")
    loaded = load_classifier(tmp_path / "a.classifier", marked)
    assert loaded.encode_options == {"prompt": "passage: ", "dimensions": 8}


def test_a_model_that_marks_both_gets_the_mark_of_queries(marked: gtekit.Embedder) -> None:
    assert alike_options(marked, {}) == {"normalize": True, "prompt_name": "query"}


def test_a_prompt_that_was_asked_for_stays(marked: gtekit.Embedder) -> None:
    assert alike_options(marked, {"prompt": ""}) == {"normalize": True, "prompt": ""}
    assert alike_options(marked, {"prompt_name": "passage"})["prompt_name"] == "passage"


def test_what_decides_the_cosines_is_told(marked: gtekit.Embedder) -> None:
    assert EmbeddedAs.of(marked, {}) == EmbeddedAs("query: ", 32)
    other = EmbeddedAs.of(marked, {"prompt_name": "passage", "dimensions": 8})
    assert other == EmbeddedAs("passage: ", 8)
    assert type(EmbeddedAs.of(marked, {"dimensions": np.int64(8)}).dimension) is int  # type: ignore[typeddict-item]
    with pytest.raises(SpaceError, match="a thing was fitted to vectors of 32 dimensions with the prompt 'query: '"):
        EmbeddedAs("query: ", 32).check(other, "a thing")
