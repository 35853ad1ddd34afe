"""Models in plots of score by speed and size: all over the same tasks, or left out by name."""

from gtekit.evaluation.published import published
from gtekit.evaluation.report.content import Scatter
from gtekit.evaluation.report.labels import label_models
from gtekit.evaluation.report.points import points_by_size, points_by_speed
from gtekit.evaluation.report.task_lines import task_lines
from gtekit.evaluation.results import TaskScore
from tests.evaluation.report.scores import MINILM, evaluated, partial_data, score

INT8, GTE = evaluated(precision="int8"), evaluated("gte-small")


def by_speed(*scores: TaskScore) -> Scatter:
    return points_by_speed(task_lines(scores, label_models(scores)))


def by_size(*scores: TaskScore) -> Scatter:
    return points_by_size(task_lines(scores, label_models(scores)))


def test_scores_are_means_over_the_tasks_that_all_have() -> None:
    found = by_speed(
        score("STS12", 70.0),
        score("STS13", 80.0),
        score("STS14", 0.0),
        score("STS12", 60.0, INT8),
        score("STS13", 70.0, INT8),
    )
    assert found.tasks == ("STS12", "STS13")
    assert {point.label: point.y for point in found.points} == {f"{MINILM}@float32": 75.0, f"{MINILM}@int8": 65.0}
    assert all(point.x == 300.0 for point in found.points)  # 900 texts in 3 s
    assert found.left_out == ()


def test_a_model_with_far_fewer_tasks_is_left_out_by_name() -> None:
    found = by_speed(*(score(f"STS{number}", 70.0) for number in (12, 13, 14)), score("STS12", 60.0, GTE))
    assert found.left_out == ("gte-small@float32",)
    assert len(found.tasks) == 3


def test_models_of_the_page_stand_beside_over_the_same_tasks() -> None:
    found = by_size(score("STS12", 70.0, size_bytes=90_000_000))
    points = {point.label: point for point in found.points}
    assert points[f"{MINILM}@float32"].x == 0.09
    assert (points["gte-small"].x, points["gte-small"].is_measured) == (0.07, False)
    assert points["gte-small"].y == published("gte-small").scores["STS12"]
    assert "text-embedding-ada-002" not in points  # whose size nobody knows


def test_a_model_of_the_page_without_one_of_the_scores_is_not_drawn() -> None:
    found = by_size(score("ToxicConversationsClassification", 60.0))
    labels = [point.label for point in found.points]
    assert "sentence-t5-xxl" not in labels
    assert "gte-large" in labels


def test_where_there_is_nothing_the_reason_is_said() -> None:
    assert by_speed(score("STS12", 1.0, embed_s=0.0)).why_empty == "of no measured model speed was kept"
    assert by_size(score("STS12", 1.0, size_bytes=None)).why_empty == "of no measured model size is known"
    assert by_size(score("STS12", 1.0, data=partial_data("STS12"))).points == ()
    nothing = by_speed(score("STS12", 1.0), score("STS13", 1.0, INT8))
    assert nothing.why_empty == "the models have no task in common"


def test_partial_data_and_own_tasks_have_a_speed_and_a_score_but_no_place_beside_the_page() -> None:
    own = score("my own", 50.0)
    assert [point.y for point in by_speed(own).points] == [50.0]
    assert by_size(own).points == ()
