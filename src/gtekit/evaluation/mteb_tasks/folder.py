"""A folder of test sets, read and checked: what is wrong is said with its file and line, before a model is loaded."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from gtekit.errors import FileFormatError
from gtekit.evaluation.mteb_tasks.layout import LAYOUTS, SPLIT, FileLayout, Kind
from gtekit.files import name_kind, read_lines

SUFFIXES = (".jsonl.gz", ".jsonl")
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RowFile:
    """The rows of one file. Row i stands in line `lines[i]`."""

    path: Path
    rows: Rows
    lines: list[int]
    digest: bytes  # of its text, packed or not

    def where(self, row: int) -> str:
        """Say where a row stands."""
        return f"{self.path}, line {self.lines[row]}"


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """Everything that a folder has of one task."""

    files: Mapping[str, RowFile]  # by the name in the layout, with the true name of the split


def revision_of(parts: Sequence[TaskFiles]) -> str:
    """Name exactly the rows of these files."""
    digest = sha256()
    for part in parts:
        for name in sorted(part.files):
            digest.update(name.encode() + part.files[name].digest)
    return f"files-{digest.hexdigest()[:16]}"


def task_folders(folder: Path) -> list[str]:
    """Name the tasks that a folder has, in order.

    Raises:
        FileFormatError: If there is no such folder, or no task in it.
    """
    if not folder.is_dir():
        raise FileFormatError(f"{folder}: no such folder of test sets.")
    found = sorted(path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("*.jsonl*")))
    if not found:
        raise FileFormatError(
            f"{folder}: holds no test sets. There has to be a folder for each task, such as {folder}/STSBenchmark with "
            f"a file test.jsonl or test.jsonl.gz in it."
        )
    return found


def read_task(folder: Path, task: str, category: str, split: str) -> TaskFiles:
    """Read and check the files of one task.

    Args:
        folder: Has a folder of the task's name.
        task: As MTEB names it.
        category: Decides which files and fields there are.
        split: The split that is scored.

    Raises:
        FileFormatError: If a file or a field is missing or is not what it should be, with file and line.
    """
    if category not in LAYOUTS:
        raise FileFormatError(
            f"{folder / task}: tasks of the category {category} can't be read from a folder; these can: "
            f"{', '.join(LAYOUTS)}. Without --data they come from the hub."
        )
    files = {}
    for layout in LAYOUTS[category]:
        name = split if layout.name == SPLIT else layout.name
        files[name] = _read_file(_find_file(folder / task, name), layout, split)
    _CHECKS.get(category, _no_more)(files, split)
    return TaskFiles(files)


def _find_file(folder: Path, name: str) -> Path:
    paths = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    found = [path for path in paths if path.is_file()]
    if len(found) == 2:
        raise FileFormatError(
            f"{found[0]}: there is {found[1].name} as well. Delete one; only one of them can be meant."
        )
    if found:
        return found[0]
    there = ", ".join(sorted(path.name for path in folder.glob("*.jsonl*"))) if folder.is_dir() else ""
    raise FileFormatError(
        f"{paths[0]}: is missing, and so is {paths[1].name}; "
        + (f"the folder has {there}. Is the split named otherwise?" if there else "there is nothing of this task.")
    )


def _read_file(path: Path, layout: FileLayout, split: str) -> RowFile:
    rows: Rows = []
    lines: list[int] = []
    digest = sha256()
    name = str(path)
    try:
        with _open(path) as stream:
            for number, line in read_lines(stream, name):
                digest.update(line.encode() + b"\n")
                if line.strip():
                    rows.append(_read_row(line, f"{path}, line {number}", layout, split))
                    lines.append(number)
    except (OSError, EOFError, zlib.error) as error:
        last = f" after line {lines[-1]}" if lines else ""
        raise FileFormatError(f"{path}: can't be read{last} ({error}). Is the file whole? Get it again.") from None
    if not rows:
        raise FileFormatError(f"{path}: holds no rows.")
    return RowFile(path, rows, lines, digest.digest())


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _read_row(line: str, where: str, layout: FileLayout, split: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{where}: is not JSON ({error}). Each line has to be one object.") from None
    if not isinstance(row, dict):
        raise FileFormatError(f"{where}: holds {name_kind(row)}, not an object. Each line has to be one object.")
    for field, kind in layout.fields.items():
        _check_field(row, field, kind, where)
    for first, second in layout.as_long:
        if len(row[first]) != len(row[second]):
            raise FileFormatError(
                f"{where}: {first} has {len(row[first])} entries and {second} has {len(row[second])}; each of one "
                f"belongs to one of the other."
            )
    named = row.get("split")
    own = split if layout.name == SPLIT else layout.name
    if named is not None and layout.name in (SPLIT, "train") and named != own:
        raise FileFormatError(f"{where}: says that it belongs to the split {named!r}, and the file is {own}.")
    return row


def _check_field(row: Mapping[str, Any], field: str, kind: Kind, where: str) -> None:
    if field not in row:
        if kind == "optional text":
            return
        raise FileFormatError(f"{where}: field {field!r} is missing; there are: {', '.join(row) or 'none'}.")
    if not _is_kind(row[field], kind):
        raise FileFormatError(f"{where}: field {field!r} holds {name_kind(row[field])}, expected {_EXPECTED[kind]}.")


_EXPECTED: Mapping[Kind, str] = {
    "text": "a string",
    "optional text": "a string",
    "texts": "a list of strings, at least one",
    "number": "a finite number",
    "numbers": "a list of finite numbers, at least one",
    "grade": "a whole number",
    "label": "a string or a whole number",
    "labels": "a list of strings or whole numbers, at least one",
    "binary": "0 or 1",
    "id": "a string",
}


def _is_kind(value: object, kind: Kind) -> bool:
    if kind in ("text", "optional text"):
        return _is_text(value)
    if kind == "id":
        return _is_text(value) and value != ""
    if kind == "number":
        return _is_number(value)
    if kind == "grade":
        return _is_number(value) and float(cast(float, value)).is_integer()
    if kind == "label":
        return _is_label(value)
    if kind == "binary":
        return not isinstance(value, bool) and value in (0, 1)
    one = {"texts": _is_text, "numbers": _is_number, "labels": _is_label}[kind]
    return isinstance(value, list) and bool(value) and all(map(one, value))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _is_label(value: object) -> bool:
    return _is_text(value) or (isinstance(value, int) and not isinstance(value, bool))


def _check_classification(files: Mapping[str, RowFile], split: str) -> None:
    known = {row["label"] for row in files["train"].rows}
    for index, row in enumerate(files[split].rows):
        if row["label"] not in known:
            raise FileFormatError(
                f"{files[split].where(index)}: label {row['label']!r} does not occur in {files['train'].path.name}, so "
                f"nothing can learn it. Do both files belong together, and are their names not swapped?"
            )


def _check_retrieval(files: Mapping[str, RowFile], _: str) -> None:
    known = {name: _ids(files[name]) for name in ("queries", "corpus")}
    qrels = files["qrels"]
    first: dict[tuple[str, str], int] = {}
    for index, row in enumerate(qrels.rows):
        pair = (row["query_id"], row["corpus_id"])
        if pair in first:
            raise FileFormatError(
                f"{qrels.where(index)}: {pair[0]!r} and {pair[1]!r} were judged in line {qrels.lines[first[pair]]} "
                f"already. A pair can have one judgement."
            )
        first[pair] = index
        for field, name in (("query_id", "queries"), ("corpus_id", "corpus")):
            if row[field] not in known[name]:
                raise FileFormatError(
                    f"{qrels.where(index)}: {field} {row[field]!r} is not in {files[name].path.name}. Do the files "
                    f"belong together?"
                )


def _ids(file: RowFile) -> set[str]:
    first: dict[str, int] = {}
    for index, row in enumerate(file.rows):
        if row["_id"] in first:
            raise FileFormatError(
                f"{file.where(index)}: the id {row['_id']!r} stands in line {file.lines[first[row['_id']]]} as well. "
                f"Every row needs an id of its own."
            )
        first[row["_id"]] = index
    return set(first)


def _no_more(_: Mapping[str, RowFile], __: str) -> None:
    pass


_CHECKS = {"Classification": _check_classification, "Retrieval": _check_retrieval}


def characters(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> int:
    """Count the characters of some fields, lists of texts included."""
    return sum(len(text) for row in rows for field in fields for text in _texts(row.get(field)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from value
