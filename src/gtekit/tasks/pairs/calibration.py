"""Cosines of one model as probabilities that two texts mean the same, learned from pairs that people have labelled."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from gtekit.any_model import AnyModel
from gtekit.arrays import Array
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, GtekitWarning, SpaceError
from gtekit.notices import warn_caller
from gtekit.tasks.alike import EmbeddedAs
from gtekit.tasks.fitted_files import check_space, check_types, read_fitted, write_fitted
from gtekit.tasks.pairs.calibration_curves import ISOTONIC_PAIRS, METHODS, Curve, Doubles, Method, fit_curve, sigmoid
from gtekit.tasks.pairs.labelled_pairs import FOLDS, LabelledPairs, cut_into_folds, labelled_pairs
from gtekit.tasks.pairs.reliability import Reliability, reliability

KIND = "gtekit calibration 1"
SHIPPED = Path(__file__).with_name("calibrations")
FEW_PAIRS = 100  # of one label; fewer leave the curve to chance
COMMAND = "gtekit pairs calibrate pairs.csv -o my.json"


@dataclass(frozen=True, slots=True)
class Judged:
    """How good the probabilities of one kind of curve are on folds that it was not fitted on."""

    log_loss: float
    brier: float
    ece: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A curve from the cosines of one model to probabilities, and what it rests on.

    Made by `fit_calibration`, `load_calibration` and `calibration_for`, all of which hold it against a model.
    """

    curve: Curve
    fingerprint: str  # of the model whose cosines it takes
    model: str
    precision: str  # that the model computed in when it was fitted; the space is the same for all
    embedded_as: EmbeddedAs
    data: str  # where the pairs come from
    meaning: str  # what label 1 says of two texts
    pairs: int
    positives: int  # pairs labelled 1
    folds: int
    compared: Mapping[Method, Judged]
    unskilled_log_loss: float  # of one probability for all pairs, the share of those labelled 1
    reliability: Reliability  # of the chosen curve, on folds that it was not fitted on

    @property
    def base_rate(self) -> float:
        """The share of pairs labelled 1 in the data."""
        return self.positives / self.pairs

    def probability(self, scores: ArrayLike, *, prior: float | None = None) -> Doubles:
        """Give the probability that texts of a pair mean the same, as the data of the calibration have it.

        Args:
            scores: Cosines of the model that this was fitted to, any shape.
            prior: The share of such pairs among yours, where you know it: random pairs of a collection mean the same
                much more rarely than pairs that somebody picked. None: as in the data.

        Raises:
            ArgumentError: If a score is no cosine, or the prior not between 0 and 1.
        """
        values = np.asarray(scores, np.float64)
        if not (np.abs(values) <= 1 + 1e-4).all():  # NaN fails too; bytes and float16 round a little over 1
            raise ArgumentError("scores must be cosines, -1 to 1. Are the vectors normalized?")
        found = self.curve(values)
        if prior is None:
            return found
        if not isinstance(prior, int | float | np.floating) or not 0 < prior < 1:
            raise ArgumentError(f"prior={prior!r} is not possible; choose a number between 0 and 1.")
        # the odds of a pair grow by as much as the odds of all pairs do (Saerens, Latinne and Decaestecker 2002)
        return sigmoid(_logit(found) + _logit(prior) - _logit(self.base_rate))

    def threshold(self, probability: float, *, prior: float | None = None) -> float:
        """Give the least cosine whose probability is at least so much.

        Raises:
            ArgumentError: If no cosine has it.
        """
        if not 0 < probability < 1:
            raise ArgumentError(f"probability={probability!r} is not possible; choose a number between 0 and 1.")
        low, high = -1.0, 1.0
        if self.probability(high, prior=prior) < probability:
            most = float(self.probability(1.0, prior=prior))
            raise ArgumentError(f"no cosine has a probability of {probability}: equal texts have {most:.3f}.")
        for _ in range(50):  # halves 2 to less than the spacing of float64 at 1
            middle = (low + high) / 2
            if self.probability(middle, prior=prior) < probability:
                low = middle
            else:
                high = middle
        return high

    def check(self, model: AnyModel, **options: Unpack[EncodeKeywords]) -> None:
        """Make sure that this is for cosines of a model whose texts are embedded so.

        Raises:
            SpaceError: If it is not.
        """
        check_space(self.fingerprint, self.model, model, what="the calibration", fix=f"fit one: {COMMAND}")
        self.embedded_as.check(EmbeddedAs.of(model, options), "the calibration")

    def save(self, path: Path | str) -> None:
        """Write a JSON file, which `load_calibration` reads.

        Raises:
            FileFormatError: If no file can be made there.
        """
        write_fitted(path, KIND, self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Give all of it for a JSON file."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            "method": self.curve.method,
            "parameters": dict(self.curve.parameters),
            **{
                name: values[name] for name in values if name not in ("curve", "embedded_as", "compared", "reliability")
            },
            "embedded_as": asdict(self.embedded_as),
            "compared": {method: asdict(judged) for method, judged in self.compared.items()},
            "reliability": self.reliability.as_json(),
        }

    def __str__(self) -> str:
        chosen = self.compared[self.curve.method]
        return (
            f"{self.curve.method} calibration of {self.model} on {self.pairs:,} pairs ({self.base_rate:.1%} labelled "
            f"1): cross-validated log loss {chosen.log_loss:.4f} (without scores {self.unskilled_log_loss:.4f}), "
            f"Brier {chosen.brier:.4f}, ECE {chosen.ece:.4f}"
        )


def fit_calibration(
    model: AnyModel,
    left: Sequence[str],
    right: Sequence[str],
    labels: Sequence[int] | Array,
    *,
    method: Method | None = None,
    data: str = "",
    meaning: str = "",
    **options: Unpack[EncodeKeywords],
) -> Calibration:
    """Fit probabilities to labelled pairs.

    The curves are compared by five-fold cross-validation, in which pairs with the same left text stay together. The one
    with the fewest parameters is chosen whose log loss is not worse than the best by more than one standard error of
    the difference.

    Args:
        model: What `gtekit.load` gives.
        left: N texts.
        right: As many.
        labels: 0 or 1 for each pair, a few hundred of each at least.
        method: Which curve; None chooses.
        data: Where the pairs come from, to be kept beside the figures.
        meaning: What label 1 says of two texts.
        **options: Those of `Embedder.encode`.

    Raises:
        ArgumentError: If a value is not possible, a label has fewer than five pairs, or pairs labelled 1 do not have
            the larger cosines.
        ShapeError: If there are not as many of each.
        MissingExtraError: If scikit-learn is not installed.
    """
    if method is not None and method not in METHODS:
        raise ArgumentError(f"method={method!r} is not possible; choose from: {', '.join(METHODS)}.")
    pairs = labelled_pairs(model, left, right, labels, options)
    rarer = min(int(pairs.labels.sum()), int((1 - pairs.labels).sum()))
    judged, chosen, kept = compare_curves(pairs, method)
    if rarer < FEW_PAIRS:
        warn_caller(
            f"the calibration rests on {rarer} pairs of the rarer label; {FEW_PAIRS} or more make it one to rely on.",
            GtekitWarning,
        )
    share = pairs.base_rate
    return Calibration(
        curve=fit_curve(chosen, pairs.scores, pairs.labels),
        fingerprint=model.fingerprint,
        model=model.name,
        precision=model.precision,
        embedded_as=EmbeddedAs.of(model, options),
        data=data,
        meaning=meaning,
        pairs=len(pairs.labels),
        positives=int(pairs.labels.sum()),
        folds=FOLDS,
        compared=judged,
        unskilled_log_loss=float(-(share * np.log(share) + (1 - share) * np.log(1 - share))),
        reliability=kept,
    )


def compare_curves(
    pairs: LabelledPairs, method: Method | None = None, *, folds: int = FOLDS
) -> tuple[dict[Method, Judged], Method, Reliability]:
    """Judge curves on folds that they were not fitted on, and choose one.

    Args:
        pairs: Scores, labels and groups.
        method: The one curve to judge; None: all that there are pairs enough for.
        folds: Of the cross-validation.

    Returns:
        The figures, the choice, and its reliability.
    """
    is_enough = len(pairs.labels) >= ISOTONIC_PAIRS
    methods = [method] if method else [name for name in METHODS if name != "isotonic" or is_enough]
    predicted = {name: np.empty(len(pairs.labels)) for name in methods}
    losses: dict[Method, list[float]] = {name: [] for name in methods}
    for fit, held_out in cut_into_folds(pairs, folds):
        for name in methods:
            curve = fit_curve(name, pairs.scores[fit], pairs.labels[fit])
            predicted[name][held_out] = curve(pairs.scores[held_out])
            losses[name].append(reliability(predicted[name][held_out], pairs.labels[held_out]).log_loss)
    found = {name: reliability(predicted[name], pairs.labels) for name in methods}
    judged = {name: Judged(found[name].log_loss, found[name].brier, found[name].ece) for name in methods}
    best = min(methods, key=lambda name: sum(losses[name]))
    chosen = next(name for name in methods if _is_as_good(losses[name], losses[best]))
    return judged, chosen, found[chosen]


def _is_as_good(losses: Sequence[float], best: Sequence[float]) -> bool:
    worse = np.subtract(losses, best)  # fold by fold: what is hard for both cancels out
    return bool(worse.mean() <= worse.std(ddof=1) / np.sqrt(len(worse)))


def load_calibration(path: Path | str, model: AnyModel) -> Calibration:
    """Read a calibration for the model that it was fitted to.

    Raises:
        FileFormatError: If there is no such file, or it is damaged.
        SpaceError: If it was fitted to another model.
    """
    found = read_fitted(path, KIND, _from_json)
    check_space(found.fingerprint, found.model, model, what=f"{path}: the calibration", fix=f"fit one: {COMMAND}")
    return found


def calibration_for(model: AnyModel) -> Calibration:
    """Give the calibration that comes with the package for this model.

    Raises:
        SpaceError: If there is none; it names the command that fits one.
    """
    shipped = _shipped()
    if model.fingerprint in shipped:
        return shipped[model.fingerprint]
    known = ", ".join(sorted(found.model for found in shipped.values()))
    raise SpaceError(
        f"there is no calibration for {model.name} (fingerprint {model.fingerprint[:12]}), only for: {known}. Cosines "
        f"of one model mean nothing to another. Fit one to pairs labelled 0 and 1: {COMMAND} --model {model.name}"
    )


@cache
def _shipped() -> dict[str, Calibration]:
    read = [read_fitted(path, KIND, _from_json) for path in sorted(SHIPPED.glob("*.json"))]
    return {found.fingerprint: found for found in read}


def _from_json(values: Mapping[str, Any]) -> Calibration:
    rest = dict(values)
    curve = Curve(rest.pop("method"), dict(rest.pop("parameters")))
    curve.check()
    compared = {method: Judged(**judged) for method, judged in rest.pop("compared").items()}
    found = Calibration(
        curve=curve,
        embedded_as=EmbeddedAs(**rest.pop("embedded_as")),
        compared=compared,
        reliability=Reliability.from_json(rest.pop("reliability")),
        **rest,
    )
    for part in (found, found.embedded_as, *compared.values(), found.reliability, *found.reliability.bins):
        check_types(part)
    if found.curve.method not in compared:
        raise ValueError(f"the curve is {found.curve.method}, and compared were {', '.join(compared)}")
    if not 0 < found.positives < found.pairs:
        raise ValueError(f"{found.positives} of {found.pairs} pairs are labelled 1")
    return found


def _logit(probabilities: ArrayLike) -> Doubles:
    kept = np.clip(np.asarray(probabilities, np.float64), 1e-12, 1 - 1e-12)
    return np.asarray(np.log(kept) - np.log1p(-kept))
