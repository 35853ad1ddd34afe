"""Rows on their way in, checked once: ids, lengths, texts and vectors."""

from collections.abc import Mapping, Sequence, Sized

import numpy as np

from gtekit.arrays import Array, Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, ShapeError
from gtekit.index.interface import ID_BYTES, Space
from gtekit.index.spaces import check_dimension
from gtekit.inputs import wrong_text
from gtekit.vectors import as_rows


def check_ids(ids: Sequence[str], *, may_repeat: bool = False) -> list[str]:
    """Give ids as a list, made sure to be such.

    Raises:
        ArgumentError: If one is no str, empty, too long, no valid text or, unless `may_repeat`, there twice; with its
            position.
    """
    if isinstance(ids, str | bytes | Mapping | set | frozenset) or not hasattr(ids, "__len__"):
        raise ArgumentError(f"ids is a {type(ids).__name__}, expected a list of str.")
    checked = list(ids)
    positions: dict[str, int] = {}
    for position, row_id in enumerate(checked):
        if not isinstance(row_id, str):
            raise ArgumentError(f"ids[{position}] is a {type(row_id).__name__}, expected str: str(id)?")
        if not row_id:
            raise ArgumentError(f"ids[{position}] is empty; each row needs an id to be found by.")
        try:
            size = len(row_id.encode("utf-8"))
        except UnicodeEncodeError:
            raise ArgumentError(
                f"ids[{position}] is {row_id!r}, which holds half a surrogate pair; it is no text."
            ) from None
        if size > ID_BYTES:
            raise ArgumentError(
                f"ids[{position}] has {size:,} bytes in UTF-8, {ID_BYTES} are the most. Use a hash of it, and keep it "
                f"whole in the metadata. It begins {row_id[:40]!r}."
            )
        if not may_repeat and positions.setdefault(row_id, position) != position:
            raise ArgumentError(
                f"ids[{position}] is {row_id!r}, as ids[{positions[row_id]}] is; an id may be there once a call."
            )
    return checked


def check_rows(ids: Sequence[str], *, texts: object, vectors: object, metadata: object) -> None:
    """Make sure that there is something to embed or to keep, and as many of each as ids.

    Raises:
        ArgumentError: If not.
    """
    if texts is None and vectors is None:
        raise ArgumentError("upsert needs texts, which are embedded, or vectors, or both.")
    for name, values in (("texts", texts), ("vectors", vectors), ("metadata", metadata)):
        if values is None:
            continue
        if isinstance(values, str | bytes | Mapping) or not isinstance(values, Sized):
            raise ArgumentError(f"{name} is a {type(values).__name__}, expected one entry for each of the ids.")
        if len(values) != len(ids):
            raise ArgumentError(f"{len(values)} {name} for {len(ids)} ids; there must be one for each.")


def check_row_texts(texts: Sequence[str | None], *, may_miss: bool) -> list[str | None]:
    """Give texts as a list, made sure to be of str, or None where there may be none.

    Raises:
        TextTypeError: If one is neither.
        ArgumentError: If one is no valid text.
    """
    checked = list(texts)
    for position, text in enumerate(checked):
        if text is None and may_miss:
            continue
        if not isinstance(text, str):
            raise wrong_text(text, position)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ArgumentError(
                f"texts[{position}] holds half a surrogate pair at character {error.start}, which is no text; "
                "repair it: text.encode('utf-8', 'replace').decode()"
            ) from None
    return checked


def unit_vectors(
    vectors: Array | Sequence[Sequence[float]], space: Space, location: str, *, name: str = "vectors"
) -> Floats:
    """Give vectors of length 1.

    Raises:
        SpaceError: If they are not as long as those of the space.
        ShapeError: If they are no (N, D) of numbers.
        ArgumentError: If one is not finite or all zeros, with its position.
    """
    rows = as_rows(vectors, name)
    if np.ndim(vectors) != 2:
        raise ShapeError(f"{name} has shape {np.shape(vectors)}, expected (N, {space.dimension}) of numbers.")
    check_dimension(space, rows.shape[1], name, location)
    with np.errstate(over="ignore", invalid="ignore"):
        peaks = np.abs(rows).max(axis=1, initial=0.0)
    for is_bad, what in ((~np.isfinite(peaks), "has a number that is not finite"), (peaks == 0, "is all zeros")):
        if is_bad.any():
            row = int(is_bad.argmax())
            place = f"{name}[{row}]" if len(rows) > 1 else name
            raise ArgumentError(f"{place} {what}: it points nowhere. See how it was made.")
    # divided by the largest number first: squares of 1e30 or 1e-30 leave the range of float32
    return l2_normalize(rows / peaks[:, None])
