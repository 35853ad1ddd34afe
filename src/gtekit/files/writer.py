"""Vectors into npy, jsonl and parquet, one block at a time."""

import io
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from gtekit.arrays import Array
from gtekit.files.blocks import Vectors
from gtekit.files.formats import OutputFormat
from gtekit.files.json_values import json_text
from gtekit.files.parquet import About, Arrow, ParquetVectorWriter
from gtekit.files.rows import Row

VECTOR_FIELDS = ("embedding", "scale")  # names that a kept field can't have
NPY_HEADER_BYTES = 128  # as numpy writes it for (N,) and (N, D), however large N becomes


class VectorWriter(Protocol):
    """An open output."""

    def write(self, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append one block."""

    def finish(self) -> None:
        """Write what ends or completes the file, and close it."""

    def abandon(self) -> None:
        """Close an unfinished file that nobody will read, whatever state it is in; a finished one is left alone."""


def open_writer(path: Path, form: OutputFormat, *, schema: Arrow, about: About) -> VectorWriter:
    """Begin an output file.

    Args:
        path: Where to write; for int8 vectors in npy form their scales go to `scales_path(path)`.
        form: What to write.
        schema: The pyarrow schema of the kept fields, None to take it from the first rows; only parquet uses it.
        about: Gives names and values that parquet stores beside the table: model, fingerprint and so on. Asked with
            the first block.
    """
    if form == "npy":
        return NpyVectorWriter(path)
    if form == "parquet":
        return ParquetVectorWriter(path, schema, about)
    return JsonlVectorWriter(path.open("wb"))


def scales_path(path: Path) -> Path:
    """Name the file beside an int8 .npy that holds one scale per vector."""
    return path.with_name(f"{path.name.removesuffix('.npy')}.scales.npy")


class NpyVectorWriter:
    """Rows of an npy file whose length is known only at the end: the header is written last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = ExitStack()
        self._values: _GrowingArray | None = None
        self._scales: _GrowingArray | None = None

    def write(self, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append one block; the rows are those of the input and not needed here."""
        if self._values is None:
            self._values = _GrowingArray(self._files.enter_context(self._path.open("wb")))
        self._values.append(vectors.values)
        if vectors.scales is not None:
            if self._scales is None:
                self._scales = _GrowingArray(self._files.enter_context(scales_path(self._path).open("wb")))
            self._scales.append(vectors.scales)

    def finish(self) -> None:
        """Write the headers."""
        for array in (self._values, self._scales):
            if array is not None:
                array.finish()
        self._files.close()

    def abandon(self) -> None:
        """Close the files without headers."""
        with suppress(OSError):  # what is still in a buffer has no room either
            self._files.close()


class _GrowingArray:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._length = 0
        self._last: Array | None = None
        file.write(bytes(NPY_HEADER_BYTES))

    def append(self, values: Array) -> None:
        self._file.write(values.tobytes())
        self._length += len(values)
        self._last = values[:0]

    def finish(self) -> None:
        assert self._last is not None
        description = {
            "descr": np.lib.format.dtype_to_descr(self._last.dtype),
            "fortran_order": False,
            "shape": (self._length, *self._last.shape[1:]),
        }
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, description)
        assert len(header.getvalue()) == NPY_HEADER_BYTES, "numpy pads the header so that the length can grow"
        self._file.seek(0)
        self._file.write(header.getvalue())


class JsonlVectorWriter:
    """One JSON object a line: the kept fields, `embedding`, and `scale` where vectors have one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, rows: Sequence[Row], vectors: Vectors) -> None:
        """Append one block."""
        number = _number_format(vectors.values)
        form = f"[{', '.join([number] * vectors.values.shape[1])}]"
        scales = [None] * len(rows) if vectors.scales is None else vectors.scales.tolist()
        for row, values, scale in zip(rows, vectors.values.tolist(), scales, strict=True):
            kept = json_text(row.kept)[1:-1]
            end = "" if scale is None else f', "scale": {scale:.9g}'
            line = f'{{{kept}{", " if kept else ""}"embedding": {form % tuple(values)}{end}}}\n'
            self._file.write(line.encode())
        self._file.flush()

    def finish(self) -> None:
        """Close the file, unless it is standard output."""
        if self._file is not sys.stdout.buffer:
            self._file.close()

    def abandon(self) -> None:
        """Close the file, unless it is standard output, with half a line in it or not."""
        with suppress(OSError):
            self.finish()


def _number_format(values: Array) -> str:
    if values.dtype == np.float32:
        return "%.9g"  # nine digits bring every float32 back to the bit
    return "%.5g" if values.dtype == np.float16 else "%d"
