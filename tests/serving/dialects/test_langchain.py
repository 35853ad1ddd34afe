"""LangChain's OpenAIEmbeddings: works once it sends text, and is told so where it does not."""

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import openai
import pytest
from pydantic import SecretStr

pytest.importorskip("langchain_openai", reason="pip install langchain-openai")
from langchain_openai import OpenAIEmbeddings

if TYPE_CHECKING:
    from gtekit import Embedder
    from tests.serving.conftest import RunningServer

NAME = "all-MiniLM-L6-v2"
TEXTS = ["A man is playing a guitar.", "Die Katze schläft.", "x"]


def langchain(server: "RunningServer", **settings: Any) -> OpenAIEmbeddings:
    return OpenAIEmbeddings(
        model=NAME, base_url=f"{server.url}/v1", api_key=SecretStr("any"), max_retries=0, **settings
    )


def test_documents_and_queries_have_the_vectors_of_the_library(server: "RunningServer", minilm: "Embedder") -> None:
    model = langchain(server, check_embedding_ctx_length=False, chunk_size=2)
    expected = minilm.encode(TEXTS)
    assert np.array(model.embed_documents(TEXTS), np.float32).tobytes() == expected.tobytes()
    assert np.array(model.embed_query(TEXTS[1]), np.float32).tobytes() == expected[1].tobytes()


def test_the_asynchronous_methods_have_them_too(server: "RunningServer", minilm: "Embedder") -> None:
    async def ask() -> list[list[float]]:
        async with httpx.AsyncClient() as http:
            model = langchain(server, check_embedding_ctx_length=False, http_async_client=http)
            return await model.aembed_documents(TEXTS)

    found, expected = asyncio.run(ask()), minilm.encode(TEXTS)
    assert np.array(found, np.float32).tobytes() == expected.tobytes()


def test_token_ids_are_refused_and_the_message_has_the_fix(
    server: "RunningServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids are bytes here: the vocabulary that LangChain would use has to be downloaded."""
    import tiktoken

    encoding = tiktoken.Encoding(
        "bytes", pat_str=r"\w+|\W", mergeable_ranks={bytes([byte]): byte for byte in range(256)}, special_tokens={}
    )
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: encoding)
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False") as caught:
        langchain(server).embed_documents(TEXTS)
    assert caught.value.code == "token_ids_not_supported"
    assert caught.value.message.count("input[0]") == 1


@pytest.mark.parametrize("ids", [[32, 893, 374, 5737], [[32, 893], [374, 5737]]])
def test_ids_of_the_vocabulary_of_openai_are_refused_too(server: "RunningServer", ids: Any) -> None:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="any")
    with client, pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False"):
        client.embeddings.create(model=NAME, input=ids)
