"""One call for both ways to classify."""

from typing import Any

import pytest

import gtekit
from gtekit.tasks import classify

TEXTS = ["the striker scored in the last minute", "shares fell after the bank's report"]
EXAMPLES = (
    ["a goal from the corner", "the match ended in a draw", "bonds rose sharply", "the company cut its dividend"],
    ["sport", "sport", "money", "money"],
)


def test_labels_alone_choose_by_their_descriptions(minilm: gtekit.Embedder) -> None:
    found = classify(minilm, TEXTS, {"sport": "football and other sports", "money": "finance and business"})
    assert list(found.labels) == ["sport", "money"]


def test_examples_fit_a_classifier(minilm: gtekit.Embedder) -> None:
    assert list(classify(minilm, TEXTS, examples=EXAMPLES).labels) == ["sport", "money"]
    assert list(classify(minilm, TEXTS, examples=EXAMPLES, abstain_below=1.0).labels) == [None, None]


@pytest.mark.parametrize("given", [{}, {"labels": ["a", "b"], "examples": EXAMPLES}, {"examples": ["a", "b", "c"]}])
def test_neither_both_or_something_else_is_an_error_that_says_what_to_give(
    minilm: gtekit.Embedder, given: dict[str, Any]
) -> None:
    with pytest.raises(gtekit.ArgumentError, match="labels"):
        classify(minilm, TEXTS, **given)
