"""What is published: its averages are those of the model card, and every mean says on how many tasks it stands."""

from importlib.resources import files
from pathlib import Path

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation import published as module
from gtekit.evaluation.page import ALL_TASKS, CATEGORIES, PAGE, PageRow
from gtekit.evaluation.published import (
    OTHER_METRIC,
    Average,
    average,
    averages,
    find_published,
    published,
    published_names,
    same_tasks,
    task_categories,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "official_scores.json"
ROUNDING = 0.01  # points: the card has two decimals, and rounds means of numbers that it rounded before


def test_the_tasks_are_56_in_7_categories_as_on_the_page() -> None:
    found = list(task_categories().values())
    assert {name: found.count(name) for name in CATEGORIES} == dict(CATEGORIES)
    assert len(found) == ALL_TASKS == 56
    assert task_categories()["STS12"] == "STS"
    assert task_categories()["SummEval"] == "Summarization"
    assert task_categories()["TwitterURLCorpus"] == "PairClassification"
    assert task_categories()["TRECCOVID"] == "Retrieval"


@pytest.mark.parametrize("row", PAGE, ids=lambda row: row.model)
def test_the_averages_of_the_card_come_out_of_the_scores_of_tasks(row: PageRow) -> None:
    found = averages(published(row.model).scores)
    stated = {"Average": row.average, **row.categories}
    left_out = {"Average", "Classification"} if row.model in OTHER_METRIC else set()
    assert {name for name, mean in found.items() if not mean.is_whole} == left_out
    for name in set(stated) - left_out:
        assert found[name].mean == pytest.approx(stated[name], abs=ROUNDING), name


def test_two_scores_of_sentence_t5_xxl_are_of_another_metric_and_count_as_missing() -> None:
    found = averages(published("sentence-t5-xxl").scores)
    assert (found["Average"].tasks, found["Average"].of) == (54, 56)
    assert (found["Classification"].tasks, found["Classification"].of) == (10, 12)
    assert not found["Average"].is_whole
    assert "ToxicConversationsClassification" not in published("sentence-t5-xxl").scores


def test_a_model_with_tasks_missing_says_how_many_it_has() -> None:
    found = average(published("all-MiniLM-L12-v2").scores)
    assert (found.tasks, found.of, found.is_whole) == (50, 56, False)


def test_pairs_are_judged_by_the_average_precision_of_cosines() -> None:
    # the main score of the file, the best of four similarities, is 85.0801
    assert published("gte-small").scores["TwitterURLCorpus"] == pytest.approx(84.9193, abs=1e-4)


def test_a_mean_is_the_plain_mean_over_tasks() -> None:
    assert average({"STS12": 70.0, "STS15": 81.0, "SciFact": 10.0}, "STS") == Average(75.5, 2, 10)
    assert average({"STS12": 70.0, "SciFact": 10.0}) == Average(40.0, 2, 56)
    assert average({"mine": 70.0}) == Average(None, 0, 56)
    assert list(averages({})) == ["Average", *CATEGORIES]


def test_the_same_tasks_are_kept_and_no_others() -> None:
    assert same_tasks({"STS12": 1.0, "STS15": 2.0}, ["STS15", "SciFact"]) == {"STS15": 2.0}


def test_models_are_found_by_short_names_and_by_those_of_the_hub() -> None:
    assert find_published("thenlper/GTE-small") == published("gte-small")
    assert find_published("my-model") is None
    with pytest.raises(ArgumentError, match="gte-small"):
        published("my-model")
    assert published_names()[: len(PAGE)] == [row.model for row in PAGE]


def test_the_source_names_the_repository_and_the_commit() -> None:
    assert module.source() == "github.com/embeddings-benchmark/results at f4cc6c8b365a"


def test_the_file_of_the_package_is_the_one_that_was_collected() -> None:
    if not SHARED.is_file():
        pytest.skip(f"needs {SHARED}, which lies beside some checkouts")
    assert files("gtekit.evaluation").joinpath("official_scores.json").read_bytes() == SHARED.read_bytes()
