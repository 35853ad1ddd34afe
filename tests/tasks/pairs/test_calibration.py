"""Calibrations: fitted, kept, shipped, and never used with another model."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, FileFormatError, GtekitWarning, SpaceError
from gtekit.tasks.alike import EmbeddedAs
from gtekit.tasks.duplicates.deduplicate import deduplicate
from gtekit.tasks.pairs.calibration import (
    Calibration,
    calibration_for,
    compare_curves,
    fit_calibration,
    load_calibration,
)
from gtekit.tasks.pairs.calibration_curves import fit_curve, sigmoid
from gtekit.tasks.pairs.labelled_pairs import LabelledPairs, labelled_pairs, pair_scores
from gtekit.tasks.pairs.pair_classifier import average_precision, judge_threshold
from gtekit.tasks.pairs.reliability import reliability

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "mteb"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"needs MTEB's test sets in {DATA}")
THINGS = ["cat", "dog", "bird", "list", "weather", "bread", "train", "river", "city", "song"]
Texts = tuple[list[str], list[str], list[int]]


@pytest.fixture(scope="module")
def texts() -> Texts:
    """Pairs about the same thing, and about two."""
    left = [f"I saw a {thing} number {number} today" for thing in THINGS for number in range(6)]
    same = [f"today there was a {thing}, number {number}" for thing in THINGS for number in range(6)]
    other = [f"today there was a {thing}" for thing in THINGS[1:] + THINGS[:1] for _ in range(6)]
    return [*left, *left], [*same, *other], [1] * 60 + [0] * 60


@pytest.fixture(scope="module")
def fitted(minilm: gtekit.Embedder, texts: Texts) -> Calibration:
    with pytest.warns(GtekitWarning, match="rests on 60 pairs of the rarer label"):
        return fit_calibration(minilm, *texts, data="made up", meaning="the same thing")


def twitter(pairs: int) -> Texts:
    with gzip.open(DATA / "TwitterURLCorpus" / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    drawn = np.random.default_rng(5).choice(len(rows), pairs, replace=False)
    chosen = [rows[row] for row in drawn]
    return [row["sent1"] for row in chosen], [row["sent2"] for row in chosen], [row["label"] for row in chosen]


def test_a_fit_says_what_it_rests_on(minilm: gtekit.Embedder, fitted: Calibration) -> None:
    assert fitted.fingerprint == minilm.fingerprint
    assert (fitted.pairs, fitted.positives, fitted.base_rate) == (120, 60, 0.5)
    assert (fitted.data, fitted.meaning) == ("made up", "the same thing")
    assert fitted.embedded_as == EmbeddedAs(prompt="", dimension=384)
    assert fitted.compared[fitted.curve.method].log_loss < fitted.unskilled_log_loss == pytest.approx(np.log(2))
    assert set(fitted.compared) == {"logistic", "beta"}  # too few pairs for steps
    assert fitted.reliability.count == 120
    assert "made up" not in str(fitted)


def test_a_file_brings_all_of_it_back(minilm: gtekit.Embedder, fitted: Calibration, tmp_path: Path) -> None:
    fitted.save(tmp_path / "a.json")
    assert load_calibration(tmp_path / "a.json", minilm) == fitted


def test_a_folder_is_no_name_of_a_file(fitted: Calibration, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"is a folder\. Name a file"):
        fitted.save(tmp_path)


def test_another_model_is_refused(fitted: Calibration, tmp_path: Path, tiny_checkpoint: Path) -> None:
    fitted.save(tmp_path / "a.json")
    with pytest.raises(
        SpaceError, match=r"was fitted to sentence-transformers/all-MiniLM-L6-v2 .* fit one: gtekit pairs"
    ):
        load_calibration(tmp_path / "a.json", gtekit.load(tiny_checkpoint))
    with pytest.raises(SpaceError, match=r"gtekit pairs calibrate pairs\.csv -o my\.json --model"):
        calibration_for(gtekit.load(tiny_checkpoint))


@pytest.mark.parametrize("options", [{"dimensions": 64}, {"prompt": "query: "}])
def test_texts_embedded_in_another_way_are_refused(minilm: gtekit.Embedder, options: EncodeKeywords) -> None:
    calibration = calibration_for(minilm)
    calibration.check(minilm, dimensions=384, on_truncation="chunk")
    with pytest.raises(SpaceError, match="was fitted to vectors of 384 dimensions with the prompt ''"):
        calibration.check(minilm, **options)
    with pytest.raises(SpaceError, match="was fitted to vectors of 384 dimensions"):
        deduplicate(minilm, ["a", "b"], **options)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "cubic"},
        {"parameters": {}},
        {"positives": 0},
        {"more": 1},
        {"reliability": {"bins": []}},
        {"pairs": "120"},
        {"model": 3},
        {"meaning": None},
        {"folds": True},
        {"unskilled_log_loss": "0.7"},
        {"embedded_as": {"prompt": None, "dimension": 384}},
        {"embedded_as": {"prompt": "", "dimension": "384"}},
        {"compared": {"logistic": {"log_loss": "x", "brier": 0.1, "ece": 0.1}}},
        {"compared": {}},
        {"compared": 3},
    ],
)
def test_a_damaged_file_is_refused(
    minilm: gtekit.Embedder, fitted: Calibration, tmp_path: Path, change: dict[str, object]
) -> None:
    fitted.save(tmp_path / "a.json")
    values = json.loads((tmp_path / "a.json").read_text("utf-8"))
    (tmp_path / "a.json").write_text(json.dumps({**values, **change}), "utf-8")
    with pytest.raises(FileFormatError, match="is a damaged gtekit calibration 1"):
        load_calibration(tmp_path / "a.json", minilm)


def test_thresholds_are_where_the_probability_is_reached(minilm: gtekit.Embedder) -> None:
    calibration = calibration_for(minilm)
    for probability in (0.05, 0.5, 0.9, 0.99):
        cosine = calibration.threshold(probability)
        assert calibration.probability(cosine) >= probability > calibration.probability(cosine - 1e-6)
    assert calibration.threshold(0.5, prior=0.01) > calibration.threshold(0.5)
    with pytest.raises(ArgumentError, match="choose a number between 0 and 1"):
        calibration.threshold(1.0)
    with pytest.raises(ArgumentError, match="no cosine has a probability"):
        calibration.threshold(0.999999)


def test_a_prior_moves_the_odds_and_that_of_the_data_nothing(fitted: Calibration) -> None:
    scores = np.linspace(-0.2, 1, 20)
    plain = fitted.probability(scores)
    assert np.allclose(fitted.probability(scores, prior=fitted.base_rate), plain)
    rare = fitted.probability(scores, prior=0.01)
    assert np.allclose(rare / (1 - rare), plain / (1 - plain) * (0.01 / 0.99))
    for prior in (0, 1, -1, float("nan")):
        with pytest.raises(ArgumentError, match="is not possible"):
            fitted.probability(scores, prior=prior)


@pytest.mark.parametrize("scores", [[1.2], [-3.0], [float("nan")]])
def test_what_is_no_cosine_has_no_probability(fitted: Calibration, scores: list[float]) -> None:
    with pytest.raises(ArgumentError, match="scores must be cosines"):
        fitted.probability(scores)


def test_an_unknown_method_is_refused(minilm: gtekit.Embedder, texts: Texts) -> None:
    with pytest.raises(ArgumentError, match="choose from: logistic, beta, isotonic"):
        fit_calibration(minilm, *texts, method="cubic")  # type: ignore[arg-type]


def test_the_curve_that_drew_the_labels_is_chosen() -> None:
    random = np.random.default_rng(7)
    scores = random.uniform(0, 1, 5000).astype(np.float32)
    stepped = np.where(scores > 0.5, 0.9, 0.1)  # no smooth curve has such a step
    for probabilities, expected in ((sigmoid(10 * (scores - 0.5)), "logistic"), (stepped, "isotonic")):
        labels = (random.uniform(size=5000) < probabilities).astype(np.int64)
        _, chosen, found = compare_curves(LabelledPairs(scores, labels, np.arange(5000) % 200))
        assert chosen == expected
        assert found.ece < 0.03


def test_the_shipped_one_is_that_of_its_model_and_of_every_precision(minilm: gtekit.Embedder) -> None:
    calibration = calibration_for(minilm)
    assert calibration.fingerprint == minilm.fingerprint
    assert calibration_for(gtekit.load("all-MiniLM-L6-v2", precision="int8")) == calibration
    assert calibration.pairs == 51_534
    assert calibration.compared[calibration.curve.method].ece < 0.01
    assert calibration.data
    assert calibration.meaning


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_shipped_one_holds_on_pairs_that_people_judged(precision: str) -> None:
    model = gtekit.load("all-MiniLM-L6-v2", precision=precision, language_warning=False)  # type: ignore[arg-type]
    left, right, labels = twitter(1500)
    found = reliability(calibration_for(model).probability(pair_scores(model, left, right)), np.array(labels), bins=5)
    assert found.ece < 0.03  # of 1,500 pairs; 0.002 of all
    assert found.log_loss < 0.30


@needs_data
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gtekit.GtekitWarning")
def test_the_whole_twitter_url_corpus_gives_the_published_precision_and_the_shipped_curve() -> None:
    model = gtekit.load("all-MiniLM-L6-v2", precision="int8", language_warning=False)  # the curve comes from float32
    with gzip.open(DATA / "TwitterURLCorpus" / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    left, right, labels = ([row[name] for row in rows] for name in ("sent1", "sent2", "label"))
    pairs = labelled_pairs(model, left, right, labels, {})
    assert 100 * average_precision(pairs.scores, pairs.labels) == pytest.approx(84.702, abs=0.05)
    assert judge_threshold(pairs, "accuracy").accuracy == pytest.approx(0.881, abs=0.003)
    shipped = calibration_for(model)
    _, method, kept = compare_curves(pairs, None)
    points = np.linspace(0, 1, 101)
    assert method == shipped.curve.method
    curve = fit_curve(method, pairs.scores, pairs.labels)
    assert np.allclose(replace(shipped, curve=curve).probability(points), shipped.probability(points), atol=0.01)
    assert kept.log_loss == pytest.approx(shipped.reliability.log_loss, abs=1e-3)
