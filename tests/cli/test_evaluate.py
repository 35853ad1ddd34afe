"""gtekit eval: the program on tiny test sets, and what it refuses."""

import importlib.util
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.evaluation.models.embedding_server import EmbeddingServer, serve
from tests.evaluation.mteb_tasks.tiny import TASKS, write_tasks

MINILM = "all-MiniLM-L6-v2"
HAS_MTEB = importlib.util.find_spec("mteb") is not None
TWO_TASKS = {name: TASKS[name] for name in ("STSBenchmark", "SciFact")}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_tasks(tmp_path / "data", TWO_TASKS)


@pytest.mark.skipif(HAS_MTEB, reason="mteb is installed here")
def test_without_mteb_the_message_has_the_pip_line(run: Run) -> None:
    code, output, errors = run("eval", "--tasks", "STS12")
    assert (code, output) == (4, "")
    assert errors == "gtekit: running MTEB's tasks needs mteb, which is not installed: pip install 'gtekit[eval]'\n"


def test_a_folder_without_test_sets_is_refused_before_anything_is_loaded(run: Run, tmp_path: Path) -> None:
    code, _, errors = run("eval", "--data", tmp_path)
    assert code == 2
    assert f"{tmp_path}: holds no test sets." in errors


@pytest.mark.mteb
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--precision", "int4"], "--precision int4: choose from float32, int8, or both."),
        (
            ["--tasks", "STSBenchmrak"],
            "there is no task or category 'STSBenchmrak' in MTEB. Did you mean STSBenchmark?",
        ),
        (["--compare", MINILM, f"sentence-transformers/{MINILM}"], "has to name two different models"),
        (["--compare", MINILM, f"{MINILM}@int8", "--precision", "float32,int8"], "say which one each model has"),
        (["--results", __file__], "is no folder. Name one"),
        (["--tasks", "STS12", "report"], "--tasks has no place before report"),
        (["-m", "sentence-transformers:gte-small@int8"], "leave out @int8"),
        (["-m", "my-model", "--published-settings"], "my-model: how its published scores were made is not known here."),
        ([], "test.jsonl.gz, line 3: the file ends here with 3 pairs; test of STSBenchmark has 1,379 in MTEB."),
        (["--benchmark", "MTEB(eng, v9)"], "there is no benchmark 'MTEB(eng, v9)' in MTEB."),
    ],
)
def test_what_can_t_run_is_refused_with_the_fix(
    arguments: list[str], message: str, run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output, errors = run("eval", "--data", data, *arguments)
    assert (code, output) == (2, "")
    assert message in errors
    assert not (tmp_path / "eval-results").exists()


@pytest.mark.mteb
def test_partial_data_mean_the_option_in_the_message(run: Run, data: Path) -> None:
    _, _, errors = run("eval", "--data", data)
    assert "--partial-data" in errors


@pytest.mark.mteb
def test_models_run_side_by_side_and_a_second_run_takes_what_is_there(
    run: Run, data: Path, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    command = ["eval", "-m", tiny_checkpoint, "--precision", "float32,int8", "--data", data, "--partial-data"]
    command += ["--results", tmp_path / "results"]
    code, output, errors = run(*command)
    assert code == 0, errors
    assert "[4/4] " in errors
    for label in (f"{tiny_checkpoint.name}@float32", f"{tiny_checkpoint.name}@int8"):
        assert label in output.replace("\n", "")
    _, _, errors = run(*command)
    assert errors.count("from an earlier run") == 4
    _, _, errors = run(*command, "--fresh")
    assert errors.count("from an earlier run") == 0


@pytest.mark.mteb
def test_two_models_are_compared_on_the_same_items(run: Run, data: Path, tmp_path: Path, tiny_checkpoint: Path) -> None:
    names = [f"{tiny_checkpoint}@float32", f"{tiny_checkpoint}@int8"]
    command = ["eval", "--compare", *names, "--data", data, "--partial-data", "--results", tmp_path / "results"]
    code, output, errors = run(*command, "--json")
    assert code == 0, errors
    found = json.loads(output)
    assert {(score["task"], score["evaluated"]["precision"]) for score in found["scores"]} == {
        (task, precision) for task in TWO_TASKS for precision in ("float32", "int8")
    }
    assert {task["task"] for task in found["comparison"]["tasks"]} == set(TWO_TASKS)
    code, output, _ = run(*command)
    assert code == 0
    assert "STSBenchmark" in output


@pytest.mark.mteb
def test_tasks_are_listed_with_what_people_choose_by(run: Run) -> None:
    code, output, _ = run("eval", "--list", "--tasks", "STS17,SummEval")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["task", "SummEval", "STS17"]
    _, output, _ = run("eval", "--list", "--json", "--tasks", "retrieval")
    assert len(json.loads(output)) == 15


def test_options_before_a_subcommand_count(run: Run, tmp_path: Path) -> None:
    code, _, errors = run("eval", "--results", tmp_path / "nowhere", "report")
    assert code == 2
    assert f"{tmp_path / 'nowhere'}: no such folder" in errors
    code, output, _ = run("eval", "--json", "report", "--published")
    assert code == 0
    assert json.loads(output)


def test_the_published_table_needs_nothing(run: Run) -> None:
    code, output, _ = run("eval", "report", "--published")
    assert code == 0
    assert "61.36" in output


@pytest.mark.mteb
def test_an_endpoint_says_what_it_costs_and_is_asked_for_each_text_once(run: Run, data: Path, tmp_path: Path) -> None:
    with serve(EmbeddingServer()) as server:
        command = ["eval", "-m", "openai:hash-8", "--endpoint", server.address, "--data", data, "--partial-data"]
        command += ["--results", tmp_path / "results"]
        code, _, errors = run(*command, "--price", "10")
        assert code == 2
        assert "hash-8: 9 texts, about 23 tokens; less than 0.01 USD at 10 USD for a million tokens." in errors
        assert "nobody is there to agree. Add --yes" in errors
        assert not server.answered
        code, output, errors = run(*command, "--price", "10", "--yes")
        assert code == 0, errors
        assert "openai:hash-8" in output.replace("\n", "")
        assert sum(server.answered.values()) == 9
        code, _, errors = run(*command, "--fresh", "--price", "10")  # all is paid for: nothing to agree to
        assert code == 0, errors
        assert "9 more are paid for already" in errors
        assert sum(server.answered.values()) == 9
