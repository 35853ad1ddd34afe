"""The most telling terms of clusters, and names made of them: class-based TF-IDF over words and pairs of words."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from gtekit.arrays import Ints
from gtekit.tasks.scikit import scikit

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
APART = re.compile(r"[ \t\r\n-]*")  # between the words of a pair: anything else parts them
NAME_TERMS = 3
TERMS = 10
COUNTED_TEXTS = 2_000  # of a cluster, evenly spaced: what is told by so many needs no more, and memory stays bounded
COUNTED_CHARACTERS = 5_000  # of a text


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a pair of words, and how telling it is of a cluster."""

    text: str
    weight: float  # c-TF-IDF; comparable within a cluster


def cluster_terms(
    texts: Sequence[str], labels: Ints, *, top_k: int = TERMS, stop_words: Collection[str] | None = None
) -> list[list[Term]]:
    """Find the terms that tell most of each cluster.

    The weight of a term t in a cluster c is tf(t, c) * log(1 + A / f(t)): its share of the words of the cluster, how
    many words a cluster has on average, and how often the term is there in all clusters. Of terms that only one text
    of the cluster has none is taken, unless there are no others; a pair of words takes the place of its single words.

    Args:
        texts: N texts.
        labels: Shape (N,), from 0 up; -1 for none.
        top_k: The most terms of a cluster.
        stop_words: Words that are no terms, and part pairs; None: scikit-learn's list of English ones.

    Returns:
        For each cluster its terms, the most telling first; of equal ones in the order of the alphabet.

    Source:
        Grootendorst 2022, arXiv:2203.05794 (BERTopic), equation 2.
    """
    if stop_words is None:
        stop_words = scikit("naming clusters", "feature_extraction.text").ENGLISH_STOP_WORDS
    stopped = frozenset(word.casefold() for word in stop_words)
    count = int(labels.max(initial=-1)) + 1
    uses, holders = [], []
    for number in range(count):
        counted, held = _count(texts, np.flatnonzero(labels == number), stopped)
        uses.append(counted)
        holders.append(held)
    everywhere: Counter[str] = Counter()
    for counted in uses:
        everywhere.update(counted)
    average = sum(everywhere.values()) / count if count else 0.0
    found = []
    for counted, held in zip(uses, holders, strict=True):
        total = sum(counted.values())
        kept = [term for term in counted if held[term] > 1] or list(counted)
        weighted = [Term(term, counted[term] / total * log(1 + average / everywhere[term])) for term in kept]
        weighted.sort(key=lambda term: (-term.weight, term.text))
        found.append(_distinct(weighted, top_k))
    return found


def term_names(terms: Sequence[Sequence[Term]]) -> list[str]:
    """Give each cluster a short name: its three most telling terms, "billing, invoice, refund".

    Of clusters that would have the same name each gets more terms, and a number where it has no more. A cluster
    without terms is called by its number, "cluster 7".
    """
    names = [", ".join(term.text for term in own[:NAME_TERMS]) for own in terms]
    for length in range(NAME_TERMS + 1, max(map(len, terms), default=0) + 1):
        shared = {name for name, times in Counter(names).items() if times > 1}
        names = [
            ", ".join(term.text for term in own[:length]) if name in shared else name
            for name, own in zip(names, terms, strict=True)
        ]
    times = Counter(names)
    return [
        f"cluster {number}" if not name else f"{name} ({number})" if times[name] > 1 else name
        for number, name in enumerate(names)
    ]


def _count(texts: Sequence[str], rows: Ints, stopped: frozenset[str]) -> tuple[Counter[str], Counter[str]]:
    """Count how often each term is there, and in how many different texts."""
    places = np.linspace(0, len(rows) - 1, min(len(rows), COUNTED_TEXTS)).astype(np.int64)
    uses: Counter[str] = Counter()
    holders: Counter[str] = Counter()
    seen: set[str] = set()
    for row in rows[places]:
        text = texts[int(row)][:COUNTED_CHARACTERS].casefold()
        own = list(_terms(text, stopped))
        uses.update(own)
        if text not in seen:  # a text that is there twice tells no more than once
            seen.add(text)
            holders.update(set(own))
    return uses, holders


def _terms(text: str, stopped: frozenset[str]) -> Iterator[str]:
    previous, end = "", 0
    for match in WORD.finditer(text):
        word = match.group().replace("’", "'").removesuffix("'s")
        is_term = len(word) > 1 and word not in stopped and any(character.isalpha() for character in word)
        if is_term:
            yield word
            if previous and previous != word and APART.fullmatch(text, end, match.start()):
                yield f"{previous} {word}"
        previous, end = (word if is_term else ""), match.end()


def _distinct(weighted: Sequence[Term], top_k: int) -> list[Term]:
    """Take the first terms that say something new: no other form of a word, no part of a pair and no pair of parts."""
    chosen: list[Term] = []
    pairs = {_stem(word): term for term in reversed(weighted[: 3 * top_k]) for word in _pair_words(term)}
    for term in weighted:
        if len(chosen) == top_k:
            break
        if _overlaps(term, chosen):
            continue
        pair = pairs.get(_stem(term.text))
        # a pair nearly as telling as its word says more: "hard drive", not "hard"
        if pair and pair.weight >= 0.6 * term.weight and not _overlaps(pair, chosen):
            term = pair
        chosen.append(term)
    return sorted(chosen, key=lambda term: (-term.weight, term.text))


def _pair_words(term: Term) -> list[str]:
    words = term.text.split()
    return words if len(words) > 1 else []


def _overlaps(term: Term, chosen: Sequence[Term]) -> bool:
    words = {_stem(word) for word in term.text.split()}
    return any(words & {_stem(word) for word in other.text.split()} for other in chosen)


def _stem(word: str) -> str:
    """Give plural and singular the same form: a crude rule, used only to leave out what is nearly said already."""
    for ending, rest in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("s", "")):
        if len(word) > len(ending) + 2 and word.endswith(ending) and not word.endswith("ss"):
            return word.removesuffix(ending) + rest
    return word
