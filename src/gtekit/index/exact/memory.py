"""States in memory: they last as long as the process."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from gtekit.errors import VectorIndexError
from gtekit.index.exact.state import State
from gtekit.index.interface import Space, Version
from gtekit.index.names import no_tag

KEPT_VERSIONS = 100  # without a tag; each holds on to the rows that it had


class MemoryStore:
    """Keeps the last states, those with a tag, and notes."""

    location = "memory"

    def __init__(self, space: Space, vector_dtype: str) -> None:
        self.space = space
        self.vector_dtype = vector_dtype
        self._lock = threading.RLock()
        self._states = {1: State(1, datetime.now(UTC), {}, ())}
        self._tags: dict[str, int] = {}
        self._notes: dict[str, Mapping[str, Any]] = {}

    def current(self) -> State:
        """Give the newest state."""
        with self._lock:
            return self._states[max(self._states)]

    @contextmanager
    def writing(self) -> Iterator[State]:
        """Hold off other threads that write; gives the newest state."""
        with self._lock:
            yield self.current()

    def commit(self, state: State) -> None:
        """Make this the newest state."""
        self._states[state.number] = state
        self._drop(KEPT_VERSIONS)

    def clean(self) -> None:
        """Let go of former states without a tag."""
        self._drop(1)

    def load(self, version: int | str) -> State:
        """Give a former state."""
        with self._lock:
            number = self._tags.get(version) if isinstance(version, str) else version
            if number not in self._states:
                raise VectorIndexError(f"memory: there is no version {version!r}; see versions().")
            return self._states[number]

    def versions(self) -> list[Version]:
        """Give all states that are kept."""
        with self._lock:
            return [
                Version(number, state.created, tuple(sorted(tag for tag, n in self._tags.items() if n == number)))
                for number, state in sorted(self._states.items())
            ]

    def tag(self, name: str) -> None:
        """Name the newest state."""
        with self._lock:
            self._tags[name] = self.current().number

    def untag(self, name: str) -> None:
        """Take a name away."""
        with self._lock:
            if self._tags.pop(name, None) is None:
                raise VectorIndexError(no_tag(self.location, name, self._tags))

    def read_note(self, name: str) -> Mapping[str, Any] | None:
        """Give a note."""
        return self._notes.get(name)

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Keep a note."""
        self._notes[name] = note

    def size_bytes(self, state: State) -> int | None:
        """Give the bytes of the vectors."""
        return sum(part.segment.vectors.nbytes for part in state.parts)

    def verify(self, state: State) -> list[str]:
        """Nothing lies beneath."""
        return []

    def close(self) -> None:
        """Nothing is open."""

    def _drop(self, kept: int) -> None:
        untagged = [number for number in sorted(self._states) if number not in self._tags.values()]
        for number in untagged[: -kept or None]:
            if number != max(self._states):
                del self._states[number]
