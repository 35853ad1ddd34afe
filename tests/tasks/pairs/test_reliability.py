"""Bins, measures and the plot of probabilities against labels."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.errors import ArgumentError, FileFormatError, ShapeError
from gtekit.tasks.pairs.reliability import Reliability, plot_reliability, reliability

PREDICTED = np.array([0.05, 0.15, 0.15, 0.95, 1.0, 0.0])
LABELS = np.array([0, 1, 0, 1, 1, 0])


def test_measures_are_their_definitions() -> None:
    found = reliability(PREDICTED, LABELS)
    likely = np.where(LABELS == 1, PREDICTED, 1 - PREDICTED)
    assert found.log_loss == pytest.approx(-np.log(likely).mean())
    assert found.brier == pytest.approx(((PREDICTED - LABELS) ** 2).mean())
    # bins: 0 to 0.1 predicts 0.025 and has none, 0.1 to 0.2 predicts 0.15 and has half, the last predicts 0.975
    assert found.ece == pytest.approx((2 * 0.025 + 2 * 0.35 + 2 * 0.025) / 6)
    assert [entry.count for entry in found.bins] == [2, 2, 2]
    assert found.bins[1].observed == 0.5


def test_measures_agree_with_scikit_learn() -> None:
    from sklearn.metrics import brier_score_loss, log_loss

    random = np.random.default_rng(0)
    predicted, labels = random.uniform(0.01, 0.99, 500), random.integers(0, 2, 500)
    found = reliability(predicted, labels)
    assert found.log_loss == pytest.approx(log_loss(labels, predicted))
    assert found.brier == pytest.approx(brier_score_loss(labels, predicted))


def test_the_interval_is_wilson_s() -> None:
    (entry,) = reliability(np.full(10, 0.5), np.array([1] * 9 + [0])).bins
    assert [entry.low, entry.high] == pytest.approx([0.5958, 0.9821], abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1), st.integers(1, 20))
def test_bins_hold_every_pair_once(pairs: list[tuple[float, int]], bins: int) -> None:
    predicted, labels = map(np.array, zip(*pairs, strict=True))
    found = reliability(predicted, labels, bins=bins)
    assert sum(entry.count for entry in found.bins) == found.count == len(pairs)
    assert sum(entry.count * entry.observed for entry in found.bins) == pytest.approx(labels.sum())
    assert all(0 <= entry.low <= entry.observed <= entry.high <= 1 for entry in found.bins)
    assert 0 <= found.ece <= 1
    assert Reliability.from_json(found.as_json()) == found


@pytest.mark.parametrize(
    ("predicted", "labels", "error"),
    [
        ([0.5], [0, 1], ShapeError),
        ([], [], ShapeError),
        ([1.2], [1], ArgumentError),
        ([np.nan], [1], ArgumentError),
        ([0.5], [2], ArgumentError),
    ],
)
def test_what_is_no_probability_or_label_is_refused(
    predicted: list[float], labels: list[int], error: type[Exception]
) -> None:
    with pytest.raises(error):
        reliability(np.array(predicted), np.array(labels))


@pytest.mark.parametrize(("name", "begin"), [("plot.svg", b"<?xml"), ("plot.PNG", b"\x89PNG")])
def test_the_plot_is_one_file_and_the_same_every_time(tmp_path: Path, name: str, begin: bytes) -> None:
    found = reliability(PREDICTED, LABELS)
    plot_reliability(found, tmp_path / name, title="a model", note="six pairs")
    first = (tmp_path / name).read_bytes()
    assert first.startswith(begin)
    plot_reliability(found, str(tmp_path / name), title="a model", note="six pairs")
    assert (tmp_path / name).read_bytes() == first
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert b"<image" not in first
    assert b'href="http' not in first


def test_a_plot_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"the name of a plot ends in \.svg or \.png"):
        plot_reliability(reliability(PREDICTED, LABELS), tmp_path / "plot.pdf")


def test_a_plot_into_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="there is no folder"):
        plot_reliability(reliability(PREDICTED, LABELS), tmp_path / "none" / "plot.svg")


def test_a_dollar_in_a_title_or_a_note_begins_no_formula(tmp_path: Path) -> None:
    title, note = r"$\foo$ of $x_{", r"from $\bar{ and a$.csv"
    plot_reliability(reliability(PREDICTED, LABELS), tmp_path / "plot.svg", title=title, note=note)
    assert (tmp_path / "plot.svg").read_bytes().startswith(b"<?xml")
