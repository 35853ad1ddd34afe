"""Small JSON objects that are versioned with the rows: metadata of the vector column."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gtekit.index.interface import Recall
from gtekit.index.lance.rows import Arrow
from gtekit.index.lance.store import Table

PREFIX = "gtekit."
RECALL = "recall"


def read_note(schema: Arrow, name: str) -> Mapping[str, Any] | None:
    """Give a note; None where there is none of that name."""
    kept = (schema.field("vector").metadata or {}).get((PREFIX + name).encode())
    return None if kept is None else dict(json.loads(kept))


def write_note(table: Table, name: str, note: Mapping[str, Any]) -> None:
    """Keep a note; the others stay. One commit."""
    table.update_field_metadata({"path": "vector", "metadata": {PREFIX + name: json.dumps(note)}})


def read_recall(schema: Arrow, graph: str) -> Recall | None:
    """Give the recall that was measured of an index of vectors; None where it was measured of an earlier one."""
    note = read_note(schema, RECALL)
    return Recall(**note["measured"]) if note is not None and note["graph"] == graph else None


def write_recall(table: Table, graph: str, recall: Recall) -> None:
    """Keep what was measured, and of which index."""
    write_note(table, RECALL, {"graph": graph, "measured": asdict(recall)})
