"""How a file of texts is read and its vectors are written."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from gtekit.bulk.dtypes import Dtype
from gtekit.files import InputFormat, Keep, OutputFormat, Rows, open_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How a file of texts is read and written."""

    input_format: InputFormat = "txt"
    is_format_named: bool = True  # by the caller or by the name of the file; False: txt that looks like JSON is refused
    output_format: OutputFormat = "npy"
    field: str | None = None  # which field holds the texts; None: text, sentence, or the only one of strings
    delimiter: str | None = None  # between the fields of csv and tsv; None: a comma, a tab
    keep: Keep | None = None  # which fields travel to a jsonl or parquet output; None: the text
    dtype: Dtype = "float32"
    block_rows: int = 2048  # texts between two savings: a few seconds of work for one core
    restart: bool = False  # forget what an earlier run has saved

    @property
    def has_scales_file(self) -> bool:
        """Whether the output is two files: int8 vectors, and their scales beside them."""
        return self.output_format == "npy" and self.dtype == "int8"

    def open(self, source: Path | None) -> AbstractContextManager[Rows]:
        """Open the input; None is standard input."""
        return open_rows(
            source,
            self.input_format,
            field=self.field,
            keep="text" if self.keep is None else self.keep,
            delimiter=self.delimiter,
            is_named=self.is_format_named,
        )
