"""What takes a loaded model takes a client too."""

from typing import TYPE_CHECKING

import pytest

import gtekit
from gtekit.evaluation import evaluate
from gtekit.integrations.langchain import GtekitEmbeddings
from gtekit.tasks import classify, paraphrases

if TYPE_CHECKING:
    from gtekit import Client

TEXTS = ["how do I sort a list?", "sorting algorithms", "bread with wild yeast", "a loaf of bread"]


def test_langchain_gets_the_bits_of_a_local_model(client: "Client", minilm: gtekit.Embedder) -> None:
    remote, local = GtekitEmbeddings(client), GtekitEmbeddings(minilm)
    assert remote.embed_documents(TEXTS) == local.embed_documents(TEXTS)
    assert remote.embed_query(TEXTS[0]) == local.embed_query(TEXTS[0])


def test_langchain_still_refuses_a_name() -> None:
    with pytest.raises(gtekit.ArgumentError, match=r"gtekit\.load"):
        GtekitEmbeddings("gte-small")  # type: ignore[arg-type]


def test_labels_by_description(client: "Client", minilm: gtekit.Embedder) -> None:
    labels = {"code": "programming", "food": "bread and baking"}
    remote, local = classify(client, TEXTS, labels), classify(minilm, TEXTS, labels)
    assert remote.labels == local.labels == ("code", "code", "food", "food")
    assert remote.scores.tobytes() == local.scores.tobytes()


def test_evaluation(client: "Client", minilm: gtekit.Embedder) -> None:
    pairs = [(TEXTS[first], TEXTS[second], float(first + second)) for first in range(4) for second in range(first)]
    remote, local = evaluate(client, pairs=pairs), evaluate(minilm, pairs=pairs)
    assert remote.scores == local.scores
    assert remote.fingerprint == local.fingerprint


def test_paraphrases(client: "Client", minilm: gtekit.Embedder) -> None:
    remote, local = (paraphrases(model, TEXTS, threshold=0.3) for model in (client, minilm))
    assert remote.scores.tobytes() == local.scores.tobytes()
    assert len(remote.scores) == 2
