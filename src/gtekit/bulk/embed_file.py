"""Embed a file of any length: bounded memory, one writer, and work that a killed job does not lose.

The input is read in blocks of `block_rows` texts. Each finished block of vectors is kept in `OUTPUT.partial/` under a
name made from its content (gtekit.files.blocks), and the output grows in the same folder; the last step moves it to
its place. A job that was killed is run again with the same command: it reads the input from the start, finds the
finished blocks by their names, and computes the others. The vector of a text does not depend on its batch, so the
output has the same bytes as that of a job that was never interrupted.
"""

import json
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.bulk.check_files import check_files
from gtekit.bulk.cuts import CutCount
from gtekit.bulk.dtypes import convert
from gtekit.bulk.file_options import FileOptions
from gtekit.config import EncodeKeywords
from gtekit.embedder import Embedder
from gtekit.errors import FileFormatError, GtekitWarning, TruncationError
from gtekit.files import (
    Block,
    BlockStore,
    Row,
    Rows,
    Vectors,
    VectorWriter,
    clear_folder,
    lock_folder,
    open_writer,
    replace_when_complete,
)
from gtekit.files.writer import VECTOR_FIELDS, JsonlVectorWriter, scales_path
from gtekit.notices import warn_caller
from gtekit.streaming import BLOCK_TEXTS
from gtekit.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedSummary:
    """What a job did."""

    texts: int
    reused: int  # texts whose vectors an interrupted run had saved
    dimension: int
    seconds: float
    blank: int = 0  # lines of txt that hold nothing but space: each has the vector of an empty text
    outputs: list[Path] = field(default_factory=list)  # empty: standard output


@dataclass(slots=True)
class _Block:
    number: int
    rows: list[Row]
    saved: Block | None

    @property
    def texts(self) -> list[str]:
        return [row.text for row in self.rows]


def embed_file(
    model: Embedder,
    source: Path | None,
    target: Path | None,
    options: FileOptions | None = None,
    encode: EncodeKeywords | None = None,
) -> EmbedSummary:
    """Embed every text of a file.

    Args:
        model: What embeds.
        source: The input; None reads standard input.
        target: The output, replaced when the job is done and not before; None writes standard output.
        options: Formats, fields, dtype.
        encode: What `Embedder.encode` takes.

    Raises:
        FileFormatError: If the input has a bad row (named by file and line) or the output can't be written. What is
            finished by then is kept: mend the input and run the same job again.
    """
    options = options or FileOptions()
    check_files(source, target, options)
    with options.open(source) as rows:
        if rows.guess:
            warn_caller(rows.guess, GtekitWarning)
        job = _Job(model, options, encode or EncodeKeywords(), rows.estimate)
        try:
            if target is None:
                job.write_standard_output(rows)
            else:
                job.write_file(rows, target)
        finally:  # also where a bad row ends the job: some of what it made is cut
            job.warn()
    return job.summary(target)


class _Texts:
    """The texts of blocks, which are put on the waiting list as they are reached; with a length, for the progress."""

    def __init__(self, blocks: Iterator[_Block], waiting: deque[_Block], length: int | None) -> None:
        self._blocks = blocks
        self._waiting = waiting
        self._length = length

    def __len__(self) -> int:
        return self._length or 0

    def __iter__(self) -> Iterator[str]:
        for block in self._blocks:
            self._waiting.append(block)
            yield from block.texts

    def sized(self) -> Iterable[str]:
        return self if self._length is not None else iter(self)


class _Job:
    def __init__(self, model: Embedder, options: FileOptions, encode: EncodeKeywords, total: int | None) -> None:
        self.model = model
        self.options = options
        self.encode = encode
        self.total = total  # texts, as far as that is known
        self.begin = time.perf_counter()
        self.texts = 0
        self.reused = 0
        self.blank = 0
        self.cuts = CutCount(model.max_tokens)

    def write_file(self, rows: Rows, target: Path) -> None:
        folder = partial_folder(target)
        with lock_folder(folder):
            if self.options.restart:
                clear_folder(folder)
            try:
                store = BlockStore(folder, self.settings)
                with _outputs(target, folder, self.options) as path:
                    self.write(rows, path, store)
                clear_folder(folder)
            finally:
                _clear_if_nothing_is_saved(folder)

    def write_standard_output(self, rows: Rows) -> None:
        if self.options.output_format == "jsonl":  # the one format that a pipe can have piece by piece
            writer = JsonlVectorWriter(sys.stdout.buffer)
            for block, vectors in self.blocks(rows.rows, None):
                writer.write(block.rows, vectors)
            return
        with tempfile.TemporaryDirectory(prefix="gtekit-") as folder:
            path = Path(folder) / "output"
            self.write(rows, path, None)
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()

    def write(self, rows: Rows, path: Path, store: BlockStore | None) -> None:
        writer = open_writer(path, self.options.output_format, schema=rows.schema, about=self.about)
        try:
            for block, vectors in self.blocks(rows.rows, store):
                writer.write(block.rows, vectors)
            if not self.texts:
                self.write_nothing(writer)
            writer.finish()
        finally:
            writer.abandon()

    def write_nothing(self, writer: VectorWriter) -> None:
        none = self.model.encode([], **self.encode)
        writer.write([], convert(none, self.options.dtype))

    def blocks(self, rows: Iterator[Row], store: BlockStore | None) -> Iterator[tuple[_Block, Vectors]]:
        """Yield the blocks of the input in order with their vectors, saved ones or new ones."""
        for is_saved, run in groupby(self.read(rows, store), key=lambda block: block.saved is not None):
            for block, done in self.saved(run) if is_saved else self.computed(run, store):
                self.texts += len(block.rows)
                self.reused += is_saved * len(block.rows)
                if self.options.input_format == "txt":
                    self.blank += sum(not row.text.strip() for row in block.rows)
                self.cuts.add(block.rows, done.lengths)
                yield block, done.vectors

    def read(self, rows: Iterator[Row], store: BlockStore | None) -> Iterator[_Block]:
        for number in count():
            chunk = list(islice(rows, self.options.block_rows))
            if not chunk:
                return
            _refuse_vector_fields(chunk)
            block = _Block(number, chunk, None)
            if store is not None:
                block.saved = store.load(number, block.texts)
            yield block

    @staticmethod
    def saved(blocks: Iterator[_Block]) -> Iterator[tuple[_Block, Block]]:
        for block in blocks:
            assert block.saved is not None
            yield block, block.saved

    def computed(self, blocks: Iterator[_Block], store: BlockStore | None) -> Iterator[tuple[_Block, Block]]:
        """Send the texts of many blocks through one stream, which reads ahead, and cut what comes back into blocks."""
        waiting: deque[_Block] = deque()
        texts = _Texts(blocks, waiting, self.total and max(self.total - self.texts, 1))
        block_texts = min(self.options.block_rows, BLOCK_TEXTS)
        parts: list[Floats] = []
        lengths: list[Ints] = []
        stream = self.model.encode_stream(
            texts.sized(), block_texts=block_texts, take_lengths=lengths.append, **self.encode
        )
        for part in self.with_lines(stream, waiting):
            parts.append(part)
            while waiting and sum(map(len, parts)) >= len(waiting[0].rows):
                block = waiting.popleft()
                size = len(block.rows)
                whole, all_lengths = np.concatenate(parts), np.concatenate(lengths)
                parts, lengths[:] = [whole[size:]], [all_lengths[size:]]
                done = Block(convert(whole[:size], self.options.dtype), all_lengths[:size])
                if store is not None:
                    store.save(block.number, block.texts, done)
                yield block, done

    def with_lines(self, stream: Iterator[Floats], waiting: deque[_Block]) -> Iterator[Floats]:
        """Let a refused text be named by its line, not by its place in the stream."""
        try:
            yield from stream
        except TruncationError:
            prompt: dict[str, Any] = {name: self.encode.get(name) for name in ("prompt_name", "prompt")}
            for block in waiting:
                for cut in self.model.truncation_report(block.texts, **prompt):
                    raise TruncationError(
                        f"line or row {block.rows[cut.index].number}: the text has {cut.token_count:,} tokens, the "
                        f"model reads {cut.tokens_kept}. Shorten it, or embed all of it with --on-truncation chunk, or "
                        f"its beginning with --on-truncation warn."
                    ) from None
            raise

    def warn(self) -> None:
        if self.encode.get("on_truncation", "warn") == "warn":
            self.cuts.warn()

    def settings(self) -> str:
        """Write down everything but the texts that decides the bits of a vector."""
        model = self.model
        encode = {name: value for name, value in self.encode.items() if name not in ("progress", "batch_tokens")}
        return json.dumps(
            {
                "gtekit": __version__,
                "fingerprint": model.fingerprint,
                "isa": model.isa,
                "precision": model.precision,
                "max_tokens": model.max_tokens,
                "dtype": self.options.dtype,
                "encode": encode,
            },
            sort_keys=True,
        )

    def about(self) -> dict[str, str]:
        return {
            "version": __version__,
            "model": self.model.name,
            "revision": self.model.revision or "",
            "fingerprint": self.model.fingerprint,
            "dtype": self.options.dtype,
        }

    def summary(self, target: Path | None) -> EmbedSummary:
        outputs = [] if target is None else [target]
        if target is not None and self.options.has_scales_file:
            outputs.append(scales_path(target))
        return EmbedSummary(
            texts=self.texts,
            reused=self.reused,
            dimension=self.encode.get("dimensions") or self.model.dimension,
            seconds=time.perf_counter() - self.begin,
            blank=self.blank,
            outputs=outputs,
        )


@contextmanager
def _outputs(target: Path, folder: Path, options: FileOptions) -> Iterator[Path]:
    """Give the path to write to; afterwards move the file, and the scales beside it, to their places.

    Two files can't be moved at once. An old output goes first, then come the scales, then the vectors: a crash in
    between leaves no vectors, never vectors beside the scales of others. Where the new output has no scales, those of
    an old one go with it. The blocks are kept until both are in place,
    so that the same command finishes it.
    """
    with replace_when_complete(target, folder=folder) as path:
        if not options.has_scales_file:
            yield path
            if options.output_format == "npy" and _is_scales_file(scales_path(target)):
                target.unlink(missing_ok=True)
                scales_path(target).unlink()
            return
        with replace_when_complete(scales_path(target), folder=folder) as scales:
            yield path
            scales_path(path).replace(scales)
            target.unlink(missing_ok=True)


def partial_folder(target: Path) -> Path:
    """Name the folder where the work on an output is until it is done. It outlives the job if blocks are saved."""
    return target.with_name(f"{target.name}.partial")


def _is_scales_file(path: Path) -> bool:
    """Whether there are scales, and not an output of that name: vectors have two dimensions."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return bool(array.ndim == 1 and array.dtype == np.float32)


def _clear_if_nothing_is_saved(folder: Path) -> None:
    """Leave nothing behind of a job that saved nothing, such as one with a mistyped field."""
    if not any(folder.glob("*.npz")):
        clear_folder(folder)


def _refuse_vector_fields(rows: list[Row]) -> None:
    for name in VECTOR_FIELDS:
        if any(name in row.kept for row in rows):
            raise FileFormatError(
                f"the input has a field {name!r}, which is what the output calls its own. "
                f"Leave it out: --keep takes the names of the fields to keep."
            )
