"""A file of texts becomes a file of vectors: complete or not at all, resumed to the byte."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gtekit
from gtekit.arrays import Array, Floats
from gtekit.bulk import Dtype, FileOptions, embed_file
from gtekit.errors import ArgumentError, FileFormatError, TruncationError
from gtekit.files import OutputFormat
from tests.cli.conftest import start

TEXTS = [f"text number {number} of the corpus{' and more' * (number % 5)}" for number in range(50)] + ["", "the end"]
OUTPUT_FORMATS: list[OutputFormat] = ["npy", "jsonl", "parquet"]
DTYPES: list[Dtype] = ["float32", "float16", "int8", "bits"]


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path) -> gtekit.Embedder:
    return gtekit.load(tiny_checkpoint)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(TEXTS) + "\n")
    return path


def embeddings_in(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return np.asarray(np.load(path))
    if path.suffix == ".parquet":
        return np.stack(pq.read_table(path)["embedding"].to_numpy())
    return np.array([json.loads(line)["embedding"] for line in path.read_text().splitlines()])


@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_every_format_holds_what_encode_gives(
    model: gtekit.Embedder, corpus: Path, tmp_path: Path, form: OutputFormat
) -> None:
    target = tmp_path / f"out.{form}"
    summary = embed_file(model, corpus, target, FileOptions(output_format=form, block_rows=7))
    assert np.array_equal(embeddings_in(target).astype(np.float32), model.encode(TEXTS))
    assert (summary.texts, summary.reused, summary.dimension) == (len(TEXTS), 0, model.dimension)
    assert summary.outputs == [target]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["corpus.txt", target.name])


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_number_format_is_that_of_the_library(
    model: gtekit.Embedder, corpus: Path, tmp_path: Path, dtype: Dtype
) -> None:
    target = tmp_path / "out.npy"
    summary = embed_file(model, corpus, target, FileOptions(dtype=dtype, block_rows=20))
    whole = model.encode(TEXTS)
    quantized = gtekit.to_int8(whole)
    expected: dict[str, Array] = {"float32": whole, "float16": gtekit.to_float16(whole), "int8": quantized.values}
    found = np.load(target)
    assert np.array_equal(found, expected.get(dtype, gtekit.to_bits(whole)))
    if dtype == "int8":
        assert np.array_equal(np.load(tmp_path / "out.scales.npy"), quantized.scales)
        assert summary.outputs == [target, tmp_path / "out.scales.npy"]


def test_a_crash_between_int8_vectors_and_their_scales_leaves_no_pair_that_does_not_match(
    model: gtekit.Embedder, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, scales = tmp_path / "out.npy", tmp_path / "out.scales.npy"
    options = FileOptions(dtype="int8")
    embed_file(model, corpus, target, options, {"dimensions": 8})
    replace = Path.replace

    def crash(path: Path, to: Path) -> Path:
        if to == target:
            raise OSError("power is gone")
        return replace(path, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="power is gone"):
            embed_file(model, corpus, target, options)
    assert not target.exists()
    assert embed_file(model, corpus, target, options).reused == len(TEXTS)
    quantized = gtekit.to_int8(model.encode(TEXTS))
    assert np.array_equal(np.load(target), quantized.values)
    assert np.array_equal(np.load(scales), quantized.scales)


def test_the_scales_of_an_old_int8_output_go_with_it(model: gtekit.Embedder, corpus: Path, tmp_path: Path) -> None:
    target, scales = tmp_path / "out.npy", tmp_path / "out.scales.npy"
    embed_file(model, corpus, target, FileOptions(dtype="int8"))
    assert scales.exists()
    embed_file(model, corpus, target)
    assert np.array_equal(np.load(target), model.encode(TEXTS))
    assert not scales.exists()
    embed_file(model, corpus, scales)  # an output that only has such a name
    embed_file(model, corpus, target)
    assert np.array_equal(np.load(scales), model.encode(TEXTS))


def test_the_options_of_encode_are_used(model: gtekit.Embedder, corpus: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.npy"
    embed_file(model, corpus, target, encode={"dimensions": 8, "normalize": False, "prompt": "query: "})
    expected = model.encode(TEXTS, dimensions=8, normalize=False, prompt="query: ")
    assert np.array_equal(np.load(target), expected)


@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_an_empty_input_gives_an_empty_output(model: gtekit.Embedder, tmp_path: Path, form: OutputFormat) -> None:
    (tmp_path / "none.txt").write_text("")
    target = tmp_path / f"out.{form}"
    embed_file(model, tmp_path / "none.txt", target, FileOptions(output_format=form))
    if form == "npy":
        assert np.load(target).shape == (0, model.dimension)
    elif form == "parquet":
        assert pq.read_table(target).num_rows == 0
    else:
        assert target.read_bytes() == b""


@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_a_job_that_met_a_bad_row_goes_on_from_there(
    model: gtekit.Embedder, tmp_path: Path, form: OutputFormat
) -> None:
    lines = [json.dumps({"text": text, "id": number}) for number, text in enumerate(TEXTS)]
    source, target = tmp_path / "corpus.jsonl", tmp_path / f"out.{form}"
    keep = None if form == "npy" else "all"
    options = FileOptions(input_format="jsonl", output_format=form, keep=keep, block_rows=5)
    source.write_text("\n".join([*lines[:33], '{"text": 1}', *lines[34:]]))
    with pytest.raises(FileFormatError, match=r"corpus\.jsonl, line 34"):
        embed_file(model, source, target, options)
    assert not target.exists()
    assert len(list((tmp_path / f"out.{form}.partial").glob("*.npz"))) == 6
    source.write_text("\n".join(lines))
    summary = embed_file(model, source, target, options)
    assert summary.reused == 30
    assert not (tmp_path / f"out.{form}.partial").exists()
    fresh = tmp_path / f"fresh.{form}"
    assert embed_file(model, source, fresh, options).reused == 0
    assert target.read_bytes() == fresh.read_bytes()


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"dtype": "float32"}, {"dtype": "float16"}),
        ({"normalize": True}, {"normalize": False}),
        ({"prompt": "a"}, {"prompt": "b"}),
        ({"text": "changed"}, {}),
    ],
)
def test_saved_work_of_other_options_or_texts_is_not_used(
    model: gtekit.Embedder, tmp_path: Path, first: dict[str, str], again: dict[str, str]
) -> None:
    source, target = tmp_path / "corpus.txt", tmp_path / "out.npy"

    def run(settings: dict[str, str], *, broken: bool) -> int:
        settings = dict(settings)
        text = settings.pop("text", "unchanged")
        options = FileOptions(dtype=settings.pop("dtype", "float32"), block_rows=2)  # type: ignore[arg-type]
        source.write_bytes(f"{text}\nb\nc\nd\n".encode() + (b"\xff\n" if broken else b""))
        return embed_file(model, source, target, options, settings).reused  # type: ignore[arg-type]

    with pytest.raises(FileFormatError, match="not UTF-8"):
        run(first, broken=True)
    assert run(again, broken=False) == (2 if "text" in first else 0)  # the second block has the same texts


def test_restart_forgets_saved_work(model: gtekit.Embedder, tmp_path: Path) -> None:
    source, target = tmp_path / "corpus.txt", tmp_path / "out.npy"
    source.write_bytes(b"a\nb\nc\n\xff\n")
    with pytest.raises(FileFormatError):
        embed_file(model, source, target, FileOptions(block_rows=1))
    source.write_bytes(b"a\nb\nc\n")
    assert embed_file(model, source, target, FileOptions(block_rows=1, restart=True)).reused == 0


@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_the_fingerprint_does_not_delay_the_first_vectors(
    model: gtekit.Embedder, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: OutputFormat
) -> None:
    order: list[str] = []
    compute, ask = model.engine.encode, type(model).fingerprint.fget  # type: ignore[attr-defined]

    def encode(*arguments: Any, **options: Any) -> Floats:
        order.append("vectors")
        return compute(*arguments, **options)

    def fingerprint(self: gtekit.Embedder) -> str:
        order.append("fingerprint")
        return str(ask(self))

    monkeypatch.setattr(model.engine, "encode", encode)
    monkeypatch.setattr(type(model), "fingerprint", property(fingerprint))
    embed_file(model, corpus, tmp_path / f"out.{form}", FileOptions(output_format=form))
    assert order[:2] == ["vectors", "fingerprint"]


def test_a_job_that_saved_nothing_leaves_nothing(model: gtekit.Embedder, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(FileFormatError):
        embed_file(model, tmp_path / "corpus.txt", tmp_path / "out.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a named pipe")
@pytest.mark.parametrize("restart", [False, True])
def test_a_second_job_for_the_same_output_leaves_the_first_alone(
    model: gtekit.Embedder, corpus: Path, tmp_path: Path, *, restart: bool
) -> None:
    """The first job reads a pipe, so that the test decides when it goes on."""
    target, pipe = tmp_path / "out.npy", tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    first = start("embed", pipe, "-o", target, "-m", model.name, "--block-rows", "5", "--json")
    folder = tmp_path / "out.npy.partial"
    with pipe.open("w") as feed:
        feed.write("\n".join(TEXTS[:30]) + "\n")
        feed.flush()
        wait_until(lambda: any(folder.iterdir()) if folder.is_dir() else False, first)
        held = {path.name for path in folder.iterdir()}
        with pytest.raises(FileFormatError, match="another gtekit is writing this output"):
            embed_file(model, corpus, target, FileOptions(block_rows=5, restart=restart))
        assert held <= {path.name for path in folder.iterdir()}
        feed.write("\n".join(TEXTS[30:]) + "\n")
    output, errors = first.communicate(timeout=60)
    assert first.returncode == 0, errors
    assert json.loads(output)["texts"] == len(TEXTS)
    assert np.array_equal(np.load(target), model.encode(TEXTS))
    assert not folder.exists()


def wait_until(is_so: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def test_an_old_output_stays_until_the_new_one_is_complete(model: gtekit.Embedder, tmp_path: Path) -> None:
    source, target = tmp_path / "corpus.txt", tmp_path / "out.npy"
    target.write_bytes(b"old")
    source.write_bytes(b"a\nb\n\xff\n")
    with pytest.raises(FileFormatError):
        embed_file(model, source, target, FileOptions(block_rows=1))
    assert target.read_bytes() == b"old"


def test_fields_travel_from_parquet_to_parquet_with_their_types(model: gtekit.Embedder, tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([1, 2, 3], pa.int16()), "text": ["a", "b", "c"], "tags": [["x"], [], None]})
    pq.write_table(table, tmp_path / "in.parquet")
    options = FileOptions(input_format="parquet", output_format="parquet", keep="all", block_rows=2)
    embed_file(model, tmp_path / "in.parquet", tmp_path / "out.parquet", options)
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.drop_columns(["embedding"]).cast(table.schema).equals(table)
    assert out.schema.field("id").type == pa.int16()
    assert out.schema.metadata[b"gtekit.fingerprint"].decode() == model.fingerprint


def test_a_field_named_embedding_is_refused_with_the_way_out(model: gtekit.Embedder, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a", "embedding": [1]}\n')
    options = FileOptions(input_format="jsonl", output_format="jsonl", keep="all")
    with pytest.raises(FileFormatError, match=r"field 'embedding'.*--keep"):
        embed_file(model, source, tmp_path / "out.jsonl", options)


def test_a_text_that_is_too_long_is_named_by_its_line(model: gtekit.Embedder, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("short\n" * 9 + "word " * 500 + "\nshort\n")
    with pytest.raises(TruncationError, match=r"row 10: the text has .* tokens, the model reads 64"):
        embed_file(model, source, tmp_path / "out.npy", FileOptions(block_rows=4), {"on_truncation": "error"})


def test_texts_that_are_cut_are_named_once_also_those_that_an_earlier_run_saved(
    model: gtekit.Embedder, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.npy"
    long = b"word " * 100 + b"\n"
    lines = [b"short\n", long, long, b"short\n", b"word " * 300 + b"\n", b"short\n"]
    source.write_bytes(b"".join(lines[:4]) + b"\xff\n")
    options = FileOptions(block_rows=2)
    with pytest.raises(FileFormatError), pytest.warns(gtekit.TruncationWarning, match="2 of 4 texts"):
        embed_file(model, source, target, options)
    source.write_bytes(b"".join(lines))
    with pytest.warns(gtekit.TruncationWarning) as caught:
        assert embed_file(model, source, target, options).reused == 4
    (message,) = [str(warning.message) for warning in caught]
    counts = model.count_tokens([line.decode().rstrip("\n") for line in lines])
    lost = sum(max(count - model.max_tokens, 0) for count in counts)
    assert message.startswith(f"3 of 6 texts are longer than the 64 tokens that are read: {lost:,} tokens ")
    assert f"Lines or rows 2, 3, 5; the longest is 5 with {counts[4]:,} tokens" in message
    source.write_bytes(b"".join(lines) + long * 5)
    with pytest.warns(gtekit.TruncationWarning, match=r"rows 2, 3, 5, 7, 8 and 3 more; the longest is 5 with"):
        embed_file(model, source, target, options)
    embed_file(model, source, target, options, {"on_truncation": "ignore"})  # a warning would be an error here


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("in.txt", "nowhere/out.npy", "there is no folder"),
        ("in.txt", "in.txt", "is the input as well"),
        ("in.txt", ".", "is no ordinary file"),
        ("missing.txt", "out.npy", r"missing\.txt: there is no such file"),
        (".", "out.npy", "is a folder"),
    ],
)
def test_paths_that_can_not_work_are_refused_before_any_work(
    model: gtekit.Embedder, tmp_path: Path, source: str, target: str, message: str
) -> None:
    (tmp_path / "in.txt").write_text("a\n")
    with pytest.raises(FileFormatError, match=message):
        embed_file(model, tmp_path / source, tmp_path / target)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_a_corpus_ten_times_as_long_needs_no_more_memory(tiny_checkpoint: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from gtekit.cli.main import main; main(sys.argv[1:]);"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    )
    peaks = []
    for count in (20_000, 200_000):
        (tmp_path / "in.txt").write_text("".join(f"line {number} of the corpus\n" for number in range(count)))
        arguments: list[str | Path] = ["embed", tmp_path / "in.txt", "-o", tmp_path / "out.npy", "-m", tiny_checkpoint]
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.25  # ten times the lines; what varies is when freed memory goes back


def test_a_block_of_no_rows_is_refused(model: gtekit.Embedder, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="block_rows=0 is not possible"):
        embed_file(model, corpus, tmp_path / "out.npy", FileOptions(block_rows=0))
