"""The threshold that stands in where none is given."""

from pathlib import Path

import pytest

import gtekit
from gtekit.errors import ArgumentError, SpaceError
from gtekit.tasks import deduplicate, deduplicate_stream, paraphrases
from gtekit.tasks.pairs.calibration import calibration_for
from gtekit.tasks.pairs.thresholds import default_threshold


def test_it_is_where_the_calibration_reaches_the_probability(minilm: gtekit.Embedder) -> None:
    cosine = default_threshold(minilm, 0.9, {})
    assert cosine == calibration_for(minilm).threshold(0.9)
    assert default_threshold(minilm, 0.5, {}) < cosine < 1


def test_where_fewer_pairs_match_it_is_higher(minilm: gtekit.Embedder) -> None:
    calibration = calibration_for(minilm)
    assert default_threshold(minilm, 0.5, {}, prior=0.01) == calibration.threshold(0.5, prior=0.01)
    assert default_threshold(minilm, 0.5, {}, prior=calibration.base_rate) == pytest.approx(
        default_threshold(minilm, 0.5, {})
    )
    texts = ["a cat sleeps on the mat", "there is a cat asleep on the mat", "fresh bread"]
    prior = 0.05
    assert deduplicate(minilm, texts, prior=prior).threshold == calibration.threshold(0.95, prior=prior)
    assert len(paraphrases(minilm, texts).scores) == 1
    assert len(paraphrases(minilm, texts, prior=1e-4).scores) == 0
    assert list(deduplicate_stream(minilm, texts, prior=prior)) == texts


def test_a_prior_beside_a_threshold_or_out_of_range_is_refused(minilm: gtekit.Embedder) -> None:
    with pytest.raises(ArgumentError, match=r"with threshold=0\.5 leave it out"):
        paraphrases(minilm, ["a"], threshold=0.5, prior=0.1)
    for prior in (0, 1.0, float("nan"), "0.1"):
        with pytest.raises(ArgumentError, match=r"prior=.* is not possible"):
            deduplicate(minilm, ["a"], prior=prior)  # type: ignore[arg-type]


def test_without_a_calibration_the_message_says_how_to_find_one(tiny_checkpoint: Path) -> None:
    with pytest.raises(SpaceError, match=r"Give a threshold\. To find one, .* gtekit pairs fit pairs\.csv --model"):
        default_threshold(gtekit.load(tiny_checkpoint), 0.9, {})


def test_the_calibration_of_whole_vectors_is_not_for_shorter_ones(minilm: gtekit.Embedder) -> None:
    with pytest.raises(SpaceError, match="384 dimensions"):
        default_threshold(minilm, 0.9, {"dimensions": 64})
