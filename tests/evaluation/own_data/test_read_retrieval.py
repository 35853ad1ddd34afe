"""Queries, documents and qrels in the layouts that people have, and what is said of bad ones."""

import gzip
import json
from pathlib import Path

import pytest

from gtekit.errors import ArgumentError, FileFormatError, GtekitError
from gtekit.evaluation.own_data.data import Retrieval
from gtekit.evaluation.own_data.read_retrieval import read_folder, read_retrieval

QUERIES = {"q1": "what is east?", "q2": "what is north?"}
DOCUMENTS = {"d1": "East is right.", "d2": "Maps North is up.", "d3": "West is left."}
QRELS = {"q1": {"d1": 1, "d3": 0}, "q2": {"d2": 2}}
FILES = {
    "corpus.jsonl": (
        '{"_id": "d1", "title": "", "text": "East is right."}\n'
        '{"_id": "d2", "title": "Maps", "text": "North is up.", "metadata": {}}\n'
        '{"_id": "d3", "text": "West is left."}\n'
    ),
    "queries.jsonl": '{"_id": "q1", "text": "what is east?"}\n{"_id": "q2", "text": "what is north?"}\n',
    "test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td3\t0\nq2\td2\t2\n",
    "dev.tsv": "query-id\tcorpus-id\tscore\nq2\td2\t1\n",
    "topics.tsv": "q1\twhat is east?\nq2\twhat is north?\n",
    "documents.tsv": "d1\tEast is right.\nd2\tMaps North is up.\r\nd3\tWest is left.\n",
    "qrels.txt": "q1 0 d1 1\nq1 0 d3 0\n\nq2\t0  d2 2\n",
    "qrels.jsonl": (
        '{"query_id": "q1", "corpus_id": "d1", "score": 1}\n{"query-id": "q1", "corpus-id": "d3", "score": 0}\n'
        '{"qid": "q2", "docid": "d2", "grade": 2.0}\n'
    ),
}


def write(folder: Path, *names: str, packed: bool = False) -> None:
    for name in names:
        path = folder / (f"{name}.gz" if packed else name)
        path.parent.mkdir(exist_ok=True)
        content = FILES[path.name.removesuffix(".gz")].encode()
        path.write_bytes(gzip.compress(content) if packed else content)


def check(found: Retrieval, source: str) -> None:
    assert (found.queries, found.documents, found.qrels) == (QUERIES, DOCUMENTS, QRELS)
    assert found.source == source
    assert found.digest() == read_retrieval(QUERIES, DOCUMENTS, QRELS).digest()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "names",
    [
        ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"),
        ("corpus.jsonl", "queries.jsonl", "qrels.jsonl"),
        ("topics.tsv", "documents.tsv", "qrels.txt"),
        ("topics.tsv", "corpus.jsonl", "qrels/test.tsv"),
    ],
)
def test_a_folder_is_read(tmp_path: Path, names: tuple[str, ...], packed: bool) -> None:
    write(tmp_path, *names, packed=packed)
    check(read_folder(tmp_path), str(tmp_path))


def test_the_split_of_a_folder_can_be_chosen(tmp_path: Path) -> None:
    write(tmp_path, "corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "qrels/dev.tsv")
    assert read_folder(tmp_path, "dev").qrels == {"q2": {"d2": 1}}
    assert read_folder(tmp_path, "dev").source == f"{tmp_path} (dev)"
    assert read_folder(tmp_path).qrels == QRELS
    with pytest.raises(FileFormatError) as caught:
        read_folder(tmp_path, "train")
    assert "no qrels file for the split 'train'; its qrels files: " in str(caught.value)
    assert str(Path("qrels", "dev.tsv")) in str(caught.value)
    (tmp_path / "qrels.dev.txt").write_text(FILES["qrels.txt"])
    with pytest.raises(FileFormatError, match="has 2 qrels files for the split 'dev'"):
        read_folder(tmp_path, "dev")


def test_three_files_are_read(tmp_path: Path) -> None:
    write(tmp_path, *(name for name in FILES if name != "dev.tsv"))
    for queries, documents, qrels in (
        ("queries.jsonl", "corpus.jsonl", "test.tsv"),
        ("topics.tsv", "documents.tsv", "qrels.txt"),
        ("topics.tsv", "corpus.jsonl", "qrels.jsonl"),
    ):
        paths = [tmp_path / name for name in (queries, documents, qrels)]
        check(read_retrieval(str(paths[0]), paths[1], paths[2]), ", ".join(map(str, paths)))


def test_documents_are_texts_or_title_and_text() -> None:
    documents: dict[str, str | dict[str, str]] = {
        "d1": "East is right.",
        "d2": {"title": "Maps", "text": "North is up."},
        "d3": {"text": "West is left."},
    }
    check(read_retrieval(QUERIES, documents, QRELS), "queries, documents, qrels")


def test_a_tab_after_the_first_belongs_to_the_text(tmp_path: Path) -> None:
    (tmp_path / "topics.tsv").write_text("q1\twhat\tis east?\nq2\t\n")
    assert read_retrieval(tmp_path / "topics.tsv", DOCUMENTS, QRELS).queries == {"q1": "what\tis east?", "q2": ""}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("queries.jsonl", "qrels.txt"), "has no corpus or documents or collection file; it needs one of corpus.jsonl"),
        (("corpus.jsonl", "qrels.txt"), "has no queries or topics file"),
        (("corpus.jsonl", "queries.jsonl"), "has no qrels file for the split 'test'; its qrels files: none"),
        (("corpus.jsonl", "documents.tsv", "queries.jsonl", "qrels.txt"), "has corpus.jsonl and documents.tsv"),
        (("corpus.jsonl", "queries.jsonl", "qrels.txt", "qrels/test.tsv"), "has 2 qrels files for the split 'test'"),
    ],
)
def test_a_folder_that_lacks_a_file_or_has_two_says_so(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    write(tmp_path, *names)
    with pytest.raises(FileFormatError) as caught:
        read_folder(tmp_path)
    assert words in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="is no folder"):
        read_folder(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "queries.jsonl",
            '{"_id": "q1", "text": "x"}\n{"_id": "q1", "text": "y"}\n',
            "line 2: the id 'q1' was there before",
        ),
        ("queries.jsonl", '{"text": "x"}\n', "line 1: has none of the fields '_id', 'id'"),
        ("queries.jsonl", '{"_id": "", "text": "x"}\n', "line 1: '_id' is empty"),
        ("queries.jsonl", '{"_id": null, "text": "x"}\n', "line 1: '_id' holds null, not an id"),
        ("queries.jsonl", '{"_id": "q1"}\n', "line 1: no field 'text'"),
        ("queries.jsonl", '{"_id": "q1", "text": 7}\n', "line 1: 'text' holds a number, not a text"),
        ("queries.jsonl", "q1\tx\n", "line 1: not valid JSON"),
        ("queries.jsonl", "", "has no rows"),
        ("topics.tsv", "q1 x\n", "line 1: has no tab; each line is an id, a tab and a text"),
        ("topics.tsv", "\tx\n", "line 1: 'id' is empty"),
        ("topics.tsv", b"q1\t\xff\n", "line 1: byte 4 (0xff) is not UTF-8"),
        ("topics.xml", "<top>", "the end of the name does not say the format"),
    ],
)
def test_bad_queries_are_named_with_the_line(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(FileFormatError) as caught:
        read_retrieval(path, DOCUMENTS, QRELS)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no judgements"),
        ("query-id\tcorpus-id\tscore\n", "has no judgements"),
        (
            "query-id\tcorpus-id\tscore\nq1\td9\t1\n",
            "line 2: names the document 'd9', which is not among the documents",
        ),
        ("q1 0 d1 1\nq9 0 d1 1\n", "line 2: names the query 'q9', which is not among the queries"),
        ("q1 0 d1 1\nq1 0 d1 2\n", "line 2: gives query 'q1' and document 'd1' the grade 2, and before it was 1"),
        ("q1 0 d1 0.5\n", "line 1: the grade 0.5 is no whole number"),
        ("q1 0 d1 nan\n", "line 1: the grade nan is no whole number"),
        ("q1 0 d1 high\n", "line 1: the grade high is no whole number"),
        ("q1 d1\n", "line 1: has 2 fields, expected 3 or 4"),
        ("q1 0 d1 1\nq1\td1\t1\n", "line 2: has 3 fields, expected 4"),
        ('{"query_id": "q1", "score": 1}\n', "line 1: has none of the fields 'corpus-id', 'corpus_id'"),
        ('{"query_id": "q1", "corpus_id": "d1"}\n', "line 1: no field 'score'"),
        ('{"query_id": "q1", "corpus_id": "d1", "score": 1}\nq1 0 d1 1\n', "line 2: not valid JSON"),
        ("{}\n", "line 1: has none of the fields 'query-id'"),
    ],
)
def test_bad_qrels_are_named_with_the_line(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / ("qrels.jsonl" if content.startswith("{") else "qrels.txt")
    path.write_text(content)
    with pytest.raises(FileFormatError) as caught:
        read_retrieval(QUERIES, DOCUMENTS, path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("queries", "documents", "qrels", "words"),
    [
        ({}, DOCUMENTS, QRELS, "queries: is empty"),
        (QUERIES, {}, QRELS, "documents: is empty"),
        (QUERIES, DOCUMENTS, {}, "qrels: has no judgements"),
        (["east?"], DOCUMENTS, QRELS, "queries is a list, expected the path of a file, or a dict of texts by id"),
        (QUERIES, {"d1": None}, QRELS, "documents, id 'd1': 'text' holds null, not a text"),
        (QUERIES, {"d1": "x", 1: "y", "1": "z"}, QRELS, "documents, id '1': the id '1' was there before"),
        (QUERIES, DOCUMENTS, {"q1": {"d9": 1}}, "qrels, query 'q1': names the document 'd9'"),
        (QUERIES, DOCUMENTS, {"q9": {"d1": 1}}, "qrels, query 'q9': names the query 'q9'"),
        (QUERIES, DOCUMENTS, {"q1": ["d1"]}, "qrels, query 'q1': is a list, expected grades by document"),
        (QUERIES, DOCUMENTS, [("q1", "d1", 1)], "qrels is a list, expected the path of a file, or a dict"),
        (QUERIES, DOCUMENTS, {"q1": {"d1": "high"}}, "qrels, query 'q1': the grade high is no whole number"),
    ],
)
def test_bad_values_are_named(queries: object, documents: object, qrels: object, words: str) -> None:
    with pytest.raises(GtekitError) as caught:
        read_retrieval(queries, documents, qrels)  # type: ignore[arg-type]
    assert isinstance(caught.value, ArgumentError)
    assert words in str(caught.value)


def test_ids_that_are_numbers_are_taken_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"_id": 7, "text": "East is right."}))
    found = read_retrieval({1: "east?"}, tmp_path / "corpus.jsonl", {"1": {"7": 1}})  # type: ignore[dict-item]
    assert (list(found.queries), list(found.documents)) == (["1"], ["7"])
