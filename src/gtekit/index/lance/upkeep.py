"""What keeps a table fast: compaction, old versions dropped, the indices of vectors and words built."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from gtekit.index import recall
from gtekit.index.interface import Recall
from gtekit.index.lance import approximate, words
from gtekit.index.lance.failures import Result, until_committed
from gtekit.index.lance.notes import is_measured, read_recall, write_recall
from gtekit.index.lance.snapshot import Snapshot
from gtekit.index.lance.store import Store, Table

KEPT_FOR = timedelta(days=1)  # old versions: long enough for every reader to have gone on to a later one
LONGEST_COMPACTION = timedelta(hours=1)  # it comes before old versions are dropped, whose age is told only then
REBUILT_ABOVE = 0.2  # rows beside the graph, as a share: below, they get a graph of their own beside it
ENOUGH_RECALL = 0.99


def optimize(store: Store, exact_below: int, *, kept_for: timedelta = KEPT_FOR) -> None:
    """Compact, drop versions older than `kept_for`, bring the indices up to date and measure recall.

    Versions that are younger than the oldest tag stay, too: LanceDB drops all up to a moment or none.
    """
    table = store.open_table()

    def do(doing: str, action: Callable[[], Result]) -> Result:
        def latest() -> Result:
            table.checkout_latest()
            return action()

        return until_committed(store.location, f"while {doing}", latest)

    do("building the index of words", lambda: words.build(table))
    rows = table.count_rows()
    is_wanted = rows >= max(exact_below, approximate.LEAST_ROWS)
    graph = approximate.graph_of(table.list_indices())
    if graph is not None and (not is_wanted or graph.num_unindexed_rows > REBUILT_ABOVE * rows):
        do("dropping the old index of vectors", lambda: table.drop_index(approximate.NAME))
        graph = None
    # of a graph that stays as it was built, for perhaps another number of rows; compacting gives it another name
    former = None if graph is None else read_recall(table.schema, graph.index_uuid)
    settings = approximate.settings_of(former, rows)
    do("compacting", lambda: table.optimize(cleanup_older_than=_age_to_drop(table, kept_for)))
    if not is_wanted:
        return
    if graph is None:
        do("building the index of vectors", lambda: approximate.build(table, settings))
    table.checkout_latest()
    seen = Snapshot(store.open_table(table.version))
    graph = approximate.graph_of(seen.indices)
    if graph is None or is_measured(seen.schema, graph):
        return  # another process has dropped it, or measured it before
    measured = _choose_ef(seen, settings)
    do("noting the recall", lambda: write_recall(table, graph, measured))


def _age_to_drop(table: Table, kept_for: timedelta) -> timedelta:
    tagged = {entry["version"] for entry in table.tags.list().values()}
    times: list[datetime] = [version["timestamp"] for version in table.list_versions() if version["version"] in tagged]
    # LanceDB 0.40 drops nothing and raises where a tagged version is among the old ones
    return max([kept_for, *(datetime.now() - time + LONGEST_COMPACTION for time in times)])


def _choose_ef(snapshot: Snapshot, settings: approximate.Settings) -> Recall:
    """Measure recall with a wider and wider search, up to the first that is good enough."""
    queries = recall.perturbed(snapshot.sample(recall.QUERIES, recall.SEED))
    exact = snapshot.find_exactly(queries, recall.TOP_K, None, in_memory=False)
    for ef in approximate.EF_CHOICES:
        tried = replace(settings, ef=ef)
        found = approximate.find(snapshot, queries, recall.TOP_K, None, tried)
        measured = recall.compare(exact, found, tried.as_note())
        if measured.recall >= ENOUGH_RECALL:
            break
    return measured
