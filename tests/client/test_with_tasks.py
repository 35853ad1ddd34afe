"""A client in place of a model: tasks and indexes give what they give with the model itself."""

from pathlib import Path

import pytest

import gtekit
import gtekit.index
from gtekit.client import Client
from gtekit.tasks import deduplicate, explain, rank, summarize
from tests.client.test_client import bits

QUERY = "how to implement quick sort in python?"
DOCUMENTS = [
    "Beijing is the capital of China",
    "Sorting algorithms compared.",
    "The weather is fine",
    "Quicksort in Python, step by step",
    "sorting algorithms compared",
    "how bread is baked",
]


def test_ranking(client: Client, minilm: gtekit.Embedder) -> None:
    assert rank(client, QUERY, DOCUMENTS) == rank(minilm, QUERY, DOCUMENTS)
    assert rank(client, QUERY, DOCUMENTS, diversity=0.4) == rank(minilm, QUERY, DOCUMENTS, diversity=0.4)


def test_summaries(client: Client, minilm: gtekit.Embedder) -> None:
    text = ". ".join(DOCUMENTS) + "."
    assert summarize(client, text, sentences=2) == summarize(minilm, text, sentences=2)


def test_duplicates(client: Client, minilm: gtekit.Embedder) -> None:
    remote = deduplicate(client, DOCUMENTS, threshold=0.9)
    local = deduplicate(minilm, DOCUMENTS, threshold=0.9)
    assert remote.kept.tolist() == local.kept.tolist() == [0, 1, 2, 3, 5]
    assert bits(remote.scores) == bits(local.scores)


def test_explanations(client: Client, minilm: gtekit.Embedder) -> None:
    remote = explain(client, QUERY, DOCUMENTS[3])
    local = explain(minilm, QUERY, DOCUMENTS[3])
    assert remote.to_dict() == local.to_dict()


def test_an_index_that_one_of_them_fills_is_searched_with_the_other(client: Client, minilm: gtekit.Embedder) -> None:
    for one, other in ((client, minilm), (minilm, client)):
        with gtekit.index.in_memory(one) as index:
            index.upsert([str(row) for row in range(len(DOCUMENTS))], texts=DOCUMENTS)
            with_one = [(hit.id, hit.score) for hit in index.search(QUERY, top_k=3)]
            vector = other.encode_query([QUERY])[0]
            assert bits(vector) == bits(one.encode_query([QUERY])[0])
            assert [(hit.id, hit.score) for hit in index.search(vector, top_k=3)] == with_one
            assert with_one[0][0] == "3"


def test_an_index_of_files_is_built_over_the_wire(client: Client, minilm: gtekit.Embedder, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "notes.txt").write_text("\n\n".join(f"{text}. " * 90 for text in DOCUMENTS))
    options = gtekit.index.BuildOptions(backend="exact", progress=False)
    built = []
    for name, model in (("remote", client), ("local", minilm)):
        report = gtekit.index.build_index([tmp_path / "files"], tmp_path / name, model, options)
        assert report.failures == []
        with gtekit.index.open(tmp_path / name, model) as index:
            hits = gtekit.index.search_passages(index, QUERY, model, top_k=3)
            built.append((index.count(), hits))
    assert built[0] == built[1]
    assert built[0][0] > 3


def test_a_wrong_space_is_refused_as_for_a_model(client: Client, marked_client: Client, tmp_path: Path) -> None:
    gtekit.index.create(tmp_path / "index", client, backend="exact").close()
    with pytest.raises(gtekit.SpaceError):
        gtekit.index.open(tmp_path / "index", marked_client)
