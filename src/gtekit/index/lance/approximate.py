"""The approximate index of vectors: a graph over bytes (HNSW over SQ), and float16 for the last word."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gtekit.arrays import Floats
from gtekit.cosines import within_one
from gtekit.index.interface import Hit, Recall, Value
from gtekit.index.lance.rows import vectors_of
from gtekit.index.lance.snapshot import ROW_ID, Snapshot
from gtekit.index.lance.store import Lance, Table, import_lancedb

NAME = "vector_idx"
KIND = "IVF_HNSW_SQ"
LEAST_ROWS = 256  # fewer are no sample for the range of a byte
PARTITION_ROWS = 250_000  # of a graph: several are built at the same time, and all are looked at, so recall stays
ALL_PARTITIONS = 100_000  # there are fewer, also where a graph was built for more rows than there are now
EF_CHOICES = (64, 128, 256, 512)
MOST_FOUND = 1000  # top_k beyond this is answered exactly: a graph gives no more than it looks at


@dataclass(frozen=True, slots=True)
class Settings:
    """How the graph is built and searched."""

    partitions: int
    m: int = 20
    ef_construction: int = 150  # 300 takes half as long again, for a recall of 0.999 instead of 0.997 at 100,000 rows
    ef: int = EF_CHOICES[1]  # until recall has been measured
    refine_factor: int = 3

    def as_note(self) -> dict[str, Value]:
        """Give them for `Recall.settings`."""
        return {"index": KIND, **asdict(self)}

    def describe(self) -> str:
        """Give them for `Stats.search`."""
        names = ", ".join(f"{name} {value}" for name, value in asdict(self).items())
        return f"{KIND} ({names})"


def graph_of(indices: Iterable[Lance]) -> Lance | None:
    """Give LanceDB's description of the graph; None where there is none."""
    return next((index for index in indices if index.name == NAME), None)


def settings_of(recall: Recall | None, rows: int) -> Settings:
    """Give the settings that were found best when the index was built."""
    if recall is None:
        return Settings(partitions_for(rows))
    kept: dict[str, Any] = {name: value for name, value in recall.settings.items() if name != "index"}
    return Settings(**kept)


def partitions_for(rows: int) -> int:
    """Give how many graphs so many rows are shared out to."""
    return max(1, -(-rows // PARTITION_ROWS))


def build(table: Table, settings: Settings) -> None:
    """Build the graph; whoever searches meanwhile gets exact answers."""
    config = import_lancedb().index.HnswSq(
        distance_type="cosine",
        num_partitions=settings.partitions,
        m=settings.m,
        ef_construction=settings.ef_construction,
    )
    table.create_index("vector", config=config, name=NAME, replace=True)


def find(snapshot: Snapshot, queries: Floats, top_k: int, sql: str | None, settings: Settings) -> list[list[Hit]]:
    """Find about the largest cosines; rows that the graph does not have yet are compared one by one."""
    return [_find_one(snapshot, query, top_k, sql, settings) for query in queries]


def _find_one(snapshot: Snapshot, query: Floats, top_k: int, sql: str | None, settings: Settings) -> list[Hit]:
    search = (
        snapshot.table.search(query, vector_column_name="vector")
        .distance_type("cosine")
        .nprobes(ALL_PARTITIONS)
        .ef(max(settings.ef, top_k * settings.refine_factor))
        .refine_factor(settings.refine_factor)
        .limit(top_k)
        .select(["vector", "_distance"])
        .with_row_id(True)
    )
    if sql is not None:
        search = search.where(sql, prefilter=True)
    found = search.to_arrow()
    # the product of what is kept, as exact search gives it, instead of LanceDB's distance
    scores = within_one(np.asarray(vectors_of(found), np.float32) @ query)
    order = np.argsort(-scores, kind="stable")
    return snapshot.fetch(scores[order][None], found.column(ROW_ID).to_numpy()[order][None])[0]
