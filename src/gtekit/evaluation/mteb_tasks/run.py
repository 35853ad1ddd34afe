"""Models on tasks: each score is written when it is there, and one that is there already is not computed again."""

import json
import logging
import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtekit.errors import EvaluationError, GtekitError, GtekitWarning
from gtekit.evaluation.bootstrap import score_interval
from gtekit.evaluation.models.interface import EvaluatedModel, ModelFacts
from gtekit.evaluation.mteb_tasks.datasets import put_in_place
from gtekit.evaluation.mteb_tasks.encoder import TaskEncoder
from gtekit.evaluation.mteb_tasks.items import Predictions, read_items
from gtekit.evaluation.mteb_tasks.parts import parts_of
from gtekit.evaluation.mteb_tasks.plan import PlannedTask, RunOptions, read_parts
from gtekit.evaluation.mteb_tasks.progress import RunProgress
from gtekit.evaluation.results import EvaluatedAs, SettingsName, TaskScore
from gtekit.evaluation.samples import Samples
from gtekit.evaluation.settings import published_rule
from gtekit.machine import processor_name
from gtekit.threads import find_limits

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask

LIBRARIES = ("gtekit", "mteb", "scikit-learn", "scipy", "numpy", "torch", "sentence-transformers")
NO_HUB = (
    "read the test sets from a folder (--data), or run once where the hub can be reached: what is in its cache then "
    "needs no network, with HF_HUB_OFFLINE=1"
)
SAME_SCORE = 0.01  # points between MTEB's score and the one computed from its items


def run_tasks(
    models: Sequence[Callable[[], EvaluatedModel]], tasks: Sequence[PlannedTask], options: RunOptions
) -> list[TaskScore]:
    """Run every model on every task, one model in memory at a time.

    Raises:
        EvaluationError: If MTEB could not run a task with a model; all others are done and kept first.
    """
    progress = RunProgress([task.texts for task in tasks], len(models), options.say)
    scores, failed = [], []
    for open_model in models:
        model = open_model()
        if options.settings == "published":
            published_rule(model.facts.name)
        evaluated = evaluated_as(model.facts, options.settings)
        for task in tasks:
            found = None if options.is_fresh else options.store.find(evaluated, task.name, task.data.revision)
            found = found if found and _is_current(found) else None
            with progress.task(f"{evaluated.label} {task.name}", task.texts) as shown:
                try:
                    score = found or _run_one(model, evaluated, task, options, shown.update)
                except EvaluationError as error:
                    failed.append(str(error))
                    options.say(f"{evaluated.label}: {error}")
                    continue
                shown.finish(score, is_new=found is None)
            scores.append(score)
    if failed:
        count = f"{len(failed)} of {len(tasks) * len(models)} scores could not be made; the others are kept"
        raise EvaluationError(failed[0] if len(failed) == 1 else f"{count}. The first: {failed[0]}")
    return scores


def evaluated_as(facts: ModelFacts, settings: SettingsName) -> EvaluatedAs:
    """Say everything that decides a score of this model."""
    return EvaluatedAs(
        model=facts.name,
        kind=facts.kind,
        fingerprint=facts.fingerprint,
        precision=facts.precision,
        settings=settings,
        max_tokens=facts.max_tokens,
        prompts=_described(facts),
    )


def _machine(facts: ModelFacts) -> str:
    """Say what speed depends on; an endpoint computes elsewhere."""
    if facts.kind == "openai":
        return "a server"
    cpus = min(limit.threads for limit in find_limits())
    return f"{processor_name()}, {facts.threads or cpus} of {cpus} CPUs"


def _described(facts: ModelFacts) -> str:
    prompts = {**facts.prompts, "default": facts.default_prompt}
    used = {role: prompt for role, prompt in prompts.items() if prompt}
    return json.dumps(used, sort_keys=True) if used else ""


def _is_current(score: TaskScore) -> bool:
    """Whether the libraries that decide a score are still those that made it."""
    now = _versions()
    return all(score.versions.get(name) == now[name] for name in ("mteb", "scikit-learn"))


def _run_one(
    model: EvaluatedModel,
    evaluated: EvaluatedAs,
    planned: PlannedTask,
    options: RunOptions,
    done: Callable[[int], None],
) -> TaskScore:
    task, started, cut_before = planned.task, time.perf_counter(), model.texts_cut
    encoder = TaskEncoder(model, options.settings, done)
    for part, files in read_parts(task, planned.split, options.data) if options.data else ():
        put_in_place(part, planned.split, files)
    metric = _metric(task)
    try:
        scores, predictions = _ask_mteb(encoder, planned, metric, from_hub=options.data is None)
        total_s = time.perf_counter() - started
        samples = _items(planned, predictions, scores, metric, options)
    finally:
        _forget_data(task)
    interval = score_interval(samples) if samples else None
    score = TaskScore(
        task=planned.name,
        category=task.metadata.type,
        metric=metric,
        score=100 * float(scores[metric]),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        evaluated=evaluated,
        data=planned.data,
        prompts=encoder.prompts,
        normalize=encoder.normalize,
        scores={name: float(value) for name, value in scores.items() if _is_finite(value)},
        texts=encoder.texts,
        texts_embedded=encoder.texts_embedded,
        texts_cut=None if model.texts_cut is None or cut_before is None else model.texts_cut - cut_before,
        embed_s=encoder.embed_s,
        total_s=total_s,
        dimension=encoder.dimension,
        size_bytes=model.facts.size_bytes,
        machine=_machine(model.facts),
        versions=_versions(),
        date=datetime.now(UTC).date().isoformat(),
    )
    options.store.write(score, samples)
    return score


def _ask_mteb(
    encoder: TaskEncoder, planned: PlannedTask, metric: str, *, from_hub: bool
) -> tuple[Mapping[str, Any], Predictions]:
    """Let MTEB evaluate, and give its scores and its predictions; neither its cache nor its trackers are used."""
    import mteb

    with tempfile.TemporaryDirectory(prefix="gtekit-eval-") as folder, _quiet():
        try:
            result = mteb.evaluate(
                encoder,
                planned.task,
                cache=None,
                co2_tracker=False,
                prediction_folder=folder,
                show_progress_bar=False,
                encode_kwargs={"batch_size": 1_024, "show_progress_bar": False},
            )
        except GtekitError:
            raise
        except Exception as error:
            is_unreachable = from_hub and isinstance(error, OSError)
            fix = NO_HUB if is_unreachable else "leave this task out, or look closer with --debug"
            raise EvaluationError(
                f"{planned.name}: MTEB could not run it ({type(error).__name__}: {error}). What was done before is "
                f"kept; {fix}."
            ) from error
        file = Path(folder, planned.task.prediction_file_name)
        kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    of_split = result.task_results[0].scores[planned.split]
    name = metric if metric in of_split[0] else "main_score"  # all that a task made of others has
    if name == "main_score" and metric != planned.task.metadata.main_score:
        raise EvaluationError(f"{planned.name}: MTEB gives no {metric}, which the page has, but {list(of_split[0])}.")
    score = sum(scores[name] for scores in of_split) / len(of_split)
    if len(of_split) > 1:  # several subsets: MTEB's score is their mean
        return {metric: score}, None
    predictions = kept.get(of_split[0]["hf_subset"], {}).get(planned.split)
    return {**of_split[0], metric: score}, predictions


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back bars, and what MTEB says of newer versions of a task: the published scores are of these."""
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    logger, had_bars = logging.getLogger("mteb"), not are_progress_bars_disabled()
    level = logger.level
    logger.setLevel(logging.ERROR)
    disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a regression that stops at 100 steps, as MTEB's has to
            warnings.simplefilter("always", GtekitWarning)
            yield
    finally:
        logger.setLevel(level)
        if had_bars:
            enable_progress_bars()


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _metric(task: "AbsTask") -> str:
    """Name the score that counts: MTEB's main one, except where the page took another."""
    return "cosine_ap" if task.metadata.type == "PairClassification" else str(task.metadata.main_score)


def _items(
    planned: PlannedTask, predictions: Predictions, scores: Mapping[str, Any], metric: str, options: RunOptions
) -> Samples | None:
    if predictions is None:
        return None
    samples = read_items(planned.task, planned.split, predictions, scores, metric)
    if samples is not None and abs(samples.score() - 100 * float(scores[metric])) > SAME_SCORE:
        options.say(
            f"{planned.name}: its items give {samples.score():.3f} and not MTEB's {100 * float(scores[metric]):.3f}; "
            f"the score is kept, without an interval."
        )
        return None
    return samples


def _forget_data(task: "AbsTask") -> None:
    for part in parts_of(task):
        part.dataset = None
        part.data_loaded = False


def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}
