"""gtekit dedupe: rows that stay, with all they hold, and what is said of the others."""

import csv
import gzip
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gtekit
from gtekit.cli.seekable_input import seekable_input
from gtekit.tasks import paraphrases
from tests.cli.conftest import Run

MODEL = ("-m", "all-MiniLM-L6-v2")
TEXTS = [
    "How do I reset my password?",
    "The weather in Beijing is fine today.",
    "How can I reset my password?",
    "How do I reset my password?",
    "Bread with wild yeast",
]
KEPT = [0, 1, 4]


def write(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def read(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    records: list[dict[str, Any]] = [{"id": number, "text": text, "tags": ["a"]} for number, text in enumerate(TEXTS)]
    records[4]["more"] = None
    return write(tmp_path / "tickets.jsonl", records)


def test_kept_rows_have_all_their_fields_and_the_counts_go_to_stderr(run: Run, minilm: object, tickets: Path) -> None:
    output = tickets.with_name("kept.jsonl")
    code, printed, errors = run("dedupe", tickets, "-o", output, "--threshold", "0.85", *MODEL)
    assert (code, printed) == (0, "")
    assert output.read_text("utf-8") == "".join(
        tickets.read_text("utf-8").splitlines(keepends=True)[row] for row in KEPT
    )
    assert "gtekit: 5 texts, 3 kept, 2 dropped at a cosine of 0.8500 or more." in errors


def test_the_model_s_calibration_says_where_duplicates_begin(run: Run, minilm: object, tickets: Path) -> None:
    code, printed, errors = run("dedupe", tickets, *MODEL)
    assert code == 0
    assert [row["id"] for row in read(printed)] == KEPT
    assert "2 dropped at a cosine of 0.9" in errors


def test_a_model_without_calibration_asks_for_a_threshold(run: Run, tickets: Path, tiny_checkpoint: Path) -> None:
    code, printed, errors = run("dedupe", tickets, "-m", tiny_checkpoint)
    assert (code, printed) == (2, "")
    assert "Give a threshold" in errors
    assert "gtekit pairs fit pairs.csv" in errors


def test_standard_input_is_read_twice_too(run: Run, minilm: object, tickets: Path) -> None:
    arguments = ("--format", "jsonl", "--threshold", "0.85", *MODEL)
    code, printed, _ = run("dedupe", "-", *arguments, stdin=tickets.read_bytes())
    assert code == 0
    assert [row["id"] for row in read(printed)] == KEPT
    code, printed, _ = run("dedupe", "--threshold", "0.85", *MODEL, stdin="\n".join(TEXTS).encode())
    assert read(printed) == [{"text": TEXTS[row]} for row in KEPT]


def test_csv_stays_csv(run: Run, minilm: object, tmp_path: Path) -> None:
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["n", "body"], *([number, text] for number, text in enumerate(TEXTS))])
    arguments = ("--field", "body", "--threshold", "0.85", "--keep", "last", *MODEL)
    assert run("dedupe", tmp_path / "in.csv", *arguments, "-o", tmp_path / "out.csv")[0] == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    assert [row["n"] for row in rows] == ["1", "3", "4"]
    assert rows[0] == {"n": "1", "body": TEXTS[1]}


def test_groups_name_lines_and_texts(run: Run, minilm: object, tickets: Path) -> None:
    groups = tickets.with_name("groups.jsonl")
    arguments = ("--threshold", "0.85", "--groups", groups, "--keep", "last", *MODEL)
    assert run("dedupe", tickets, *arguments, "-o", tickets.with_name("kept.jsonl"))[0] == 0
    (group,) = read(groups.read_text("utf-8"))
    assert group["kept"] == {"number": 4, "text": TEXTS[3]}
    assert [(one["number"], one["text"]) for one in group["duplicates"]] == [(1, TEXTS[0]), (3, TEXTS[2])]
    assert group["duplicates"][0]["score"] == 1
    assert 0.85 < group["duplicates"][1]["score"] < 1


def test_a_report_shows_the_groups_and_writes_no_rows(run: Run, minilm: object, tickets: Path) -> None:
    arguments = ("dedupe", tickets, "--threshold", "0.85", "--report", *MODEL)
    code, printed, _ = run(*arguments)
    assert code == 0
    assert printed.splitlines()[1].split()[:2] == ["3", "1"]
    assert TEXTS[2] in printed
    found = json.loads(run(*arguments, "--json")[1])
    assert (found["texts"], found["kept"], found["dropped"]) == (5, 3, 2)
    assert found["groups"][0]["kept"]["text"] == TEXTS[0]


def test_a_report_of_texts_that_all_differ_says_so(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    code, printed, _ = run("dedupe", tmp_path / "in.txt", "--threshold", "1", "--report", "-m", tiny_checkpoint)
    assert (code, printed) == (0, "No text repeats another.\n")


def test_parquet_rows_become_json(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    table = pa.table({"text": ["a", "a", "b"], "day": [date(2024, 1, day) for day in (1, 2, 3)]})
    pq.write_table(table, tmp_path / "in.parquet")
    code, printed, _ = run("dedupe", tmp_path / "in.parquet", "--threshold", "1", "-m", tiny_checkpoint)
    assert code == 0
    assert read(printed) == [{"text": "a", "day": "2024-01-01"}, {"text": "b", "day": "2024-01-03"}]


def test_rows_with_new_fields_do_not_fit_into_a_table(run: Run, minilm: object, tickets: Path) -> None:
    output = tickets.with_name("kept.csv")
    code, _, errors = run("dedupe", tickets, "-o", output, "--threshold", "0.85", *MODEL)
    assert code == 2
    assert "has fields that the first has not (more)" in errors
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "2"], "--threshold 2.0 is not possible"),
        (["-o", "kept.txt"], "name the output .jsonl"),
        (["--groups", "groups.csv"], "name the file .jsonl"),
        (["--no-normalize"], "--no-normalize has no meaning here"),
        (["--field", "body"], "no field 'body'"),
        (["--json"], "-o - and --json both print to standard output"),
        (["--pairs", "pairs.txt"], "name --pairs .jsonl, .csv or .tsv"),
        (["--pairs", "pairs.csv", "--report"], "--report is about texts to keep"),
        (["--pairs", "pairs.csv", "-o", "kept.csv"], "-o is about texts to keep"),
    ],
)
def test_what_can_not_be_done_is_said_before_a_model_is_loaded(
    run: Run, tickets: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    code, printed, errors = run("dedupe", tickets, *arguments, "-m", tmp_path / "no-model")
    assert (code, printed) == (2, "")
    assert message in errors


def test_an_output_can_not_be_the_groups_too(run: Run, tickets: Path) -> None:
    output = tickets.with_name("kept.jsonl")
    code, _, errors = run("dedupe", tickets, "-o", output, "--groups", output)
    assert code == 2
    assert "--groups" in errors
    assert "is the file of -o as well" in errors


@pytest.mark.parametrize("option", ["-o", "--groups", "--pairs"])
def test_the_input_is_never_an_output(run: Run, tickets: Path, option: str) -> None:
    before = tickets.read_bytes()
    (tickets.parent / "link.jsonl").symlink_to(tickets)
    for name in ("tickets.jsonl", "link.jsonl"):
        code, _, errors = run("dedupe", tickets, option, tickets.parent / name, "-m", "no-such-model")
        assert code == 2
        assert f"{option} {tickets.parent / name}: is the input" in errors
    assert tickets.read_bytes() == before


def test_pairs_are_written_with_lines_and_texts(run: Run, minilm: gtekit.Embedder, tickets: Path) -> None:
    target = tickets.with_name("pairs.jsonl")
    code, printed, errors = run("dedupe", tickets, "--pairs", target, "--threshold", "0.85", *MODEL)
    assert (code, printed) == (0, "")
    assert f"{target}: 2 pairs of 5 texts." in errors
    expected = paraphrases(minilm, TEXTS, threshold=0.85)
    found = {(row["number_a"] - 1, row["number_b"] - 1): row for row in read(target.read_text("utf-8"))}
    assert sorted(found) == sorted(zip(expected.left.tolist(), expected.right.tolist(), strict=True))
    for (left, right), row in found.items():
        assert (row["text_a"], row["text_b"]) == (TEXTS[left], TEXTS[right])
    assert found[0, 3]["score"] == 1


def test_pairs_can_be_scored_again(run: Run, minilm: gtekit.Embedder, tmp_path: Path) -> None:
    lines = "\n\n".join([*TEXTS, "Täglich grüßt das Murmeltier"]).encode()
    code, printed, _ = run("dedupe", "-", "--pairs", tmp_path / "p.csv", "--json", *MODEL, stdin=lines)
    pairs = json.loads(printed)["pairs"]
    assert (code, pairs > 2) == (0, True)  # blank lines are texts, and alike
    _, printed, _ = run("pairs", "score", tmp_path / "p.csv", *MODEL)
    scored = read(printed)
    assert len(scored) == pairs
    for row in scored:
        assert row["cosine"] == pytest.approx(float(row["score"]), abs=2e-6)


def test_pairs_of_no_texts_are_refused(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    arguments = ("--pairs", tmp_path / "p.csv", "--threshold", "0.9", "-m", tiny_checkpoint)
    code, _, errors = run("dedupe", "-", *arguments)
    assert code == 2
    assert "holds no texts" in errors
    assert not (tmp_path / "p.csv").exists()


def test_packed_standard_input_is_told_without_the_name_of_a_copy(run: Run) -> None:
    code, _, errors = run("dedupe", "-", "--threshold", "0.9", stdin=gzip.compress(b"a\n"))
    assert code == 2
    assert "standard input: this is gzip. Unpack it on the way in" in errors
    assert "tmp" not in errors


def test_a_file_without_texts_is_refused(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    (tmp_path / "none.txt").write_text("")
    code, _, errors = run("dedupe", tmp_path / "none.txt", "--threshold", "1", "-m", tiny_checkpoint)
    assert code == 2
    assert "holds no texts" in errors


def test_a_file_is_its_own_path_and_a_copy_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("x")
    with seekable_input(str(tmp_path / "a.csv"), ".csv") as path:
        assert path == tmp_path / "a.csv"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo")))
    with seekable_input("-", ".txt") as path:
        assert path.suffix == ".txt"
        assert path.read_bytes() == b"one\ntwo"
    assert not path.exists()
