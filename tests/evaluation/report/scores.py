"""Scores as the runner writes them, made by hand: what a report is built from in these tests."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from gtekit.evaluation.published import task_categories
from gtekit.evaluation.results import EvaluatedAs, ModelKind, ResultStore, SettingsName, TaskData, TaskScore
from gtekit.evaluation.samples import Samples

MINILM = "all-MiniLM-L6-v2"
METRICS = {"PairClassification": "cosine_ap", "Retrieval": "ndcg_at_10", "Classification": "accuracy"}


def evaluated(
    model: str = MINILM,
    precision: str = "float32",
    kind: ModelKind = "gtekit",
    settings: SettingsName = "default",
) -> EvaluatedAs:
    fingerprint = f"{model}{kind}".encode().hex()  # both precisions of a checkpoint have the same
    return EvaluatedAs(
        model=model, kind=kind, fingerprint=fingerprint, precision=precision, settings=settings, max_tokens=256
    )


def score(task: str, points: float, of: EvaluatedAs | None = None, **changes: object) -> TaskScore:
    category = task_categories().get(task, "STS")
    made = TaskScore(
        task=task,
        category=category,
        metric=METRICS.get(category, "cosine_spearman"),
        score=points,
        low=points - 1,
        high=points + 1,
        evaluated=of or evaluated(),
        data=TaskData(revision=f"of {task}", source="hub", rows=0),
        prompts={"symmetric": ""},
        normalize=None,
        scores={"cosine_spearman": points / 100},
        texts=1_000,
        texts_embedded=900,
        texts_cut=3,
        embed_s=3.0,
        total_s=4.0,
        dimension=384,
        size_bytes=90_000_000,
        machine="one machine",
        versions={"gtekit": "1.0"},
        date="2026-11-25",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def partial_data(task: str) -> TaskData:
    return TaskData(revision=f"of {task}", source="some", rows=10, difference="partial data", is_partial=True)


def items(values: object) -> Samples:
    return Samples("mean", np.asarray(values, np.float64))


def fill(folder: Path, scores: Mapping[TaskScore, Samples | None] | list[TaskScore]) -> ResultStore:
    store = ResultStore(folder)
    for one in scores:
        store.write(one, None)
    return store


def full_store(folder: Path) -> ResultStore:
    """One of everything: three ways to run a model, two settings of another, partial data, a task of one's own."""
    store = ResultStore(folder)
    generator = np.random.default_rng(0)
    base = generator.uniform(0.4, 0.8, 60)
    lower = base - 0.02 + generator.normal(0, 0.002, 60)
    for task, mean in (("STS12", 72.369), ("STS15", 85.39), ("SciFact", 64.508), ("SummEval", 30.793)):
        of = evaluated()
        store.write(score(task, 100 * base.mean(), of), items(base))
        store.write(
            score(task, 100 * lower.mean(), evaluated(precision="int8"), embed_s=1.5, size_bytes=30_000_000),
            items(lower),
        )
        store.write(score(task, mean, evaluated(kind="sentence-transformers"), embed_s=6.0), None)
    gte, published = evaluated("gte-small"), evaluated("gte-small", settings="published")
    store.write(score("Banking77Classification", 80.9, gte), None)
    store.write(score("STS12", 75.1, gte, data=partial_data("STS12")), None)
    store.write(score("Banking77Classification", 84.08, published, normalize=False), None)
    store.write(score("my own", 50.0, gte), None)
    return store
