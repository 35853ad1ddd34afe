"""Whatever a file holds: what was written comes back, and garbage ends in an error of ours."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtekit.errors import GtekitError
from gtekit.evaluation.own_data.qrels import read_qrels
from gtekit.evaluation.own_data.read_retrieval import read_retrieval
from gtekit.evaluation.own_data.read_rows import read_labelled, read_pairs, read_triples

# \r\n inside quotes comes back as \n, as everywhere where lines are counted; a NUL is no text
TEXTS = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=20)
IDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=5)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS, NUMBERS), min_size=1, max_size=5)
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@SAME_FOLDER
@given(rows=PAIRS, form=st.sampled_from(["csv", "tsv", "jsonl", "csv.gz", "jsonl.gz"]), ascii_only=st.booleans())
def test_pairs_come_back_as_they_were_written(
    tmp_path: Path, rows: list[tuple[str, str, float]], form: str, ascii_only: bool
) -> None:
    path = tmp_path / f"pairs.{form}"
    names = ("text_a", "text_b", "score")
    if "jsonl" in form:
        lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=ascii_only) for row in rows]
        content = "\n".join(lines).encode()
    else:
        written = io.StringIO()
        csv.writer(written, delimiter="\t" if form == "tsv" else ",").writerows([names, *rows])
        content = written.getvalue().encode()
    path.write_bytes(gzip.compress(content) if form.endswith("gz") else content)
    found = read_pairs(path)
    assert list(zip(found.first, found.second, found.values, strict=True)) == rows


@SAME_FOLDER
@given(
    texts=st.dictionaries(IDS, TEXTS.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=4),
    grades=st.data(),
    form=st.sampled_from(["tsv", "jsonl"]),
)
def test_retrieval_comes_back_as_it_was_written(
    tmp_path: Path, texts: dict[str, str], grades: st.DataObject, form: str
) -> None:
    by_document = st.dictionaries(st.sampled_from(sorted(texts)), st.integers(-1, 3), min_size=1)
    qrels = grades.draw(st.dictionaries(st.sampled_from(sorted(texts)), by_document, min_size=1))
    path, judged = tmp_path / f"texts.{form}", tmp_path / "qrels.txt"
    lines = [
        f"{id_}\t{text}" if form == "tsv" else json.dumps({"_id": id_, "text": text}) for id_, text in texts.items()
    ]
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    trec = [f"{query} 0 {id_} {grade}" for query, found in qrels.items() for id_, grade in found.items()]
    judged.write_text("\n".join(trec), encoding="utf-8", newline="\n")
    read = read_retrieval(path, path, judged)
    assert (read.queries, read.documents, read.qrels) == (texts, texts, qrels)


BEGINNINGS = [b"", b"a,b,score\n", b"a\tb\tscore\n", b"text,label\n", b'{"a": "x", "b": "y", "score": ', b"q1 0 d1 "]
BEGINNINGS += [b"query-id\tcorpus-id\tscore\n", b'{"_id": "q1", "text": "', b"\x1f\x8b\x08\0", b"\xff\xfe", b"q1\t"]
READERS: dict[str, Callable[[Path], object]] = {
    "pairs": read_pairs,
    "triples": lambda path: read_triples(path, ("a", "b", "score")),
    "labelled": read_labelled,
    "texts": lambda path: read_retrieval(path, {"d1": "x"}, {"q1": {"d1": 1}}),
    "qrels": lambda path: read_qrels(path, {"q1"}, {"d1"}),
}


@SAME_FOLDER
@pytest.mark.parametrize("reader", READERS)
@given(
    begin=st.sampled_from(BEGINNINGS),
    rest=st.binary(max_size=60) | st.text(alphabet='ab01,;\t\n\r"{}:[]e9 ', max_size=60).map(str.encode),
    form=st.sampled_from(["csv", "tsv", "jsonl", "txt"]),
    packed=st.booleans(),
)
def test_any_bytes_are_read_or_refused(
    tmp_path: Path, reader: str, begin: bytes, rest: bytes, form: str, packed: bool
) -> None:
    path = tmp_path / f"any.{form}"
    path.write_bytes(gzip.compress(begin + rest) if packed else begin + rest)
    with suppress(GtekitError):
        READERS[reader](path)


@pytest.mark.parametrize("line", [b"[" * 200_000, b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": "' + b"x" * 300_000 + b'"}'])
def test_lines_that_are_deep_or_long_are_refused_as_well(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(line)
    with pytest.raises(GtekitError):
        read_pairs(path)


def test_a_text_of_a_megabyte_is_read_from_csv(tmp_path: Path) -> None:
    limit = 131_072
    csv.field_size_limit(limit)
    path = tmp_path / "pairs.csv"
    path.write_text(f"a,b,score\n{'x' * 1_000_000},y,1\n")
    assert len(read_pairs(path).first[0]) == 1_000_000
    assert csv.field_size_limit() == limit
