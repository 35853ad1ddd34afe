"""The cosine from which on texts count as alike, where nobody has said one."""

from gtekit.any_model import AnyModel
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, SpaceError
from gtekit.tasks.pairs.calibration import COMMAND, calibration_for
from gtekit.tasks.unit_vectors import check_threshold


def choose_threshold(
    model: AnyModel, threshold: float | None, probability: float, prior: float | None, options: EncodeKeywords
) -> float:
    """Give the threshold that was asked for, checked, or the default one.

    Raises:
        ArgumentError: If the threshold is no cosine, there are both a threshold and a prior, or no cosine is so likely.
        SpaceError: As `default_threshold`.
    """
    if threshold is None:
        return default_threshold(model, probability, options, prior=prior)
    if prior is not None:
        raise ArgumentError(f"prior={prior!r} moves the default threshold; with threshold={threshold!r} leave it out.")
    check_threshold(threshold)
    return threshold


def default_threshold(
    model: AnyModel, probability: float, options: EncodeKeywords, *, prior: float | None = None
) -> float:
    """Give the cosine from which on the model's own calibration finds the same meaning so likely.

    Args:
        model: The one whose cosines they are.
        probability: 0 to 1, where as many pairs match as in the data of the calibration, or as many as `prior` says.
        options: How texts are embedded.
        prior: The share of pairs with the same meaning; None: as in the data.

    Raises:
        ArgumentError: If no cosine is so likely.
        SpaceError: If there is no calibration for the model, which says how to find a threshold, or texts are embedded
            in another way than for it.
    """
    try:
        calibration = calibration_for(model)
    except SpaceError:
        raise SpaceError(
            f"there is no default threshold for {model.name} (fingerprint {model.fingerprint[:12]}): cosines of one "
            f"model mean nothing to another, and no calibration for this one comes along. Give a threshold. To find "
            f"one, label a few hundred pairs of your own 0 and 1: gtekit pairs fit pairs.csv --model {model.name} says "
            f"the best, {COMMAND} the probability of each."
        ) from None
    calibration.check(model, **options)
    return calibration.threshold(probability, prior=prior)
