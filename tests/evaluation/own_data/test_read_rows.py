"""Pairs, triples and labelled texts out of files and Python values, and what is said of bad ones."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gtekit.errors import ArgumentError, FileFormatError
from gtekit.evaluation.own_data.read_rows import read_labelled, read_pairs, read_triples

ROWS = [("a man eats", "a person eats", 4.5), ('quoted, "so"', "two\nlines", 0.0), ("", "übung", 3.0)]
CSV = 'sentence1,sentence2,score\na man eats,a person eats,4.5\n"quoted, ""so""","two\nlines",0\n,übung,3.0\n'


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_csv_tsv_and_jsonl_hold_the_same_rows_plain_or_packed(tmp_path: Path) -> None:
    tsv = CSV.replace('"quoted, ""so"""', "@").replace(",", "\t").replace("@", '"quoted, ""so"""')
    jsonl = "".join(f"{json.dumps({'sentence1': a, 'sentence2': b, 'score': s})}\n\n" for a, b, s in ROWS)
    windows = ("\ufeff" + CSV.replace("two\nlines", "two lines").replace("\n", "\r\n")).replace(
        "two lines", "two\nlines"
    )
    files = [write(tmp_path, f"pairs.{form}", text) for form, text in (("csv", CSV), ("tsv", tsv), ("jsonl", jsonl))]
    files.append(write(tmp_path, "packed.csv.gz", gzip.compress(CSV.encode())))
    files.append(write(tmp_path, "packed-without-saying-so.jsonl", gzip.compress(jsonl.encode())))
    files.append(write(tmp_path, "windows.csv", windows))
    expected = read_pairs(ROWS)
    for file in files:
        found = read_pairs(file)
        assert list(zip(found.first, found.second, found.values, strict=True)) == ROWS, file
        assert found.digest() == expected.digest()
        assert found.source == str(file)
    assert read_pairs(str(files[0])).places == ["line 2", "line 3", "line 5"]  # the second row has two lines
    assert expected.places == ["index 0", "index 1", "index 2"]


@pytest.mark.parametrize(
    "heading",
    [
        "sentence1,sentence2,score",
        "Sentence 1,Sentence 2,Score",
        "sent1,sent2,label",
        "text1,text2,similarity",
        "text_a,text_b,score",
        "a,b,label",
        "question1,question2,label",
        "query,document,score",
        "anchor,positive,label",
        "id,a,note,b,score",
    ],
)
def test_known_names_need_no_saying(tmp_path: Path, heading: str) -> None:
    values = {"id": "7", "note": "x", "score": "1", "label": "1", "similarity": "1", "Score": "1"}
    row = ",".join(values.get(name, name) for name in heading.split(","))
    found = read_pairs(write(tmp_path, "pairs.csv", f"{heading}\n{row}\n"))
    assert [*found.first, *found.second] == [name for name in heading.split(",") if name not in values]
    assert list(found.values) == [1]


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "pairs.csv", "a,b,score,mine,yours,how\n1,2,3,left,right,0.5\n")
    found = read_pairs(path, ("mine", "yours", "how"))
    assert (found.first, found.second, list(found.values)) == (["left"], ["right"], [0.5])
    assert read_labelled(path, ["yours", "a"]).labels == ["1"]
    rows = [{"x": "p", "y": "q", "z": "r"}]
    assert read_triples(rows, ["z", "y", "x"]).anchors == ["r"]


def test_rows_can_be_tuples_lists_or_dicts_of_numbers_of_any_kind() -> None:
    rows: list[Sequence[object]] = [("a", "b", np.float32(0.5)), ["c", "d", True]]
    assert list(read_pairs(rows).values) == [0.5, 1]
    assert read_pairs([{"a": "e", "b": "f", "label": "false"}]).values[0] == 0
    assert read_pairs(row for row in ROWS).first == [row[0] for row in ROWS]
    assert read_labelled([("text", 7), ("text", np.int64(7)), ("text", 0.5)]).labels == ["7", "7", "0.5"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("pairs.csv", "", "pairs.csv: is empty, or begins with an empty line"),
        ("pairs.csv", "a,b,score\n", "pairs.csv: has no rows"),
        ("pairs.jsonl", "\n\n", "pairs.jsonl: has no rows"),
        ("pairs.csv", "only\nx\n", "line 1: has one column, 'only'. A .csv file has commas"),
        ("pairs.csv", "a;b;score\nx;y;1\n", "Its columns seem to be separated by ';'"),
        ("pairs.tsv", "a,b,score\nx,y,1\n", "Its columns seem to be separated by a comma"),
        ("pairs.csv", "a,b,a\nx,y,1\n", "line 1: a column name is there twice"),
        ("pairs.csv", "a,b,score\nx,y\n", "line 2: has 2 fields, the first line names 3 ('a', 'b', 'score')"),
        ("pairs.csv", 'a,b,score\nx,y,1\nx,"y,1\n', "line 3: not valid csv"),
        ("pairs.csv", "a,b,score\nx,y,1\nx,y,good\n", "line 3: 'score' holds good, which is no number"),
        ("pairs.csv", 'a,b,score\nx,y,"0,5"\n', "line 2: 'score' holds 0,5, which is no number"),
        ("pairs.csv", "a,b,score\nx,y,\n", "line 2: 'score' holds , which is no number"),
        ("pairs.csv", "a,b,score\nx,y,nan\n", "line 2: 'score' holds nan, which is no number to compare with"),
        ("pairs.csv", "a,b,score\nx,y,inf\n", "line 2: 'score' holds inf"),
        (
            "pairs.csv",
            "A man eats,A person eats,4.5\nx,y,1\n",
            "no columns are called as pairs; the columns are: 'A man",
        ),
        ("pairs.csv", "a,b,sent1,sent2,score\nw,x,y,z,1\n", "several columns could be pairs"),
        ("pairs.csv", "a,b,score,label\nx,y,1,1\n", "several columns could be pairs"),
        ("pairs.csv", b"a,b,score\nx,\xff,1\n", "line 2: byte 3 (0xff) is not UTF-8"),
        ("pairs.csv", "a,b,score\nx,y,1\n".encode("utf-16"), "this is UTF-16"),
        ("pairs.csv.gz", gzip.compress(b"a,b,score\n" + b"x,y,1\n" * 99)[:-20], "is a damaged gzip file"),
        (
            "pairs.jsonl",
            '{"a": "x", "b": "y", "score": 1}\n{"a": "x", "b": "y"}\n',
            "line 2: no field 'score'; this row",
        ),
        ("pairs.jsonl", '{"a": "x", "b": "y", "score": NaN}\n', "line 1: not valid JSON (NaN is no JSON number)"),
        ("pairs.jsonl", '{"a": "x", "b": "y", "score": 1e999}\n', "line 1: 'score' holds inf"),
        ("pairs.jsonl", '{"a": "x", "b": "y", "score": null}\n', "line 1: 'score' holds null, not a number"),
        ("pairs.jsonl", '{"a": "x", "b": 7, "score": 1}\n', "line 1: 'b' holds a number, not a text"),
        ("pairs.jsonl", '{"a": "x", "b": "\\ud800", "score": 1}\n', "line 1: 'b' has half of a surrogate pair"),
        ("pairs.jsonl", '["x", "y", 1]\n', "line 1: holds a list; each line is one JSON object"),
        ("pairs.jsonl", '{"a": \n', "line 1: not valid JSON"),
        ("pairs.xlsx", "PK", "the end of the name does not say the format"),
        ("pairs.parquet", "PAR1", "no parquet file that pyarrow can read"),
    ],
)
def test_a_bad_file_is_named_with_the_line_and_the_reason(
    tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(FileFormatError) as caught:
        read_pairs(write(tmp_path, name, content))
    assert str(caught.value).startswith(str(tmp_path / name))
    assert words in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"can't be read \(No such file or directory\)"):
        read_pairs(tmp_path / "pairs.csv")
    with pytest.raises(FileFormatError, match=r"is a folder\. Name one file; a folder is for retrieval"):
        read_triples(tmp_path)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "pairs is empty"),
        ([("a", "b")], "pairs, index 0: is ('a', 'b'), expected a row of 3: (text_a, text_b, score)"),
        ([("a", "b", 1), "abc"], "pairs, index 1: is 'abc'"),
        ([("a", None, 1)], "pairs, index 0: 'text_b' holds null, not a text"),
        ([("a", "b", float("nan"))], "pairs, index 0: 'score' holds nan"),
        ([("a", "b", [1])], "pairs, index 0: 'score' holds a list, not a number"),
        ([("a", "b", 10**400)], "which is no number"),
        ([{"a": "x", "c": "y", "score": 1}], "pairs, index 0: no columns are called as pairs"),
        (b"pairs.csv", "pairs is a bytes, expected the path of a file, or a list of rows"),
        (7, "pairs is a int"),
    ],
)
def test_bad_values_are_named_with_their_index(rows: object, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        read_pairs(rows)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_columns_have_to_be_there_and_as_many_as_the_kind_has(tmp_path: Path) -> None:
    path = write(tmp_path, "pairs.csv", "a,b,score\nx,y,1\n")
    with pytest.raises(FileFormatError, match=r"line 2: no column 'c'; the columns are: 'a', 'b', 'score'"):
        read_pairs(path, ("a", "b", "c"))
    with pytest.raises(ArgumentError, match=r"pairs need 3: \(text_a, text_b, score\)"):
        read_pairs(path, ("a", "b"))
    with pytest.raises(ArgumentError, match=r"labelled need 2"):
        read_labelled(path, "ab")


@pytest.mark.parametrize(
    ("label", "words"), [("", "'label' is empty"), (None, "holds null"), (float("nan"), "a number")]
)
def test_a_text_without_a_label_is_refused(label: object, words: str) -> None:
    with pytest.raises(ArgumentError, match=rf"labelled, index 0: .*{words}"):
        read_labelled([("text", label)])
