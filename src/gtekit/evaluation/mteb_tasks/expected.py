"""What MTEB itself says of its data: rows and characters of every file, to hold a folder of data against.

Source: the descriptive statistics that the package mteb ships for each task.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gtekit.errors import FileFormatError
from gtekit.evaluation.mteb_tasks.folder import RowFile, TaskFiles, characters

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask


GROUPED = ("MindSmallReranking",)  # several rows are one query, and the score is the mean over those


@dataclass(frozen=True, slots=True)
class Expected:
    """One file as it should be."""

    count: int | None  # of what `noun` says; None where MTEB does not say
    noun: str
    characters: int | None  # of all its texts


@dataclass(frozen=True, slots=True)
class Found:
    """The same of a file that is there."""

    count: int
    characters: int


def expected_files(task: "AbsTask", split: str) -> dict[str, Expected]:
    """Say what MTEB has, by the names of the files in a folder."""
    stats = stats_of(task, split)
    category = task.metadata.type
    if category == "Classification":
        return {name: _of(stats_of(task, name), "rows", "text_statistics") for name in ("train", split)}
    if category in ("STS", "PairClassification"):
        return {split: _of(stats, "pairs", "text1_statistics", "text2_statistics")}
    if category == "Clustering":
        return {split: _of(stats, "texts in all sets", "text_statistics")}
    if category == "Summarization":
        parts = ("text_statistics", "human_summaries_statistics", "machine_summaries_statistics")
        return {split: _of(stats, "articles", *parts)}
    if category == "Reranking":
        return {split: Expected(stats.get("num_queries"), "queries", None)}
    relevant = (stats.get("relevant_docs_statistics") or {}).get("num_relevant_docs")
    return {
        "corpus": Expected(stats.get("num_documents"), "documents", _length(stats, "documents_text_statistics")),
        "queries": Expected(stats.get("num_queries"), "judged queries", _length(stats, "queries_text_statistics")),
        "qrels": Expected(relevant, "judgements", None),
    }


def check_counts(task: "AbsTask", split: str, files: TaskFiles) -> str:
    """Hold the files against what MTEB has, and say in what they differ without being wrong: "" or a sentence.

    Raises:
        FileFormatError: If a file has another number of rows; it names the file, its last line, and the reason where
            that can be guessed.
    """
    expected = expected_files(task, split)
    found = found_files(task.metadata.type, files)
    differences = []
    for name, wanted in expected.items():
        file, there = files.files[name], found[name]
        if wanted.count is not None and there.count != wanted.count:
            raise FileFormatError(
                f"{file.where(len(file.rows) - 1)}: the file ends here with {there.count:,} {wanted.noun}; {name} of "
                f"{task.metadata.name} has {wanted.count:,} in MTEB.{_guess(expected, name, there)} For scores that "
                f"nobody is to compare with published ones: --partial-data (is_partial=True)."
            )
        if wanted.characters is not None and there.characters != wanted.characters:
            differences.append(f"{there.characters:,} characters in {name} where MTEB has {wanted.characters:,}")
    labels = _label_difference(task, split, files)
    texts = [f"not exactly MTEB's texts: {'; '.join(differences)}"] if differences else []
    return "; ".join([*texts, *([labels] if labels else [])])


def check_values(task: "AbsTask", split: str, files: TaskFiles) -> None:
    """Make sure that the values of a file can give a score.

    Raises:
        FileFormatError: If they can't, with the file, and the line where one row is to blame.
    """
    name, category = task.metadata.name, task.metadata.type
    if name in GROUPED:
        raise FileFormatError(
            f"{files.files[split].path}: {name} groups its queries, which no file of this form can say. Leave it out, "
            f"or take it from the hub: no --data."
        )
    if category == "STS":
        _check_scores(files.files[split], task.min_score, task.max_score)
    if category == "PairClassification" and len({row["label"] for row in files.files[split].rows}) < 2:
        file = files.files[split]
        raise FileFormatError(f"{file.path}: all rows have the label {file.rows[0]['label']}; there has to be 0 and 1.")
    if category == "Classification" and len({row["label"] for row in files.files["train"].rows}) < 2:
        file = files.files["train"]
        raise FileFormatError(f"{file.path}: all rows have the label {file.rows[0]['label']!r}; there have to be two.")
    if category == "Clustering":
        file = files.files[split]
        for index, row in enumerate(file.rows):
            if len(set(row["labels"])) < 2:
                raise FileFormatError(
                    f"{file.where(index)}: all texts of the set have one label; there have to be two."
                )


def _check_scores(file: RowFile, least: float, most: float) -> None:
    for index, row in enumerate(file.rows):
        if not least <= row["score"] <= most:
            raise FileFormatError(f"{file.where(index)}: the score {row['score']:g} is not between {least} and {most}.")
    if len({row["score"] for row in file.rows}) < 2:
        raise FileFormatError(
            f"{file.path}: all scores are {file.rows[0]['score']:g}; a correlation needs at least two different ones."
        )


def _label_difference(task: "AbsTask", split: str, files: TaskFiles) -> str:
    """Say in what people's values differ from those that MTEB has."""
    stats, rows, category = stats_of(task, split), files.files.get(split), task.metadata.type
    if rows is None:
        return ""
    if category == "STS":
        wanted = (stats.get("label_statistics") or {}).get("avg_score")
        mean = sum(row["score"] for row in rows.rows) / len(rows.rows)
        is_same = not wanted or abs(mean - wanted) < 1e-4
        return "" if is_same else f"the mean score is {mean:.4f} where MTEB has {wanted:.4f}"
    of = stats.get("labels_statistics" if category == "PairClassification" else "label_statistics") or {}
    if category not in ("PairClassification", "Classification", "Clustering") or not of.get("labels"):
        return ""
    named = [label for row in rows.rows for label in (row["labels"] if category == "Clustering" else [row["label"]])]
    wanted_counts = sorted(int(label["count"]) for label in of["labels"].values())
    return "" if sorted(Counter(named).values()) == wanted_counts else "labels are not as often as in MTEB"


def _guess(expected: Mapping[str, Expected], name: str, there: Found) -> str:
    other = next((other for other, of in expected.items() if other != name and of.count == there.count), None)
    return f" As many are in its {other}: the wrong split, or names swapped?" if other else " Is it whole?"


def found_files(category: str, files: TaskFiles) -> dict[str, Found]:
    """Count what is there, in the units of `expected_files`."""
    return {name: _found(category, name, file, files) for name, file in files.files.items()}


def _found(category: str, name: str, file: RowFile, files: TaskFiles) -> Found:
    rows = file.rows
    if name == "corpus":
        documents = [f"{row.get('title', '')} {row['text']}".strip() for row in rows]
        return Found(len(rows), sum(map(len, documents)))
    if name == "queries":
        judged = {row["query_id"] for row in files.files["qrels"].rows}
        asked = [row for row in rows if row["_id"] in judged]
        return Found(len(asked), characters(asked, ["text"]))
    if name == "qrels":
        return Found(len(rows), 0)
    fields = {
        "STS": ["sentence1", "sentence2"],
        "PairClassification": ["sent1", "sent2"],
        "Clustering": ["sentences"],
        "Summarization": ["text", "human_summaries", "machine_summaries"],
        "Reranking": ["query", "positive", "negative"],
    }.get(category, ["text"])
    count = sum(len(row["sentences"]) for row in rows) if category == "Clustering" else len(rows)
    return Found(count, characters(rows, fields))


def stats_of(task: "AbsTask", split: str) -> Mapping[str, Any]:
    """Give what MTEB says of one split, of the subset that is scored where there is one."""
    stats: Mapping[str, Any] = (task.metadata.descriptive_stats or {}).get(split) or {}
    subsets = stats.get("hf_subset_descriptive_stats") or {}
    chosen: Mapping[str, Any] = subsets.get(task.hf_subsets[0]) if len(task.hf_subsets) == 1 else None  # type: ignore[assignment]
    return chosen or stats


def _of(stats: Mapping[str, Any], noun: str, *parts: str) -> Expected:
    lengths = [_length(stats, part) for part in parts]
    total = None if None in lengths else sum(length or 0 for length in lengths)
    return Expected(stats.get("num_samples"), noun, total)


def _length(stats: Mapping[str, Any], part: str) -> int | None:
    length: int | None = (stats.get(part) or {}).get("total_text_length")
    return length
