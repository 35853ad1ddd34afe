"""Small JSON files of what was fitted to one model's vectors: written whole, checked when read, never another's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from gtekit.any_model import AnyModel
from gtekit.errors import FileFormatError, SpaceError
from gtekit.files import check_writable, replace_when_complete

T = TypeVar("T")


def write_fitted(path: Path | str, kind: str, values: Mapping[str, Any]) -> None:
    """Write a file. `kind` is its first field, by which it is known again.

    Raises:
        FileFormatError: If no file can be made there.
    """
    path = Path(path)
    if path.is_dir():
        raise FileFormatError(f"{path}: is a folder. Name a file, such as {path / 'fitted.json'}.")
    check_writable(path)
    with replace_when_complete(path) as temporary:
        text = json.dumps({"kind": kind, **values}, ensure_ascii=False, allow_nan=False, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_fitted(path: Path | str, kind: str, make: Callable[[Mapping[str, Any]], T]) -> T:
    """Read a file that `write_fitted` wrote.

    Args:
        path: The file.
        kind: What it has to be.
        make: Takes the fields. A KeyError, TypeError or ValueError of it says that they are wrong.

    Raises:
        FileFormatError: If it can't be read, is no such file, or is damaged.
    """
    path = Path(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise FileFormatError(f"{path}: can't be read ({error.strerror}). Is the path right?") from None
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: is not JSON ({error}). Make it again: it is a {kind}.") from None
    found = values.get("kind") if isinstance(values, dict) else None
    if found != kind:
        raise FileFormatError(f"{path}: is no {kind} (its field 'kind' is {found!r:.60}). Name another file.")
    try:
        return make({name: value for name, value in values.items() if name != "kind"})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            f"{path}: is a damaged {kind} ({type(error).__name__}: {error}). Make it again."
        ) from None


def check_types(found: Any) -> None:  # noqa: ANN401 - any dataclass
    """Make sure that the strings and numbers of a dataclass out of a file are such.

    Raises:
        TypeError: If one is not; ValueError if a number is not finite.
    """
    kinds: dict[Any, Any] = {str: str, int: int, float: int | float}
    for field in fields(found):
        value, kind = getattr(found, field.name), kinds.get(field.type)
        if kind is not None and (isinstance(value, bool) or not isinstance(value, kind)):
            raise TypeError(f"{field.name} is {value!r:.60}, which is of another type than it should be")
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{field.name} is {value}")


def check_space(fitted_fingerprint: str, fitted_model: str, model: AnyModel, *, what: str, fix: str) -> None:
    """Make sure that something is used with the model that it was fitted to.

    Raises:
        SpaceError: If it is another.
    """
    if fitted_fingerprint != model.fingerprint:
        raise SpaceError(
            f"{what} was fitted to {fitted_model} (fingerprint {fitted_fingerprint[:12]}), and this is {model.name} "
            f"({model.fingerprint[:12]}): cosines of one mean nothing to the other. Load {fitted_model}, or {fix}."
        )


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")
