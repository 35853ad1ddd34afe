"""gtekit dedupe --pairs: the pairs of texts that are alike, out of a file that need not fit into memory."""

import argparse
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, BinaryIO

from gtekit.cli.options import encode_keywords, load_model
from gtekit.cli.printing import count_text, print_json, say
from gtekit.cli.task_files import write_record_file
from gtekit.errors import FileFormatError, GtekitWarning
from gtekit.notices import warn_caller

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.files import Rows


def write_pairs(arguments: argparse.Namespace, rows: "Rows") -> None:
    """Find all pairs that reach the threshold and write them as they are found.

    Raises:
        FileFormatError: If there are no texts, or a row is bad.
        SpaceError: If no threshold is given and there is no calibration for the model.
    """
    if rows.guess:
        warn_caller(rows.guess, GtekitWarning)
    model = load_model(arguments)
    with _TextStore() as texts:
        count = write_record_file(arguments.pairs, _pairs(arguments, model, rows, texts))
        if arguments.json:
            print_json({"model": model.name, "texts": len(texts), "pairs": count, "output": str(arguments.pairs)})
        say(f"{arguments.pairs}: {count_text(count, 'pair')} of {count_text(len(texts), 'text')}.")


def _pairs(
    arguments: argparse.Namespace, model: "Embedder", rows: "Rows", texts: "_TextStore"
) -> Iterator[dict[str, Any]]:
    from gtekit.tasks.duplicates.paraphrases import paraphrase_stream

    stored = (texts.add(row.number, row.text) for row in rows.rows)
    keywords = encode_keywords(arguments, model)
    for block in paraphrase_stream(model, stored, threshold=arguments.threshold, **keywords):
        for left, right, score in zip(block.left.tolist(), block.right.tolist(), block.scores.tolist(), strict=True):
            yield {
                "number_a": texts.numbers[left],
                "number_b": texts.numbers[right],
                "score": round(score, 6),
                "text_a": texts.text(left),
                "text_b": texts.text(right),
            }
    if not len(texts):
        raise FileFormatError(f"{arguments.file}: holds no texts. One text a line, or name another file.")


class _TextStore(AbstractContextManager["_TextStore"]):
    """Texts in a temporary file, each found by its index: 16 bytes of memory a text."""

    def __init__(self) -> None:
        self.numbers = array("q")  # of their lines
        self._ends = array("q", [0])
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="gtekit-")  # noqa: SIM115 - closed at exit

    def __len__(self) -> int:
        return len(self.numbers)

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, number: int, text: str) -> str:
        """Keep a text, and give it back."""
        self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", "surrogatepass")))
        self.numbers.append(number)
        return text

    def text(self, index: int) -> str:
        """Give a text that was kept; all have been added."""
        begin, end = self._ends[index], self._ends[index + 1]
        self._file.seek(begin)
        return self._file.read(end - begin).decode("utf-8", "surrogatepass")
