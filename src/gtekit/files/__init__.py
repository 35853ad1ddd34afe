"""Files of texts in, files of vectors out. Plain input and output: nothing here knows a model."""

from gtekit.files.atomic import check_writable, replace_beside_others, replace_when_complete
from gtekit.files.blocks import Block, BlockStore, Vectors, clear_folder, lock_folder
from gtekit.files.formats import INPUT_FORMATS, OUTPUT_FORMATS, InputFormat, OutputFormat, input_format, output_format
from gtekit.files.json_values import json_text, json_value
from gtekit.files.lines import decode_text, read_lines
from gtekit.files.reader import Rows, open_rows
from gtekit.files.rows import Keep, Row, name_kind
from gtekit.files.writer import VectorWriter, open_writer

__all__ = [
    "INPUT_FORMATS",
    "OUTPUT_FORMATS",
    "Block",
    "BlockStore",
    "InputFormat",
    "Keep",
    "OutputFormat",
    "Row",
    "Rows",
    "VectorWriter",
    "Vectors",
    "check_writable",
    "clear_folder",
    "decode_text",
    "input_format",
    "json_text",
    "json_value",
    "lock_folder",
    "name_kind",
    "open_rows",
    "open_writer",
    "output_format",
    "read_lines",
    "replace_beside_others",
    "replace_when_complete",
]
