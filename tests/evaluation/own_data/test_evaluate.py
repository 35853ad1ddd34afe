"""From a person's data to a result that says what was measured; with a real model for each kind."""

import json
from pathlib import Path

import pytest

import gtekit
from gtekit.errors import ArgumentError, MissingExtraError, TruncationWarning
from gtekit.evaluation import metrics
from gtekit.evaluation.own_data import Evaluation, Source, evaluate, read_source
from tests.evaluation.own_data.fixed_model import EAST, NEAR, NORTH, FixedModel

MODEL = FixedModel({"a": EAST, "near": NEAR, "north": NORTH, "one two three four": NEAR})
PAIRS = [("a", "near", 5.0), ("a", "north", 1.0)]
RETRIEVAL = Source(queries={"q": "a"}, documents={"d": "near"}, qrels={"q": {"d": 1}})
KINDS = [
    Source(pairs=PAIRS),
    Source(triples=[("a", "near", "north")]),
    Source(labelled=[("a", "x"), ("north", "y")]),
    Source(retrieval="folder"),
    RETRIEVAL,
]
AGREE = [("the cat sleeps", "a cat is asleep"), ("he plays the guitar", "a man is playing guitar")]
AGREE += [("stock prices fell", "shares went down"), ("it rains a lot", "there is heavy rain")]
DIFFER = [(first, AGREE[place - 1][1]) for place, (first, _) in enumerate(AGREE)]


def test_real_pairs_are_told_apart(minilm: gtekit.Embedder) -> None:
    labels = [(*pair, 1) for pair in AGREE] + [(*pair, 0) for pair in DIFFER]
    found = evaluate(minilm, pairs=labels)
    assert found.scores == {"average_precision": 1.0, "accuracy": 1.0, "f1": 1.0}
    assert not found.misses
    grades = [(*pair, 4.5) for pair in AGREE] + [(*pair, 0.5) for pair in DIFFER]
    # four of each: with half of the ranks tied, a perfect order of the halves gives 0.87
    assert 0.8 < evaluate(minilm, pairs=grades).scores["spearman"] < 0.88


def test_real_triples_are_told_apart(minilm: gtekit.Embedder) -> None:
    found = evaluate(minilm, triples=[(*near, far[1]) for near, far in zip(AGREE, DIFFER, strict=True)])
    assert found.scores["accuracy"] == 1
    assert 0.3 < found.scores["mean_margin"] < 1


def test_real_documents_are_found(minilm: gtekit.Embedder) -> None:
    found = evaluate(
        minilm,
        queries={f"q{place}": first for place, (first, _) in enumerate(AGREE)},
        documents={f"d{place}": {"title": "", "text": second} for place, (_, second) in enumerate(AGREE)},
        qrels={f"q{place}": {f"d{place}": 1} for place in range(len(AGREE))},
    )
    assert set(found.scores.values()) == {1.0}


def test_real_texts_are_sorted_by_subject(minilm: gtekit.Embedder) -> None:
    animals = ["a cat", "a dog", "a horse", "two sheep", "the cow", "a wild wolf"]
    money = ["stock prices", "the bank rate", "a loan", "interest on savings", "shares and bonds", "a mortgage"]
    found = evaluate(minilm, labelled=[(text, "animal") for text in animals] + [(text, "money") for text in money])
    assert found.scores["accuracy"] == 1
    assert found.scores["v_measure"] == pytest.approx(1)
    assert (found.model, found.fingerprint, found.precision) == (minilm.name, minilm.fingerprint, "float32")


def test_a_result_prints_as_a_table() -> None:
    assert str(evaluate(MODEL, pairs=PAIRS)) == (
        "fixed (float32) on pairs\n"
        "pairs: 2\n"
        "\n"
        "measure   score   95 % interval\n"
        "spearman  1.0000\n"
        "pearson   1.0000\n"
        "\n"
        "- scores are not in percent: 1 is the best\n"
        "- the values are graded, 1 to 5: the order of the cosines is compared with theirs\n"
        "- no interval where there are fewer than 10 items"
    )
    labels = evaluate(MODEL, pairs=[("a", "near", 1), ("a", "north", 0)] * 10)
    assert "accuracy (cosine >= 0.4000)  1.0000  1.0000 to 1.0000" in str(labels)


def test_a_result_is_json_but_for_its_samples(tmp_path: Path) -> None:
    found = evaluate(MODEL, pairs=[("a", "near", 1), ("a", "north", 1), ("a", "a", 0)] * 10)
    content = json.loads(json.dumps(found.as_json()))
    assert set(content) == set(Evaluation.__slots__) - {"samples"}
    assert content["scores"] == found.scores
    assert set(content["intervals"]["average_precision"]) == {"low", "high"}
    assert content["misses"][0]["texts"] == ["a", "a"]


def test_samples_give_the_score_again() -> None:
    found = evaluate(MODEL, pairs=[("a", "near", 1), ("a", "north", 1), ("a", "a", 0)] * 10)
    for measure, samples in found.samples.items():
        assert samples.score() == pytest.approx(100 * found.scores[measure])
        interval = found.intervals[measure]
        assert interval.low <= found.scores[measure] <= interval.high


def test_cut_texts_are_warned_of_and_noted() -> None:
    model = FixedModel(MODEL.vectors, max_tokens=3)
    with pytest.warns(TruncationWarning, match=r"1 of 3 texts is longer than the 3 tokens") as caught:
        found = evaluate(model, pairs=[*PAIRS, ("a", "one two three four", 2)][1:])
    assert caught[0].filename == __file__
    assert any(note.startswith("1 of 3 texts is longer") for note in found.notes)


@pytest.mark.filterwarnings("ignore::gtekit.TruncationWarning")
def test_a_real_model_says_what_it_cut(minilm: gtekit.Embedder) -> None:
    found = evaluate(minilm, pairs=[("word " * 300, "a word", 3), ("a", "b", 1), ("c", "d", 2)])
    # 300 words, [CLS] and [SEP], of which 256 are read
    assert found.notes[1].startswith("1 of 6 texts is longer than the 256 tokens that the model reads: 46 of their")


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", [*KINDS, Source()])
def test_exactly_one_kind_is_given(first: Source, second: Source) -> None:
    if first is second:
        return
    names = ("pairs", "triples", "labelled", "retrieval", "queries", "documents", "qrels")
    both = {name: getattr(first, name) or getattr(second, name) for name in names}
    if second == Source():
        both = dict.fromkeys(names)
    with pytest.raises(ArgumentError) as caught:
        read_source(Source(**both))
    for words in ("given", "pairs (text, text, score)", "triples", "labelled", "retrieval (a folder)", "queries, doc"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [Source(queries={"q": "a"}), Source(qrels={"q": {"d": 1}}), Source(queries={"q": "a"}, documents={"d": "b"})],
)
def test_queries_documents_and_qrels_go_together(source: Source) -> None:
    with pytest.raises(ArgumentError, match="queries, documents and qrels together"):
        read_source(source)


def test_options_that_do_not_fit_the_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="split is for a folder of retrieval data"):
        evaluate(MODEL, pairs=PAIRS, split="dev")
    with pytest.raises(ArgumentError, match="columns is for pairs, triples and labelled"):
        evaluate(MODEL, retrieval=tmp_path, columns=["a", "b", "c"])


def test_the_name_of_a_model_is_no_model() -> None:
    with pytest.raises(ArgumentError, match=r"load it first: gtekit\.load\('gte-small'\)"):
        evaluate("gte-small", pairs=PAIRS)  # type: ignore[arg-type]


def test_a_missing_package_is_known_before_anything_is_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "find_spec", lambda module: None if module == "sklearn" else object())
    model = FixedModel(MODEL.vectors)
    with pytest.raises(
        MissingExtraError, match=r"needs scikit-learn, which is not installed: pip install 'gtekit\[met"
    ):
        evaluate(model, pairs=PAIRS)
    assert not model.asked
