"""Against the real langchain-core: its own Embeddings interface and its in-memory vector store."""

import asyncio
import subprocess
import sys

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore

import gtekit
from gtekit.errors import ArgumentError, TextTypeError
from gtekit.integrations.langchain import GtekitEmbeddings

DOCUMENTS = [
    "Quicksort picks a pivot and sorts both sides of it.",
    "Beijing is the capital of China.",
    "Sourdough rises slowly.",
]


@pytest.fixture(scope="module")
def embeddings(minilm: gtekit.Embedder) -> GtekitEmbeddings:
    return GtekitEmbeddings(minilm)


def test_it_is_an_embeddings_of_langchain(embeddings: GtekitEmbeddings) -> None:
    assert isinstance(embeddings, Embeddings)


def test_documents_and_queries_become_lists_of_floats(embeddings: GtekitEmbeddings, minilm: gtekit.Embedder) -> None:
    vectors = embeddings.embed_documents(DOCUMENTS)
    assert [type(number) for number in vectors[0][:2]] == [float, float]
    np.testing.assert_array_equal(np.array(vectors, np.float32), minilm.encode(DOCUMENTS))
    np.testing.assert_array_equal(np.array(embeddings.embed_query("Beijing"), np.float32), minilm.encode_one("Beijing"))
    assert embeddings.embed_documents([]) == []


def test_the_vector_store_finds_by_meaning(embeddings: GtekitEmbeddings) -> None:
    store = InMemoryVectorStore(embeddings)
    store.add_documents([Document(page_content=text) for text in DOCUMENTS])
    (found,) = store.similarity_search("how to implement quick sort in python?", k=1)
    assert found.page_content == DOCUMENTS[0]
    (answer,) = store.as_retriever(search_kwargs={"k": 1}).invoke("what is the capital of China?")
    assert answer.page_content == DOCUMENTS[1]


def test_the_async_methods_give_the_same(embeddings: GtekitEmbeddings) -> None:
    async def both() -> tuple[list[list[float]], list[float]]:
        documents, query = await asyncio.gather(
            embeddings.aembed_documents(DOCUMENTS), embeddings.aembed_query(DOCUMENTS[0])
        )
        return documents, query

    documents, query = asyncio.run(both())
    assert documents == embeddings.embed_documents(DOCUMENTS)
    assert query == documents[0]


def test_a_query_that_is_no_str_is_refused(embeddings: GtekitEmbeddings) -> None:
    with pytest.raises(TextTypeError, match=r"texts\[0\]"):
        embeddings.embed_query(["Beijing"])  # type: ignore[arg-type]


def test_without_langchain_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['langchain_core'] = None; import gtekit.integrations.langchain"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "pip install 'gtekit[langchain]'" in result.stderr


def test_a_name_instead_of_a_model_is_refused_with_the_call_that_loads_it() -> None:
    with pytest.raises(ArgumentError, match=r"GtekitEmbeddings\(gtekit\.load\('gte-small'\)\)"):
        GtekitEmbeddings("gte-small")  # type: ignore[arg-type]
