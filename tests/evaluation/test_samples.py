"""The items behind a score: written, read, and the score computed from them again."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gtekit.errors import FileFormatError
from gtekit.evaluation.samples import Samples, compute, read_samples, write_samples

VALUES = np.array([0.9, 0.8, 0.7, 0.6])
LABELS = np.array([1.0, 0.0, 1.0, 0.0])


def test_a_mean_is_in_points() -> None:
    assert Samples("mean", VALUES).score() == pytest.approx(75.0)  # (0.9 + 0.8 + 0.7 + 0.6) / 4
    assert compute("mean", VALUES, None) == pytest.approx(0.75)
    assert len(Samples("mean", VALUES)) == 4


def test_average_precision_comes_from_values_and_truths() -> None:
    # precision 1 at the first of two, 2/3 at the second: (1 + 2/3) / 2
    assert Samples("average_precision", VALUES, LABELS).score() == pytest.approx(100 * 5 / 6)


def test_a_correlation_of_ranks_comes_from_values_and_truths() -> None:
    # ranks of the values 4 3 2 1, of the truths 3 4 1 2: 1 - 6 * (1 + 1 + 1 + 1) / (4 * 15) = 0.6
    assert Samples("spearman", VALUES, np.array([3.0, 4.0, 1.0, 2.0])).score() == pytest.approx(60.0)


@pytest.mark.parametrize("samples", [Samples("mean", VALUES), Samples("average_precision", VALUES, LABELS)])
def test_what_was_written_is_read(tmp_path: Path, samples: Samples) -> None:
    path = tmp_path / "task.npz"
    write_samples(path, samples)
    found = read_samples(path)
    assert found.statistic == samples.statistic
    np.testing.assert_array_equal(found.values, samples.values)
    assert (found.truths is None) == (samples.truths is None)
    if samples.truths is not None and found.truths is not None:
        np.testing.assert_array_equal(found.truths, samples.truths)
    assert [file.name for file in tmp_path.iterdir()] == ["task.npz"]  # no temporary file stays


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", npy(array))
    return file.getvalue()


def whole() -> bytes:
    return npz(statistic="average_precision", values=VALUES, truths=LABELS)


def huge_header() -> bytes:
    """An array that says it has a million million numbers, and has none."""
    array = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(array, header)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("statistic.npy", npy("mean"))
        archive.writestr("values.npy", array.getvalue())
    return file.getvalue()


def npy(value: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(value))
    return file.getvalue()


def pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, statistic=np.asarray("mean"), values=np.array([object()], dtype=object))
    return file.getvalue()


DAMAGED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"{}",
    "cut short": lambda: whole()[:200],
    "cut at its end": lambda: whole()[:-30],
    "bytes changed": lambda: whole().replace(VALUES.tobytes(), VALUES.tobytes()[::-1]),
    "no archive": lambda: npy(VALUES),
    "no values": lambda: npz(statistic="mean"),
    "no statistic": lambda: npz(values=VALUES),
    "unknown statistic": lambda: npz(statistic="magic", values=VALUES),
    "no truths": lambda: npz(statistic="spearman", values=VALUES),
    "truths of a mean": lambda: npz(statistic="mean", values=VALUES, truths=LABELS),
    "fewer truths": lambda: npz(statistic="spearman", values=VALUES, truths=LABELS[:3]),
    "a table": lambda: npz(statistic="mean", values=VALUES.reshape(2, 2)),
    "words": lambda: npz(statistic="mean", values=["a", "b"]),
    "not a number": lambda: npz(statistic="mean", values=[0.5, np.nan]),
    "objects": pickled,
    "huge header": huge_header,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_is_named_and_not_believed(tmp_path: Path, content: Callable[[], bytes]) -> None:
    path = tmp_path / "task.npz"
    path.write_bytes(content())
    with pytest.raises(FileFormatError, match=r"task\.npz: is not what gtekit writes.*Delete it"):
        read_samples(path)
