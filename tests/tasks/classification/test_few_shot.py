"""Classification from examples: what is fitted is scikit-learn's regression, and what is reported can be recounted."""

from pathlib import Path

import numpy as np
import pytest

import gtekit
from benchmarks.classification import mteb_draws, read_split
from gtekit.arrays import Floats
from gtekit.errors import ArgumentError, GtekitError, ShapeError, TextTypeError
from gtekit.tasks import fit_classifier

BANKING77 = Path(__file__).resolve().parents[4] / "shared" / "data" / "mteb" / "Banking77Classification"
linear_model = pytest.importorskip("sklearn.linear_model", reason="needs the extra tasks")

SUBJECTS = {
    "sport": ["the match", "a goal", "the striker", "the league", "a tennis player", "the coach"],
    "food": ["the soup", "fresh bread", "a recipe", "the cheese", "olive oil", "a ripe tomato"],
    "travel": ["the airport", "a hotel room", "the train", "a passport", "our flight", "a suitcase"],
}
TEXTS = [f"I read a story about {thing}." for things in SUBJECTS.values() for thing in things]
LABELS = [subject for subject, things in SUBJECTS.items() for _ in things]


@pytest.fixture(scope="module")
def vectors(minilm: gtekit.Embedder) -> Floats:
    return minilm.encode(TEXTS)


def test_new_texts_get_the_label_of_what_they_are_about(minilm: gtekit.Embedder) -> None:
    classifier = fit_classifier(minilm, TEXTS, LABELS)
    assert classifier.classes == ("food", "sport", "travel")
    found = classifier.predict(["She scored twice.", "Slice the onions.", "We landed in Rome."])
    assert found.labels == ("sport", "food", "travel")


@pytest.mark.parametrize("subjects", [2, 3])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_probabilities_are_those_of_scikit_learn(
    minilm: gtekit.Embedder, vectors: Floats, subjects: int, class_weight: str | None
) -> None:
    rows = slice(2, 6 * subjects)  # the first class has fewer examples than the others
    classifier = fit_classifier(
        minilm,
        TEXTS[rows],
        LABELS[rows],
        c=3.0,
        folds=0,
        class_weight=class_weight,  # type: ignore[arg-type]
    )
    regression = linear_model.LogisticRegression(C=3.0, class_weight=class_weight, max_iter=1000)
    regression.fit(vectors[rows], LABELS[rows])
    assert classifier.classes == tuple(regression.classes_)
    expected = regression.predict_proba(vectors)
    assert np.allclose(classifier.predict_proba(TEXTS), expected, atol=1e-5)  # float32, other threads in its sums


def test_vectors_that_are_there_already_give_the_same_classifier(minilm: gtekit.Embedder, vectors: Floats) -> None:
    from_texts = fit_classifier(minilm, TEXTS, LABELS, c=1.0, folds=0)
    from_vectors = fit_classifier(minilm, TEXTS, LABELS, c=1.0, folds=0, vectors=vectors)
    assert np.array_equal(from_texts.head.coefficients, from_vectors.head.coefficients)
    assert np.array_equal(from_texts.predict_proba(TEXTS), from_vectors.predict_vectors(vectors).scores)


def test_the_report_can_be_counted_again_from_what_was_seen(minilm: gtekit.Embedder, vectors: Floats) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    labels = [*LABELS[:-2], "food", "sport"]  # two wrong ones: the accuracy is not 1
    classifier = fit_classifier(minilm, TEXTS, labels, vectors=vectors)
    report, seen = classifier.report, classifier.seen
    assert seen is not None
    assert report.accuracy is not None
    assert report.macro_f1 is not None
    assert report.accuracy.value == np.mean(seen.predicted == seen.truths) < 1
    assert report.macro_f1.value == pytest.approx(metrics.f1_score(seen.truths, seen.predicted, average="macro"))
    assert report.accuracy.low <= report.accuracy.value <= report.accuracy.high
    assert report.examples == (7, 7, 4)
    assert report.folds == 4  # travel has four examples
    assert [candidate.c for candidate in report.candidates] == [0.1, 1.0, 10.0, 100.0]
    assert report.c == min(report.candidates, key=lambda candidate: candidate.log_loss).c


def test_the_threshold_is_chosen_on_texts_that_were_not_seen(minilm: gtekit.Embedder, vectors: Floats) -> None:
    labels = [*LABELS[:-2], "food", "sport"]
    classifier = fit_classifier(minilm, TEXTS, labels, vectors=vectors, least_coverage=0.5)
    assert classifier.seen is not None
    assert classifier.report.chosen is not None
    assert np.mean(classifier.seen.confidence >= classifier.abstain_below) == classifier.report.chosen.coverage == 0.5
    sure = classifier.predict_vectors(vectors)
    assert [label is None for label in sure.labels] == list(sure.confidence < classifier.abstain_below)
    assert None not in classifier.predict_vectors(vectors, abstain_below=0).labels


def test_options_of_the_fit_hold_for_every_text_to_come(minilm: gtekit.Embedder) -> None:
    classifier = fit_classifier(minilm, TEXTS, LABELS, c=1.0, folds=0, encode={"dimensions": 64, "prompt": "news: "})
    vectors = minilm.encode(TEXTS, dimensions=64, prompt="news: ")
    assert np.array_equal(classifier.predict_proba(TEXTS), classifier.predict_vectors(vectors).scores)
    with pytest.raises(ShapeError, match=r"\(N, 64\)"):
        classifier.predict_vectors(minilm.encode(TEXTS))


def test_whole_numbers_are_labels_too(minilm: gtekit.Embedder, vectors: Floats) -> None:
    numbers = np.repeat([7, 3, 5], 6)
    classifier = fit_classifier(minilm, TEXTS, numbers, c=10.0, folds=0, vectors=vectors)
    assert classifier.classes == (3, 5, 7)
    assert classifier.predict_vectors(vectors).labels == tuple(numbers.tolist())


def test_a_label_with_one_example_is_named_with_its_place_and_the_ways_out(minilm: gtekit.Embedder) -> None:
    labels = [*LABELS[:-1], "weather"]
    with pytest.raises(ArgumentError, match=r"labels\[17\]: the label 'weather' has one example") as caught:
        fit_classifier(minilm, TEXTS, labels)
    assert "folds=0" in str(caught.value)
    assert fit_classifier(minilm, TEXTS, labels, c=10.0, folds=0).report.accuracy is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"c": 0}, "c=0"),
        ({"c": float("nan")}, "c=nan"),
        ({"folds": 1}, "folds=1"),
        ({"folds": 0}, "c is found by cross-validation"),
        ({"c": 1.0, "folds": 0, "least_accuracy": 0.9}, "least_accuracy is found by cross-validation"),
        ({"least_accuracy": 0.9, "least_coverage": 0.9}, "least_accuracy and least_coverage"),
        ({"least_accuracy": 95}, "least_accuracy=95"),
        ({"abstain_below": -0.5}, "abstain_below=-0.5"),
        ({"class_weight": "even"}, "class_weight='even'"),
        ({"encode": {"prmpt": "x"}}, "unknown option 'prmpt'"),
        ({"vectors": np.zeros((2, 384), np.float32)}, r"shape \(2, 384\)"),
        ({"vectors": np.full((18, 384), np.nan, np.float32)}, r"vectors\[0\]"),
    ],
)
def test_what_can_not_be_is_refused(minilm: gtekit.Embedder, options: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        fit_classifier(minilm, TEXTS, LABELS, **options)  # type: ignore[arg-type]


def test_texts_and_labels_are_checked(minilm: gtekit.Embedder) -> None:
    with pytest.raises(ShapeError, match="18 texts and 17 labels"):
        fit_classifier(minilm, TEXTS, LABELS[1:])
    with pytest.raises(TextTypeError, match=r"texts\[0\]"):
        fit_classifier(minilm, [None, *TEXTS[1:]], LABELS)  # type: ignore[list-item]


def test_a_seeded_model_fits_as_well(tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint, language_warning=False)
    classifier = fit_classifier(model, TEXTS, LABELS, folds=2)
    assert classifier.predict(TEXTS).scores.shape == (18, 3)
    with pytest.raises(GtekitError):
        classifier.predict("one text")


@pytest.mark.slow
@pytest.mark.skipif(not BANKING77.is_dir(), reason=f"needs MTEB's test set in {BANKING77}")
def test_ten_draws_of_eight_examples_reach_the_published_score_of_banking77(minilm: gtekit.Embedder) -> None:
    texts, labels = read_split(BANKING77, "train")
    test_texts, test_labels = read_split(BANKING77, "test")
    vectors, test_vectors = minilm.encode(texts), minilm.encode(test_texts)
    accuracies = []
    for rows in mteb_draws(labels, 8):
        classifier = fit_classifier(
            minilm,
            [texts[row] for row in rows],
            [labels[row] for row in rows],
            c=1.0,
            folds=0,
            vectors=vectors[rows],
        )
        predicted = classifier.predict_vectors(test_vectors).labels
        accuracies.append(np.mean([found == label for found, label in zip(predicted, test_labels, strict=True)]))
    assert len(accuracies) == 10
    assert 100 * np.mean(accuracies) == pytest.approx(80.04, abs=0.3)
