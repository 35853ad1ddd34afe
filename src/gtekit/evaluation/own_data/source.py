"""Where the data of one evaluation come from: one kind, as files or as Python values."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gtekit.errors import ArgumentError
from gtekit.evaluation.own_data.data import OwnData
from gtekit.evaluation.own_data.qrels import QrelsSource
from gtekit.evaluation.own_data.read_retrieval import TextsSource, read_folder, read_retrieval
from gtekit.evaluation.own_data.read_rows import read_labelled, read_pairs, read_triples
from gtekit.evaluation.own_data.table import RowSource

CHOICES = (
    "give exactly one of pairs (text, text, score), triples (anchor, positive, negative), labelled (text, label), "
    "retrieval (a folder), or queries, documents and qrels together"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The arguments of `evaluate` that name data; exactly one kind is given."""

    pairs: RowSource | None = None
    triples: RowSource | None = None
    labelled: RowSource | None = None
    retrieval: Path | str | None = None
    queries: TextsSource | None = None
    documents: TextsSource | None = None
    qrels: QrelsSource | None = None
    columns: Sequence[str] | None = None
    split: str | None = None


def read_source(source: Source) -> OwnData:
    """Read the data.

    Raises:
        ArgumentError: If none or several kinds are given, an option does not fit the kind, or Python values are of
            another shape.
        FileFormatError: If a file can't be read, with the line.
    """
    names = ("pairs", "triples", "labelled", "retrieval", "queries", "documents", "qrels")
    given = tuple(name for name in names if getattr(source, name) is not None)
    is_folder, is_three_parts = given == ("retrieval",), given == ("queries", "documents", "qrels")
    if (len(given) != 1 and not is_three_parts) or given in (("queries",), ("documents",), ("qrels",)):
        raise ArgumentError(f"{' and '.join(given) + ' are' if given else 'no data are'} given; {CHOICES}.")
    if source.columns is not None and (is_folder or is_three_parts):
        raise ArgumentError("columns is for pairs, triples and labelled; the files of retrieval have fixed fields.")
    if source.split is not None and not is_folder:
        raise ArgumentError("split is for a folder of retrieval data; otherwise name the file with the rows you mean.")
    if source.pairs is not None:
        return read_pairs(source.pairs, source.columns)
    if source.triples is not None:
        return read_triples(source.triples, source.columns)
    if source.labelled is not None:
        return read_labelled(source.labelled, source.columns)
    if source.retrieval is not None:
        return read_folder(Path(source.retrieval), source.split)
    assert source.queries is not None
    assert source.documents is not None
    assert source.qrels is not None
    return read_retrieval(source.queries, source.documents, source.qrels)
