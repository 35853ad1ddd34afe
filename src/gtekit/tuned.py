"""What `gtekit tune` found to be fastest on this machine: a small JSON file that `gtekit.load` reads and never writes.

An entry counts for one model at one revision on one machine. On another it is ignored: it says nothing there.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from gtekit.config import MOST_BATCH_TOKENS, Precision
from gtekit.errors import FileFormatError
from gtekit.machine import Machine, this_machine
from gtekit.threads import MOST_THREADS

VARIABLE = "GTEKIT_CONFIG"
OFF = "off"  # of the variable: there is no such file
FORMAT = 1
MOST_BYTES = 1 << 20  # a file of this kind has a few hundred bytes a model


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The fastest choice for one model on one machine, and what was measured when it was chosen."""

    model: str  # the hub id, or the folder as `model_key` writes it
    revision: str | None
    machine: Machine
    precision: Precision
    threads: int
    batch_tokens: int
    tokens_per_s: float
    query_ms: float
    cosine_mean: float  # to float32
    cosine_min: float


def config_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the file is, whether or not there is one: $GTEKIT_CONFIG, or the platform's place. None: switched off."""
    named = environ.get(VARIABLE)
    if named:
        return None if named.lower() == OFF else Path(named).expanduser()
    base = environ.get("XDG_CONFIG_HOME") or (environ.get("APPDATA") if os.name == "nt" else None)
    default = "~/Library/Application Support" if sys.platform == "darwin" else "~/.config"
    return (Path(base) if base else Path(default).expanduser()) / "gtekit" / "tuned.json"


def model_key(name: str, folder: Path, revision: str | None) -> str:
    """Name a model in the file: a folder by its full path, however it was given, any other by its hub id."""
    return str(folder.resolve()) if revision is None and Path(name).expanduser() == folder else name


def find_tuned(name: str, folder: Path, revision: str | None, *, isa: str) -> Tuned | None:
    """Give the entry of a model that was made on this machine, None where there is none.

    Args:
        name: The model, as its checkpoint calls it.
        folder: Where its files lie.
        revision: The commit, for a model of the hub.
        isa: The kernel set that is going to run.

    Raises:
        FileFormatError: If the file is damaged; the message names it and the way out.
    """
    path = config_file()
    key = model_key(name, folder, revision)
    entries = [entry for entry in read_entries(path) if (entry.model, entry.revision) == (key, revision)]
    if not entries:
        return None  # the machine is not even looked at
    machine = this_machine(isa)
    return next((entry for entry in entries if entry.machine == machine), None)


def read_entries(path: Path | None) -> list[Tuned]:
    """Read every entry, also those of other models and machines.

    Raises:
        FileFormatError: If the file is damaged; the message names it and the way out.
    """
    if path is None:
        return []
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise FileFormatError(
            f"{path}: can't be read ({error.strerror}). Name a file with {VARIABLE}, or make this one readable; "
            f"{VARIABLE}={OFF} does without it for now."
        ) from None
    if len(content) > MOST_BYTES:
        raise FileFormatError(_damaged(path, f"has more than {MOST_BYTES:,} bytes"))
    try:
        return [_entry(value) for value in _entries(json.loads(content))]
    except (ValueError, RecursionError) as error:  # also bytes that are no UTF-8
        raise FileFormatError(_damaged(path, f"is not as gtekit tune writes it: {error}")) from None


def write_entry(path: Path, entry: Tuned) -> None:
    """Add an entry, in place of the one for the same model and machine. The file is there whole or as it was.

    Raises:
        FileFormatError: If the file that is there is damaged, or no file can be made.
    """
    others = [old for old in read_entries(path) if (old.model, old.machine) != (entry.model, entry.machine)]
    _write(path, [*others, entry])


def check_place(path: Path) -> None:
    """See that a file can be written there, before the work whose result it is to hold.

    Raises:
        FileFormatError: If it can't.
    """
    from gtekit.files import check_writable  # not needed on the way to the first vector

    target = path.resolve()  # a link: what it points to
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFormatError(
            f"{target.parent}: no such folder can be made ({error.strerror}). Name another file with {VARIABLE}."
        ) from None
    check_writable(target)


def forget(path: Path, models: Iterable[str]) -> int | None:
    """Remove the entries of models, for every machine and revision, and say how many they were.

    A damaged file can't be asked for its entries: all of it goes, and the answer is None. A file with no entry left
    goes too.
    """
    try:
        entries = read_entries(path)
    except FileFormatError:
        if not path.is_file():
            raise
        path.unlink()
        return None
    names = set(models)
    left = [entry for entry in entries if entry.model not in names]
    if left and len(left) < len(entries):
        _write(path, left)
    elif not left:
        path.unlink(missing_ok=True)
    return len(entries) - len(left)


def _write(path: Path, entries: list[Tuned]) -> None:
    from gtekit.files import replace_when_complete  # not needed on the way to the first vector

    check_place(path)
    text = json.dumps({"format": FORMAT, "entries": [asdict(entry) for entry in entries]}, indent=2)
    with replace_when_complete(path.resolve()) as temporary:
        temporary.write_text(text + "\n", "utf-8")


def _damaged(path: Path, what: str) -> str:
    return (
        f"{path}: {what}. Delete it, or run gtekit tune --forget, and tune again; "
        f"{VARIABLE}={OFF} does without it for now."
    )


def _entries(value: object) -> list[object]:
    if not isinstance(value, dict) or not isinstance(value.get("entries"), list):
        raise ValueError('expected an object with a list "entries"')
    if value.get("format") != FORMAT:
        raise ValueError(f"expected format {FORMAT}, found {str(value.get('format'))[:40]}; another gtekit wrote it")
    return list(value["entries"])


def _entry(value: object) -> Tuned:
    fields = _object("an entry", value, Tuned)
    machine = _object("machine", fields["machine"], Machine)
    for name, most in (("cpus", MOST_THREADS), ("threads", MOST_THREADS), ("batch_tokens", MOST_BATCH_TOKENS)):
        count = machine[name] if name in machine else fields[name]
        if type(count) is not int or not 1 <= count <= most:
            raise ValueError(f"expected {name} from 1 to {most:,}, found {str(count)[:40]}")
    for name in ("processor", "kernels"):
        _check_type(name, machine[name], str)
    _check_type("model", fields["model"], str)
    _check_type("revision", fields["revision"], str | None)
    for name in ("tokens_per_s", "query_ms", "cosine_mean", "cosine_min"):
        _check_type(name, fields[name], int | float)
    if fields["precision"] not in get_args(Precision):
        raise ValueError(f"expected a precision of {', '.join(get_args(Precision))}, found {fields['precision']!r:.40}")
    return Tuned(**{**fields, "machine": Machine(**machine)})


def _object(what: str, value: object, kind: type[Tuned] | type[Machine]) -> dict[str, Any]:
    names = set(kind.__dataclass_fields__)
    if not isinstance(value, dict) or set(value) != names:
        raise ValueError(f"expected {what} with {', '.join(sorted(names))}, found {str(value)[:80]}")
    return value


def _check_type(name: str, value: object, kind: Any) -> None:  # noqa: ANN401  a class, or several with | between
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"expected {name} of another kind, found {str(value)[:40]}")
