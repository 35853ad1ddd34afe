"""The page's table: no mean over a few tasks stands as if it were one over all."""

from dataclasses import replace

import pytest

from gtekit.evaluation.page import CATEGORIES, PAGE
from gtekit.evaluation.published import Average, published
from gtekit.evaluation.report.content import Agreement, CategoryScore, PageLine, Report, TaskLine
from gtekit.evaluation.report.labels import label_models
from gtekit.evaluation.report.page_section import page_section
from gtekit.evaluation.report.page_table import agreements, card_checks, category_scores, page_lines, published_lines
from gtekit.evaluation.report.tables import Cell
from gtekit.evaluation.report.task_lines import task_lines
from gtekit.evaluation.results import TaskData, TaskScore
from tests.evaluation.report.scores import evaluated, partial_data, score


def lines_of(*scores: TaskScore) -> list[TaskLine]:
    return task_lines(scores, label_models(scores))


def row(lines: list[PageLine], name: str, origin: str) -> PageLine:
    (found,) = (line for line in lines if (line.name, line.origin) == (name, origin))
    return found


def agreement(*scores: TaskScore) -> Agreement:
    (found,) = agreements(lines_of(*scores))
    return found


def test_published_rows_are_the_card_and_then_means_of_task_scores() -> None:
    lines = published_lines()
    for line, of_page in zip(lines, PAGE, strict=False):
        assert (line.name, line.origin, line.size_gb) == (of_page.model, "card", of_page.size_gb)
        assert line.average == Average(of_page.average, 56, 56)
        assert {name: mean.mean for name, mean in line.categories.items()} == dict(of_page.categories)
    assert {line.name: line.origin for line in lines[len(PAGE) :]} == {
        "all-MiniLM-L6-v2": "task scores",
        "all-MiniLM-L12-v2": "task scores",
        "bge-small-en-v1.5": "task scores",
    }
    incomplete = row(lines, "all-MiniLM-L12-v2", "task scores")
    assert (incomplete.average.tasks, incomplete.average.is_whole) == (50, False)
    assert incomplete.categories["Classification"].tasks == 7


def test_the_card_is_held_against_the_scores_of_tasks() -> None:
    checks = {check.model: check for check in card_checks()}
    assert all(check.largest <= 0.01 for check in checks.values())
    assert [name for name, check in checks.items() if check.incomplete] == ["sentence-t5-xxl"]
    t5 = checks["sentence-t5-xxl"]
    assert {name: average.tasks for name, average in t5.incomplete.items()} == {"Average": 54, "Classification": 10}
    assert t5.left_out == ("AmazonCounterfactualClassification", "ToxicConversationsClassification")


def test_a_measured_mean_says_how_many_tasks_it_has() -> None:
    lines = page_lines(lines_of(score("STS12", 70.0), score("STS15", 81.0), score("SummEval", 31.0)))
    measured = row(lines, "all-MiniLM-L6-v2@float32", "measured")
    assert measured.categories["STS"] == Average(75.5, 2, 10)  # (70 + 81) / 2
    assert measured.categories["Summarization"] == Average(31.0, 1, 1)
    assert measured.categories["Retrieval"] == Average(None, 0, 15)
    assert measured.average == Average(182 / 3, 3, 56)
    assert list(measured.categories) == list(CATEGORIES)


def test_beside_it_stands_what_is_published_over_the_same_tasks() -> None:
    lines = page_lines(lines_of(score("STS12", 70.0), score("STS15", 81.0)))
    beside = row(lines, "all-MiniLM-L6-v2, published", "same tasks")
    # 72.369 and 85.3896, and not 78.95, the mean over all ten
    assert beside.categories["STS"].mean == pytest.approx((72.369 + 85.3896) / 2, abs=1e-4)
    assert (beside.categories["STS"].tasks, beside.categories["STS"].of) == (2, 10)
    assert beside.average.tasks == 2
    assert beside.note == "over the same tasks"
    assert lines.index(beside) == lines.index(row(lines, "all-MiniLM-L6-v2@float32", "measured")) + 1


def test_ways_to_run_one_model_with_the_same_tasks_share_the_published_row() -> None:
    int8 = evaluated(precision="int8")
    lines = page_lines(lines_of(score("STS12", 70.0), score("STS12", 69.0, int8), score("STS15", 80.0, int8)))
    assert [line.name for line in lines if line.origin == "same tasks"] == ["all-MiniLM-L6-v2, published"] * 2
    lines = page_lines(lines_of(score("STS12", 70.0), score("STS12", 69.0, int8)))
    assert [line.origin for line in lines][-3:] == ["measured", "measured", "same tasks"]


def test_a_model_with_tasks_that_nobody_published_says_so() -> None:
    of = evaluated("all-MiniLM-L12-v2")
    assert "AmazonCounterfactualClassification" not in published(of.model).scores
    lines = page_lines(lines_of(score("STS12", 70.0, of), score("AmazonCounterfactualClassification", 60.0, of)))
    assert row(lines, "all-MiniLM-L12-v2, published", "same tasks").note == "over the 1 of these with a score"


def test_partial_data_other_data_and_own_tasks_are_in_no_wrong_mean() -> None:
    rebuilt = TaskData(revision="files", source="folder", rows=9, difference="3 characters in test where MTEB has 4")
    scores = (
        score("STS12", 1.0, data=partial_data("STS12")),
        score("STS15", 85.0, data=rebuilt),
        score("my own", 2.0),
    )
    measured = row(page_lines(lines_of(*scores)), "all-MiniLM-L6-v2@float32", "measured")
    assert measured.average == Average(85.0, 1, 56)
    found = agreement(*scores)
    assert (found.tasks, found.other_data, found.partial) == (1, 1, ("STS12",))


def test_agreement_is_over_the_tasks_that_both_have() -> None:
    found = agreement(score("STS12", 72.369), score("STS15", 85.1896), score("SciFact", 64.548))
    # published 72.369, 85.3896, 64.508: differences 0, -0.2, +0.04
    assert (found.tasks, found.of, found.within) == (3, 56, 2)
    assert found.difference == pytest.approx((-0.2 + 0.04) / 3, abs=1e-4)
    assert found.measured - found.published == pytest.approx(found.difference)
    assert found.largest_task == "STS15"
    assert found.largest == pytest.approx(-0.2, abs=1e-4)


def test_a_model_that_nobody_published_has_a_row_and_no_agreement() -> None:
    lines = lines_of(score("STS12", 70.0, evaluated("mine")))
    assert agreements(lines) == []
    assert page_lines(lines)[-1].origin == "measured"
    assert category_scores(lines) == [
        CategoryScore(category="STS", label="mine@float32", measured=Average(70.0, 1, 10), published=None)
    ]


def test_all_56_tasks_are_shown_as_on_the_page() -> None:
    scores = published("gte-small").scores
    of = evaluated("gte-small", settings="published")
    lines = page_lines(lines_of(*(score(task, points, of, normalize=False) for task, points in scores.items())))
    measured = row(lines, "gte-small@float32+published", "measured")
    assert measured.average.is_whole
    assert measured.average.mean == pytest.approx(61.36, abs=0.01)
    assert all(average.is_whole for average in measured.categories.values())


def test_the_cells_never_show_a_few_tasks_as_all(report: Report) -> None:
    table = page_section(report).tables[0]
    measured = next(group for group in table.groups if group.title == "Measured").rows[0]
    assert measured[0] == Cell("all-MiniLM-L6-v2@float32")
    assert (measured[4].text, measured[4].note[:5]) == ("4 of 56", "mean ")
    assert measured[9].note == "2 of 10"  # STS
    assert measured[10].note == ""  # Summarization has one task, and it is there
    assert measured[7] == Cell("-")  # Reranking
    card = next(row for group in table.groups for row in group.rows if row[0].text == "sentence-t5-xxl")
    assert card[4] == Cell("59.51")
    notes = " ".join(table.notes)
    assert "sentence-t5-xxl: the row has the card's own numbers" in notes
    assert "54 of 56 with mean 58.99" in notes
    assert "Classification 10 of 12 with mean 73.39" in notes


def test_sizes_of_measured_models_are_those_in_memory(report: Report) -> None:
    found = {line.name: line.size_gb for line in report.page if line.origin == "measured"}
    assert found["all-MiniLM-L6-v2@int8"] == 0.03
    assert found["all-MiniLM-L6-v2@float32"] == 0.09
    unknown = page_lines(lines_of(replace(score("STS12", 1.0), size_bytes=None, dimension=0)))[-2]
    assert (unknown.size_gb, unknown.dimension) == (None, None)
