"""A person's own data in, an Evaluation out."""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from gtekit.errors import ArgumentError, TruncationWarning
from gtekit.evaluation import metrics
from gtekit.evaluation.bootstrap import FEWEST_ITEMS
from gtekit.evaluation.own_data.data import Kind, Labelled, OwnData, Pairs, Retrieval, Triples
from gtekit.evaluation.own_data.evaluation import Evaluation
from gtekit.evaluation.own_data.findings import Findings, interval_of
from gtekit.evaluation.own_data.measure_labelled import measure_labelled
from gtekit.evaluation.own_data.measure_pairs import measure_pairs
from gtekit.evaluation.own_data.measure_retrieval import measure_retrieval
from gtekit.evaluation.own_data.measure_triples import measure_triples
from gtekit.evaluation.own_data.model import Encoder, Model
from gtekit.evaluation.own_data.qrels import QrelsSource
from gtekit.evaluation.own_data.read_retrieval import TextsSource
from gtekit.evaluation.own_data.source import Source, read_source
from gtekit.evaluation.own_data.table import RowSource
from gtekit.notices import warn_caller


def evaluate(
    model: Model,
    *,
    pairs: RowSource | None = None,
    triples: RowSource | None = None,
    labelled: RowSource | None = None,
    retrieval: Path | str | None = None,
    queries: TextsSource | None = None,
    documents: TextsSource | None = None,
    qrels: QrelsSource | None = None,
    columns: Sequence[str] | None = None,
    split: str | None = None,
) -> Evaluation:
    """Measure a model on data of one kind.

    Queries and documents get the model's prompts for them; all other texts go through `model.encode`. Texts that are
    longer than the model reads are cut, which is warned of once and noted in the result.

    Args:
        model: What `gtekit.load` gives, or anything with the same few methods.
        pairs: Rows of (text, text, score or label): a .csv or .tsv with a heading, a .jsonl, or a list.
        triples: Rows of (anchor, positive, negative), likewise.
        labelled: Rows of (text, label), likewise.
        retrieval: A folder in the layout of BEIR (corpus.jsonl, queries.jsonl, qrels/test.tsv) or of TREC (topics.tsv,
            documents.tsv, qrels.txt).
        queries: A file, or texts by id; goes with `documents` and `qrels`.
        documents: A file, or by id texts or {"title": ..., "text": ...}.
        qrels: A file of judgements, or grades by query and document.
        columns: Which columns hold the parts of a row, in their order; None: those with a known name.
        split: Which judgements of the folder; None: test.

    Returns:
        Scores in their own scale, where 1 is the best.

    Raises:
        ArgumentError: If none or several kinds are given, or there is no score for such data.
        FileFormatError: If a file can't be read, with the line.
        MissingExtraError: If the packages of gtekit[metrics] are not installed.
    """
    if isinstance(model, str | Path):
        raise ArgumentError(f"model is {str(model)!r}, a name; load it first: gtekit.load({str(model)!r}).")
    source = Source(
        pairs=pairs,
        triples=triples,
        labelled=labelled,
        retrieval=retrieval,
        queries=queries,
        documents=documents,
        qrels=qrels,
        columns=columns,
        split=split,
    )
    return measure(model, read_source(source))


def measure(model: Model, data: OwnData) -> Evaluation:
    """Measure a model on data that are read already.

    Raises:
        ArgumentError: If there is no score for such data.
        MissingExtraError: If the packages of gtekit[metrics] are not installed.
    """
    metrics.check_installed()
    encoder = Encoder(model)
    kind, findings = _findings(encoder, data)
    cuts = encoder.note_of_cuts()
    if cuts:
        warn_caller(cuts, TruncationWarning)
    found = {measure: interval_of(samples) for measure, samples in findings.samples.items()}
    intervals = {measure: interval for measure, interval in found.items() if interval is not None}
    few = f"no interval where there are fewer than {FEWEST_ITEMS} items" if None in found.values() else ""
    return Evaluation(
        kind=kind,
        data=data.source,
        data_hash=data.digest(),
        model=model.name,
        fingerprint=model.fingerprint,
        precision=model.precision,
        scores=findings.scores,
        intervals=intervals,
        thresholds=findings.thresholds,
        counts=findings.counts,
        notes=tuple(filter(None, (*findings.notes, cuts, few))),
        misses=findings.misses,
        samples=findings.samples,
    )


def _findings(encoder: Encoder, data: OwnData) -> tuple[Kind, Findings]:
    match data:
        case Pairs():
            return "pairs", measure_pairs(encoder, data)
        case Triples():
            return "triples", measure_triples(encoder, data)
        case Labelled():
            return "labelled", measure_labelled(encoder, data)
        case Retrieval():
            return "retrieval", measure_retrieval(encoder, data)
        case _:
            assert_never(data)
