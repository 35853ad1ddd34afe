"""The parts of benchmarks/ that decide whether a comparison is fair: texts, batches, cosines, ratios, rivals."""

import random
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from benchmarks.eligibility import MIN_COSINE, best_rival, find_accuracy, rivals
from benchmarks.figures import TARGETS, Figure, figures_of, figures_table, write_value
from benchmarks.job import Job
from benchmarks.measure import cosines, ratios_to_gtekit
from benchmarks.parts import LINEAR, operations, scaling, share_of
from benchmarks.peers.batching import pad, plan
from benchmarks.peers.catalog import BY_NAME, CATALOG, OWN, choose
from benchmarks.real_texts import compose, repository_passages
from benchmarks.stream import growth
from benchmarks.throughput import hopeless, sampling
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
    assert ratios_to_gtekit({"gtekit": [1.0, 3.0, 1.0], "ort": [2.0, 6.0, 2.2]})["ort"] == {"gtekit": 2.0}
    assert ratios_to_gtekit({"ort": [2.0]}) == {"ort": {}}


def test_each_precision_is_held_against_its_own_and_int8_against_the_defaults_of_most_people() -> None:
    seconds = {"gtekit": [2.0], "gtekit-int8": [1.0], "st-default": [8.0], "ort": [4.0], "ort-int8": [3.0]}
    assert ratios_to_gtekit(seconds) == {
        "gtekit": {"gtekit": 1.0},
        "gtekit-int8": {"gtekit-int8": 1.0},
        "st-default": {"gtekit": 4.0, "gtekit-int8": 8.0},
        "ort": {"gtekit": 2.0},
        "ort-int8": {"gtekit-int8": 3.0},
    }


def test_a_peer_that_rested_is_compared_in_the_rounds_that_it_took_part_in() -> None:
    ratios = ratios_to_gtekit({"gtekit": [1.0, 2.0, 50.0], "ort": [3.0, 6.0]})
    assert ratios["ort"] == {"gtekit": 3.0}


def test_a_sample_is_an_eighth_of_many_texts_and_at_least_twenty_of_few() -> None:
    assert [sampling(texts) for texts in (1000, 400, 100, 40, 16)] == [8, 8, 5, 2, 2]


def test_hopeless_peers_rest_but_the_best_rivals_and_gtekit_never_do() -> None:
    seconds = {
        "gtekit": [9.0, 9.0],
        "gtekit-int8": [1.0, 1.0],
        "ort": [4.0, 4.0],
        "st-default": [6.0, 6.0],  # behind in both rounds
        "ct2": [6.0, 4.0],  # in one only
        "ort-int8": [3.0, 3.0],
        "openvino-static": [2.0, 2.0],  # the fastest, but it does not count: ort-int8 is not measured by it
    }
    assert hopeless(seconds, {"ort", "st-default", "ct2", "ort-int8"}) == {"st-default", "openvino-static"}


def test_only_accurate_8_bit_programs_are_rivals() -> None:
    rows = {
        "gtekit-int8": {"tokens_per_s": 9.0, "cosine_mean": 0.999},
        "openvino-static": {"tokens_per_s": 8.0, "cosine_mean": 0.999},
        "ort-int8": {"tokens_per_s": 7.0, "cosine_mean": 0.5},
        "ct2-int8": {"tokens_per_s": 6.0, "cosine_mean": 0.999},
        "ort": {"tokens_per_s": 5.0, "cosine_mean": 0.5},
    }
    on_trained_weights = {"peers": {"openvino-static": {"cosine_mean": 0.93}, "ort-int8": {"cosine_mean": 0.984}}}
    assert rivals(rows, "int8", on_trained_weights) == ["ort-int8", "ct2-int8"]
    assert best_rival(rows, "int8", on_trained_weights, by="tokens_per_s", more_is_better=True) == "ort-int8"
    assert best_rival(rows, "int8", {}, by="tokens_per_s", more_is_better=True) == "openvino-static"
    assert rivals(rows, "float32", {}) == ["ort"]  # fp32 is fp32; the report shows its cosine
    assert best_rival({}, "int8", {}, by="tokens_per_s") is None
    assert MIN_COSINE == 0.98


def test_accuracy_of_the_small_shape_stands_for_the_others(tmp_path: Path) -> None:
    for folder in ("small", "base"):
        (tmp_path / folder).mkdir()
    assert find_accuracy(tmp_path / "base") == {}
    (tmp_path / "small" / "accuracy.json").write_text('{"of": "small"}', encoding="utf-8")
    assert find_accuracy(tmp_path / "base") == {"of": "small"}
    (tmp_path / "base" / "accuracy.json").write_text('{"of": "base"}', encoding="utf-8")
    assert find_accuracy(tmp_path / "base") == {"of": "base"}


def test_real_texts_are_whole_sentences_in_their_order_until_the_words_are_enough() -> None:
    passages = ["One two three. Four five!", "Six seven eight nine."]
    assert compose(passages, [4, 2]) == ["One two three. Four", "Six seven"]
    assert compose(passages, [100, 5]) == ["One two three. Four five! Six seven eight nine."]


def test_the_repository_has_prose_for_the_accuracy_question() -> None:
    passages = list(repository_passages())
    assert sum(len(passage.split()) for passage in passages) > 1_000
    assert not any(passage.startswith(("```", "|", "#")) for passage in passages)


def test_operations_are_those_of_gte_small() -> None:
    job = Job(
        work=Path(),
        model=Path(),
        name="small",
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=1536,
        max_tokens=512,
    )
    counts = operations(job, [100, 300])
    assert sum(counts[part] for part in LINEAR) == 400 * 12 * 2 * (4 * 384 * 384 + 2 * 384 * 1536)  # 42.5 M a token
    assert counts["attention"] == 12 * 4 * 384 * (100**2 + 300**2)


def test_a_share_is_of_the_ceiling_of_its_own_round_and_of_one_thread_time() -> None:
    runs = [
        {"part_seconds": {"up": 2.0, "down": 2.0, "norm": 1.0}, "ceilings": {"int8": 1e9}},
        {"part_seconds": {"up": 4.0, "down": 4.0, "norm": 1.0}, "ceilings": {"int8": 0.5e9}},  # the cores were slower
    ]
    reached = share_of(runs, ["up", "down"], {"up": 0.5e9, "down": 0.5e9}, threads=2, against="int8")
    assert reached["share_of_ceiling"] == 0.5
    assert reached["seconds"] == 3.0
    assert share_of(runs, ["norm"], {}, threads=2, against="int8") == {"seconds": 0.5}


def test_scaling_is_held_against_the_loop_of_the_same_round() -> None:
    one = [{"seconds": 10.0, "ceilings": {"int8": 100.0}}]
    two = [{"seconds": 5.0, "ceilings": {"int8": 160.0}}]
    assert scaling(one, two, "int8") == {"bulk": 2.0, "ceiling": 1.6, "share": 1.25}


def test_growth_compares_the_most_memory_after_the_first_minute_with_the_most_within_it() -> None:
    steady = [(float(second), 100.0 + second % 7) for second in range(180)]
    assert growth(steady)["growth_mib"] == 0
    leaking = [(float(second), 100.0 + second) for second in range(181)]
    assert growth(leaking) == {"warm_s": 60.0, "peak_warm_mib": 160.0, "peak_later_mib": 280.0, "growth_mib": 120.0}
    short = [(0.5, 10.0), (1.0, 11.0), (1.5, 11.0), (2.0, 11.5)]
    assert growth(short)["growth_mib"] == 0.5  # the second half against the first


def test_a_figure_is_met_missed_or_without_target() -> None:
    assert Figure(name="int8_bulk", measured=2.5).verdict == "met"
    assert Figure(name="int8_bulk", measured=2.49).verdict == "missed"
    assert Figure(name="tokenizing", measured=0.029).verdict == "met"
    assert Figure(name="tokenizing", measured=0.031).verdict == "missed"
    assert Figure(name="int8_tail", measured=1.2, limit=1.3).verdict == "met"  # the rival's figure is the target
    assert {Figure(name=name, measured=1.0).verdict for name, target in TARGETS.items() if target.value is None} <= {""}


def test_figures_name_the_rival_that_they_are_held_against() -> None:
    rows = {
        "gtekit-int8": {"tokens_per_s": 9.0, "cosine_mean": 1.0, "speed_ratios": {"gtekit-int8": 1.0}},
        "ort-int8": {"tokens_per_s": 5.0, "cosine_mean": 0.99, "speed_ratios": {"gtekit-int8": 1.8}},
        "ct2-int8": {"tokens_per_s": 6.0, "cosine_mean": 0.9, "speed_ratios": {"gtekit-int8": 1.5}},
        "st-default": {"tokens_per_s": 2.0, "cosine_mean": 1.0, "speed_ratios": {"gtekit-int8": 4.5}},
    }
    throughput = {"workloads": {"mixed": {"peers": rows}}}
    found = figures_of({"throughput": throughput}, {"base": throughput}, {})
    assert [(figure.name, figure.measured) for figure in found] == [
        ("int8_bulk", 1.8),
        ("int8_bulk_st", 4.5),
        ("base_bulk", 1.8),
    ]
    assert "| missed | ONNX Runtime, dynamic int8 |" in "\n".join(figures_table(found))
    assert write_value(0.0293, "%") == "2.9 %"


def test_the_catalog_has_a_row_of_gtekit_for_each_precision_and_rows_named_once() -> None:
    assert len({entry.name for entry in CATALOG}) == len(CATALOG)
    assert {name: BY_NAME[name].precision for name in OWN.values()} == {"gtekit": "float32", "gtekit-int8": "int8"}
    assert [entry.name for entry in choose(["st-best"], ["int8"])] == ["st-best"]  # named: measured
    assert "st-best" not in {entry.name for entry in choose(None, OWN)}
