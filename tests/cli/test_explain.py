"""gtekit explain: the table, the colours, JSON and the page."""

import json
import sys
from pathlib import Path

import pytest

import gtekit
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.tasks import explain
from tests.cli.conftest import Run

QUERY, DOCUMENT = "quick sort in python", "Quicksort in Python. Beijing is in China."
MINILM = ("-m", "all-MiniLM-L6-v2")


def test_the_column_of_the_table_adds_up_to_the_cosine(run: Run, minilm: gtekit.Embedder) -> None:
    code, output, _ = run("explain", QUERY, DOCUMENT, "-k", "4", *MINILM)
    assert code == 0
    values = [float(line.split()[0]) for line in output.splitlines()[1:]]
    assert sum(values[:-1]) == pytest.approx(values[-1], abs=5e-4)
    assert values[-1] == pytest.approx(explain(minilm, QUERY, DOCUMENT).score, abs=5e-5)
    assert output.splitlines()[1].split()[1] == "Quicksort"
    assert "([CLS], [SEP])" in output
    assert "\x1b" not in output


def test_a_terminal_gets_colours_unless_it_wants_none(
    run: Run, minilm: gtekit.Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _, output, _ = run("explain", QUERY, DOCUMENT, *MINILM)
    assert "\x1b[48;5;39;38;5;16mQuicksort\x1b[0m" in output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("explain", QUERY, DOCUMENT, *MINILM)[1]


def test_json_is_what_the_function_gives(run: Run, minilm: gtekit.Embedder) -> None:
    _, output, _ = run("explain", QUERY, "-", "--json", *MINILM, stdin=f"{DOCUMENT}\n".encode())
    assert json.loads(output) == json.loads(json.dumps(explain(minilm, QUERY, DOCUMENT).to_dict()))


def test_the_page_is_written(run: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    code, _, errors = run("explain", QUERY, DOCUMENT, "--html", tmp_path / "page.html", "-m", tiny_checkpoint)
    assert code == 0
    assert "page.html" in errors
    assert "Quicksort</span>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_bad_calls_are_told_before_a_model_is_loaded(run: Run, tmp_path: Path) -> None:
    for arguments in (["-k", "0"], ["--html", tmp_path / "none" / "page.html"]):
        assert run("explain", QUERY, DOCUMENT, *arguments, "-m", "no-such-model")[0] == 2


def test_empty_texts_have_a_table_too(run: Run, tiny_checkpoint: Path) -> None:
    code, output, _ = run("explain", "", "", "-m", tiny_checkpoint)
    assert code == 0
    assert "cosine" in output


def test_a_model_that_pools_otherwise_is_bad_input(run: Run, tmp_path: Path) -> None:
    folder = write_seeded_checkpoint(tmp_path, size="tiny")
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False})
    )
    code, _, errors = run("explain", "a", "b", "-m", folder)
    assert code == 2
    assert "mean pooling" in errors


def test_each_pair_of_a_file_is_a_line(run: Run, minilm: gtekit.Embedder, tmp_path: Path) -> None:
    pairs = [(QUERY, DOCUMENT), ("bread", "how bread is baked")]
    (tmp_path / "pairs.csv").write_text("".join(f"{a},{b}\n" for a, b in [("query", "document"), *pairs]))
    out = tmp_path / "out.jsonl"
    code, printed, errors = run("explain", "--file", tmp_path / "pairs.csv", "-o", out, *MINILM)
    assert (code, printed) == (0, "")
    assert "2 pairs explained" in errors
    expected = [json.loads(json.dumps(explain(minilm, *pair).to_dict())) for pair in pairs]
    assert [json.loads(line) for line in out.read_text().splitlines()] == expected
    columns = ("--columns", "document,query")
    first = json.loads(run("explain", "--file", tmp_path / "pairs.csv", *columns, *MINILM)[1].splitlines()[0])
    assert (first["query"]["text"], first["document"]["text"]) == (DOCUMENT, QUERY)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "two texts are needed"),
        (["a", "b", "--file", "pairs.csv"], "QUERY is for one pair"),
        (["--file", "pairs.csv", "--html", "a.html"], "--html is for one pair"),
        (["--file", "pairs.csv", "-o", "pairs.csv"], "is the input"),
        (["--file", "none.csv"], "none.csv: can't be read"),
        (["a", "b", "-o", "out.jsonl"], "-o is for --file"),
        (["a", "b", "--html", "folder"], "folder: is a folder"),
    ],
)
def test_what_does_not_go_together_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.csv").write_text("query,document\na,b\n")
    (tmp_path / "folder").mkdir()
    code, _, errors = run("explain", *arguments, "-m", "no-such-model")
    assert code == 2
    assert said in errors
