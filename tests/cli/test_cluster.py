"""gtekit cluster: a summary, rows, a page, pictures, and what is refused before a model is loaded."""

import csv
import json
from pathlib import Path

import pytest

import gtekit
from tests.cli.conftest import Run
from tests.tasks.clusters.blobs import subject_texts

MINILM = ("-m", "all-MiniLM-L6-v2")


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    texts, subjects = subject_texts()
    path = tmp_path / "tickets.jsonl"
    rows = [
        {"id": number, "text": text, "subject": subject}
        for number, (text, subject) in enumerate(zip(texts, subjects, strict=True))
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_a_summary_has_a_line_a_cluster(run: Run, minilm: gtekit.Embedder, tickets: Path) -> None:
    code, output, errors = run("cluster", tickets, "--clusters", "4", *MINILM)
    assert (code, errors) == (0, "")
    lines = output.splitlines()
    assert lines[0] == "36 texts in 4 clusters"
    assert lines[1].split() == ["cluster", "texts", "name", "nearest", "to", "the", "centre"]
    assert [line.split()[:2] for line in lines[2:]] == [[str(number), "9"] for number in range(4)]
    for word in ("invoice", "parcel", "password", "bread"):
        assert word in output


def test_auto_finds_the_four_subjects_and_says_how(run: Run, minilm: gtekit.Embedder, tickets: Path) -> None:
    _, output, _ = run("cluster", tickets, "--json", *MINILM)
    found = json.loads(output)
    assert found["count_choice"]["best"] == len(found["clusters"]) == 4
    assert found["count_choice"]["criterion"] == "silhouette"
    assert found["clusters"][0]["representatives"][0]["number"] >= 1
    assert {term["term"] for term in found["clusters"][0]["terms"]}


def test_rows_keep_their_fields_and_gain_cluster_and_name(
    run: Run, minilm: gtekit.Embedder, tickets: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    assert run("cluster", tickets, "--clusters", "4", "-o", out, "--keep", "all", *MINILM)[0] == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == list(range(36))
    assert list(rows[0]) == ["id", "text", "subject", "cluster", "name", "similarity", "confidence"]
    assert len({(row["subject"], row["cluster"], row["name"]) for row in rows}) == 4
    assert all(0 < row["similarity"] <= 1 and row["confidence"] > 0 for row in rows)


def test_csv_and_standard_output_hold_the_same_rows(
    run: Run, minilm: gtekit.Embedder, tickets: Path, tmp_path: Path
) -> None:
    options = ("--method", "communities", "--threshold", "0.5", "--min-size", "5", "--keep", "id", *MINILM)
    run("cluster", tickets, "-o", tmp_path / "out.csv", *options)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        from_csv = list(csv.DictReader(stream))
    code, output, errors = run("cluster", "-", "--format", "jsonl", "-o", "-", *options, stdin=tickets.read_bytes())
    from_lines = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert "36 texts in" in errors
    assert [row["cluster"] for row in from_csv] == [str(row["cluster"]) for row in from_lines]
    assert [row["id"] for row in from_csv] == [str(row["id"]) for row in from_lines]
    alone = [row for row in from_lines if row["cluster"] == -1]
    assert all(row["name"] is None and row["similarity"] is None for row in alone)


def test_maps_curve_and_terms_are_written(run: Run, minilm: gtekit.Embedder, tickets: Path, tmp_path: Path) -> None:
    page, picture, curve = tmp_path / "map.html", tmp_path / "map.png", tmp_path / "curve.png"
    code, output, _ = run("cluster", tickets, "--html", page, "--png", picture, "--curve", curve, "--terms", *MINILM)
    assert code == 0
    assert "<h1>36 texts in 4 clusters: tickets.jsonl</h1>" in page.read_text(encoding="utf-8")
    assert "all-MiniLM-L6-v2" in page.read_text(encoding="utf-8")
    for path in (picture, curve):
        assert path.read_bytes().startswith(b"\x89PNG")
    assert "\n0  " in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--clusters", "many"), "--clusters many is not possible; choose a whole number, 1 or more, or auto"),
        (("--clusters", "0"), "--clusters 0 is not possible"),
        (("--clusters", "37"), "--clusters 37 is more than the 36 texts"),
        (("--method", "hdbscan", "--clusters", "3"), "--clusters 3 is an option of --method kmeans"),
        (("--threshold", "0.5"), "--threshold 0.5 is an option of --method communities"),
        (("--method", "communities", "--threshold", "7"), "--threshold 7.0 is not possible; choose a cosine"),
        (("--method", "hdbscan", "--min-size", "1"), "--min-size 1 is not possible"),
        (("--min-size", "10"), "--min-size 10 is an option of --method hdbscan and communities"),
        (("--method", "hdbscan", "--criterion", "silhouette"), "--criterion silhouette is an option of"),
        (("--clusters", "3", "--criterion", "silhouette"), "--criterion silhouette is an option of"),
        (("--html", "tickets.html"), "tickets.html: is a folder"),
        (("--png", "a.png", "--curve", "a.png"), "--curve a.png: is the file of --png as well"),
        (("-o", "tickets.jsonl"), "-o tickets.jsonl: is the input"),
        (("--clusters", "3", "--curve", "c.png"), "--curve shows how --clusters auto"),
        (("-o", "out.xlsx"), "out.xlsx: name the output .jsonl, .csv or .tsv"),
        (("--html", "map.png"), "map.png: is written as HTML; name it map.html"),
        (("--png", "missing/map.png"), "no file can be made in missing"),
        (("-o", "-", "--json"), "-o - and --json both print to standard output"),
        (("--keep", "nothing"), "no field 'nothing' to keep"),
    ],
)
def test_what_can_not_be_done_is_said_before_a_model_is_looked_for(
    run: Run, tickets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tickets.html").mkdir()
    code, output, errors = run("cluster", tickets, *arguments, "-m", "no-such-folder/model")
    assert code != 0
    assert output == ""
    assert message in errors


def test_a_field_that_has_the_name_of_a_result_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a"}\n{"text": "a", "cluster": 3}\n', encoding="utf-8")
    code, _, errors = run("cluster", path, "--keep", "all", "-o", tmp_path / "out.jsonl")
    assert code != 0
    assert f"{path}, line 2: the field 'cluster' has the name of a result" in errors
