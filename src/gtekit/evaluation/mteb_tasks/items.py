"""What a score rests on, out of what MTEB predicted: the items that the bootstrap draws from."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gtekit.evaluation.metrics import rank, spearman_with_p
from gtekit.evaluation.samples import Samples

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask

Predictions: TypeAlias = Any  # each kind of task has its own form
TREC_NAMES = {"ndcg": "ndcg_cut", "map": "map_cut", "recall": "recall"}


def read_items(
    task: "AbsTask", split: str, predictions: Predictions, scores: Mapping[str, Any], metric: str
) -> Samples | None:
    """Give the items of a task.

    Args:
        task: With its data.
        split: That was scored.
        predictions: What MTEB keeps of the split.
        scores: What MTEB says of it.
        metric: The one among the scores that counts.

    Returns:
        None for a kind of task whose score is no statistic of items.
    """
    data = _data(task)
    category = task.metadata.type
    if category == "STS":
        return Samples("spearman", _numbers(predictions["cosine_scores"]), _numbers(data[split]["score"]))
    if category == "PairClassification":
        labels = _numbers(data[split][task.label_column_name])
        return Samples("average_precision", _numbers(predictions["cosine_scores"]), labels)
    if category == "Classification":
        truth = np.array(data[split][task.label_column_name])
        return Samples("mean", np.mean([np.array(drawn) == truth for drawn in predictions], axis=0, dtype=np.float64))
    if category == "Clustering" and "v_measures" in scores:
        return Samples("mean", _numbers(scores["v_measures"]))
    if category == "Summarization":
        return _articles(task, predictions)
    if category in ("Retrieval", "Reranking"):
        return _queries(task, data[split]["relevant_docs"], predictions, metric)
    return None


def _articles(task: "AbsTask", predictions: Mapping[str, Any]) -> Samples:
    """Correlate within each article. The task's first version averages correlation and p value: mteb issue 1156."""
    both = [
        spearman_with_p(people, model)
        for people, model in zip(predictions["human_scores"], predictions["cosine_scores"], strict=True)
    ]
    is_first_version = task.evaluator.__name__ == "DeprecatedSummarizationEvaluator"
    return Samples("mean", _numbers([np.mean(pair) if is_first_version else pair[0] for pair in both]))


def _queries(
    task: "AbsTask", relevant: Mapping[str, Mapping[str, int]], run: Mapping[str, Mapping[str, float]], metric: str
) -> Samples | None:
    found = re.fullmatch(r"(ndcg|map|recall)_at_(\d+)", metric)
    if found is None or task.skip_first_result:
        return None
    if task.ignore_identical_ids:
        run = {query: {place: score for place, score in of.items() if place != query} for query, of in run.items()}
    name = TREC_NAMES[found[1]]
    judged = rank(relevant, run, [f"{name}.{found[2]}"])
    return Samples("mean", _numbers([judged[query][f"{name}_{found[2]}"] for query in sorted(judged)]))


def _data(task: "AbsTask") -> Mapping[str, Any]:
    of_split: Mapping[str, Any] = task.dataset.get(task.hf_subsets[0], task.dataset)
    return of_split


def _numbers(values: Iterable[Any]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.asarray(list(values), np.float64)
