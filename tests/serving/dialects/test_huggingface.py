"""huggingface_hub's InferenceClient, which is given the address of the server in place of a model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from huggingface_hub import InferenceClient, close_session
from huggingface_hub.errors import HfHubHTTPError

import gtekit.tasks

if TYPE_CHECKING:
    from gtekit import Embedder
    from tests.serving.conftest import RunningServer

TEXTS = ["A man is playing a guitar.", "Die Katze schläft.", "😀 emoji", "x"]
LONG = "one two three four five six seven " * 60  # 422 tokens; the model reads 256


@pytest.fixture(autouse=True)
def no_connection_stays_open() -> Iterator[None]:
    yield
    close_session()


@pytest.mark.parametrize("path", ["", "/", "/embed"])
def test_features_have_the_bits_of_the_library(server: "RunningServer", minilm: "Embedder", path: str) -> None:
    client = InferenceClient(model=f"{server.url}{path}", token="any")
    for texts in (TEXTS, TEXTS[:1]):
        np.testing.assert_array_equal(client.feature_extraction(texts), minilm.encode(texts))
    np.testing.assert_array_equal(client.feature_extraction(TEXTS[0]), minilm.encode(TEXTS[:1]))


def test_the_address_can_also_be_the_base_url(server: "RunningServer", minilm: "Embedder") -> None:
    client = InferenceClient(base_url=server.url, api_key="any")
    np.testing.assert_array_equal(client.feature_extraction("x"), minilm.encode(["x"]))


def test_options_of_features_reach_the_model(server: "RunningServer", minilm: "Embedder") -> None:
    client = InferenceClient(model=server.url, token="any")
    np.testing.assert_array_equal(
        client.feature_extraction("x", normalize=False), minilm.encode(["x"], normalize=False)
    )
    cut = client.feature_extraction(LONG, truncate=True, truncation_direction="left")
    np.testing.assert_array_equal(cut, minilm.encode([" ".join(LONG.split()[-254:])]))


@pytest.mark.parametrize("path", ["", "/similarity"])
def test_similarities_are_those_of_the_library(server: "RunningServer", minilm: "Embedder", path: str) -> None:
    client = InferenceClient(model=f"{server.url}{path}", token="any")
    scores = {entry.index: entry.score for entry in gtekit.tasks.rank(minilm, "guitar", TEXTS)}
    assert client.sentence_similarity("guitar", TEXTS) == [scores[index] for index in range(len(TEXTS))]


def test_the_client_shows_what_the_server_says(server: "RunningServer") -> None:
    client = InferenceClient(model=server.url, token="any")
    with pytest.raises(HfHubHTTPError, match=r"has no prompt named 'query'") as caught:
        client.feature_extraction("x", prompt_name="query")
    assert caught.value.response.status_code == 422
    with pytest.raises(HfHubHTTPError, match="has 422 tokens, the limit is 256"):
        client.feature_extraction(LONG, truncate=False)
    with pytest.raises(HfHubHTTPError, match=r"inputs\[1\] is an empty string"):
        client.feature_extraction(["x", ""])
