"""Search among passages of documents: where each comes from, and the sentence of it that answers best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize
from gtekit.documents.passages import unwrap
from gtekit.index.build.columns import DOCUMENT, END, ENTRY, NUMBER, PAGE, SECTION, SOURCE, START, TITLE
from gtekit.index.index import Index
from gtekit.index.interface import Hit, Mode, Value
from gtekit.sentences import sentence_spans

if TYPE_CHECKING:
    from gtekit.any_model import AnyModel

FEWEST_WORDS = 4  # of a sentence without its full stop: fewer are mostly a heading, close to the query and no answer
MOST_SENTENCES = 64  # of a passage that are compared with the query; more stand only in tables
ENDS = (".", "!", "?", "…", "。", "！", "？", "｡")
OWN_COLUMNS = (DOCUMENT, SOURCE, TITLE, NUMBER, START, END, PAGE, SECTION, ENTRY)


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence of a passage that is closest to the query."""

    text: str
    start: int  # in characters of the passage
    end: int
    score: float  # cosine with the query


@dataclass(frozen=True, slots=True)
class PassageHit:
    """One passage that was found."""

    id: str
    score: float
    text: str
    document: str  # its id
    source: str  # the file
    title: str = ""
    section: str = ""
    page: int | None = None
    start: int = 0  # in characters of the document's text
    end: int = 0
    best: Sentence | None = None
    vector_score: float | None = None
    text_score: float | None = None
    metadata: Mapping[str, Value] = field(default_factory=dict)  # of the row that the document was


def search_passages(
    index: Index,
    query: str,
    model: "AnyModel",
    *,
    top_k: int = 10,
    mode: Mode = "vector",
    where: str | None = None,
    text_weight: float = 0.5,
    diversity: float = 0.0,
    best_sentence: bool = True,
) -> list[PassageHit]:
    """Find the best passages for a query, best first.

    Args:
        index: As `build_index` makes it; of other rows id and text are given.
        query: What is looked for.
        model: The one that built the index.
        top_k: How many, and so on: as for `Index.search`.
        mode: By meaning, by words, or by both.
        where: A filter, also over document, source, title, section, page, start and end.
        text_weight: What words count in hybrid.
        diversity: Above 0, what is like a better hit makes room.
        best_sentence: Whether to find the sentence to show: one more call of the model.

    Raises:
        ArgumentError: If a value is not possible or the filter can't be read.
        SpaceError: If the model is another one.
    """
    hits = index.search(query, top_k=top_k, mode=mode, where=where, text_weight=text_weight, diversity=diversity)
    best = best_sentences(model, query, [hit.text or "" for hit in hits]) if best_sentence else [None] * len(hits)
    return [_passage_hit(hit, sentence) for hit, sentence in zip(hits, best, strict=True)]


def best_sentences(model: "AnyModel", query: str, texts: Sequence[str]) -> list[Sentence | None]:
    """Give the sentence of each text that is closest to the query; None where there is none.

    The text of a sentence is as it stands, line ends and all.
    """
    spans = [_sentences(text) for text in texts]
    sentences = [text[begin:end] for text, places in zip(texts, spans, strict=True) for begin, end in places]
    if not sentences:
        return [None] * len(texts)
    wanted = l2_normalize(model.encode_query([query], on_truncation="ignore", progress=False))
    vectors = l2_normalize(model.encode_document(sentences, on_truncation="ignore", progress=False))
    cosines: Floats = vectors @ wanted[0]
    found: list[Sentence | None] = []
    first = 0
    for text, places in zip(texts, spans, strict=True):
        if not places:
            found.append(None)
            continue
        row = first + int(np.argmax(cosines[first : first + len(places)]))
        begin, end = places[row - first]
        found.append(Sentence(text[begin:end], begin, end, float(cosines[row])))
        first += len(places)
    return found


def _sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text that say something; all of them where none does."""
    spans = list(islice(sentence_spans(unwrap(text)), MOST_SENTENCES))
    whole = [(begin, end) for begin, end in spans if _is_whole(text[begin:end])]
    return whole or spans


def _is_whole(sentence: str) -> bool:
    return sentence.endswith(ENDS) or len(sentence.split()) >= FEWEST_WORDS


def _passage_hit(hit: Hit, best: Sentence | None) -> PassageHit:
    kept = hit.metadata
    page = kept.get(PAGE)
    return PassageHit(
        id=hit.id,
        score=hit.score,
        text=hit.text or "",
        document=_text(kept, DOCUMENT) or hit.id,
        source=_text(kept, SOURCE) or hit.id,
        title=_text(kept, TITLE),
        section=_text(kept, SECTION),
        page=page if isinstance(page, int) else None,
        start=_number(kept, START),
        end=_number(kept, END),
        best=best,
        vector_score=hit.vector_score,
        text_score=hit.text_score,
        metadata={name: value for name, value in kept.items() if name not in OWN_COLUMNS and value is not None},
    )


def _text(metadata: Mapping[str, Value], name: str) -> str:
    value = metadata.get(name)
    return value if isinstance(value, str) else ""


def _number(metadata: Mapping[str, Value], name: str) -> int:
    value = metadata.get(name)
    return value if isinstance(value, int) else 0
