"""What a score rests on, item by item: enough to compute it again, and to say how sure it is."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from gtekit.errors import FileFormatError
from gtekit.evaluation.metrics import average_precision, spearman
from gtekit.files import replace_beside_others

Doubles = NDArray[np.float64]
Statistic = Literal["mean", "spearman", "average_precision"]

# what numpy and zipfile raise for files cut short, filled with something else, or made to harm
_DAMAGE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, NotImplementedError, RuntimeError),
    *(MemoryError, OverflowError, BadZipFile, zlib.error),
)


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
    with replace_beside_others(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_samples(path: Path) -> Samples:
    """Read what `write_samples` has written.

    Raises:
        FileFormatError: If the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            statistic = str(arrays["statistic"])
            values = arrays["values"]
            truths = arrays.get("truths")
    except _DAMAGE as error:
        raise _damaged(path, str(error) or type(error).__name__) from None
    if statistic not in get_args(Statistic):
        raise _damaged(path, f"unknown statistic {statistic!r}")
    if not _are_items(values) or (truths is None) != (statistic == "mean"):
        raise _damaged(path, "its items are no row of finite numbers, or it lacks a part")
    if truths is not None and not (_are_items(truths) and len(truths) == len(values)):
        raise _damaged(path, f"its truths do not belong to its {len(values):,} values")
    return Samples(statistic, values, truths)  # type: ignore[arg-type]


def _are_items(array: object) -> bool:
    """Whether this is an array of shape (n,) of finite numbers."""
    return (
        isinstance(array, np.ndarray)
        and array.ndim == 1
        and array.dtype == np.float64
        and bool(np.isfinite(array).all())
    )


def _damaged(path: Path, why: str) -> FileFormatError:
    return FileFormatError(
        f"{path}: is not what gtekit writes beside a score ({why}). Delete it and the .json file beside it; the task "
        f"is run again."
    )
