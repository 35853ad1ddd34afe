"""MTEB's own evaluators on a few rows of each kind, with values worked out by hand; and what is kept of a run."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from gtekit.errors import ArgumentError, EvaluationError, FileFormatError
from gtekit.evaluation.mteb_tasks.catalog import find_tasks
from gtekit.evaluation.mteb_tasks.datasets import put_in_place
from gtekit.evaluation.mteb_tasks.encoder import TaskEncoder
from gtekit.evaluation.mteb_tasks.folder import read_task, task_folders
from gtekit.evaluation.mteb_tasks.parts import part_names
from gtekit.evaluation.mteb_tasks.plan import PlannedTask, RunOptions, plan_tasks
from gtekit.evaluation.mteb_tasks.run import run_tasks
from gtekit.evaluation.results import ResultStore, SettingsName, TaskScore
from tests.evaluation.mteb_tasks.tiny import EXPECTED, TASKS, AngleModel, write_rows, write_tasks

mteb = pytest.importorskip("mteb", reason="needs the extra eval")
pytestmark = pytest.mark.mteb

ROUNDED = 1e-3  # points: MTEB gives rankings with five decimals
E5 = {"query": "query: ", "document": "passage: "}


def options(tmp_path: Path, data: Path, settings: SettingsName = "default", *, is_partial: bool = True) -> RunOptions:
    return RunOptions(
        store=ResultStore(tmp_path / "results"),
        data=data,
        settings=settings,
        is_partial=is_partial,
        say=lambda _: None,
    )


def plan(chosen: RunOptions, names: Sequence[str] = ()) -> list[PlannedTask]:
    assert chosen.data is not None
    return plan_tasks(find_tasks(names, held=task_folders(chosen.data)), chosen)


def run(model: AngleModel, chosen: RunOptions, names: Sequence[str] = ()) -> dict[str, TaskScore]:
    return {score.task: score for score in run_tasks([lambda: model], plan(chosen, names), chosen)}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, tiny_data: Path) -> tuple[dict[str, TaskScore], ResultStore]:
    chosen = options(tmp_path_factory.mktemp("run"), tiny_data)
    return run(AngleModel(), chosen), chosen.store


@pytest.mark.parametrize("task", TASKS)
def test_each_kind_of_task_gives_the_score_worked_out_by_hand(
    task: str, everything: tuple[dict[str, TaskScore], ResultStore]
) -> None:
    assert everything[0][task].score == pytest.approx(EXPECTED[task], abs=ROUNDED)


@pytest.mark.parametrize("task", TASKS)
def test_the_items_that_are_kept_give_the_score_again(
    task: str, everything: tuple[dict[str, TaskScore], ResultStore]
) -> None:
    scores, store = everything
    samples = store.samples(scores[task])
    assert samples is not None
    assert samples.score() == pytest.approx(scores[task].score, abs=ROUNDED)
    assert len(samples) == {"STSBenchmark": 3, "TwitterURLCorpus": 4, "Banking77Classification": 4}.get(task, 2)


def test_the_corrected_summarization_task_averages_correlations_alone(tmp_path: Path) -> None:
    name = "SummEvalSummarization.v2"
    chosen = options(tmp_path, write_tasks(tmp_path / "data", {name: TASKS["SummEval"]}))
    assert run(AngleModel(), chosen)[name].score == pytest.approx(100 * (1.0 + 0.8) / 2)


def test_a_task_that_is_the_mean_of_others_has_the_data_of_each(tmp_path: Path) -> None:
    (task,) = find_tasks(["CQADupstackRetrieval"])
    parts = part_names(task)
    assert len(parts) == 12
    chosen = options(tmp_path, write_tasks(tmp_path / "data", dict.fromkeys(parts, TASKS["SciFact"])))
    score = run(AngleModel(), chosen)["CQADupstackRetrieval"]
    assert score.score == pytest.approx(EXPECTED["SciFact"], abs=ROUNDED)
    assert (score.metric, score.texts, score.low) == ("ndcg_at_10", 12 * 5, None)
    assert list(run(AngleModel(), chosen)) == ["CQADupstackRetrieval"]  # the parts are not scored once more
    (tmp_path / "data" / parts[3] / "qrels.jsonl.gz").unlink()
    with pytest.raises(FileFormatError, match=rf"{parts[3]}/qrels\.jsonl\.gz: is missing"):
        plan(chosen)


def test_a_text_that_comes_again_is_embedded_once(tmp_path: Path, tiny_data: Path) -> None:
    model = AngleModel()
    score = run(model, options(tmp_path, tiny_data), ["STSBenchmark"])["STSBenchmark"]
    assert sorted(model.texts) == ["far @90", "first @0", "near @40", "same @0"]
    assert (score.texts, score.texts_embedded) == (6, 4)


def test_the_time_left_is_told_from_as_many_texts_as_are_asked_for(tmp_path: Path, tiny_data: Path) -> None:
    chosen = options(tmp_path, tiny_data)
    for task in plan(chosen):
        (score,) = run_tasks([AngleModel], [task], chosen)
        assert task.texts == score.texts, task.name


def test_a_score_that_is_there_is_not_computed_again(tmp_path: Path, tiny_data: Path) -> None:
    chosen, again = options(tmp_path, tiny_data), AngleModel()
    first = run(AngleModel(), chosen)
    assert run(again, chosen) == first
    assert again.calls == []


def test_changed_data_are_computed_again(tmp_path: Path) -> None:
    chosen = options(tmp_path, write_tasks(tmp_path / "data"))
    assert run(AngleModel(), chosen, ["STSBenchmark"])["STSBenchmark"].score == pytest.approx(50)
    rows = [dict(row) for row in TASKS["STSBenchmark"]["test"]]
    rows[1]["score"], rows[2]["score"] = rows[2]["score"], rows[1]["score"]
    write_rows(tmp_path / "data" / "STSBenchmark" / "test.jsonl.gz", rows)
    assert run(AngleModel(), chosen, ["STSBenchmark"])["STSBenchmark"].score == pytest.approx(100)


def test_the_other_settings_are_another_score(tmp_path: Path, tiny_data: Path) -> None:
    default = run(AngleModel("gte-small"), options(tmp_path, tiny_data), ["STSBenchmark"])
    published = run(AngleModel("gte-small"), options(tmp_path, tiny_data, "published"), ["STSBenchmark"])
    assert (default["STSBenchmark"].normalize, published["STSBenchmark"].normalize) == (True, False)
    assert len(ResultStore(tmp_path / "results").scores()) == 2


def test_e5_gets_its_prompts_without_being_asked(tmp_path: Path, tiny_data: Path) -> None:
    model = AngleModel("e5-base-v2", E5)
    scores = run(model, options(tmp_path, tiny_data))
    assert scores["SciFact"].prompts == {"query": "query: ", "document": "passage: "}
    assert scores["AskUbuntuDupQuestions"].prompts == {"query": "query: ", "document": "passage: "}
    for task in set(TASKS) - {"SciFact", "AskUbuntuDupQuestions"}:
        assert scores[task].prompts == {"symmetric": "query: "}, task
    assert {prompt for texts, prompt, _ in model.calls if "one about @0" in texts} == {"passage: "}


def test_published_settings_of_e5_leave_vectors_of_classification_as_they_are(tmp_path: Path, tiny_data: Path) -> None:
    scores = run(AngleModel("e5-base-v2", E5), options(tmp_path, tiny_data, "published"))
    lengths = {task: score.normalize for task, score in scores.items()}
    assert lengths.pop("Banking77Classification") is False
    assert set(lengths.values()) == {True}
    assert scores["AskUbuntuDupQuestions"].prompts == {"query": "query: ", "document": "query: "}


def test_published_settings_are_refused_where_nobody_knows_them(tmp_path: Path, tiny_data: Path) -> None:
    with pytest.raises(ArgumentError, match="angles: how its published scores were made is not known"):
        run(AngleModel(), options(tmp_path, tiny_data, "published"))


def test_fewer_rows_than_mteb_has_are_an_error_with_file_and_line(tmp_path: Path, tiny_data: Path) -> None:
    chosen = options(tmp_path, tiny_data, is_partial=False)
    with pytest.raises(FileFormatError) as error:
        plan(chosen, ["STSBenchmark"])
    assert str(error.value).startswith(
        f"{tiny_data}/STSBenchmark/test.jsonl.gz, line 3: the file ends here with 3 pairs; test of STSBenchmark has "
        f"1,379 in MTEB."
    )


def test_partial_data_say_so_in_the_score(tmp_path: Path, tiny_data: Path) -> None:
    data = run(AngleModel(), options(tmp_path, tiny_data), ["STSBenchmark"])["STSBenchmark"].data
    assert data.is_partial
    assert data.difference == "partial data"


@pytest.mark.filterwarnings("ignore:The task 'STSBenchmark' is superseded")
def test_mteb_s_own_call_takes_the_encoder_as_it_is(tiny_data: Path) -> None:
    (task,) = find_tasks(["STSBenchmark"])
    put_in_place(task, "test", read_task(tiny_data, "STSBenchmark", "STS", "test"))
    result = mteb.evaluate(TaskEncoder(AngleModel()), task, cache=None, co2_tracker=False, show_progress_bar=False)
    assert 100 * result.task_results[0].scores["test"][0]["main_score"] == pytest.approx(EXPECTED["STSBenchmark"])


def test_what_mteb_can_t_run_is_an_error_with_the_task_and_the_reason(tmp_path: Path) -> None:
    chosen = options(
        tmp_path, write_tasks(tmp_path / "data", {name: TASKS[name] for name in ("STSBenchmark", "SciFact")})
    )
    model = AngleModel()
    model.fails_at = "same @0"
    with pytest.raises(EvaluationError, match=r"STSBenchmark: MTEB could not run it \(RuntimeError: no vector"):
        run(model, chosen)
    assert [score.task for score in chosen.store.scores()] == ["SciFact"]  # the others are run all the same


def test_other_prompts_are_another_score(tmp_path: Path, tiny_data: Path) -> None:
    chosen, again = options(tmp_path, tiny_data), AngleModel(prompts=E5)
    run(AngleModel(), chosen, ["STSBenchmark"])
    run(again, chosen, ["STSBenchmark"])
    assert again.calls


def test_partial_and_whole_data_have_scores_of_their_own(tmp_path: Path, tiny_data: Path) -> None:
    revisions = set()
    for is_partial in (True, False):
        chosen = options(tmp_path, tiny_data, is_partial=is_partial)
        (task,) = find_tasks(["STSBenchmark"])
        with suppress(FileFormatError):
            revisions.add(plan_tasks([task], chosen)[0].data.revision)
    assert len(revisions) == 1
    assert revisions.pop().endswith(" partial")


def test_another_split_or_language_is_not_set_beside_the_page(tmp_path: Path) -> None:
    task = mteb.get_task("STS17", hf_subsets=["en-de"])
    (planned,) = plan_tasks([task], RunOptions(store=ResultStore(tmp_path)))
    assert planned.data.part == "test of en-de"
    (planned,) = plan_tasks(find_tasks(["STS17"]), RunOptions(store=ResultStore(tmp_path)))
    assert planned.data.part == ""
    assert "en-en test" in planned.data.revision


def test_data_of_two_kinds_do_not_take_each_other_s_place(tmp_path: Path) -> None:
    rows = [dict(row) for row in TASKS["STSBenchmark"]["test"]]
    rows[1]["score"], rows[2]["score"] = rows[2]["score"], rows[1]["score"]
    first = options(tmp_path, write_tasks(tmp_path / "a", {"STSBenchmark": TASKS["STSBenchmark"]}))
    second = options(tmp_path, write_tasks(tmp_path / "b", {"STSBenchmark": {"test": rows}}))
    for chosen in (first, second):
        run(AngleModel(), chosen)
    again = AngleModel()
    for chosen in (first, second):
        run(again, chosen)
    assert again.calls == []


@pytest.mark.parametrize("is_packed", [True, False])
def test_files_are_read_packed_and_plain(tmp_path: Path, is_packed: bool) -> None:
    data = write_tasks(tmp_path / "data", {"SciFact": TASKS["SciFact"]}, is_packed=is_packed)
    assert run(AngleModel(), options(tmp_path, data))["SciFact"].score == pytest.approx(
        EXPECTED["SciFact"], abs=ROUNDED
    )


PROGRAM = """
import sys, time
from pathlib import Path
from gtekit.evaluation.mteb_tasks.catalog import find_tasks
from gtekit.evaluation.mteb_tasks.folder import task_folders
from gtekit.evaluation.mteb_tasks import RunOptions, plan_tasks, run_tasks
from gtekit.evaluation.results import ResultStore
from tests.evaluation.mteb_tasks.tiny import AngleModel

class SlowModel(AngleModel):
    def embed(self, *texts, **keywords):
        time.sleep(0.4)
        return super().embed(*texts, **keywords)

data, results = map(Path, sys.argv[1:])
options = RunOptions(store=ResultStore(results), data=data, is_partial=True, say=lambda line: print(line, flush=True))
run_tasks([SlowModel], plan_tasks(find_tasks([], held=task_folders(data)), options), options)
"""


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path, tiny_data: Path) -> None:
    results = tmp_path / "results"
    command = [sys.executable, "-c", PROGRAM, str(tiny_data), str(results)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(3):  # three tasks are done and said
        assert process.stdout.readline()
    time.sleep(0.2)  # somewhere in the fourth
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = sorted(path.stem for path in results.rglob("*.json"))
    assert 3 <= len(done) < len(TASKS)
    assert all(json.loads(path.read_text())["task"] in TASKS for path in results.rglob("*.json"))
    second = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert sum("from an earlier run" in line for line in second) == len(done)
    found = {score.task: score.score for score in ResultStore(results).scores()}
    assert found == pytest.approx(dict(EXPECTED), abs=ROUNDED)
