"""The threshold that stands in where none is given."""

from pathlib import Path

import pytest

import gtekit
from gtekit.errors import SpaceError
from gtekit.tasks.pairs.calibration import calibration_for
from gtekit.tasks.pairs.thresholds import default_threshold


def test_it_is_where_the_calibration_reaches_the_probability(minilm: gtekit.Embedder) -> None:
    cosine = default_threshold(minilm, 0.9, {})
    assert cosine == calibration_for(minilm).threshold(0.9)
    assert default_threshold(minilm, 0.5, {}) < cosine < 1


def test_without_a_calibration_the_message_says_how_to_find_one(tiny_checkpoint: Path) -> None:
    with pytest.raises(SpaceError, match=r"Give a threshold\. To find one, .* gtekit pairs fit pairs\.csv --model"):
        default_threshold(gtekit.load(tiny_checkpoint), 0.9, {})


def test_the_calibration_of_whole_vectors_is_not_for_shorter_ones(minilm: gtekit.Embedder) -> None:
    with pytest.raises(SpaceError, match="384 dimensions"):
        default_threshold(minilm, 0.9, {"dimensions": 64})
