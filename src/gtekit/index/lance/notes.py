"""Small JSON objects that are versioned with the rows: metadata of the vector column."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gtekit.index.interface import Recall
from gtekit.index.lance.rows import Arrow
from gtekit.index.lance.store import Lance, Table

PREFIX = "gtekit."
RECALL = "recall"
GONE_ROWS = 0.05  # deleted since recall was measured, as a share: it holds until then


def read_note(schema: Arrow, name: str) -> Mapping[str, Any] | None:
    """Give a note; None where there is none of that name."""
    kept = (schema.field("vector").metadata or {}).get((PREFIX + name).encode())
    return None if kept is None else dict(json.loads(kept))


def damaged_notes(schema: Arrow) -> list[str]:
    """Say which notes can't be read."""
    problems = []
    for key in schema.field("vector").metadata or {}:
        name = key.decode("utf-8", "replace").removeprefix(PREFIX)
        try:
            if key.startswith(PREFIX.encode()):
                read_note(schema, name)
        except (ValueError, TypeError):
            problems.append(f"the note {name!r} is damaged: it is no JSON object")
    return problems


def write_note(table: Table, name: str, note: Mapping[str, Any]) -> None:
    """Keep a note; the others stay. One commit."""
    table.update_field_metadata({"path": "vector", "metadata": {PREFIX + name: json.dumps(note)}})


def read_recall(schema: Arrow, graph: str) -> Recall | None:
    """Give the recall that was measured of an index of vectors; None where it was measured of an earlier one."""
    note = read_note(schema, RECALL)
    return Recall(**note["measured"]) if note is not None and note["graph"] == graph else None


def is_measured(schema: Arrow, graph: Lance) -> bool:
    """Whether recall was measured of an index of vectors as it is: not of fewer parts, or of many other rows."""
    note = read_note(schema, RECALL)
    if note is None or note["graph"] != graph.index_uuid or "extent" not in note:
        return False
    noted, now = note["extent"], _extent(graph)
    return {**noted, "rows": 0} == {**now, "rows": 0} and abs(noted["rows"] - now["rows"]) <= GONE_ROWS * now["rows"]


def write_recall(table: Table, graph: Lance, recall: Recall) -> None:
    """Keep what was measured, and of which index."""
    write_note(table, RECALL, {"graph": graph.index_uuid, "extent": _extent(graph), "measured": asdict(recall)})


def _extent(graph: Lance) -> dict[str, int]:
    """What changes when rows are added to an index of vectors, and when some are deleted."""
    return {"segments": graph.num_segments, "bytes": graph.size_bytes, "rows": graph.num_indexed_rows}
