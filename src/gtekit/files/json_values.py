"""Values of fields as JSON: what it has no form for becomes text or null, or is refused."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

from gtekit.errors import FileFormatError


def json_value(value: object) -> object:
    """Give a value of a parquet file as JSON has it: dates as text, decimals with all their digits.

    Raises:
        FileFormatError: If there is no such form, as for bytes.
    """
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise FileFormatError(
        f"a kept field holds {type(value).__name__}, which JSON has no form for. Leave it out with --keep."
    )


def json_text(value: object, *, default: Callable[[object], object] = json_value, indent: int | None = None) -> str:
    """Give a value as JSON text that every reader takes: a NaN or an infinity, at any depth, becomes null.

    Args:
        value: What json.dumps takes, and what `default` makes of other things.
        default: Gives the form of what JSON has none for.
        indent: As in json.dumps.

    Raises:
        FileFormatError: If a value has no form.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=default, indent=indent)
    except FileFormatError:
        raise
    except ValueError:  # a number that is none is seldom: only then is all gone through
        return json.dumps(_with_nulls(value), ensure_ascii=False, allow_nan=False, default=default, indent=indent)


def _with_nulls(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _with_nulls(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_with_nulls(part) for part in value]
    return value
