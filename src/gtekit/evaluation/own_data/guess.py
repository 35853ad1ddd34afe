"""Which kind of data a file holds, told by the names of its columns."""

from collections.abc import Sequence
from pathlib import Path

from gtekit.errors import FileFormatError
from gtekit.evaluation.own_data.columns import KNOWN, matching_columns
from gtekit.evaluation.own_data.data import Kind
from gtekit.evaluation.own_data.table import read_records, show_names


def guess_kind(path: Path, columns: Sequence[str] | None = None) -> Kind:
    """Name the kind of data; a folder is for retrieval.

    Args:
        path: A file or a folder.
        columns: Those that hold the data, where the caller says so; None: all.

    Raises:
        FileFormatError: If the file can't be read, or the names fit no kind or several.
    """
    if path.is_dir():
        return "retrieval"
    record = next(read_records(path, "data", ()))
    names = list(record.values) if columns is None else list(columns)
    found: list[Kind] = [kind for kind in KNOWN if matching_columns(kind, names)]
    if not found and columns is not None:
        found = [kind for kind, known in KNOWN.items() if len(known.standard) == len(columns)]
    if len(found) == 1:
        return found[0]
    what = f"could be {' or '.join(found)}" if found else "are not those of a known kind"
    raise FileFormatError(
        f"{path}: its columns {what}: {show_names(names)}. Say what they are, with --kind {'|'.join(KNOWN)} and, where "
        f"the names are others, --columns {' or '.join(','.join(known.standard) for known in KNOWN.values())} in this "
        f"order. Queries with documents to find are a folder, or --queries, --documents and --qrels."
    )
