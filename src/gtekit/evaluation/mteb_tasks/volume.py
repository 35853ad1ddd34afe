"""About how many texts a task asks for: for the time that is left, and for what an endpoint will cost."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from gtekit.evaluation.mteb_tasks.expected import stats_of
from gtekit.evaluation.mteb_tasks.folder import TaskFiles
from gtekit.evaluation.mteb_tasks.parts import parts_of

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask

TEXT_FIELDS = {
    "STS": ("sentence1", "sentence2"),
    "PairClassification": ("sent1", "sent2"),
    "Clustering": ("sentences",),
    "Summarization": ("human_summaries", "machine_summaries"),
    "Reranking": ("query", "positive", "negative"),
}


STATISTICS = {  # in MTEB's descriptive statistics, of the texts that are embedded
    "STS": ("text1_statistics", "text2_statistics"),
    "PairClassification": ("text1_statistics", "text2_statistics"),
    "Summarization": ("human_summaries_statistics", "machine_summaries_statistics"),
    "Retrieval": ("documents_text_statistics", "queries_text_statistics"),
    "Reranking": ("documents_text_statistics", "queries_text_statistics"),
}


def texts_of(task: "AbsTask", split: str, files: TaskFiles) -> int:
    """Count the texts that a task will ask for, those that come again included."""
    if task.metadata.type == "Classification":
        labels = Counter(row["label"] for row in files.files["train"].rows)
        return len(files.files[split].rows) + sampled_texts(labels, task)
    return len(texts_in(task, split, files))


def texts_in(task: "AbsTask", split: str, files: TaskFiles) -> list[str]:
    """Give the texts that a task will ask for; of rows to learn from, every k-th, as draws take only so many."""
    category = task.metadata.type
    rows = {name: file.rows for name, file in files.files.items()}
    if category == "Classification":
        train = rows["train"]
        step = max(1, len(train) // max(1, sampled_texts(Counter(row["label"] for row in train), task)))
        return [row["text"] for row in (*rows[split], *train[::step])]
    if category == "Retrieval":
        documents = [f"{row.get('title', '')} {row['text']}".strip() for row in rows["corpus"]]
        judged = {row["query_id"] for row in rows["qrels"]}
        return documents + [row["text"] for row in rows["queries"] if row["_id"] in judged]
    fields = TEXT_FIELDS[category]
    return [text for row in rows[split] for field in fields for text in _listed(row[field])]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def sampled_texts(labels: "Counter[Any]", task: "AbsTask") -> int:
    """Expect how many rows are in at least one of the draws: each draw takes some rows of every label."""
    total = 0.0
    for count in labels.values():
        share = min(1.0, task.samples_per_label / count)
        total += count * (1 - (1 - share) ** task.n_experiments)
    return round(total)


def hub_texts(task: "AbsTask", split: str) -> int:
    """Count by what MTEB says of its data, those that come again included; 0 where it says nothing."""
    if task.metadata.type == "Classification":
        labels = (stats_of(task, task.train_split).get("label_statistics") or {}).get("labels") or {}
        drawn = sampled_texts(Counter({label: int(of["count"]) for label, of in labels.items()}), task)
        return int(stats_of(task, split).get("num_samples") or 0) + drawn
    return sum(round(length / mean) for length, mean in _lengths(task, split))


def hub_characters(task: "AbsTask", split: str) -> int:
    """Count the characters by what MTEB says of its data; 0 where it says nothing."""
    characters = sum(length for length, _ in _lengths(task, split))
    if task.metadata.type == "Classification" and characters:
        mean = characters / int(stats_of(task, split)["num_samples"])
        return round(mean * hub_texts(task, split))
    return round(characters)


def _lengths(task: "AbsTask", split: str) -> list[tuple[float, float]]:
    """Give the characters in all and in the mean of each kind of texts that a task asks for."""
    found = []
    for part in parts_of(task):
        stats = stats_of(part, split)
        for name in STATISTICS.get(part.metadata.type, ("text_statistics",)):
            of = stats.get(name) or {}
            if of.get("total_text_length") and of.get("average_text_length"):
                found.append((float(of["total_text_length"]), float(of["average_text_length"])))
    return found
