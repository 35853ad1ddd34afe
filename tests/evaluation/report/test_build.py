"""The whole report: what it says first, and that it says where everything comes from."""

from pathlib import Path

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.report import Report, build_report
from gtekit.evaluation.results import ResultStore
from tests.evaluation.report.scores import MINILM, evaluated, fill, score


def test_the_first_sentences_say_what_people_came_for(tmp_path: Path) -> None:
    scores = [
        score("STS12", 72.369),
        score("STS15", 85.19),
        score("STS12", 72.0, evaluated(precision="int8"), embed_s=1.5),
        score("Banking77Classification", 80.0, evaluated("gte-small")),
    ]
    store = fill(tmp_path, scores)
    # published 72.369 and 85.3896: means 78.7795 and 78.8793
    assert build_report(scores, store).headline == (
        f"{MINILM}@float32: 2 of the 56 tasks, mean 78.78; published of {MINILM} over the same 78.88. 1 of 2 within "
        f"0.05 points; largest difference -0.20 (STS15).",
        f"{MINILM}@int8: 1 of the 56 tasks, mean 72.00; published of {MINILM} over the same 72.37. 0 of 1 within "
        f"0.05 points; largest difference -0.37 (STS12).",
        "gte-small@float32: 1 of the 56 tasks, mean 80.00; published of gte-small over the same 84.08. 0 of 1 within "
        "0.05 points; largest difference -4.08 (Banking77Classification). 1 of them published with other settings.",
        f"{MINILM}@int8 is 0.37 points below {MINILM}@float32 in the mean over 1 task; "
        "the largest loss is 0.37 (STS12); the largest difference is -0.37 (STS12).",
        f"Texts a second over 1 task, default settings: {MINILM}@float32 300, {MINILM}@int8 600 (x 2.00).",
    )


def test_sources_name_the_card_the_repository_versions_machine_and_date(report: Report) -> None:
    sources = dict(report.sources)
    assert sources["published averages of the models of the page"] == "https://huggingface.co/thenlper/gte-small"
    assert sources["published scores of tasks"].startswith("github.com/embeddings-benchmark/results at ")
    assert (sources["gtekit"], sources["measured on"], sources["measured"]) == ("1.0", "one machine", "2026-11-25")


def test_several_versions_machines_and_dates_are_all_named(tmp_path: Path) -> None:
    scores = [score("STS12", 1.0), score("STS13", 1.0, versions={"gtekit": "2.0"}, machine="two", date="2026-12-01")]
    sources = dict(build_report(scores, fill(tmp_path, scores)).sources)
    assert (sources["gtekit"], sources["measured on"]) == ("1.0, 2.0", "one machine, two")
    assert sources["measured"] == "2026-11-25 to 2026-12-01"


def test_settings_say_what_differs_between_categories(tmp_path: Path) -> None:
    of = evaluated("e5-base-v2", settings="published")
    prompts = {"query": "query: ", "document": "passage: "}
    scores = [
        score("STS12", 1.0, of, normalize=True, prompts={"symmetric": "query: "}),
        score("Banking77Classification", 1.0, of, normalize=False, prompts={"symmetric": "query: "}),
        score("SciFact", 1.0, of, normalize=True, prompts=prompts, texts_cut=None),
    ]
    (line,) = build_report(scores, fill(tmp_path, scores)).settings
    assert line.normalized == ("yes: Retrieval, STS", "no: Classification")
    assert line.prompts == (
        "query 'query: ', document 'passage: ': Retrieval",
        "symmetric 'query: ': STS, Classification",
    )
    assert (line.max_tokens, line.texts_cut) == (256, 6)


def test_no_scores_make_no_report(store: ResultStore) -> None:
    with pytest.raises(ArgumentError, match="no scores to report on"):
        build_report([], store)


def test_what_takes_long_is_told(store: ResultStore) -> None:
    told: list[str] = []
    build_report(store.scores(), store, say=told.append)
    assert told == [f"comparing {MINILM}@int8 with {MINILM}@float32"]
