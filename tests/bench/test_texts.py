"""The texts that are measured with: made ones of mixed lengths, and a file's."""

from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.bench import made_source, read_source
from gtekit.bench.texts import TextSource, choose_sample, make_texts


def test_made_texts_are_of_mixed_length_and_the_same_every_time(minilm: gtekit.Embedder) -> None:
    vocabulary = minilm.tokenizer.vocabulary()
    texts = make_texts(vocabulary, 256)
    assert texts == make_texts(dict(reversed(vocabulary.items())), 256)
    lengths = minilm.count_tokens(texts)
    low, middle, high = np.percentile(lengths, (5, 50, 95))
    assert (low < 20, 50 < middle < 70, high > 200) == (True, True, True)
    assert max(lengths) == 256


def test_a_vocabulary_without_words_needs_a_file() -> None:
    with pytest.raises(gtekit.ArgumentError, match="FILE"):
        make_texts({"[CLS]": 0, "##a": 1, "5": 2}, 64)


def test_a_sample_has_the_tokens_asked_for_and_short_queries(tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint)
    sample = choose_sample(model, made_source(), 5_000)
    lengths = [min(length, model.max_tokens) for length in model.count_tokens(sample.texts)]
    assert sample.tokens == sum(lengths)
    assert 5_000 <= sample.tokens < 5_000 + model.max_tokens
    assert all(1 <= len(query.split()) <= 8 for query in sample.queries)
    assert sample == choose_sample(model, made_source(), 5_000)


def test_few_texts_come_repeatedly(tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint)
    sample = choose_sample(model, TextSource("mine", ["a b c", "d"]), 100)
    assert set(sample.texts) == {"a b c", "d"}
    assert sample.tokens >= 100


def test_a_file_gives_its_texts_without_blank_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,body\n1,one\n2,\n3,two\n")
    assert read_source(path, "csv", field="body").texts == ["one", "two"]
    path.write_text("id,body\n1,\n")
    with pytest.raises(gtekit.FileFormatError, match=r"a\.csv: holds no text"):
        read_source(path, "csv", field="body")
