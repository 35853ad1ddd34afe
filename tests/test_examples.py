"""Every example runs, with the real MiniLM and with its default model (seeded, from a hub cache)."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
MINILM = "all-MiniLM-L6-v2"

# The page's first example with transformers 5.23.0, torch 2.13.0 and this model: print(scores.tolist())
PAGE_SCORES = [8.030784606933594, 65.2204360961914, -2.4493885040283203]
# The page's second example with sentence-transformers 6.2.0 and this model
PAGE_COSINE = 0.9429
MAX_SCORE_DIFF = 4e-3  # scores are cosines x 100; 2e-5 a number, over a norm of 1


def run(example: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", str(example), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def example_named(name: str) -> Path:
    (example,) = (path for path in EXAMPLES if path.stem == name)
    return example


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_with_its_default_model(example: Path, offline_hub: dict[str, str]) -> None:
    assert run(example, environment=offline_hub)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_what_it_shows(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 40
    assert ast.get_docstring(ast.parse(text))


def test_the_first_example_of_the_page_prints_the_scores_of_transformers() -> None:
    (scores,) = ast.literal_eval(run(example_named("page_scores"), MINILM))
    assert scores == pytest.approx(PAGE_SCORES, abs=MAX_SCORE_DIFF)


def test_the_second_example_of_the_page_prints_the_cosine_of_sentence_transformers() -> None:
    ((cosine,),) = ast.literal_eval(run(example_named("only_the_import_changed"), MINILM))
    assert cosine == pytest.approx(PAGE_COSINE, abs=1e-4)


def test_search_puts_the_answer_first() -> None:
    lines = run(example_named("search"), MINILM).splitlines()
    assert "Quicksort picks a pivot" in lines[1]
    assert "Beijing is the capital" in lines[5]


def test_the_long_document_is_found_in_the_passage_that_holds_the_answer() -> None:
    assert "it holds the answer: True" in run(example_named("long_documents"), MINILM)


def test_small_vectors_keep_the_ranking() -> None:
    printed = run(example_named("small_vectors"), MINILM)
    assert "same ranking: True" in printed
    assert "float32: 6,144 bytes, int8: 1,552, bits: 192" in printed


def test_streaming_writes_every_vector() -> None:
    match = re.match(r"(\d+) vectors of 384 numbers, ([\d,]+) bytes", run(example_named("streaming"), MINILM))
    assert match is not None
    assert int(match[2].replace(",", "")) == int(match[1]) * 384 * 4


@pytest.mark.reference
def test_the_first_example_prints_what_transformers_computes_now(minilm_folder: str) -> None:
    functional = pytest.importorskip("torch").nn.functional
    transformers = pytest.importorskip("transformers")
    texts = ["what is the capital of China?", "how to implement quick sort in python?", "Beijing", "sorting algorithms"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm_folder)
    model = transformers.AutoModel.from_pretrained(minilm_folder)
    batch = tokenizer(texts, max_length=512, padding=True, truncation=True, return_tensors="pt")
    mask = batch["attention_mask"]
    hidden = model(**batch).last_hidden_state.masked_fill(~mask[..., None].bool(), 0.0)
    embeddings = functional.normalize(hidden.sum(dim=1) / mask.sum(dim=1)[..., None], p=2, dim=1)
    expected = ((embeddings[:1] @ embeddings[1:].T) * 100).tolist()
    (scores,) = ast.literal_eval(run(example_named("page_scores"), MINILM))
    assert scores == pytest.approx(expected[0], abs=MAX_SCORE_DIFF)
