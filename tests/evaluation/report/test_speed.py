"""Speed and size: texts computed by seconds, and ratios over the tasks that all have."""

from dataclasses import replace

import pytest

from gtekit.evaluation.report.labels import label_models
from gtekit.evaluation.report.speed import speed_groups, speed_lines, texts_per_s
from gtekit.evaluation.report.task_lines import task_lines
from gtekit.evaluation.results import TaskScore
from tests.evaluation.report.scores import MINILM, evaluated, score

FLOAT32, INT8, PEER = evaluated(), evaluated(precision="int8"), evaluated(kind="sentence-transformers")


def test_speed_is_over_all_texts_and_all_seconds() -> None:
    scores = [
        score("STS12", 1.0, texts_embedded=900, embed_s=3.0),
        score("STS13", 1.0, texts_embedded=300, embed_s=9.0),
    ]
    # 1,200 texts in 12 s; the mean of 300 and 33 a second would be another number
    assert texts_per_s(scores) == 100.0
    (line,) = speed_lines(task_lines(scores, label_models(scores)))
    assert (line.tasks, line.texts, line.texts_embedded, line.embed_s, line.total_s) == (2, 2_000, 1_200, 12.0, 8.0)
    assert line.machines == ("one machine",)


def test_where_nothing_was_computed_there_is_no_speed() -> None:
    assert texts_per_s([score("STS12", 1.0, texts_embedded=0, embed_s=0.0)]) is None
    assert texts_per_s([]) is None


def groups_of(*scores: TaskScore) -> list[tuple[str, ...]]:
    return [group.tasks for group in speed_groups(task_lines(scores, label_models(scores)))]


def test_ways_to_run_a_model_stand_side_by_side_over_the_tasks_that_all_have() -> None:
    scores = [
        score("STS12", 1.0, FLOAT32, embed_s=3.0, size_bytes=90),
        score("STS13", 1.0, FLOAT32, embed_s=100.0, size_bytes=90),  # the others do not have it
        score("STS12", 1.0, INT8, embed_s=1.5, size_bytes=30),
        score("STS12", 1.0, PEER, embed_s=9.0, size_bytes=None),
    ]
    (group,) = speed_groups(task_lines(scores, label_models(scores)))
    assert (group.model, group.settings, group.machine, group.tasks) == (MINILM, "default", "one machine", ("STS12",))
    assert [one.label.partition(":")[0] for one in group.variants] == [
        "sentence-transformers",
        f"{MINILM}@float32",
        f"{MINILM}@int8",
    ]
    assert [one.texts_per_s for one in group.variants] == pytest.approx([100, 300, 600])  # 900 texts each
    assert [one.ratio for one in group.variants] == pytest.approx([1, 3, 6])
    assert [one.size_ratio for one in group.variants] == [None, None, None]  # the first is not known
    assert group.variants[2].by_task == {"STS12": pytest.approx(600)}


def test_without_a_peer_int8_is_compared_with_float32() -> None:
    scores = [score("STS12", 1.0, FLOAT32, size_bytes=90), score("STS12", 1.0, INT8, embed_s=1.5, size_bytes=30)]
    (group,) = speed_groups(task_lines(scores, label_models(scores)))
    assert [one.ratio for one in group.variants] == pytest.approx([1, 2])
    assert [one.size_ratio for one in group.variants] == [1, pytest.approx(1 / 3)]


def test_only_times_of_one_machine_for_the_same_work_are_compared() -> None:
    here, int8 = score("STS12", 1.0), score("STS12", 1.0, INT8)
    assert groups_of(here, int8) == [("STS12",)]
    assert groups_of(here) == []
    assert groups_of(here, replace(int8, machine="another")) == []
    assert groups_of(here, replace(int8, evaluated=replace(INT8, max_tokens=128))) == []
    assert groups_of(here, replace(int8, evaluated=replace(INT8, settings="published"))) == []
    assert groups_of(here, replace(int8, data=replace(int8.data, revision="other"))) == []
    assert groups_of(here, replace(int8, texts_embedded=0)) == []
    assert groups_of(here, replace(int8, texts=7)) == []
