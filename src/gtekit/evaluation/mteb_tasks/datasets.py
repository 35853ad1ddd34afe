"""The rows of a folder as the datasets that MTEB's tasks evaluate, in place of a download."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from gtekit.evaluation.mteb_tasks.folder import Rows, TaskFiles

if TYPE_CHECKING:
    from datasets import Dataset
    from mteb.abstasks.abstask import AbsTask


def put_in_place(task: "AbsTask", split: str, files: TaskFiles) -> None:
    """Give a task its data, so that it asks the hub for nothing."""
    from datasets import DatasetDict

    category = task.metadata.type
    subset = task.hf_subsets[0]
    if category in ("Retrieval", "Reranking"):
        data = _retrieval(files) if category == "Retrieval" else _reranking(files.files[split].rows)
        task.dataset = {subset: {split: data}}
    else:
        rows = {name: file.rows for name, file in files.files.items()}
        if category == "Classification":
            rows = _numbered(rows)
        splits = DatasetDict({name: _dataset(of, _columns(task)) for name, of in rows.items()})
        task.dataset = {subset: splits} if task.metadata.is_multilingual else splits
    task.data_loaded = True


def _numbered(rows: dict[str, Rows]) -> dict[str, Rows]:
    """Number labels that are strings, in their order: of two, MTEB wants to know which one is 1."""
    labels = sorted({row["label"] for row in rows["train"]}, key=lambda label: (isinstance(label, str), label))
    if all(isinstance(label, int) for label in labels):
        return rows
    numbers = {label: number for number, label in enumerate(labels)}
    return {name: [{**row, "label": numbers[row["label"]]} for row in of] for name, of in rows.items()}


def _columns(task: "AbsTask") -> dict[str, str]:
    """Map the fields of our rows to the columns that the task reads."""
    if task.metadata.type == "STS":
        return {"sentence1": task.column_names[0], "sentence2": task.column_names[1], "score": "score"}
    if task.metadata.type == "PairClassification":
        names = (task.input1_column_name, task.input2_column_name, task.label_column_name)
        return dict(zip(("sent1", "sent2", "label"), names, strict=True))
    if task.metadata.type == "Classification":
        return {"text": task.input_column_name, "label": task.label_column_name}
    if task.metadata.type == "Clustering":
        return {"sentences": task.input_column_name, "labels": task.label_column_name}
    return {
        "text": task.text_column_name,
        "human_summaries": task.human_summaries_column_name,
        "machine_summaries": task.machine_summaries_column_name,
        "relevance": task.relevancy_column_name,
    }


def _dataset(rows: Rows, columns: dict[str, str]) -> "Dataset":
    from datasets import Dataset

    return Dataset.from_dict({column: [row[field] for row in rows] for field, column in columns.items()})


def _retrieval(files: TaskFiles) -> dict[str, Any]:
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    for row in files.files["qrels"].rows:
        relevant[row["query_id"]][row["corpus_id"]] = int(row["score"])
    corpus = [{**row, "title": row.get("title", "")} for row in files.files["corpus"].rows]
    return {
        "corpus": _dataset(corpus, {"_id": "id", "title": "title", "text": "text"}),
        "queries": _dataset(files.files["queries"].rows, {"_id": "id", "text": "text"}),
        "relevant_docs": dict(relevant),
        "top_ranked": None,
    }


def _reranking(rows: Rows) -> dict[str, Any]:
    """Make one query with its own candidates of each row, as MTEB does with its files of this form."""
    corpus: Rows = []
    queries: Rows = []
    relevant: dict[str, dict[str, int]] = {}
    candidates: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        query = f"query{number}"
        queries.append({"_id": query, "text": row["query"]})
        # equal scores are ordered by id, so the names decide; MTEB's begin with a letter before that of the others
        of_query = [(f"a{query}-{place:05}", text, 1) for place, text in enumerate(row["positive"])]
        of_query += [(f"n{query}-{place:05}", text, 0) for place, text in enumerate(row["negative"])]
        corpus += [{"_id": document, "text": text} for document, text, _ in of_query]
        relevant[query] = {document: grade for document, _, grade in of_query}
        candidates[query] = [document for document, _, _ in of_query]
    return {
        "corpus": _dataset(corpus, {"_id": "id", "text": "text"}),
        "queries": _dataset(queries, {"_id": "id", "text": "text"}),
        "relevant_docs": relevant,
        "top_ranked": candidates,
    }
