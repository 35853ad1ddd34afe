"""Different texts: each embedded once, whatever their number and order."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.errors import TextTypeError
from gtekit.tasks.duplicates.distinct import Seen, embed_distinct

TEXTS = ["a cat", "a dog", "a cat", "", "a bird sings", "a dog", "a cat"]


def test_each_different_text_has_the_vector_that_the_model_gives_it(minilm: gtekit.Embedder) -> None:
    with embed_distinct(minilm, iter(TEXTS), {}) as distinct:
        assert distinct.kinds.tolist() == [0, 1, 0, 2, 3, 1, 0]
        assert distinct.first.tolist() == [0, 1, 3, 4]
        assert distinct.last.tolist() == [6, 5, 3, 4]
        assert distinct.chars.tolist() == [5, 5, 0, 12]
        assert np.array_equal(distinct.vectors[distinct.kinds], minilm.encode(TEXTS))


def test_no_texts_are_no_vectors(minilm: gtekit.Embedder) -> None:
    with embed_distinct(minilm, [], {}) as distinct:
        assert distinct.vectors.shape == (0, 384)
        assert len(distinct.kinds) == len(distinct.first) == len(distinct.last) == 0


def test_options_of_encode_are_those_of_the_vectors(minilm: gtekit.Embedder) -> None:
    with embed_distinct(minilm, TEXTS, {"dimensions": 16, "prompt": "query: "}) as distinct:
        expected = minilm.encode(["a cat"], dimensions=16, prompt="query: ", normalize=True)
        assert np.array_equal(distinct.vectors[:1], expected)


def test_what_is_no_text_is_named_by_its_place_among_all_texts(minilm: gtekit.Embedder) -> None:
    def texts() -> Iterator[str]:
        yield from ["a", "a", "a"]
        yield None  # type: ignore[misc]

    with pytest.raises(TextTypeError, match=r"texts\[3\] is None"), embed_distinct(minilm, texts(), {}):
        pass
    for wrong, message in (("abc", "texts is one str"), ({"a"}, "no order"), ({"a": 1}, "no order"), (3, "a int")):
        with pytest.raises(TextTypeError, match=message), embed_distinct(minilm, wrong, {}):  # type: ignore[arg-type]
            pass


@settings(deadline=None)
@given(st.lists(st.text(max_size=3)))
def test_numbers_are_equal_where_texts_are(texts: list[str]) -> None:
    seen = Seen()
    numbers = [seen.number(text, index) for index, text in enumerate(texts)]
    known = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    assert numbers == [known[text] for text in texts]
    assert len(seen) == len(known)
