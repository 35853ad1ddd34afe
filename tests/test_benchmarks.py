"""The parts of benchmarks/ that decide whether a comparison is fair: texts, batches, cosines, ratios."""

import random
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from benchmarks.measure import cosines, ratios_to_gtekit
from benchmarks.peers.batching import pad, plan
from benchmarks.workloads import MIXED, QUERIES, WORKLOADS, Workload, describe, lengths_of, whole_words, write_texts
from gtekit.checkpoint.seeded import write_seeded_checkpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks") / "model"
    write_seeded_checkpoint(folder, size="tiny")
    return folder


@pytest.mark.parametrize("workload", [MIXED, QUERIES], ids=lambda workload: workload.name)
def test_every_text_has_exactly_the_tokens_that_were_planned(model: Path, workload: Workload) -> None:
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = write_texts(workload, 50, whole_words(model), max_tokens=512)
    assert sorted(len(encoding.ids) for encoding in tokenizer.encode_batch(texts)) == lengths_of(workload, 50)


def test_texts_are_the_same_in_every_run_and_no_longer_than_the_model_reads(model: Path) -> None:
    words = whole_words(model)
    assert write_texts(MIXED, 30, words, 64) == write_texts(MIXED, 30, words, 64)
    assert max(len(text.split()) for text in write_texts(MIXED, 30, words, 64)) <= 64


def test_the_mixed_corpus_is_the_one_that_the_readme_describes() -> None:
    lengths = describe(lengths_of(MIXED, MIXED.texts))
    assert (lengths["texts"], lengths["shortest"], lengths["p50"], lengths["longest"]) == (400, 7, 85, 512)
    assert 46_000 < lengths["tokens"] < 48_000
    assert lengths["token_weighted_mean"] == pytest.approx(204, abs=1)
    assert set(WORKLOADS) == {"mixed", "queries", "documents"}


@pytest.mark.parametrize("batch_tokens", [1, 256, 4096])
def test_batches_hold_every_text_once_and_keep_the_budget(batch_tokens: int) -> None:
    random_numbers = random.Random(7)
    token_ids = [[1] * random_numbers.randint(2, 512) for _ in range(200)]
    batches = list(plan(token_ids, batch_tokens))
    assert sorted(row for rows in batches for row in rows) == list(range(200))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * max(len(token_ids[row]) for row in rows) <= batch_tokens


def test_padding_masks_what_is_not_text() -> None:
    ids, mask = pad([[5, 6, 7], [8]], [1, 0])
    assert ids.tolist() == [[8, 0, 0], [5, 6, 7]]
    assert mask.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_cosines_do_not_depend_on_length() -> None:
    reference = np.eye(2, 3, dtype=np.float32)
    found = cosines(np.array([[3, 0, 0], [0, 1, 1]], np.float32), reference)
    assert found == {"cosine_min": pytest.approx(0.5**0.5), "cosine_mean": pytest.approx((1 + 0.5**0.5) / 2)}


def test_ratios_are_made_within_a_round_before_the_median_is_taken() -> None:
    # the second round was slow for everybody: it leaves the ratio alone
    assert ratios_to_gtekit({"gtekit": [1.0, 3.0, 1.0], "other": [2.0, 6.0, 2.2]})["other"] == 2.0
    assert ratios_to_gtekit({"other": [2.0]}) == {}
