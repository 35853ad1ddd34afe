"""One score beside its published one: by whom that is, whether the two are alike, and why not."""

import pytest

from gtekit.evaluation.published import published
from gtekit.evaluation.report.content import TaskLine
from gtekit.evaluation.report.labels import label_models
from gtekit.evaluation.report.task_lines import task_lines
from gtekit.evaluation.results import TaskScore
from tests.evaluation.report.scores import evaluated, partial_data, score


def line_of(of: TaskScore) -> TaskLine:
    (found,) = task_lines([of], label_models([of]))
    return found


def test_the_difference_is_measured_minus_published() -> None:
    found = line_of(score("STS12", 75.0, evaluated("gte-small", settings="published"), normalize=False))
    assert found.published == pytest.approx(75.1222, abs=1e-4)
    assert found.difference == pytest.approx(-0.1222, abs=1e-4)
    assert (found.published_by, found.rerun, found.unlike, found.not_compared) == ("author", None, "", "")


def test_the_rerun_of_the_mteb_team_stands_beside_the_authors_score() -> None:
    found = line_of(score("MTOPIntentClassification", 60.0, evaluated("gte-small")))
    assert found.published == pytest.approx(69.6512, abs=1e-4)
    assert found.rerun == pytest.approx(53.3789, abs=1e-4)
    # the rerun of CQADupstackRetrieval gives 39.9784 as well
    assert line_of(score("CQADupstackRetrieval", 40.0, evaluated("gte-small"))).rerun is None


def test_where_no_author_gave_a_score_the_rerun_is_what_is_published() -> None:
    found = line_of(score("STS12", 72.0))
    assert (found.published_by, found.rerun) == ("MTEB team", None)
    assert found.published == pytest.approx(72.369, abs=1e-3)


def test_pairs_are_compared_by_cosines_and_never_with_the_best_of_four() -> None:
    of = evaluated("e5-base-v2")
    assert "TwitterURLCorpus" in published("e5-base-v2").reruns
    assert line_of(score("TwitterURLCorpus", 86.0, of)).rerun is None
    other = line_of(score("TwitterURLCorpus", 86.0, of, metric="max_ap"))
    assert other.difference is None
    assert "max_ap is not the average precision of cosines" in other.not_compared


@pytest.mark.parametrize(
    ("model", "task", "is_unlike"),
    [
        ("gte-small", "STS12", True),
        ("gte-base", "Banking77Classification", True),
        ("e5-base-v2", "Banking77Classification", True),
        ("e5-base-v2", "STS12", False),
        ("bge-small-en-v1.5", "STS12", True),
        ("all-MiniLM-L6-v2", "Banking77Classification", False),
    ],
)
def test_default_settings_beside_vectors_of_other_lengths_are_marked(model: str, task: str, is_unlike: bool) -> None:
    prompts = {"symmetric": "query: " if model.startswith("e5") else ""}
    found = line_of(score(task, 80.0, evaluated(model), prompts=prompts))
    assert ("not normalized" in found.unlike) == is_unlike
    assert "not normalized" not in line_of(score(task, 80.0, evaluated(model), prompts=prompts, normalize=False)).unlike
    assert line_of(score(task, 80.0, evaluated(model, settings="published"), prompts=prompts)).unlike == ""


def test_e5_without_its_prefixes_is_marked() -> None:
    found = line_of(score("STS12", 75.0, evaluated("e5-base-v2"), prompts={"symmetric": ""}))
    assert found.unlike == 'published with "query: " before a text, measured with nothing'


def test_passages_of_a_reranking_task_are_marked_because_e5_s_authors_called_them_queries() -> None:
    prompts = {"query": "query: ", "document": "passage: "}
    found = line_of(score("SciDocsRR", 80.0, evaluated("e5-base-v2"), category="Reranking", prompts=prompts))
    assert found.unlike == 'published with "query: " before a document, measured with "passage: "'


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (score("STS12", 75.0, data=partial_data("STS12")), "partial data"),
        (score("my own", 75.0), "not one of the 56 tasks"),
        (score("STS12", 75.0, category="Retrieval"), "not one of the 56 tasks"),
        (score("STS12", 75.0, evaluated("mine")), "nothing is published of mine"),
        (score("ToxicConversationsClassification", 75.0, evaluated("sentence-t5-xxl")), "no score is published"),
    ],
)
def test_what_can_not_be_compared_says_why(of: TaskScore, why: str) -> None:
    found = line_of(of)
    assert (found.difference, found.not_compared, found.unlike) == (None, why, "")


def test_lines_stand_in_the_order_of_models_and_of_the_page() -> None:
    int8 = evaluated(precision="int8")
    scores = [
        score("mine", 1.0, int8),
        score("Banking77Classification", 1.0, int8),
        score("STS12", 1.0, int8),
        score("SciFact", 1.0, int8),
        score("STS12", 1.0),
    ]
    found = task_lines(scores, label_models(scores))
    assert [(line.label.rpartition("@")[2], line.measured.task) for line in found] == [
        ("float32", "STS12"),
        ("int8", "SciFact"),
        ("int8", "STS12"),
        ("int8", "Banking77Classification"),
        ("int8", "mine"),
    ]
