"""MTEB's tasks in one call, as `gtekit eval` does them."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from gtekit.any_model import AnyModel
from gtekit.errors import ArgumentError
from gtekit.evaluation.models import EvaluatedModel, LocalModel, OpenOptions, open_model, parse_spec
from gtekit.evaluation.mteb_tasks import RunOptions, find_tasks, plan_tasks, run_tasks, task_folders
from gtekit.evaluation.results import ResultStore, SettingsName, TaskScore


def run_mteb(
    models: Sequence[str | AnyModel],
    tasks: Sequence[str] = (),
    *,
    benchmark: str | None = None,
    data: str | Path | None = None,
    results: str | Path = "eval-results",
    settings: SettingsName = "default",
    is_partial: bool = False,
) -> list[TaskScore]:
    """Run MTEB's tasks with some models. A score that is in `results` already is not computed again.

    Args:
        models: Loaded ones, or names as for `gtekit eval -m`: gte-small@int8, sentence-transformers:NAME, openai:NAME.
            Servers that cost money are asked without another question.
        tasks: Names of tasks ("STSBenchmark") and of categories ("retrieval"); none: all of the benchmark.
        benchmark: As MTEB names it; None: the 56 English tasks of the models' page.
        data: A folder of test sets; None: the hub, as mteb loads them.
        results: The folder where scores are kept.
        settings: "published" makes vectors as each model's published scores were made.
        is_partial: Fewer rows in `data` than MTEB has are no error; such scores are compared with nothing published.

    Returns:
        The scores in points, model after model, tasks in MTEB's order.

    Raises:
        MissingExtraError: If mteb is not installed.
        ArgumentError: If there is no such task or benchmark.
        FileFormatError: If a file of the folder is wrong, with its name and line, before anything runs.
        EvaluationError: If MTEB can't run a task; what is done is kept.
    """
    _check(models, tasks, settings)
    folder = None if data is None else Path(data)
    options = RunOptions(
        store=ResultStore(Path(results)),
        data=folder,
        settings=settings,
        is_partial=is_partial,
        say=lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201
    )
    found = find_tasks(tasks, benchmark, None if folder is None else task_folders(folder))
    return run_tasks([_opener(model, Path(results)) for model in models], plan_tasks(found, options), options)


def _check(models: Sequence[str | AnyModel], tasks: Sequence[str], settings: str) -> None:
    for name, value in (("models", models), ("tasks", tasks)):
        if isinstance(value, str):
            raise ArgumentError(f"{name} is one str, {value!r}, expected a list: [{value!r}].")
    if not models:
        raise ArgumentError("models is empty; name one, such as gte-small, or give what gtekit.load gave.")
    if settings not in get_args(SettingsName):
        raise ArgumentError(f"settings={settings!r} is not possible; choose from: {', '.join(get_args(SettingsName))}.")


def _opener(model: str | AnyModel, results: Path) -> Callable[[], EvaluatedModel]:
    if isinstance(model, AnyModel):
        return lambda: LocalModel(model)
    spec, chosen = parse_spec(model), OpenOptions(paid_vectors=results / "paid-vectors.sqlite")
    return lambda: open_model(spec, chosen)
