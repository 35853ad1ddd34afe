"""What a score rests on, item by item: enough to compute it again, and to say how sure it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gtekit.errors import FileFormatError
from gtekit.evaluation.metrics import average_precision, spearman
from gtekit.files import replace_when_complete

Doubles = NDArray[np.float64]
Statistic = Literal["mean", "spearman", "average_precision"]


@dataclass(frozen=True, slots=True)
class Samples:
    """The items of one task: queries, pairs, texts, sets or articles, in the order of the data.

    statistic: How the score comes from the items.
    values: Shape (n,). Of a mean, the score of each item; else what the model says of each.
    truths: Shape (n,): what people say of each item. Of a mean, none.
    """

    statistic: Statistic
    values: Doubles
    truths: Doubles | None = None

    def __len__(self) -> int:
        return len(self.values)

    def score(self) -> float:
        """Compute the score from the items, in points."""
        return 100 * compute(self.statistic, self.values, self.truths)


def compute(statistic: Statistic, values: Doubles, truths: Doubles | None) -> float:
    """Compute a score from items, in its own scale."""
    if statistic == "mean":
        return float(values.mean())
    assert truths is not None
    return spearman(values, truths) if statistic == "spearman" else average_precision(values, truths)


def write_samples(path: Path, samples: Samples) -> None:
    """Write the items of a task as a .npz file, whole or not at all."""
    arrays = {"statistic": np.array(samples.statistic), "values": samples.values}
    if samples.truths is not None:
        arrays["truths"] = samples.truths
    with replace_when_complete(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_samples(path: Path) -> Samples:
    """Read what `write_samples` has written.

    Raises:
        FileFormatError: If the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            statistic = str(arrays["statistic"])
            values = arrays["values"]
            truths = arrays.get("truths")
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise FileFormatError(
            f"{path}: is not what gtekit writes beside a score ({error}). Delete it and the .json file beside it; the "
            f"task is run again."
        ) from None
    if statistic not in ("mean", "spearman", "average_precision"):
        raise FileFormatError(f"{path}: unknown statistic {statistic!r}. Delete it and the .json file beside it.")
    return Samples(statistic, values, truths)  # type: ignore[arg-type]
