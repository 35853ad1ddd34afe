"""Where a LanceDB table lies, on disk or on S3, and how it is opened."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from gtekit.errors import MissingExtraError, VectorIndexError
from gtekit.index.lance.damage import find_damage
from gtekit.index.lance.failures import lance_errors

Table: TypeAlias = Any  # lancedb has no types
Lance: TypeAlias = Any

TABLE = "rows"
S3 = "s3://"
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")  # the first that is set
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


def import_lancedb() -> Lance:
    """Import lancedb, which takes seconds.

    Raises:
        MissingExtraError: If it is not installed, with the line that brings it.
    """
    try:
        import lancedb
        import lancedb.index
        import lancedb.query
    except ImportError:
        raise MissingExtraError("The index on disk and on S3", "index", "lancedb") from None
    return lancedb


def is_lance(location: str | Path, *, storage_options: Mapping[str, str] | None = None) -> bool:
    """Whether an index of this backend is there. On disk that is seen without lancedb."""
    if str(location).startswith(S3):
        return Store(str(location), storage_options or {}).exists()
    return any((Path(location) / f"{TABLE}.lance" / "_versions").glob("*.manifest"))


@dataclass(frozen=True, slots=True)
class Store:
    """A place for one table."""

    location: str
    options: Mapping[str, str] = field(default_factory=dict)  # of object_store; before those of the environment

    @property
    def folder(self) -> Path | None:
        """The folder of the table, None on S3."""
        return None if self.location.startswith(S3) else Path(self.location) / f"{TABLE}.lance"

    def errors(self, doing: str) -> AbstractContextManager[None]:
        """Turn what LanceDB raises within into VectorIndexError, with the damaged files where they are on disk."""
        folder = self.folder
        return lance_errors(self.location, doing, lambda: [] if folder is None else list(find_damage(folder)))

    def exists(self) -> bool:
        """Whether the table is there."""
        if self.folder is not None:
            return is_lance(self.location)
        with self.errors("while looking for the index"):
            return TABLE in self._connect().list_tables().tables

    def create_table(self, schema: object) -> Table:
        """Make an empty table.

        Raises:
            VectorIndexError: If there is one already.
        """
        with lance_errors(self.location, "while making the index"):  # no file is there yet that could be damaged
            try:
                return self._connect().create_table(TABLE, schema=schema)
            except OSError as error:
                if error.errno is None:
                    raise
                reason = error.strerror
                raise VectorIndexError(f"{self.location}: can't be made ({reason}). Choose another place.") from None

    def open_table(self, version: int | str | None = None) -> Table:
        """Open the table, at its newest state or at one that does not change any more.

        Raises:
            VectorIndexError: If there is none, or no such version or tag.
        """
        if self.folder is not None and not self.exists():  # lancedb would make the folder
            raise VectorIndexError(
                f"{self.location}: no index there. Make one: gtekit.index.create({self.location!r}, model)."
            )
        with self.errors("while opening the index"):
            try:
                table = self._connect().open_table(TABLE)
            except ValueError as error:
                if "was not found" not in str(error):
                    raise
                raise VectorIndexError(
                    f"{self.location}: no index there. Make one: gtekit.index.create({self.location!r}, model)."
                ) from None
            if version is not None:
                table.checkout(version)
        return table

    def _connect(self) -> Lance:
        lancedb = import_lancedb()
        if self.folder is not None:
            return lancedb.connect(self.location)
        return lancedb.connect(self.location, storage_options=s3_options(self.options))


def s3_options(given: Mapping[str, str]) -> dict[str, str]:
    """Give the options of the S3 client: those of the environment, then the given ones.

    Keys, profile and token are read from the environment by the client itself. Plain http is allowed where the
    endpoint says http, which only a server of one's own does.
    """
    options = {}
    if endpoint := next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None):
        options["aws_endpoint"] = endpoint
    options["aws_region"] = next((os.environ[name] for name in REGIONS if os.environ.get(name)), "us-east-1")
    options.update(given)
    endpoint = next((options[name] for name in ("endpoint", "aws_endpoint", "aws_endpoint_url") if name in options), "")
    if endpoint.startswith("http://"):
        options.setdefault("allow_http", "true")
    return options
