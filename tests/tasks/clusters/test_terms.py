"""The terms of clusters: the formula, what is no term, and names that differ."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.tasks.clusters.terms import Term, cluster_terms, term_names

LABELS = np.array([0, 0, 1, 1])
NO_STOPS: tuple[str, ...] = ()


def test_the_weight_is_that_of_the_paper() -> None:
    texts = ["apple apple pear", "apple", "pear plum", "plum, pear"]
    first, second = cluster_terms(texts, LABELS, stop_words=NO_STOPS)
    # words and pairs: apple 3, pear 1, "apple pear" 1 | pear 2, plum 2, "pear plum" 1; a comma parts a pair
    average = (5 + 5) / 2
    assert first[0] == Term("apple", pytest.approx(3 / 5 * log(1 + average / 3)))  # type: ignore[arg-type]
    weights = {term.text: term.weight for term in second}
    assert weights["plum"] == pytest.approx(2 / 5 * log(1 + average / 2))
    assert weights["pear"] == pytest.approx(2 / 5 * log(1 + average / 3))
    assert [term.text for term in second] == ["plum", "pear"]


def test_stop_words_numbers_and_single_letters_are_no_terms_and_part_pairs() -> None:
    texts = ["the 1993 state of the art x drive"] * 2 + ["cars"] * 2
    found = {term.text for term in cluster_terms(texts, LABELS, top_k=50)[0]}
    assert found == {"state", "art", "drive"}


def test_a_pair_stands_for_its_words_and_no_form_of_a_word_comes_twice() -> None:
    texts = ["hard drives", "a hard drive", "the hard drive", "hard drives"] + ["cars"] * 4
    labels = np.repeat([0, 1], 4)
    assert [term.text for term in cluster_terms(texts, labels)[0]] == ["hard drive"]


def test_a_word_of_one_text_is_no_term_where_others_are_shared() -> None:
    texts = ["zebra zebra zebra zebra invoice", "an invoice", "cars", "cars"]
    assert [term.text for term in cluster_terms(texts, LABELS)[0]] == ["invoice"]
    assert cluster_terms(["zebra"], np.array([0]))[0][0].text == "zebra"


def test_rows_of_no_cluster_have_no_say() -> None:
    texts = ["apple", "apple", "pear", "pear"]
    assert cluster_terms(texts, np.array([0, 0, -1, -1])) == cluster_terms(texts[:2], np.array([0, 0]))


def test_other_alphabets_have_terms_too() -> None:
    texts = ["счёт за услуги", "счёт оплачен", "посылка", "посылка пришла"]
    names = term_names(cluster_terms(texts, LABELS))
    assert names[0].startswith("счёт")
    assert names[1].startswith("посылка")


def test_names_are_short_and_longer_only_where_they_would_be_alike() -> None:
    def terms(*words: str) -> list[Term]:
        return [Term(word, 1.0) for word in words]

    names = term_names(
        [
            terms("a1", "b1", "c1", "d1"),
            terms("a1", "b1", "c1", "e1"),
            terms("x1", "y1", "z1", "w1"),
            [],
            terms("q"),
            terms("q"),
        ]
    )
    assert names == ["a1, b1, c1, d1", "a1, b1, c1, e1", "x1, y1, z1", "cluster 3", "q (4)", "q (5)"]


WORDS = st.lists(st.sampled_from(["tax", "car", "dog", "sun", "the", "of", "7"]), max_size=6).map(" ".join)


@given(st.lists(st.tuples(WORDS, st.integers(-1, 3)), max_size=20))
def test_names_always_differ_and_are_the_same_each_time(rows: list[tuple[str, int]]) -> None:
    texts = [text for text, _ in rows]
    labels = np.array([label for _, label in rows], np.int64)
    terms = cluster_terms(texts, labels)
    names = term_names(terms)
    assert len(names) == int(labels.max(initial=-1)) + 1
    assert len(set(names)) == len(names)
    assert names == term_names(cluster_terms(texts, labels))
    for own in terms:
        weights = [term.weight for term in own]
        assert all(weight > 0 for weight in weights)
        assert weights == sorted(weights, reverse=True)
