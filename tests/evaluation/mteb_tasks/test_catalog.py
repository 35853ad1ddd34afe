"""Which tasks are meant by names, categories and benchmarks."""

from collections import Counter

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.mteb_tasks.catalog import describe_tasks, find_tasks
from gtekit.evaluation.page import CATEGORIES
from gtekit.evaluation.published import task_categories

pytest.importorskip("mteb", reason="needs the extra eval")
pytestmark = pytest.mark.mteb


def names(*asked: str, benchmark: str | None = None, held: list[str] | None = None) -> list[str]:
    return [task.metadata.name for task in find_tasks(asked, benchmark, held)]


def test_the_56_tasks_of_the_page_are_those_of_mteb_s_benchmark() -> None:
    tasks = find_tasks([])
    assert {task.metadata.name: task.metadata.type for task in tasks} == dict(task_categories())
    assert Counter(task.metadata.type for task in tasks) == CATEGORIES


def test_a_category_stands_for_its_tasks_however_it_is_written() -> None:
    of_category = [task for task, category in task_categories().items() if category == "PairClassification"]
    for written in ("PairClassification", "pair_classification", "pair-classification", "pair classification"):
        assert sorted(names(written)) == sorted(of_category)


def test_names_and_categories_go_together_and_nothing_comes_twice() -> None:
    assert names("stsbenchmark", "Summarization", "STSBenchmark") == ["STSBenchmark", "SummEval"]


def test_of_a_task_in_many_languages_the_english_part_is_taken() -> None:
    (task,) = find_tasks(["STS17"])
    assert task.hf_subsets == ["en-en"]


def test_a_task_beside_the_56_is_found_by_its_name() -> None:
    assert names("SummEvalSummarization.v2") == ["SummEvalSummarization.v2"]


def test_of_a_category_only_what_the_folder_has_is_taken() -> None:
    assert names("sts", held=["STS12", "SciFact"]) == ["STS12"]
    assert names(held=["STS12", "SciFact"]) == ["STS12", "SciFact"]


def test_a_task_that_the_folder_does_not_have_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="no data of STS13 in the folder; it has: STS12"):
        names("STS13", held=["STS12"])
    with pytest.raises(ArgumentError, match=r"nothing is left to run.*It has: STS12"):
        names("retrieval", held=["STS12"])


def test_a_name_that_nobody_knows_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ArgumentError, match=r"no task or category 'STSBenchmrak' in MTEB\. Did you mean STSBenchmark"):
        names("STSBenchmrak")
    with pytest.raises(ArgumentError, match=r"no benchmark 'MTEB\(eng, v9\)' in MTEB. Near it: .*MTEB\(eng, v1\)"):
        names(benchmark="MTEB(eng, v9)")


def test_another_benchmark_can_be_named() -> None:
    assert len(names(benchmark="MTEB(eng, v2)")) == 41


def test_the_list_shows_what_people_choose_by() -> None:
    rows = {str(row["task"]): row for row in describe_tasks(find_tasks([]))}
    assert rows["MSMARCO"]["split"] == "dev"
    assert rows["STSBenchmark"] == {
        "task": "STSBenchmark",
        "category": "STS",
        "split": "test",
        "rows": 1379,
        "gte_small_published": 85.57,
    }


@pytest.mark.network
def test_data_come_from_the_hub_without_a_folder() -> None:
    (task,) = find_tasks(["STS17"])
    task.load_data()
    assert len(task.dataset["en-en"]["test"]) == 250
