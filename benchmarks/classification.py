"""How good are labels from few examples, and from descriptions alone?

    python -m benchmarks.classification --data ../shared/data/mteb --output build/classification

MTEB's ten draws of Banking77 (77 intents of bank customers, 8 examples each) and TweetSentimentExtraction (3 moods, 32
examples each), judged on all texts of the test sets: `fit_classifier` with fixed values of C and with the one that
cross-validation chooses; what is left when it abstains for more accuracy; `zero_shot` with the names of the labels, in
several templates and at several temperatures. Confidence and accuracy are compared in 15 bins of confidence (ECE).
"""

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gtekit
from benchmarks.machine import describe_machine
from gtekit.arrays import Array, Floats
from gtekit.tasks import Predictions, fit_classifier, zero_shot

FIXED_C = (0.1, 1.0, 10.0, 100.0, 1000.0)
TEMPLATES = (None, "This text is about {}.", "The customer asks about {}.", "The mood of this text is {}.")
TEMPERATURES = (0.01, 0.02, 0.03, 0.05, 0.06, 0.08, 0.1)
BINS = 15


@dataclass(frozen=True, slots=True)
class Task:
    """One of MTEB's classification tasks."""

    name: str
    examples: int  # of each label
    published: float  # accuracy of all-MiniLM-L6-v2, in points
    least_accuracy: float  # asked of the labels that are given, 0 to 1


TASKS = (
    Task("Banking77Classification", 8, 80.0422, 0.9),
    Task("TweetSentimentExtractionClassification", 32, 54.0436, 0.65),
)


def read_split(folder: Path, split: str) -> tuple[list[str], list[str]]:
    """Give texts and labels of train or test, in MTEB's order."""
    with gzip.open(folder / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], [str(row.get("label_text", row["label"])) for row in rows]


def mteb_draws(labels: Sequence[str], examples: int, *, experiments: int = 10) -> Iterator[list[int]]:
    """Give the rows of each experiment: one list of all rows, shuffled on with seed 42; the first of each label.

    Source:
        mteb 2.26.24, AbsTaskClassification._undersample_data.
    """
    rows = list(range(len(labels)))
    for _ in range(experiments):
        np.random.RandomState(42).shuffle(rows)
        taken: Counter[str] = Counter()
        chosen = []
        for row in rows:
            if taken[labels[row]] < examples:
                chosen.append(row)
                taken[labels[row]] += 1
        yield chosen


def judge(found: Predictions, truths: Sequence[str]) -> dict[str, float]:
    """Compare predictions with the truth: accuracy of all texts and of those with a label, in points, and ECE."""
    best = [found.classes[column] for column in found.scores.argmax(axis=1)]
    right = np.array([label == truth for label, truth in zip(best, truths, strict=True)])
    answered = np.array([label is not None for label in found.labels])
    return {
        "accuracy": 100 * float(right.mean()),
        "ece": 100 * calibration_error(found.confidence, right),
        "coverage": 100 * float(answered.mean()),
        "accuracy_of_answered": 100 * float(right[answered].mean()) if answered.any() else float("nan"),
    }


def calibration_error(confidence: Floats, right: Array) -> float:
    """Average the distance of confidence and accuracy over bins of equal width."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return sum(
        abs(float(right[bins == number].mean()) - float(confidence[bins == number].mean()))
        * float((bins == number).mean())
        for number in np.unique(bins)
    )


def few_shot(model: gtekit.Embedder, task: Task, folder: Path) -> list[dict[str, Any]]:
    """Judge every setting of C on every draw."""
    texts, labels = read_split(folder, "train")
    test_texts, truths = read_split(folder, "test")
    draws = list(mteb_draws(labels, task.examples))
    used = sorted({row for rows in draws for row in rows})
    vectors = dict(zip(used, model.encode([texts[row] for row in used]), strict=True))
    test_vectors = model.encode(test_texts)
    rows = []
    for c in (*FIXED_C, None):
        judged, chosen = [], []
        for draw in draws:
            classifier = fit_classifier(
                model,
                [texts[row] for row in draw],
                [labels[row] for row in draw],
                c=c,
                folds=0 if c else 5,
                least_accuracy=None if c else task.least_accuracy,
                vectors=np.stack([vectors[row] for row in draw]),
            )
            judged.append(judge(classifier.predict_vectors(test_vectors), truths))
            chosen.append(classifier.report.c)
        means = {name: float(np.mean([one[name] for one in judged])) for name in judged[0]}
        rows.append({"c": c, "chosen": chosen, **means, "accuracies": [one["accuracy"] for one in judged]})
        print(f"{task.name}: C {c or 'chosen'}: {means['accuracy']:.2f}", flush=True)
    return rows


def without_examples(model: gtekit.Embedder, folder: Path) -> list[dict[str, Any]]:
    """Judge the names of the labels as descriptions, in templates and at temperatures."""
    texts, truths = read_split(folder, "test")
    vectors = model.encode(texts)
    names = sorted(set(truths))
    settings: list[tuple[str | None, float | None]] = [(template, None) for template in TEMPLATES]
    settings += [(None, temperature) for temperature in TEMPERATURES]
    rows = []
    for template, temperature in settings:
        found = zero_shot(model, texts, names, template=template, temperature=temperature, vectors=vectors)
        rows.append({"template": template, "temperature": temperature, **judge(found, truths)})
    return rows


def markdown(results: dict[str, Any]) -> str:
    """Write the results as tables."""
    lines = [
        f"# Classification with {results['model']}",
        "",
        f"{results['machine']['cpu']}, {results['machine']['cores']} cores, {results['machine']['date']}, commit "
        f"{results['machine']['commit']}.",
        f"`{results['machine']['command']}`",
    ]
    for name, task in results["tasks"].items():
        lines += [
            "",
            f"## {name}, {task['examples']} examples a label, mean of MTEB's 10 draws",
            "",
            f"Published: {task['published']:.2f} (C 1).",
            "",
            "| C | accuracy | lowest and highest draw | ECE |",
            "|---|---:|---:|---:|",
        ]
        for row in task["few_shot"]:
            c = (
                f"{row['c']:g}"
                if row["c"]
                else f"cross-validation ({', '.join(f'{c:g}' for c in sorted(row['chosen']))})"
            )
            spread = f"{min(row['accuracies']):.2f} to {max(row['accuracies']):.2f}"
            lines.append(f"| {c} | {row['accuracy']:.2f} | {spread} | {row['ece']:.1f} |")
        chosen = task["few_shot"][-1]
        lines += [
            "",
            f"Abstaining, with the threshold for {100 * task['least_accuracy']:.0f} % in cross-validation: "
            f"{chosen['coverage']:.1f} % of the test texts get a label, {chosen['accuracy_of_answered']:.1f} % of "
            f"these are right.",
            "",
            "Without examples, from the names of the labels:",
            "",
            "| template | temperature | accuracy | ECE |",
            "|---|---:|---:|---:|",
        ]
        for row in task["zero_shot"]:
            temperature = f"{row['temperature']:g}" if row["temperature"] else "default"
            lines.append(f"| {row['template'] or '{}'} | {temperature} | {row['accuracy']:.2f} | {row['ece']:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with a folder for each of MTEB's test sets")
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--output", type=Path, required=True, help="folder for classification.json and .md")
    args = parser.parse_args()
    machine = describe_machine()
    model = gtekit.load(args.model, language_warning=False)
    tasks = {
        task.name: {
            "examples": task.examples,
            "published": task.published,
            "least_accuracy": task.least_accuracy,
            "few_shot": few_shot(model, task, args.data / task.name),
            "zero_shot": without_examples(model, args.data / task.name),
        }
        for task in TASKS
    }
    results = {"model": model.name, "machine": machine, "tasks": tasks}
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "classification.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (args.output / "classification.md").write_text(markdown(results), encoding="utf-8")
    print(f"written to {args.output}")


if __name__ == "__main__":
    main()
