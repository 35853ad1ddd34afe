"""Names of tasks, categories and benchmarks to MTEB's tasks."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from gtekit.errors import ArgumentError, MissingExtraError
from gtekit.evaluation.mteb_tasks.parts import part_names
from gtekit.evaluation.page import CATEGORIES
from gtekit.evaluation.published import published

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask

ENGLISH = "MTEB(eng, v1)"  # the 56 tasks of the page


def find_tasks(
    asked: Sequence[str], benchmark: str | None = None, held: Sequence[str] | None = None
) -> list["AbsTask"]:
    """Find tasks, in MTEB's order of the benchmark, those beside it last.

    Args:
        asked: Names of tasks ("STSBenchmark"), of categories ("retrieval"), or both; empty: all.
        benchmark: As MTEB names it; None: the 56 English tasks.
        held: The tasks that a folder of data has; only those are taken of a category. None: data come from the hub.

    Raises:
        ArgumentError: If there is no such task, category or benchmark, or the folder does not have it.
        MissingExtraError: If mteb is not installed.
    """
    known = {task.metadata.name: task for task in _benchmark(benchmark or ENGLISH)}
    if benchmark is None and not asked and held is not None:
        asked = _all_held(known, held)
    chosen = {}
    for name in asked or known:
        of_category = _of_category(name, known)
        for task in of_category or [_one(name, known)]:
            missing = [] if held is None else [part for part in part_names(task) if part not in held]
            if not missing:
                chosen[task.metadata.name] = task
            elif not of_category and asked:
                raise ArgumentError(
                    f"there are no data of {', '.join(missing)} in the folder; it has: {', '.join(held or ())}."
                )
    if not chosen:
        raise ArgumentError(
            f"nothing is left to run: the folder has no data of {', '.join(asked) or benchmark}. It has: "
            f"{', '.join(held or ())}."
        )
    return sorted(chosen.values(), key=lambda task: _place(task.metadata.name, known))


def describe_tasks(tasks: Sequence["AbsTask"]) -> list[dict[str, object]]:
    """Say of each task what people choose by: name, category, split, rows in MTEB, gte-small's published score."""
    scores = published("gte-small").scores
    return [
        {
            "task": task.metadata.name,
            "category": task.metadata.type,
            "split": task.eval_splits[0],
            "rows": ((task.metadata.descriptive_stats or {}).get(task.eval_splits[0]) or {}).get("num_samples", ""),
            "gte_small_published": round(scores[task.metadata.name], 2) if task.metadata.name in scores else "",
        }
        for task in tasks
    ]


def part_beside_page(task: "AbsTask", split: str) -> str:
    """Name the split and subset that will be scored where the page has others, or many; "" where they are the same."""
    of_page = _of_page().get(task.metadata.name)
    here = (split, tuple(task.hf_subsets))
    return "" if of_page in (None, here) else f"{split} of {', '.join(task.hf_subsets)}"


@cache
def _of_page() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    return {task.metadata.name: (task.eval_splits[0], tuple(task.hf_subsets)) for task in _benchmark(ENGLISH)}


def _all_held(known: Mapping[str, "AbsTask"], held: Sequence[str]) -> list[str]:
    """Name what a folder has: of the benchmark, and beside it, except the parts of what is there as a whole."""
    whole = {name: part_names(task) for name, task in known.items() if set(part_names(task)) <= set(held)}
    parts = {part for names in whole.values() for part in names}
    return [*whole, *(name for name in held if name not in parts)]


def _place(name: str, known: Mapping[str, "AbsTask"]) -> int:
    return list(known).index(name) if name in known else len(known)


def _of_category(name: str, known: Mapping[str, "AbsTask"]) -> list["AbsTask"]:
    wanted = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    return [task for task in known.values() if task.metadata.type.lower() == wanted]


def _one(name: str, known: Mapping[str, "AbsTask"]) -> "AbsTask":
    import mteb

    same = next((known[other] for other in known if other.lower() == name.lower()), None)
    if same is not None:
        return same
    try:
        return mteb.get_task(name, languages=["eng"], exclusive_language_filter=True)
    except KeyError:
        close = get_close_matches(name, [*known, *CATEGORIES], n=1, cutoff=0.5)
        guess = f" Did you mean {close[0]}?" if close else ""
        raise ArgumentError(
            f"there is no task or category {name!r} in MTEB.{guess} Categories: {', '.join(CATEGORIES)}; tasks: "
            f"gtekit eval --list."
        ) from None


def _benchmark(name: str) -> Sequence["AbsTask"]:
    try:
        import mteb
    except ImportError:
        raise MissingExtraError("running MTEB's tasks", "eval", "mteb") from None
    try:
        tasks: Sequence[AbsTask] = mteb.get_benchmark(name).tasks
    except KeyError:
        names = [benchmark.name for benchmark in mteb.get_benchmarks()]
        close = get_close_matches(name, names, n=3, cutoff=0.3)
        raise ArgumentError(f"there is no benchmark {name!r} in MTEB. Near it: {', '.join(close) or 'none'}.") from None
    return [task for task in tasks if task.metadata.type in CATEGORIES]
