"""Official scores of all-MiniLM-L6-v2, through the door that people use for their own data."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

import gtekit
from gtekit.evaluation.own_data import evaluate

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "mteb"
pytestmark = [
    pytest.mark.skipif(not DATA.is_dir(), reason=f"needs MTEB's test sets in {DATA}"),
    pytest.mark.filterwarnings("ignore::gtekit.TruncationWarning"),
]


def test_sts17_has_its_official_score(minilm: gtekit.Embedder) -> None:
    found = evaluate(minilm, pairs=DATA / "STS17" / "test.jsonl.gz")
    assert found.counts["pairs"] == 250
    assert 100 * found.scores["spearman"] == pytest.approx(87.588, abs=0.05)
    assert found.intervals["spearman"].low < found.scores["spearman"] < found.intervals["spearman"].high


@pytest.mark.slow
def test_scifact_as_a_beir_folder_has_its_official_score(minilm: gtekit.Embedder, tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    for name in ("corpus.jsonl.gz", "queries.jsonl.gz"):
        shutil.copy(DATA / "SciFact" / name, tmp_path)
    with gzip.open(DATA / "SciFact" / "qrels.jsonl.gz", "rt", encoding="utf-8") as lines:
        judged = [json.loads(line) for line in lines]
    table = [f"{row['query_id']}\t{row['corpus_id']}\t{row['score']}" for row in judged]
    (tmp_path / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *table]))
    found = evaluate(minilm, retrieval=tmp_path)
    assert (found.counts["queries"], found.counts["documents"], found.counts["relevant"]) == (300, 5_183, 339)
    assert 100 * found.scores["ndcg@10"] == pytest.approx(64.508, abs=0.1)
