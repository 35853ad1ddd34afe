"""The report in a terminal: it fits, it is aligned, and every score is there."""

import pytest

from gtekit.evaluation.published import task_categories
from gtekit.evaluation.report import Report, build_report, published_table_lines, table_lines
from gtekit.evaluation.report.tables import Cell, Column, Group, Table, difference
from gtekit.evaluation.report.text import text_table
from gtekit.evaluation.results import ResultStore
from tests.evaluation.report.scores import evaluated, score


def test_the_pages_table_and_those_of_the_tasks_fit_120_columns(report: Report) -> None:
    lines = table_lines(report)
    assert max(map(len, lines)) <= 120
    text = "\n".join(lines)
    for words in (
        "As on the model card:",
        "Means of the published scores of tasks:",
        "Measured:",
        "all-MiniLM-L6-v2@float32",
        "over the same tasks",
        "4 of 56",
        "2 of 10",
        "not compared: partial data",
        "not compared: not one of the 56 tasks",
        "published with vectors that were not normalized",
        "The published scores of tasks have the averages that the model card states, within 0.006 points",
    ):
        assert words in text


def test_long_names_and_nearly_all_tasks_fit_as_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = ResultStore(tmp_path_factory.mktemp("many"))
    for name in ("sentence-transformers-of-somebody/" + "x" * 70, "all-MiniLM-L6-v2"):
        of = evaluated(name, kind="sentence-transformers", settings="published")
        for task in list(task_categories())[1:]:
            store.write(score(task, 100.0, of, data=score(task, 1.0).data), None)
    lines = table_lines(build_report(store.scores(), store))
    assert max(map(len, lines)) <= 120
    assert any("55 of 56" in line for line in lines)


def test_the_published_table_stands_alone_with_its_sources() -> None:
    lines = published_table_lines()
    assert max(map(len, lines)) <= 120
    gte = next(line.split() for line in lines if line.startswith("gte-small"))
    assert " ".join(gte) == "gte-small 0.07 384 512 61.36 44.89 83.54 57.70 49.46 82.07 30.42 72.31"
    assert any(line.startswith("published scores of tasks: github.com/") for line in lines)
    assert not any("Measured" in line for line in lines)


def test_a_table_is_set_in_columns_with_notes_beneath() -> None:
    table = Table(
        "Caption",
        [Column("name", is_number=False), Column("score", short="sc."), Column("left out", is_wide=True)],
        [
            Group([[Cell("first"), Cell("1.00", "1 of 2"), Cell("hidden")]], "Some"),
            Group([[Cell("b"), Cell("22.00"), Cell("")]]),
        ],
        ["A note."],
    )
    assert text_table(table) == [
        "Caption",
        "name      sc.",
        "-------------",
        "Some:",
        "first    1.00",
        "       1 of 2",
        "b       22.00",
        "A note.",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.004, "0.00"), (-0.004, "0.00"), (-0.006, "-0.01"), (1.0, "+1.00"), (None, "-"), (-0.0, "0.00")],
)
def test_a_difference_that_rounds_to_nothing_has_no_sign(value: float | None, text: str) -> None:
    assert difference(value) == text
