"""Vectors into every output format, as other programs read them."""

import datetime
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gtekit.arrays import Array
from gtekit.errors import FileFormatError
from gtekit.files import OutputFormat, Row, Vectors, open_writer
from gtekit.files.writer import scales_path

VALUES = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
SCALES = np.arange(5, dtype=np.float32) / 7
DTYPES = [np.float32, np.float16, np.int8, np.uint8]


def rows(count: int) -> list[Row]:
    return [Row(f"text {number}", {"text": f"text {number}", "id": number}, number) for number in range(count)]


def write_in_two_blocks(path: Path, form: str, values: Array, scales: Array | None = None) -> None:
    writer = open_writer(path, form, schema=None, about=lambda: {"model": "m"})  # type: ignore[arg-type]
    for part in (slice(0, 3), slice(3, 5)):
        writer.write(rows(5)[part], Vectors(values[part], None if scales is None else scales[part]))
    writer.finish()


@pytest.mark.parametrize("dtype", DTYPES)
def test_npy_written_in_blocks_has_the_bytes_that_numpy_would_write(tmp_path: Path, dtype: type) -> None:
    values: Array = (VALUES * 20).astype(dtype)
    write_in_two_blocks(tmp_path / "a.npy", "npy", values)
    loaded = np.load(tmp_path / "a.npy")
    assert loaded.dtype == dtype
    assert np.array_equal(loaded, values)
    np.save(tmp_path / "b.npy", values)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_int8_npy_has_its_scales_beside_it(tmp_path: Path) -> None:
    write_in_two_blocks(tmp_path / "a.npy", "npy", (VALUES * 20).astype(np.int8), SCALES)
    assert np.array_equal(np.load(scales_path(tmp_path / "a.npy")), SCALES)
    assert scales_path(tmp_path / "a.npy").name == "a.scales.npy"


def test_an_npy_of_no_vectors_keeps_their_dimension(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.npy", "npy", schema=None, about=dict)
    writer.write([], Vectors(VALUES[:0]))
    writer.finish()
    assert np.load(tmp_path / "a.npy").shape == (0, 6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_jsonl_numbers_come_back_to_the_bit(tmp_path: Path, dtype: type) -> None:
    values: Array = (VALUES * 20).astype(dtype)
    write_in_two_blocks(tmp_path / "a.jsonl", "jsonl", values, SCALES)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert np.array_equal(np.array([line["embedding"] for line in lines], dtype), values)
    assert np.array_equal(np.array([line["scale"] for line in lines], np.float32), SCALES)
    assert [(line["text"], line["id"]) for line in lines] == [(f"text {n}", n) for n in range(5)]


def test_jsonl_writes_extreme_numbers_as_json(tmp_path: Path) -> None:
    values = np.array([[1e-45, -3.4e38, 0.0, -0.0, 1.0, 1e-7]], np.float32)
    writer = open_writer(tmp_path / "a.jsonl", "jsonl", schema=None, about=dict)
    writer.write(rows(1), Vectors(values))
    writer.finish()
    back = np.array([json.loads((tmp_path / "a.jsonl").read_text())["embedding"]], np.float32)
    assert np.array_equal(back, values)


def test_jsonl_keeps_dates_and_decimals_as_text_and_refuses_bytes(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.jsonl", "jsonl", schema=None, about=dict)
    writer.write([Row("t", {"day": datetime.date(2024, 2, 29), "price": Decimal("1.10")}, 1)], Vectors(VALUES[:1]))
    with pytest.raises(FileFormatError, match=r"holds bytes.*--keep"):
        writer.write([Row("t", {"raw": b"x"}, 2)], Vectors(VALUES[:1]))
    writer.finish()
    assert json.loads((tmp_path / "a.jsonl").read_text())["day"] == "2024-02-29"
    assert json.loads((tmp_path / "a.jsonl").read_text())["price"] == "1.10"


@pytest.mark.parametrize("dtype", DTYPES)
def test_parquet_has_fields_vectors_and_a_row_group_per_block(tmp_path: Path, dtype: type) -> None:
    values: Array = (VALUES * 20).astype(dtype)
    write_in_two_blocks(tmp_path / "a.parquet", "parquet", values, SCALES)
    file = pq.ParquetFile(tmp_path / "a.parquet")
    table = file.read()
    assert file.metadata.num_row_groups == 2
    assert table.column_names == ["text", "id", "embedding", "scale"]
    assert np.array_equal(np.stack(table["embedding"].to_numpy()), values)
    assert table["id"].to_pylist() == list(range(5))
    assert table.schema.metadata[b"gtekit.model"] == b"m"


def test_parquet_keeps_the_types_of_a_parquet_input(tmp_path: Path) -> None:
    schema = pa.schema([("when", pa.timestamp("ms")), ("price", pa.decimal128(6, 2)), ("tags", pa.list_(pa.string()))])
    kept = {"when": datetime.datetime(2024, 2, 29, 12), "price": Decimal("1.10"), "tags": ["a"]}
    writer = open_writer(tmp_path / "a.parquet", "parquet", schema=schema, about=dict)
    writer.write([Row("t", kept, 1)], Vectors(VALUES[:1]))
    writer.finish()
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.drop_columns(["embedding"]).schema.equals(schema)
    assert table.drop_columns(["embedding"]).to_pylist() == [kept]


def test_parquet_names_the_field_whose_values_do_not_fit_together(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.parquet", "parquet", schema=None, about=dict)
    writer.write([Row("t", {"id": 1}, 1)], Vectors(VALUES[:1]))
    with pytest.raises(FileFormatError, match=r"rows 2 to 2: the values of field 'id'.*--keep"):
        writer.write([Row("t", {"id": "two"}, 2)], Vectors(VALUES[:1]))
    writer.finish()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", ["npy", "jsonl", "parquet"])
def test_a_full_disk_is_the_only_error(tmp_path: Path, form: OutputFormat) -> None:
    (tmp_path / "a").symlink_to("/dev/full")
    writer = open_writer(tmp_path / "a", form, schema=None, about=dict)
    with pytest.raises(OSError, match="No space left"):
        writer.write(rows(5000), Vectors(np.tile(VALUES, (1000, 1))))  # more than any buffer holds
    writer.abandon()
