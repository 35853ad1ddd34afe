"""gtekit summarize: one text, rows of texts, and how long."""

import json
from pathlib import Path

import pytest

import gtekit
from gtekit.tasks import summarize
from tests.cli.conftest import Run

TEXT = (
    "The town council met on Monday. A new bridge over the Danube will be built for 40 million euros.\n"
    "Work on the bridge begins in May. It was raining. Cyclists will have a lane of their own on the bridge."
)


@pytest.fixture
def article(tmp_path: Path) -> Path:
    (tmp_path / "article.md").write_text(TEXT)
    return tmp_path / "article.md"


def test_a_file_is_one_text_and_its_sentences_are_lines(run: Run, tiny_checkpoint: Path, article: Path) -> None:
    code, output, _ = run("summarize", article, "--sentences", "2", "-m", tiny_checkpoint)
    assert code == 0
    expected = summarize(gtekit.load(tiny_checkpoint, language_warning=False), TEXT, sentences=2)
    assert output.splitlines() == [sentence.text for sentence in expected.sentences]


def test_json_has_places_in_the_text(run: Run, tiny_checkpoint: Path) -> None:
    _, output, _ = run("summarize", "-", "--sentences", "0.4", "--json", "-m", tiny_checkpoint, stdin=TEXT.encode())
    answer = json.loads(output)
    assert len(answer["sentences"]) == 2
    assert [TEXT[entry["start"] : entry["end"]] for entry in answer["sentences"]] == [
        entry["text"] for entry in answer["sentences"]
    ]


def test_each_row_is_a_text_of_its_own(run: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "articles.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in (TEXT, "Short.")))
    _, output, _ = run("summarize", tmp_path / "articles.jsonl", "--sentences", "1", "-m", tiny_checkpoint)
    lines = [line.split("\t") for line in output.splitlines()]
    assert [number for number, _ in lines] == ["1", "2"]
    assert lines[1][1] == "Short."
    target = tmp_path / "summaries.jsonl"
    code, output, _ = run("summarize", tmp_path / "articles.jsonl", "-o", target, "-m", tiny_checkpoint)
    assert (code, output) == (0, "")
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["number"] for row in rows] == [1, 2]
    assert len(rows[0]["sentences"]) == 3


def test_a_query_and_tokens_are_taken(run: Run, minilm: gtekit.Embedder, article: Path) -> None:
    _, output, _ = run("summarize", article, "--query", "bicycles", "--sentences", "1", "-m", "all-MiniLM-L6-v2")
    assert output.startswith("Cyclists")
    _, output, _ = run("summarize", article, "--tokens", "10", "-m", "all-MiniLM-L6-v2")
    assert sum(count - 2 for count in minilm.count_tokens(output.splitlines())) <= 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sentences", "0"], "--sentences 0 is not possible"),
        (["--sentences", "1.5"], "--sentences 1.5 is not possible"),
        (["--tokens", "0"], "--tokens 0 is not possible"),
        (["--diversity", "-1"], "--diversity -1.0 is not possible"),
        (["--sentences", "abc"], "'abc' is no number; choose how many"),
        (["--keep", "id"], "is one text, which has no fields to --keep"),
        (["--field", "body"], "is one text, which has no --field"),
        (["-o", "summary.txt"], "name the output .jsonl, .csv or .tsv"),
    ],
)
def test_bad_calls_are_told_before_a_model_is_loaded(run: Run, article: Path, arguments: list[str], said: str) -> None:
    code, _, errors = run("summarize", article, *arguments, "-m", "no-such-model")
    assert code == 2
    assert said in errors


def test_files_without_text_are_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    assert "holds no text" in run("summarize", tmp_path / "empty.txt")[2]
    assert "can't be read" in run("summarize", tmp_path / "none.txt")[2]
    assert "can't be read" in run("summarize", tmp_path / "none.md")[2]
    assert "is a folder" in run("summarize", tmp_path)[2]


def test_summaries_of_rows_keep_their_fields(run: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    rows = [{"id": "a", "body": TEXT}, {"id": "b", "body": "Short."}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    common = ("summarize", tmp_path / "in.jsonl", "--field", "body", "-o", tmp_path / "out.jsonl")
    code, printed, _ = run(*common, "--keep", "id", "--json", "-m", tiny_checkpoint)
    assert (code, json.loads(printed)["texts"]) == (0, 2)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["number"], row["id"], "body" in row) for row in found] == [(1, "a", False), (2, "b", False)]
    (tmp_path / "in.jsonl").write_text('{"body": "a", "text": ""}\n')
    code, _, errors = run(*common, "--keep", "all", "-m", "no-such-model")
    assert code == 2
    assert "in.jsonl, line 1: the field 'text' has the name of a result" in errors


def test_an_empty_summary_says_why(run: Run, tiny_checkpoint: Path, article: Path, tmp_path: Path) -> None:
    code, printed, errors = run("summarize", article, "--tokens", "1", "-m", tiny_checkpoint)
    assert (code, printed) == (0, "")
    assert "the summary is empty: no sentence fits into --tokens 1" in errors
