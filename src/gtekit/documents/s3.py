"""Files on S3-compatible storage, over pyarrow. Nothing here runs unless an s3:// address was named."""

import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any, BinaryIO, TypeAlias, cast

from gtekit.documents.source import Source, kind_of
from gtekit.errors import ArgumentError, MissingExtraError

Filesystem: TypeAlias = Any  # pyarrow has no types

S3 = "s3://"
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def open_filesystem() -> Filesystem:
    """Connect as the environment says: AWS_ACCESS_KEY_ID and its like, AWS_REGION, AWS_ENDPOINT_URL.

    Raises:
        MissingExtraError: If pyarrow is not installed.
    """
    try:
        from pyarrow.fs import S3FileSystem
    except ImportError:
        raise MissingExtraError("Reading from S3", "index", "pyarrow") from None
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    settings: dict[str, Any] = {"region": region} if region else {}
    if endpoint:
        scheme, _, address = endpoint.rpartition("://")
        settings |= {"endpoint_override": address.rstrip("/"), "scheme": scheme or "https"}
    return S3FileSystem(**settings)


def find_on_s3(root: str, passed_over: "Counter[str]", missing: list[str] | None = None) -> Iterator[Source]:
    """Give the objects at and under an address, in the order of their names.

    Args:
        root: s3://bucket, s3://bucket/folder or s3://bucket/one/object.txt.
        passed_over: Counts what is of a kind that isn't read.
        missing: Takes the address if there is nothing; None: that is refused.

    Raises:
        ArgumentError: If there is nothing and `missing` is None, or the server refuses.
    """
    filesystem = open_filesystem()
    from pyarrow.fs import FileSelector, FileType

    path = root.removeprefix(S3)
    try:
        (info,) = filesystem.get_file_info([path])
        is_folder = info.type == FileType.Directory
        infos = filesystem.get_file_info(FileSelector(path, recursive=True)) if is_folder else [info]
    except OSError as error:
        raise ArgumentError(
            f"{root}: the server does not give it ({error}). Is the address right, and are AWS_ACCESS_KEY_ID, "
            f"AWS_SECRET_ACCESS_KEY and, for a server of your own, AWS_ENDPOINT_URL set?"
        ) from None
    if info.type == FileType.NotFound and missing is not None:
        missing.append(root)
        return
    if info.type == FileType.NotFound:
        raise ArgumentError(f"{root}: is not there. Name a bucket, a folder in it, or one object.")
    for entry in sorted(infos, key=lambda entry: str(entry.path)):
        names = entry.path.removeprefix(path).split("/")
        if entry.type != FileType.File or any(name.startswith(".") for name in names):
            continue
        kind = kind_of(entry.base_name)
        if kind is None and is_folder:
            passed_over[PurePosixPath(entry.base_name).suffix.lower()] += 1
            continue
        yield Source(
            id=S3 + entry.path,
            root=root,
            kind=kind[0] if kind else "unknown",
            is_packed=kind[1] if kind else entry.path.lower().endswith(".gz"),
            size_bytes=entry.size,
            stamp=f"{entry.size}-{entry.mtime_ns}",
            modified_s=entry.mtime_ns / 1e9,
            location=S3 + entry.path,
            open=partial(_open, filesystem, entry.path),
        )


def _open(filesystem: Filesystem, path: str) -> BinaryIO:
    return cast(BinaryIO, filesystem.open_input_file(path))
