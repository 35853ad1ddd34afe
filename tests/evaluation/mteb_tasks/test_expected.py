"""Files held against what MTEB says of its data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gtekit.errors import FileFormatError
from gtekit.evaluation.mteb_tasks.catalog import find_tasks
from gtekit.evaluation.mteb_tasks.expected import Expected, check_counts, check_values, expected_files
from gtekit.evaluation.mteb_tasks.folder import read_task
from gtekit.evaluation.mteb_tasks.volume import hub_texts
from tests.evaluation.mteb_tasks.tiny import TASKS, write_tasks

pytest.importorskip("mteb", reason="needs the extra eval")
pytestmark = pytest.mark.mteb


def check(folder: Path, name: str) -> str:
    (task,) = find_tasks([name])
    return check_counts(task, "test", read_task(folder, name, task.metadata.type, "test"))


def write_banking(folder: Path, train: int, test: int) -> Path:
    """As many rows of each split as asked for."""

    def rows(count: int) -> list[dict[str, Any]]:
        return [{"text": f"text {number}", "label": f"label {number % 77}"} for number in range(count)]

    return write_tasks(folder, {"Banking77Classification": {"train": rows(train), "test": rows(test)}})


def test_what_mteb_has_is_known_for_every_kind_of_task() -> None:
    known = {task.metadata.name: expected_files(task, "test") for task in find_tasks(list(TASKS))}
    assert known["STSBenchmark"] == {"test": Expected(1_379, "pairs", 147_886)}
    assert known["TwitterURLCorpus"] == {"test": Expected(51_534, "pairs", 8_659_940)}
    assert known["Banking77Classification"] == {
        "train": Expected(10_003, "rows", 594_916),
        "test": Expected(3_080, "rows", 167_036),
    }
    assert known["TwentyNewsgroupsClustering"] == {"test": Expected(59_545, "texts in all sets", 1_907_719)}
    assert known["SummEval"] == {"test": Expected(100, "articles", 1_007_527)}
    assert known["AskUbuntuDupQuestions"] == {"test": Expected(361, "queries", None)}
    assert known["SciFact"] == {
        "corpus": Expected(5_183, "documents", 7_771_451),
        "queries": Expected(300, "judged queries", 27_104),
        "qrels": Expected(339, "judgements", None),
    }


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "STSBenchmark",
            lambda files: files["test"][1].update(score=400.0),
            "line 2: the score 400 is not between 0 and 5",
        ),
        (
            "STSBenchmark",
            lambda files: [row.update(score=2.0) for row in files["test"]],
            "all scores are 2; a correlation",
        ),
        ("TwitterURLCorpus", lambda files: [row.update(label=0) for row in files["test"]], "all rows have the label 0"),
        (
            "TwentyNewsgroupsClustering",
            lambda files: files["test"][1].update(labels=["bikes"] * 4),
            "line 2: all texts of the set have one label",
        ),
    ],
)
def test_values_that_give_no_score_are_an_error_with_the_file(
    name: str, change: Callable[[Any], object], message: str, tmp_path: Path
) -> None:
    files = json.loads(json.dumps(TASKS[name]))
    change(files)
    (task,) = find_tasks([name])
    write_tasks(tmp_path, {name: files})
    with pytest.raises(FileFormatError) as error:
        check_values(task, "test", read_task(tmp_path, name, task.metadata.type, "test"))
    assert message in str(error.value)
    assert str(error.value).startswith(f"{tmp_path}/{name}/test.jsonl.gz")


def test_a_task_that_groups_its_queries_is_refused(tmp_path: Path) -> None:
    (task,) = find_tasks(["MindSmallReranking"])
    write_tasks(tmp_path, {"MindSmallReranking": TASKS["AskUbuntuDupQuestions"]})
    with pytest.raises(FileFormatError, match="MindSmallReranking groups its queries"):
        check_values(task, "test", read_task(tmp_path, "MindSmallReranking", "Reranking", "test"))


def test_counts_of_the_hub_are_those_of_the_part_that_is_scored() -> None:
    found = {task.metadata.name: hub_texts(task, "test") for task in find_tasks(["STS17", "SummEval", "SciFact"])}
    assert found == {"STS17": 500, "SummEval": 2_700, "SciFact": 5_483}
    (banking,) = find_tasks(["Banking77Classification"])
    assert 7_500 < hub_texts(banking, "test") < 7_900  # 7,696 with MTEB's own draws
    (forums,) = find_tasks(["CQADupstackRetrieval"])
    assert hub_texts(forums, "test") > 400_000


def test_of_a_task_in_many_languages_the_english_counts_are_taken() -> None:
    (task,) = find_tasks(["STS17"])
    assert expected_files(task, "test") == {"test": Expected(250, "pairs", 21_669)}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_too_few_rows_are_an_error_with_file_and_line(name: str, tiny_data: Path) -> None:
    with pytest.raises(FileFormatError, match=rf"{name}/\w+\.jsonl\.gz, line \d+: the file ends here with \d+ "):
        check(tiny_data, name)


def test_a_file_with_the_rows_of_another_split_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError) as error:
        check(write_banking(tmp_path, train=3_080, test=10_003), "Banking77Classification")
    assert (
        "train.jsonl.gz, line 3080: the file ends here with 3,080 rows; train of Banking77Classification has 10,003"
        in (str(error.value))
    )
    assert "As many are in its test: the wrong split, or names swapped?" in str(error.value)


def test_as_many_rows_with_other_texts_are_no_error_and_are_said(tmp_path: Path) -> None:
    difference = check(write_banking(tmp_path, train=10_003, test=3_080), "Banking77Classification")
    assert difference.startswith("not exactly MTEB's texts: ")
    assert "characters in train where MTEB has 594,916" in difference
