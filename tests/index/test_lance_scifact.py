"""What a search is worth: nDCG@10 on SciFact, with the real model and data."""

import gzip
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lancedb")
pytest.importorskip("pytrec_eval")

import gtekit
import gtekit.index
from gtekit.evaluation.metrics import rank
from gtekit.index import Hit

SCIFACT = Path(__file__).resolve().parents[3] / "shared" / "data" / "mteb" / "SciFact"
MEASURE = "ndcg_cut_10"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SCIFACT.is_dir(), reason=f"needs MTEB's SciFact in {SCIFACT}")]


def records(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(SCIFACT / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@pytest.mark.usefixtures("minilm_folder")
def test_an_index_is_as_good_as_plain_search_and_hybrid_as_the_better_half(tmp_path: Path) -> None:
    model = gtekit.load("all-MiniLM-L6-v2", precision="int8")  # a third of the time; all searches get these vectors
    documents, queries = list(records("corpus")), list(records("queries"))
    judged: dict[str, dict[str, int]] = {}
    for row in records("qrels"):
        judged.setdefault(str(row["query_id"]), {})[str(row["corpus_id"])] = int(row["score"])

    def score(answers: Sequence[Sequence[Hit]]) -> float:
        run = {row["_id"]: {hit.id: hit.score for hit in hits} for row, hits in zip(queries, answers, strict=True)}
        return statistics.mean(row[MEASURE] for row in rank(judged, run, [MEASURE]).values())

    ids = [row["_id"] for row in documents]
    texts = [f"{row['title']} {row['text']}".strip() for row in documents]
    vectors = model.encode_document(texts, on_truncation="ignore")
    asked = [row["text"] for row in queries]
    products = model.encode_query(asked) @ vectors.T
    best = np.argsort(-products, axis=1, kind="stable")[:, :10]
    plain = score([[Hit(ids[row], float(products[n, row])) for row in some] for n, some in enumerate(best)])

    exactly = gtekit.index.create(tmp_path / "exact", model)
    approximately = gtekit.index.create(tmp_path / "approximate", model, exact_below=0)
    for index in (exactly, approximately):
        index.upsert(ids, texts, vectors)
        index.optimize()
    assert approximately.stats().search != "exact"
    assert score(exactly.search_many(asked)) == pytest.approx(plain, abs=0.001)
    assert score(approximately.search_many(asked)) == pytest.approx(plain, abs=0.005)
    words = score(exactly.search_many(asked, mode="text"))
    assert words > 0.67
    for index in (exactly, approximately):
        assert score(index.search_many(asked, mode="hybrid")) >= max(plain, words) - 0.005
