"""Whether two texts mean the same: a threshold on their cosine, fitted to pairs that people have labelled."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from gtekit.any_model import AnyModel
from gtekit.arrays import Array, Floats
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, ShapeError
from gtekit.tasks.alike import EmbeddedAs
from gtekit.tasks.fitted_files import check_space, check_types, read_fitted, write_fitted
from gtekit.tasks.pairs.labelled_pairs import (
    FOLDS,
    LabelledPairs,
    check_labels,
    cut_into_folds,
    labelled_pairs,
    pair_scores,
)

KIND = "gtekit pair classifier 1"
Measure = Literal["accuracy", "f1"]


@dataclass(frozen=True, slots=True)
class PairFigures:
    """How well cosines tell pairs apart. Accuracy to recall are of folds whose threshold was fitted on the others."""

    pairs: int
    positives: int  # pairs labelled 1
    folds: int
    average_precision: float  # of the cosines, over all thresholds
    accuracy: float
    f1: float
    precision: float  # of the pairs predicted 1, how many are labelled 1
    recall: float  # of the pairs labelled 1, how many are predicted 1
    majority: float  # accuracy of always predicting the more frequent label


@dataclass(frozen=True, slots=True, kw_only=True)
class PairClassifier:
    """A threshold for the cosines of one model. Made by `fit_pairs` and `load_pairs`."""

    model: AnyModel
    threshold: float  # from there on a pair is predicted 1
    measure: Measure  # that the threshold is best for
    figures: PairFigures
    precision: str  # that the model computed in when it was fitted
    embedded_as: EmbeddedAs
    data: str  # where the pairs come from

    def scores(self, left: Sequence[str], right: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Give the cosine of each pair, shape (N,).

        Raises:
            SpaceError: If the options make other vectors than those that the threshold was fitted to.
        """
        self.check(**options)
        return pair_scores(self.model, left, right, **options)

    def check(self, **options: Unpack[EncodeKeywords]) -> None:
        """Make sure that the threshold is for texts that are embedded so.

        Raises:
            SpaceError: If it is not.
        """
        self.embedded_as.check(EmbeddedAs.of(self.model, options), "the threshold")

    def decide(self, scores: Floats) -> NDArray[np.bool_]:
        """Say of each cosine whether it reaches the threshold, of the same shape."""
        return _reach(scores, self.threshold)

    def predict(
        self, left: Sequence[str], right: Sequence[str], **options: Unpack[EncodeKeywords]
    ) -> NDArray[np.bool_]:
        """Say of each pair whether its texts belong together, shape (N,).

        Raises:
            TextTypeError: If something is not a str.
            ShapeError: If the lists are not equally long.
        """
        return self.decide(self.scores(left, right, **options))

    def save(self, path: Path | str) -> None:
        """Write a JSON file, which `load_pairs` reads.

        Raises:
            FileFormatError: If no file can be made there.
        """
        values = self.as_json()
        write_fitted(path, KIND, values)

    def as_json(self) -> dict[str, Any]:
        """Give all but the model itself for a JSON file; of the model its name and fingerprint."""
        return {
            "model": self.model.name,
            "fingerprint": self.model.fingerprint,
            "precision": self.precision,
            "embedded_as": asdict(self.embedded_as),
            "threshold": self.threshold,
            "measure": self.measure,
            "data": self.data,
            "figures": asdict(self.figures),
        }

    def __str__(self) -> str:
        figures = self.figures
        return (
            f"threshold {self.threshold:.4f} for {self.model.name}, best for {self.measure} on {figures.pairs:,} pairs "
            f"({figures.positives / figures.pairs:.1%} labelled 1): cross-validated accuracy {figures.accuracy:.4f} "
            f"(always the more frequent label: {figures.majority:.4f}), F1 {figures.f1:.4f}; average precision "
            f"{figures.average_precision:.4f}"
        )


def fit_pairs(
    model: AnyModel,
    left: Sequence[str],
    right: Sequence[str],
    labels: Sequence[int] | Array,
    *,
    measure: Measure = "accuracy",
    data: str = "",
    **options: Unpack[EncodeKeywords],
) -> PairClassifier:
    """Fit the threshold that tells labelled pairs apart best.

    Args:
        model: What `gtekit.load` gives.
        left: N texts.
        right: As many.
        labels: 0 or 1 for each pair.
        measure: What is to be as good as it can be: accuracy, or f1 where pairs labelled 1 are rare.
        data: Where the pairs come from, to be kept beside the figures.
        **options: Those of `Embedder.encode`.

    Raises:
        ArgumentError: If a value is not possible, or a label has fewer than five pairs.
        ShapeError: If there are not as many of each.
        MissingExtraError: If scikit-learn is not installed.
    """
    check_measure(measure)
    pairs = labelled_pairs(model, left, right, labels, options)
    figures = judge_threshold(pairs, measure)
    return PairClassifier(
        model=model,
        threshold=best_threshold(pairs.scores, pairs.labels, measure),
        measure=measure,
        figures=figures,
        precision=model.precision,
        embedded_as=EmbeddedAs.of(model, options),
        data=data,
    )


def load_pairs(path: Path | str, model: AnyModel) -> PairClassifier:
    """Read a classifier for the model that it was fitted to.

    Raises:
        FileFormatError: If there is no such file, or it is damaged.
        SpaceError: If it was fitted to another model.
    """
    fields = read_fitted(path, KIND, _checked)
    fix = "fit one: gtekit pairs fit pairs.csv -o my.json"
    check_space(fields["fingerprint"], fields["model"], model, what=f"{path}: the threshold", fix=fix)
    return PairClassifier(
        model=model,
        threshold=fields["threshold"],
        measure=fields["measure"],
        figures=PairFigures(**fields["figures"]),
        precision=fields["precision"],
        embedded_as=EmbeddedAs(**fields["embedded_as"]),
        data=fields["data"],
    )


def best_threshold(scores: Array, labels: Sequence[int] | Array, measure: Measure = "accuracy") -> float:
    """Give the threshold from which on label 1 is predicted best: halfway between two neighbouring scores.

    Of equally good ones it is the highest.

    Raises:
        ShapeError: If there is not one label for each score.
        ArgumentError: If the measure is unknown, or labels are not 0 and 1 with both there.
    """
    check_measure(measure)
    cuts = _Cuts.of(scores, check_labels(labels))
    values = cuts.accuracy() if measure == "accuracy" else cuts.f1()
    best = int(values.round(12).argmax())
    if best == 0:  # nothing is predicted 1
        return float(np.nextafter(np.float32(cuts.scores[0]), np.float32(np.inf)))
    lowest_in = float(cuts.scores[best - 1])
    return (lowest_in + float(cuts.scores[best])) / 2 if best < len(cuts.scores) else lowest_in


def average_precision(scores: Array, labels: Sequence[int] | Array) -> float:
    """Give the area under precision and recall, 0 to 1, without interpolation.

    Raises:
        ShapeError: If there is not one label for each score.
        ArgumentError: If labels are not 0 and 1 with both there.
    """
    cuts = _Cuts.of(scores, check_labels(labels))
    precision = cuts.truly[1:] / cuts.taken[1:]
    return float((np.diff(cuts.truly) * precision).sum() / cuts.truly[-1])


def judge_threshold(pairs: LabelledPairs, measure: Measure, *, folds: int = FOLDS) -> PairFigures:
    """Say how well thresholds do on folds that they were not fitted on."""
    predicted = np.empty(len(pairs.labels), bool)
    for fit, held_out in cut_into_folds(pairs, folds):
        threshold = best_threshold(pairs.scores[fit], pairs.labels[fit], measure)
        predicted[held_out] = _reach(pairs.scores[held_out], threshold)
    is_one = pairs.labels == 1
    right, taken, ones = int((predicted & is_one).sum()), int(predicted.sum()), int(is_one.sum())
    return PairFigures(
        pairs=len(is_one),
        positives=ones,
        folds=folds,
        average_precision=average_precision(pairs.scores, pairs.labels),
        accuracy=float((predicted == is_one).mean()),
        f1=2 * right / (taken + ones),
        precision=right / taken if taken else 0.0,
        recall=right / ones,
        majority=max(pairs.base_rate, 1 - pairs.base_rate),
    )


def check_measure(measure: str) -> None:
    """Make sure that a measure is known.

    Raises:
        ArgumentError: If it is not.
    """
    if measure not in get_args(Measure):
        raise ArgumentError(f"measure={measure!r} is not possible; choose from: {', '.join(get_args(Measure))}.")


@dataclass(frozen=True, slots=True)
class _Cuts:
    """What each threshold takes: the first nothing, each next one more of the different scores, from the largest."""

    scores: Array  # (U,), descending
    taken: Array  # (U + 1,), pairs from the threshold on
    truly: Array  # (U + 1,), those of them labelled 1

    @classmethod
    def of(cls, scores: Array, labels: Array) -> "_Cuts":
        values = np.asarray(scores)
        if values.shape != labels.shape:
            raise ShapeError(f"scores have shape {values.shape}, labels {labels.shape}; one of each for every pair.")
        different, places = np.unique(-values, return_inverse=True)
        counts = np.stack([np.bincount(places), np.bincount(places, weights=labels)])
        taken, truly = np.concatenate([np.zeros((2, 1)), counts.cumsum(axis=1)], axis=1)
        return cls(-different, taken, truly)

    def accuracy(self) -> Array:
        falsely = self.taken - self.truly
        zeros, pairs = falsely[-1], self.taken[-1]
        return np.asarray((self.truly + zeros - falsely) / pairs)

    def f1(self) -> Array:
        return np.asarray(2 * self.truly / (self.taken + self.truly[-1]))


def _reach(scores: Floats, threshold: float) -> NDArray[np.bool_]:
    """Compare as float64: halfway between two neighbouring float32 there is no third."""
    return np.asarray(scores.astype(np.float64) >= threshold)


def _checked(values: Mapping[str, Any]) -> Mapping[str, Any]:
    check_measure(values["measure"])
    check_types(PairFigures(**values["figures"]))
    check_types(EmbeddedAs(**values["embedded_as"]))
    for name in ("model", "fingerprint", "precision", "data"):
        if not isinstance(values[name], str):
            raise TypeError(f"{name} is no string")
    if not isinstance(values["threshold"], float | int) or not np.isfinite(values["threshold"]):
        raise ValueError("threshold is no number")
    return values
