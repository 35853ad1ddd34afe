"""Where an index comes from: made new, opened from disk or S3, or held in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.exact import ExactBackend, create_folder, is_exact, open_folder
from gtekit.index.index import Index
from gtekit.index.interface import EXACT_BELOW, Backend, Space
from gtekit.index.spaces import IN_MEMORY, Model, check_space, space_of
from gtekit.inputs import check_count

BackendName = Literal["lance", "exact"]
VectorDtype = Literal["float16", "float32"]


def create(
    location: str | Path,
    model: Model | Space,
    *,
    backend: BackendName = "lance",
    exist_ok: bool = False,
    vector_dtype: VectorDtype = "float16",
    exact_below: int = EXACT_BELOW,
    storage_options: Mapping[str, str] | None = None,
) -> Index:
    """Make an index, on disk or on S3.

    Args:
        location: A folder that is not there yet or is empty; or "s3://bucket/prefix" (LanceDB alone).
        model: What embeds the texts; or the Space of vectors that were made elsewhere.
        backend: "lance" has words, hybrid, approximate search and S3; "exact" needs numpy alone.
        exist_ok: Whether an index that is there is opened, as long as it is of this model; its settings stay.
        vector_dtype: What vectors are kept as. float16 takes half the room and changes cosines by less than 0.001.
        exact_below: LanceDB answers exactly up to so many rows, and by an approximate index above.
        storage_options: Of S3: endpoint, keys, region; None: from the environment (AWS_*).

    Raises:
        VectorIndexError: If there is something else, or an index and `exist_ok` is False.
        SpaceError: If the index that is there is of another model.
        MissingExtraError: If LanceDB is not installed.
        ArgumentError: If a value is not possible.
    """
    for name, value, choices in (
        ("backend", backend, get_args(BackendName)),
        ("vector_dtype", vector_dtype, get_args(VectorDtype)),
    ):
        if value not in choices:
            raise ArgumentError(f"{name}={value!r} is not possible; choose from: {', '.join(choices)}.")
    check_count("exact_below", exact_below, least=0)
    place = _place(location)
    space = space_of(model)
    if _exists(place, storage_options):
        if not exist_ok:
            raise VectorIndexError(
                f"{place}: there is an index already. Open it (gtekit.index.open({place!r}), or create(..., "
                "exist_ok=True)), or choose another place."
            )
        return _with_space(_open(place, storage_options), place, model)
    if _is_remote(place):
        if backend != "lance":
            raise ArgumentError(f"{place}: on S3 the backend is 'lance'; {backend!r} needs a folder of this machine.")
    else:
        _check_free(Path(place))
    return Index(_create(place, space, backend, vector_dtype, exact_below, storage_options), place, _embedding(model))


def open_index(
    location: str | Path, model: Model | None = None, *, storage_options: Mapping[str, str] | None = None
) -> Index:
    """Open an index, to read and to write.

    Args:
        location: As it was given to `create`.
        model: What embeds queries and texts: the one that built the index. Without it vectors and words can be
            searched; no model is ever loaded here.
        storage_options: As for `create`.

    Raises:
        VectorIndexError: If there is no index, or it is damaged.
        SpaceError: If it is of another model.
        MissingExtraError: If it is LanceDB's, and that is not installed.
    """
    place = _place(location)
    if not _exists(place, storage_options):
        raise VectorIndexError(_why_none(place))
    return _with_space(_open(place, storage_options), place, model)


def in_memory(model: Model | Space, *, vector_dtype: VectorDtype = "float32") -> Index:
    """Make an index that lasts as long as the process, searched exactly, without LanceDB.

    Args:
        model: What embeds the texts; or the Space of vectors that were made elsewhere.
        vector_dtype: What vectors are kept as.

    Raises:
        ArgumentError: If a value is not possible.
    """
    if vector_dtype not in get_args(VectorDtype):
        raise ArgumentError(f"vector_dtype={vector_dtype!r} is not possible; choose from: float16, float32.")
    return Index(ExactBackend.in_memory(space_of(model), vector_dtype), IN_MEMORY, _embedding(model))


def _place(location: str | Path) -> str:
    if not isinstance(location, str | Path) or not str(location):
        raise ArgumentError(f"location={location!r} is not possible; pass a folder, or 's3://bucket/prefix'.")
    place = str(location)
    if "://" in place and not place.startswith("s3://"):
        raise ArgumentError(f"{place}: an index lies in a folder or under s3://.")
    return place


def _is_remote(place: str) -> bool:
    return place.startswith("s3://")


def _embedding(model: Model | Space | None) -> Model | None:
    return None if isinstance(model, Space) else model


def _with_space(backend: Backend, place: str, model: Model | Space | None) -> Index:
    if model is not None:
        try:
            check_space(backend.space, model, place)
        except BaseException:
            backend.close()
            raise
    return Index(backend, place, _embedding(model))


def _exists(place: str, storage_options: Mapping[str, str] | None) -> bool:
    if not _is_remote(place):
        if is_exact(Path(place)):
            return True
        if not Path(place).is_dir():
            return False
    from gtekit.index.lance import is_lance

    return is_lance(place, storage_options=storage_options)


def _open(place: str, storage_options: Mapping[str, str] | None) -> Backend:
    if not _is_remote(place) and is_exact(Path(place)):
        return open_folder(Path(place))
    from gtekit.index.lance import LanceBackend

    return LanceBackend.open(place, storage_options=storage_options)


def _create(
    place: str,
    space: Space,
    backend: BackendName,
    vector_dtype: VectorDtype,
    exact_below: int,
    storage_options: Mapping[str, str] | None,
) -> Backend:
    if backend == "exact":
        return create_folder(Path(place), space, vector_dtype)
    from gtekit.index.lance import LanceBackend

    return LanceBackend.create(
        place, space, storage_options=storage_options, vector_dtype=vector_dtype, exact_below=exact_below
    )


def _check_free(path: Path) -> None:
    """Make sure that nothing is in the way."""
    if path.exists() and not path.is_dir():
        raise VectorIndexError(f"{path}: is a file; an index is a folder. Choose another place.")
    if path.is_dir() and (entry := next(path.iterdir(), None)) is not None:
        raise VectorIndexError(
            f"{path}: is a folder with something else in it ({entry.name}). Choose a folder that is not there yet."
        )


def _why_none(place: str) -> str:
    make = "To make one: gtekit.index.create(...), or gtekit index build."
    if _is_remote(place):
        return f"{place}: there is no index. Is the bucket, the prefix and the endpoint right? {make}"
    path = Path(place)
    if not path.exists():
        return f"{path}: there is nothing of that name. {make}"
    if not path.is_dir():
        return f"{path}: is a file; an index is a folder. {make}"
    return f"{path}: is a folder, but no index. {make}"
