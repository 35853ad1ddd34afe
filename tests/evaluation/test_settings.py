"""Which prompt and which length of vectors each model gets on each kind of task."""

from dataclasses import replace

import pytest

from gtekit.errors import ArgumentError
from gtekit.evaluation.models.interface import ModelFacts, Role
from gtekit.evaluation.models.names import prompts_of
from gtekit.evaluation.page import PAGE
from gtekit.evaluation.published import published_names
from gtekit.evaluation.results import SettingsName
from gtekit.evaluation.settings import BGE_QUERY, Treatment, Use, published_rule, treatment

ROLES: tuple[Role, ...] = ("query", "document", "symmetric")


def facts(name: str) -> ModelFacts:
    return ModelFacts(
        name=name,
        kind="gtekit",
        fingerprint="f",
        precision="float32",
        max_tokens=512,
        prompts=prompts_of(name, {}),
        default_prompt="",
        size_bytes=None,
    )


def prompts(
    name: str, category: str = "Retrieval", task: str = "SciFact", settings: SettingsName = "default"
) -> list[str]:
    return [treatment(facts(name), settings, Use(task, category, role)).prompt for role in ROLES]


def test_gte_and_minilm_get_no_prompt() -> None:
    for name in ("gte-small", "gte-base", "gte-large", "all-MiniLM-L6-v2"):
        assert prompts(name) == ["", "", ""]


def test_e5_marks_queries_and_passages_and_takes_the_query_s_mark_where_nothing_is_asked() -> None:
    assert prompts("e5-base-v2") == ["query: ", "passage: ", "query: "]
    assert prompts("intfloat/e5-large-v2") == ["query: ", "passage: ", "query: "]


def test_bge_marks_queries_alone() -> None:
    assert prompts("bge-small-en-v1.5") == [BGE_QUERY, "", ""]


def test_a_default_prompt_of_the_model_s_files_stands_before_texts_that_have_no_other() -> None:
    with_default = replace(facts("someone/else"), default_prompt="embed: ")
    assert treatment(with_default, "default", Use("STS12", "STS", "symmetric")) == Treatment("embed: ", None)


def test_by_default_lengths_are_those_of_the_model_s_files() -> None:
    for row in PAGE:
        assert treatment(
            facts(row.model), "default", Use("Banking77Classification", "Classification", "symmetric")
        ) == (Treatment("query: " if row.model.startswith("e5") else "", None))


def test_gte_was_scored_without_normalization_everywhere() -> None:
    for category in ("Classification", "Clustering", "STS", "Retrieval"):
        assert treatment(facts("gte-small"), "published", Use("any", category, "query")).normalize is False


def test_e5_was_scored_without_normalization_on_classification_alone() -> None:
    found = {
        category: treatment(facts("e5-large-v2"), "published", Use("any", category, "symmetric")).normalize
        for category in ("Classification", "Clustering", "STS")
    }
    assert found == {"Classification": False, "Clustering": True, "STS": True}


def test_e5_was_scored_with_passages_in_retrieval_alone_and_not_on_quora() -> None:
    assert prompts("e5-base-v2", settings="published") == ["query: ", "passage: ", "query: "]
    assert prompts("e5-base-v2", "Reranking", "SciDocsRR", "published") == ["query: "] * 3
    assert prompts("e5-base-v2", "Retrieval", "QuoraRetrieval", "published") == ["query: "] * 3


def test_every_model_with_published_scores_has_published_settings() -> None:
    for name in published_names():
        published_rule(name)


def test_published_settings_of_a_model_that_nobody_published_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"my-model: how its published scores.*gte-small.*Leave out --published"):
        published_rule("my-model")
