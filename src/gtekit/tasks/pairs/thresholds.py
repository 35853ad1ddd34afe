"""The cosine from which on texts count as alike, where nobody has said one."""

from gtekit.config import EncodeKeywords
from gtekit.embedder import Embedder
from gtekit.errors import SpaceError
from gtekit.tasks.pairs.calibration import COMMAND, calibration_for


def default_threshold(model: Embedder, probability: float, options: EncodeKeywords) -> float:
    """Give the cosine from which on the model's own calibration finds the same meaning so likely.

    Raises:
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
    return calibration.threshold(probability)
