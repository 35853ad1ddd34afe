"""gtekit rerank: the order, the file, what travels along."""

import csv
import json
from pathlib import Path

import pytest

import gtekit
from gtekit.tasks import rank
from tests.cli.conftest import Run

TEXTS = ["Beijing is in China", "sorting algorithms", "quicksort in Python", "sorting algorithms", "bread"]
QUERY = "how to sort a list"
MINILM = ("-m", "all-MiniLM-L6-v2")


@pytest.fixture
def candidates(tmp_path: Path) -> Path:
    path = tmp_path / "candidates.jsonl"
    rows = [{"id": f"d{number}", "body": text, "year": number} for number, text in enumerate(TEXTS)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_lines_come_in_the_order_of_their_cosines(run: Run, minilm: gtekit.Embedder) -> None:
    code, output, _ = run("rerank", QUERY, "-", *MINILM, stdin="\n".join(TEXTS).encode())
    assert code == 0
    lines = [line.split("\t") for line in output.splitlines()]
    assert [text for _, text in lines] == [entry.text for entry in rank(minilm, QUERY, TEXTS)]
    assert [score for score, _ in lines] == sorted((score for score, _ in lines), reverse=True)


def test_results_have_rank_score_number_and_text(run: Run, minilm: gtekit.Embedder, candidates: Path) -> None:
    _, output, _ = run("rerank", QUERY, candidates, "--field", "body", "-k", "3", "--json", *MINILM)
    answer = json.loads(output)
    ranking = rank(minilm, QUERY, TEXTS, top_k=3)
    assert answer["query"] == QUERY
    assert answer["results"] == [
        {"rank": place, "score": round(entry.score, 6), "number": entry.index + 1, "text": entry.text}
        for place, entry in enumerate(ranking, start=1)
    ]


def test_fields_travel_along_into_jsonl_and_csv(
    run: Run, minilm: gtekit.Embedder, candidates: Path, tmp_path: Path
) -> None:
    order = [entry.index for entry in rank(minilm, QUERY, TEXTS)]
    for name in ("ranked.jsonl", "ranked.csv"):
        arguments = ("--field", "body", "--keep", "id,year", "-o", tmp_path / name)
        code, output, errors = run("rerank", QUERY, candidates, *arguments, *MINILM)
        assert (code, output) == (0, "")
        assert "5 of 5 texts" in errors
    rows = [json.loads(line) for line in (tmp_path / "ranked.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"d{place}" for place in order]
    assert list(rows[0]) == ["rank", "score", "number", "text", "id", "year"]
    with (tmp_path / "ranked.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [row["text"] for row in table] == [TEXTS[place] for place in order]


def test_diversity_puts_a_copy_last(run: Run, minilm: gtekit.Embedder) -> None:
    _, output, _ = run("rerank", QUERY, "-", "--diversity", "0.5", *MINILM, stdin="\n".join(TEXTS).encode())
    assert output.splitlines()[-1].endswith("sorting algorithms")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-k", "0"], "--top-k 0 is not possible"),
        (["--diversity", "2"], "--diversity 2.0 is not possible"),
        (["-o", "ranked.parquet"], "name the output .jsonl, .csv or .tsv"),
        (["--field", "none"], "no field 'none'"),
    ],
)
def test_bad_calls_are_told_before_a_model_is_loaded(
    run: Run, candidates: Path, arguments: list[str], said: str
) -> None:
    code, _, errors = run("rerank", QUERY, candidates, *arguments, "-m", "no-such-model")
    assert code == 2
    assert said in errors


def test_a_kept_field_with_the_name_of_a_result_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scored.jsonl").write_text('{"text": "a", "score": 1}\n')
    code, _, errors = run("rerank", QUERY, tmp_path / "scored.jsonl", "--keep", "all", "-m", "no-such-model")
    assert code == 2
    assert "line 1: the field 'score' has the name of a result" in errors
