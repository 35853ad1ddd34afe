"""Two models task by task: what is really better, what is undecided, and what can't be known."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gtekit.arrays import Array
from gtekit.errors import ArgumentError
from gtekit.evaluation.report import Report, build_report, compare_models, comparison_lines
from gtekit.evaluation.results import ResultStore, TaskData
from tests.evaluation.report.scores import MINILM, evaluated, items, score

FLOAT32, INT8 = f"{MINILM}@float32", f"{MINILM}@int8"
BASE = np.linspace(0.2, 0.8, 40)
NOISE = np.where(np.arange(40) % 2, 0.05, -0.05)


def write_pair(store: ResultStore, task: str, first: Array, second: Array) -> None:
    for of, values in ((evaluated(precision="int8"), first), (evaluated(), second)):
        store.write(score(task, 100 * float(values.mean()), of), items(values))


@pytest.fixture
def pair(tmp_path: Path) -> ResultStore:
    """int8 wins one task, loses two, and one is undecided."""
    store = ResultStore(tmp_path)
    write_pair(store, "STS12", BASE + 0.01, BASE)
    write_pair(store, "STS13", BASE - 0.02, BASE)
    write_pair(store, "STS14", BASE - 0.04, BASE)
    write_pair(store, "STS15", BASE + NOISE, BASE)
    return store


def test_tasks_are_won_lost_or_undecided(pair: ResultStore) -> None:
    found = compare_models(pair, INT8, FLOAT32)
    assert (found.first, found.second) == (INT8, FLOAT32)
    assert [one.task for one in found.tasks] == ["STS12", "STS13", "STS14", "STS15"]
    assert [one.value for one in found.tasks] == pytest.approx([1.0, -2.0, -4.0, 0.0])
    assert [one.is_real for one in found.tasks] == [True, True, True, False]
    assert (found.won, found.lost, found.undecided, found.untested) == (1, 2, 1, 0)
    assert found.mean == pytest.approx((1 - 2 - 4 + 0) / 4)
    assert found.by_chance == pytest.approx(0.2)  # 5 % of 4
    assert found.largest_loss is not None
    assert (found.largest_loss.task, found.largest_loss.items) == ("STS14", 40)
    assert found.tasks[3].low is not None
    assert found.tasks[3].low < 0 < (found.tasks[3].high or 0)


def test_the_other_way_round_everything_turns(pair: ResultStore) -> None:
    found = compare_models(pair, FLOAT32, INT8)
    assert (found.won, found.lost, found.undecided) == (2, 1, 1)
    assert found.mean == pytest.approx(1.25)


def test_the_lines_say_who_wins_how_often_and_fit_a_terminal(pair: ResultStore) -> None:
    lines = comparison_lines(compare_models(pair, INT8, FLOAT32))
    text = " ".join(" ".join(lines).split())
    assert "mean -1.25 points over 4 tasks, largest loss -4.00 (STS14)." in text
    assert "Really better on 1 task, really worse on 2, undecided on 1." in text
    assert "about 0.2 of these tasks would look real by chance" in text
    assert max(map(len, lines)) <= 120


def test_without_losses_none_is_named(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    write_pair(store, "STS12", BASE + 0.01, BASE)
    found = compare_models(store, INT8, FLOAT32)
    assert found.largest_loss is None
    assert "no loss." in comparison_lines(found)[0]


def test_what_only_one_has_or_has_on_other_data_is_left_out_with_the_reason(pair: ResultStore) -> None:
    pair.write(score("SciFact", 60.0), None)
    pair.write(score("STS16", 60.0), None)
    other = TaskData(revision="other", source="folder", rows=5)
    pair.write(score("STS16", 60.0, evaluated(precision="int8"), data=other), None)
    pair.write(score("TwitterURLCorpus", 60.0), None)
    pair.write(score("TwitterURLCorpus", 60.0, evaluated(precision="int8"), metric="max_ap"), None)
    found = compare_models(pair, INT8, FLOAT32)
    assert found.left_out == {
        "SciFact": f"not measured with {INT8}",
        "STS16": "measured on different data",
        "TwitterURLCorpus": "measured by max_ap and by cosine_ap",
    }
    assert len(found.tasks) == 4
    assert f"Left out, not measured with {INT8}: SciFact." in comparison_lines(found)


def test_without_items_or_with_others_a_difference_is_neither_real_nor_not(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    for of, points in ((evaluated(), 70.0), (evaluated(precision="int8"), 69.5)):
        store.write(score("STS12", points, of), None)
        store.write(score("STS13", points, of), items(BASE))  # whose mean is 50
    store.write(score("STS14", 50.0), items(BASE))
    store.write(score("STS14", 50.0, evaluated(precision="int8")), items(BASE[:30]))
    found = compare_models(store, INT8, FLOAT32)
    assert [one.value for one in found.tasks] == [-0.5, -0.5, 0.0]
    assert [one.is_real for one in found.tasks] == [None, None, None]
    assert found.tasks[0].untested == "no items were kept"
    assert found.tasks[1].untested == "the kept items do not give these scores"
    assert "the scores rest on different items (30 and 40)" in found.tasks[2].untested
    assert (found.untested, found.undecided, found.by_chance) == (3, 0, 0.0)
    text = " ".join(comparison_lines(found))
    assert "Whether the difference is real is not known of 3:" in text
    assert max(map(len, comparison_lines(found))) <= 120


def test_models_without_a_task_in_common_say_so(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.write(score("STS12", 70.0), None)
    store.write(score("STS13", 70.0, evaluated(precision="int8")), None)
    found = compare_models(store, INT8, FLOAT32)
    assert (found.tasks, found.mean) == ((), None)
    assert "have no task in common" in " ".join(comparison_lines(found))


def test_a_model_is_not_compared_with_itself_nor_with_one_that_is_not_there(pair: ResultStore) -> None:
    with pytest.raises(ArgumentError, match="are the same model"):
        compare_models(pair, INT8, INT8.upper())
    with pytest.raises(ArgumentError, match="no scores of 'gte-small' are here"):
        compare_models(pair, INT8, "gte-small")


def test_the_report_compares_int8_with_float32_of_the_same_settings_alone(report: Report) -> None:
    (found,) = report.precisions
    assert (found.first, found.second) == (INT8, FLOAT32)
    assert len(found.tasks) == 4
    assert found.lost == 4  # each item is 0.02 lower
    assert found.mean == pytest.approx(-2.0, abs=0.1)


def test_a_report_of_precisions_can_be_left_for_later(pair: ResultStore) -> None:
    assert build_report(pair.scores(), pair, with_precisions=False).precisions == ()


def test_without_scipy_the_differences_are_there_and_the_column_names_the_extra(pair: ResultStore) -> None:
    program = (
        "import sys; sys.modules.update({'scipy': None, 'scipy.stats': None})\n"
        "from pathlib import Path\n"
        "from gtekit.evaluation.report import compare_models, comparison_lines\n"
        "from gtekit.evaluation.results import ResultStore\n"
        f"found = compare_models(ResultStore(Path({str(pair.folder)!r})), {INT8!r}, {FLOAT32!r})\n"
        "print(*comparison_lines(found), sep='\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert any(line.startswith("STS14") and "-4.00" in line for line in lines)
    assert sum('needs the extra "metrics"' in line for line in lines) == 5  # once for each task, and in a sentence


def test_a_report_needs_neither_torch_nor_mteb_nor_scipy(pair: ResultStore) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from gtekit.evaluation.report import build_report, write_report\n"
        "from gtekit.evaluation.results import ResultStore\n"
        "import gtekit.evaluation.report\n"
        f"store = ResultStore(Path({str(pair.folder)!r}))\n"
        "write_report(build_report(store.scores(), store, with_precisions=False), store.folder / 'report')\n"
        "print(*({'torch', 'mteb', 'scipy', 'sklearn', 'tokenizers', 'gtekit.embedder'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"tokenizers", "gtekit.embedder"}  # those the front door brings
