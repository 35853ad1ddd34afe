"""gtekit similarity: a number, a ranking, a matrix, a file."""

import json
from pathlib import Path

import numpy as np
import pytest

import gtekit
from tests.cli.conftest import Run

TEXTS = ["how to implement quick sort in python?", "Beijing", "sorting algorithms"]


def test_two_texts_give_one_number(run: Run, minilm: gtekit.Embedder) -> None:
    code, output, _ = run("similarity", *TEXTS[1:], "-m", "all-MiniLM-L6-v2")
    expected = float(gtekit.similarity(*map(minilm.encode_one, TEXTS[1:]))[0, 0])
    assert code == 0
    assert output == f"{expected:.4f}\n"


def test_several_texts_are_ranked_by_likeness_to_the_first(run: Run, minilm: gtekit.Embedder) -> None:
    _, output, _ = run("similarity", *TEXTS, "-m", "all-MiniLM-L6-v2")
    lines = [line.split("\t") for line in output.splitlines()]
    assert [line[1] for line in lines] == ["sorting algorithms", "Beijing"]
    assert float(lines[0][0]) > float(lines[1][0])


def test_a_matrix_compares_all_with_all(run: Run, minilm: gtekit.Embedder) -> None:
    _, output, _ = run("similarity", "--matrix", *TEXTS, "-m", "all-MiniLM-L6-v2", "--json")
    embeddings = minilm.encode(TEXTS)
    assert np.allclose(json.loads(output)["scores"], gtekit.similarity(embeddings, embeddings), atol=1e-6)
    _, output, _ = run("similarity", "--matrix", *TEXTS, "-m", "all-MiniLM-L6-v2")
    assert output.splitlines()[1].split()[:2] == ["1", "1.0000"]


def test_a_file_is_ranked_and_its_best_shown_with_their_lines(run: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(300)]
    (tmp_path / "corpus.jsonl").write_text("".join(f"{json.dumps({'text': text})}\n" for text in texts))
    code, output, _ = run(
        "similarity", "text 7", "--file", tmp_path / "corpus.jsonl", "--top-k", "3", "--json", "-m", tiny_checkpoint
    )
    results = json.loads(output)["results"]
    model = gtekit.load(tiny_checkpoint)
    scores = gtekit.similarity(model.encode(["text 7"]), model.encode(texts))[0]
    assert code == 0
    assert results[0] == {"score": 1.0, "number": 8, "text": "text 7"}
    assert [result["number"] - 1 for result in results] == list(np.argsort(-scores, kind="stable")[:3])


@pytest.mark.parametrize(
    "arguments", [["one"], ["one", "two", "--file", "a.txt"], ["one", "--file", "a.txt", "--top-k", "0"]]
)
def test_calls_that_mean_nothing_are_refused(run: Run, arguments: list[str]) -> None:
    assert run("similarity", *arguments)[0] == 2
