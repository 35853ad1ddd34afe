"""Wrong test sets: each is an error that names the file and the line. Needs no mteb."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.errors import FileFormatError
from gtekit.evaluation.mteb_tasks.folder import TaskFiles, read_task, revision_of, task_folders
from gtekit.evaluation.mteb_tasks.layout import LAYOUTS
from tests.evaluation.mteb_tasks.tiny import TASKS, write_rows, write_tasks

CATEGORIES = {
    "STSBenchmark": "STS",
    "TwitterURLCorpus": "PairClassification",
    "Banking77Classification": "Classification",
    "TwentyNewsgroupsClustering": "Clustering",
    "SciFact": "Retrieval",
    "AskUbuntuDupQuestions": "Reranking",
    "SummEval": "Summarization",
}
Change = Callable[[list[dict[str, Any]]], object]


def read(folder: Path, task: str) -> TaskFiles:
    return read_task(folder, task, CATEGORIES[task], "test")


def changed(folder: Path, task: str, file: str, change: Change) -> Path:
    """Write the good files of a task, with one of them changed, and give that one."""
    write_tasks(folder, {task: TASKS[task]})
    rows = [dict(row) for row in TASKS[task][file]]
    change(rows)
    path = folder / task / f"{file}.jsonl.gz"
    write_rows(path, rows)
    return path


def test_every_category_of_the_page_can_be_read_from_a_folder() -> None:
    assert set(CATEGORIES.values()) == set(LAYOUTS)


@pytest.mark.parametrize("task", TASKS)
def test_good_files_are_read_in_order(task: str, tiny_data: Path) -> None:
    files = read(tiny_data, task).files
    assert {name: file.rows for name, file in files.items()} == {
        name: [dict(row) for row in rows] for name, rows in TASKS[task].items()
    }


@pytest.mark.parametrize("task", TASKS)
def test_every_missing_field_is_an_error_with_file_and_line(task: str, tmp_path: Path) -> None:
    for layout in LAYOUTS[CATEGORIES[task]]:
        file = "test" if layout.name == "SPLIT" else layout.name
        for field, kind in layout.fields.items():
            if kind != "optional text":
                path = changed(tmp_path, task, file, lambda rows, field=field: rows[1].pop(field))  # type: ignore[misc]
                with pytest.raises(FileFormatError) as error:
                    read(tmp_path, task)
                assert str(error.value).startswith(f"{path}, line 2: field {field!r} is missing; there are: ")


@pytest.mark.parametrize("wrong", [None, [], {}, True, "\ud800"], ids=str)
@pytest.mark.parametrize("task", TASKS)
def test_every_field_of_another_kind_is_an_error_with_file_and_line(task: str, wrong: object, tmp_path: Path) -> None:
    for layout in LAYOUTS[CATEGORIES[task]]:
        file = "test" if layout.name == "SPLIT" else layout.name
        for field in layout.fields:
            path = changed(tmp_path, task, file, lambda rows, field=field: rows[0].update({field: wrong}))  # type: ignore[misc]
            with pytest.raises(FileFormatError) as error:
                read(tmp_path, task)
            assert str(error.value).startswith(f"{path}, line 1: field {field!r} holds ")


@pytest.mark.parametrize(
    ("task", "file", "change", "message"),
    [
        ("STSBenchmark", "test", lambda rows: rows[2].update(score=float("nan")), "line 3: field 'score' holds"),
        ("TwitterURLCorpus", "test", lambda rows: rows[3].update(label=2), "line 4: field 'label' holds a number, exp"),
        ("Banking77Classification", "test", lambda rows: rows[3].update(label="loan"), "line 4: label 'loan' does not"),
        ("Banking77Classification", "test", lambda rows: rows[1].update(split="train"), "line 2: says that it belongs"),
        ("SummEval", "test", lambda rows: rows[1]["relevance"].pop(), "line 2: machine_summaries has 4 entries and re"),
        ("TwentyNewsgroupsClustering", "test", lambda rows: rows[0]["labels"].pop(), "line 1: sentences has 4 entries"),
        ("SciFact", "qrels", lambda rows: rows[1].update(query_id="q9"), "line 2: query_id 'q9' is not in queries"),
        ("SciFact", "qrels", lambda rows: rows[0].update(corpus_id="d9"), "line 1: corpus_id 'd9' is not in corpus"),
        (
            "SciFact",
            "qrels",
            lambda rows: rows[0].update(score=0.5),
            "line 1: field 'score' holds a number, expected a wh",
        ),
        ("SciFact", "qrels", lambda rows: rows.append(rows[0]), "line 3: 'q1' and 'd1' were judged in line 1"),
        ("SciFact", "corpus", lambda rows: rows[2].update(_id="d1"), "line 3: the id 'd1' stands in line 1 as well"),
        ("SciFact", "queries", lambda rows: rows[0].update(_id=""), "line 1: field '_id' holds a string, expected"),
        ("AskUbuntuDupQuestions", "test", lambda rows: rows[1].update(positive=[]), "line 2: field 'positive' holds a"),
        ("STSBenchmark", "test", lambda rows: rows.clear(), "holds no rows"),
    ],
)
def test_rows_that_do_not_fit_are_an_error_with_file_and_line(
    task: str, file: str, change: Change, message: str, tmp_path: Path
) -> None:
    copy = json.loads(json.dumps(TASKS[task]))
    path = tmp_path / task / f"{file}.jsonl.gz"
    write_tasks(tmp_path, {task: copy})
    change(copy[file])
    write_rows(path, copy[file])
    with pytest.raises(FileFormatError) as error:
        read(tmp_path, task)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(b'{"sentence1": "a"')[:-12], "can't be read"),  # cut short
        (b"no gzip at all", "can't be read"),
        (gzip.compress(b"[1, 2]\n"), "line 1: holds a list, not an object"),
        (gzip.compress(b'{"sentence1": \n'), "line 1: is not JSON"),
        (
            gzip.compress(b'{"sentence1": "a", "sentence2": "b", "score": 1}\n\xff\n'),
            "line 2: byte 1 (0xff) is not UTF",
        ),
        (gzip.compress(b"[" * 100_000), "line 1: is not JSON"),
    ],
)
def test_hostile_files_are_an_error_with_the_file(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "STSBenchmark" / "test.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(FileFormatError) as error:
        read(tmp_path, "STSBenchmark")
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_a_file_that_is_not_there_is_an_error_that_says_what_is(tmp_path: Path) -> None:
    write_rows(tmp_path / "STSBenchmark" / "dev.jsonl", TASKS["STSBenchmark"]["test"])
    with pytest.raises(FileFormatError, match=r"test\.jsonl\.gz: is missing.*the folder has dev\.jsonl\. Is the split"):
        read(tmp_path, "STSBenchmark")


def test_a_file_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    write_tasks(tmp_path, {"STSBenchmark": TASKS["STSBenchmark"]})
    write_tasks(tmp_path, {"STSBenchmark": TASKS["STSBenchmark"]}, is_packed=False)
    with pytest.raises(FileFormatError, match=r"there is test\.jsonl as well"):
        read(tmp_path, "STSBenchmark")


def test_a_category_that_no_folder_can_hold_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="tasks of the category BitextMining can't be read from a folder"):
        read_task(tmp_path, "Tatoeba", "BitextMining", "test")


def test_a_folder_without_test_sets_is_an_error_that_shows_how_one_looks(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(FileFormatError, match=r"holds no test sets.*STSBenchmark"):
        task_folders(tmp_path)
    with pytest.raises(FileFormatError, match="no such folder"):
        task_folders(tmp_path / "nowhere")


def test_packing_does_not_change_the_revision_and_any_other_row_does(tmp_path: Path) -> None:
    one = {"STSBenchmark": TASKS["STSBenchmark"]}
    packed = revision_of([read(write_tasks(tmp_path / "packed", one), "STSBenchmark")])
    plain = revision_of([read(write_tasks(tmp_path / "plain", one, is_packed=False), "STSBenchmark")])
    assert packed == plain
    changed(tmp_path / "changed", "STSBenchmark", "test", lambda rows: rows[0].update(score=4.9))
    assert revision_of([read(tmp_path / "changed", "STSBenchmark")]) != packed


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    write_rows(folder / "STSBenchmark" / "other.jsonl", [])
    (folder / "STSBenchmark" / "test.jsonl").write_bytes(data)
    with pytest.raises(FileFormatError):
        read(folder, "STSBenchmark")
