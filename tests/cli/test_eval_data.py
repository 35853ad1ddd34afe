"""gtekit eval data: files in, a table, JSON or a page out."""

import argparse
import json
from pathlib import Path

import pytest

from gtekit.cli import eval_data
from gtekit.errors import ArgumentError, FileFormatError, GtekitError

PAIRS = "sentence1,sentence2,score\na cat,the cat,5\na cat,a loan,1\nrain,snow,3\n"
TRIPLES = '{"anchor": "a cat", "positive": "the cat", "negative": "a loan"}\n'
LABELLED = "text\tlabel\na cat\tanimal\na dog\tanimal\na loan\tmoney\na bank\tmoney\n"
THREE_FILES = (
    "--queries",
    "folder/topics.tsv",
    "--documents",
    "folder/documents.tsv",
    "--qrels",
    "folder/qrels.dev.txt",
)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder with one file of each kind."""
    (tmp_path / "pairs.csv").write_text(PAIRS)
    (tmp_path / "triples.jsonl").write_text(TRIPLES)
    (tmp_path / "labelled.tsv").write_text(LABELLED)
    (tmp_path / "odd.csv").write_text("mine,yours,how\na cat,the cat,5\na loan,rain,1\nx,y,2\n")
    (tmp_path / "both.csv").write_text("text,label,a,b\nx,1,y,z\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "topics.tsv").write_text("q1\tcats\nq2\tmoney\n")
    (tmp_path / "folder" / "documents.tsv").write_text("d1\tthe cat\nd2\ta loan\n")
    (tmp_path / "folder" / "qrels.dev.txt").write_text("q1 0 d1 1\nq2 0 d2 1\n")
    monkeypatch.chdir(tmp_path)


def call(*arguments: str | Path, model: Path | str = "no-such-model") -> int:
    parser = argparse.ArgumentParser()
    eval_data.add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["data", *map(str, arguments), "--model", str(model)])
    code: int = parsed.run(parsed)
    return code


@pytest.mark.parametrize(
    ("arguments", "kind", "measure"),
    [
        (("pairs.csv",), "pairs", "spearman"),
        (("triples.jsonl",), "triples", "accuracy"),
        (("labelled.tsv",), "labelled", "v_measure"),
        (("folder", "--split", "dev"), "retrieval", "ndcg@10"),
        (THREE_FILES, "retrieval", "mrr@10"),
        (("odd.csv", "--kind", "pairs", "--columns", "mine, yours,how"), "pairs", "pearson"),
        (("pairs.csv", "--columns", "sentence2,sentence1,score"), "pairs", "spearman"),
        (("both.csv", "--kind", "triples", "--columns", "text,a,b"), "triples", "mean_margin"),
    ],
)
def test_each_kind_prints_its_measures(
    capsys: pytest.CaptureFixture[str], tiny_checkpoint: Path, arguments: tuple[str, ...], kind: str, measure: str
) -> None:
    assert call(*arguments, model=tiny_checkpoint) == 0
    output = capsys.readouterr().out
    assert f"{tiny_checkpoint} (float32) on" in output
    assert measure in output
    assert call(*arguments, "--json", "--precision", "int8", model=tiny_checkpoint) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["precision"]) == (kind, "int8")
    assert measure in found["scores"]


def test_two_columns_that_are_named_are_text_and_label(
    capsys: pytest.CaptureFixture[str], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "mails.csv").write_text("body,topic,x\na,p,1\nb,p,1\nc,q,1\nd,q,1\n")
    assert call("mails.csv", "--columns", "body,topic", "--json", model=tiny_checkpoint) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "labelled"


def test_the_page_is_written_beside_the_table(capsys: pytest.CaptureFixture[str], tiny_checkpoint: Path) -> None:
    assert call("pairs.csv", "--html", "errors.html", model=tiny_checkpoint) == 0
    assert f"page: {Path('errors.html').resolve()}" in capsys.readouterr().out
    assert "spearman" in Path("errors.html").read_text(encoding="utf-8")


def test_texts_that_are_cut_are_among_the_notes_and_no_warning(
    capsys: pytest.CaptureFixture[str], tiny_checkpoint: Path
) -> None:
    assert call("pairs.csv", "--max-tokens", "3", model=tiny_checkpoint) == 0
    assert "longer than the 3 tokens that the model reads" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((), ArgumentError, "no data: name a file or a folder"),
        (("odd.csv",), FileFormatError, "are not those of a known kind: 'mine', 'yours', 'how'. Say what they are"),
        (("odd.csv", "--columns", "mine,yours,how"), FileFormatError, "could be pairs or triples"),
        (("both.csv",), FileFormatError, "could be pairs or labelled"),
        (("none.csv",), FileFormatError, "none.csv: can't be read"),
        (("--queries", "q.tsv"), ArgumentError, "--documents and --qrels missing"),
        (("pairs.csv", "--queries", "q", "--documents", "d", "--qrels", "r"), ArgumentError, "pairs.csv is too much"),
        (
            ("--queries", "q", "--documents", "d", "--qrels", "r", "--kind", "pairs"),
            ArgumentError,
            "--kind pairs has no",
        ),
        (("pairs.csv", "--split", "dev"), ArgumentError, "split is for a folder"),
        (("folder", "--columns", "a,b,c"), ArgumentError, "columns is for pairs"),
        (("folder",), FileFormatError, "no qrels file for the split 'test'"),
        (("folder", "--kind", "pairs"), FileFormatError, "is a folder"),
        (("pairs.csv", "--html", "errors.txt"), ArgumentError, "give the page a name that ends in .html"),
        (("pairs.csv", "--html", "none/errors.html"), FileFormatError, "there is no folder"),
        (("pairs.csv", "--columns", "sentence1,sentence2,x"), GtekitError, ""),
    ],
)
def test_bad_calls_are_refused_before_a_model_is_loaded(
    arguments: tuple[str, ...], error: type[GtekitError], words: str
) -> None:
    with pytest.raises(error) as caught:
        call(*arguments)
    assert words in str(caught.value)
