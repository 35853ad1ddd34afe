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
        (["-o", "candidates.jsonl"], "-o candidates.jsonl: is the input"),
        (["-o", "folder.jsonl"], "folder.jsonl: is a folder"),
        (["--queries", "queries.txt"], "a QUERY and --queries FILE both say"),
    ],
)
def test_bad_calls_are_told_before_a_model_is_loaded(
    run: Run, candidates: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(candidates.parent)
    (candidates.parent / "folder.jsonl").mkdir()
    code, _, errors = run("rerank", QUERY, candidates, *arguments, "-m", "no-such-model")
    assert code == 2
    assert said in errors


def test_a_kept_field_with_the_name_of_a_result_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scored.jsonl").write_text('{"text": "a"}\n{"text": "a", "score": 1}\n')
    code, _, errors = run("rerank", QUERY, tmp_path / "scored.jsonl", "--keep", "all", "-m", "no-such-model")
    assert code == 2
    assert "line 2: the field 'score' has the name of a result" in errors


def test_the_ranked_text_is_never_lost(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "other", "body": "ranked"}\n')
    common = ("rerank", QUERY, path, "--field", "body", "--json", "-m", tiny_checkpoint)
    (result,) = json.loads(run(*common, "--keep", "text")[1])["results"]
    assert (result["text"], result["body"]) == ("ranked", "ranked")  # the word text: the field that is ranked
    for keep in ("all", "body,text"):
        code, _, errors = run(*common, "--keep", keep)
        assert code == 2
        assert "in.jsonl, line 1: the field 'text' has the name of a result" in errors
    (result,) = json.loads(run("rerank", QUERY, path, "--keep", "all", "--json", "-m", tiny_checkpoint)[1])["results"]
    assert (result["text"], result["body"]) == ("other", "ranked")


def test_a_text_of_several_lines_is_one_line(run: Run, tiny_checkpoint: Path) -> None:
    rows = json.dumps({"text": "one\ntwo\tthree"}).encode()
    _, output, _ = run("rerank", QUERY, "-", "--format", "jsonl", "-m", tiny_checkpoint, stdin=rows)
    assert output.splitlines()[0].split("\t")[1:] == ["one two three"]
    assert len(output.splitlines()) == 1


def test_each_query_of_a_file_has_its_ranking(
    run: Run, minilm: gtekit.Embedder, candidates: Path, tmp_path: Path
) -> None:
    queries = [QUERY, "capital of China"]
    (tmp_path / "queries.txt").write_text("\n\n".join(queries))
    arguments = ("rerank", "--queries", tmp_path / "queries.txt", candidates, "--field", "body", "-k", "2", *MINILM)
    code, output, _ = run(*arguments, "-o", tmp_path / "out.jsonl", "--json")
    assert code == 0
    assert json.loads(output)["results"] == 4
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["query"], row["rank"], row["text"]) for row in rows] == [
        (query, place, entry.text)
        for query in queries
        for place, entry in enumerate(rank(minilm, query, TEXTS, top_k=2), start=1)
    ]
    lines = [line.split("\t") for line in run(*arguments)[1].splitlines()]
    assert [(query, text) for query, _, text in lines] == [(row["query"], row["text"]) for row in rows]
    (tmp_path / "queries.txt").write_text("\n")
    assert "holds no queries" in run(*arguments)[2]
    assert "nothing to hold the texts against" in run("rerank")[2]
