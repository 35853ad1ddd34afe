"""The demo's work: embed the docstrings, answer the questions, compare the page's four texts."""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gtekit.arrays import Floats
from gtekit.demo.docstrings import Docstring
from gtekit.demo.picture import Answer, Picture, wheel_of
from gtekit.embedder import Embedder

PAGE_TEXTS = (  # the inputs of the first example on the page of gte-small
    "what is the capital of China?",
    "how to implement quick sort in python?",
    "Beijing",
    "sorting algorithms",
)
QUESTIONS = (
    *PAGE_TEXTS[:2],
    PAGE_TEXTS[3],
    "compress data",
    "read a csv file",
    "wait for several threads to finish",
    "temporary file that deletes itself",
    "parse command line arguments",
)
IN_PICTURE = ("sorting algorithms", "compress data", "wait for several threads to finish")
TOP_K = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the demo found."""

    model: Embedder
    docstrings: Sequence[Docstring]
    embeddings: Floats  # (N, D), of the docstrings
    seconds: float  # for those
    tokens: int
    answers: list[Answer]
    cosines: Floats  # (4, 4), of the page's texts

    @property
    def texts_per_s(self) -> float:
        """How fast the docstrings were embedded."""
        return len(self.docstrings) / self.seconds


def search(model: Embedder, docstrings: Sequence[Docstring], *, progress: bool | None = None) -> Demo:
    """Embed the docstrings, then rank them, and the page's own texts among them, for each question."""
    documents = [f"{docstring.name}: {docstring.text}" for docstring in docstrings]
    begin = time.perf_counter()
    embeddings = model.encode_document(documents, progress=progress)
    seconds = time.perf_counter() - begin
    page = model.encode_document(PAGE_TEXTS)
    names = [docstring.name for docstring in docstrings] + [f"“{text}”" for text in PAGE_TEXTS]
    texts = [docstring.text for docstring in docstrings] + ["(from the page of gte-small)"] * len(PAGE_TEXTS)
    scores = model.similarity(model.encode_query(QUESTIONS), np.concatenate([embeddings, page]))  # (Q, N + 4)
    answers = []
    for question, row in zip(QUESTIONS, scores, strict=True):
        others = [place for place in np.argsort(-row, kind="stable")[: TOP_K + 1] if names[place] != f"“{question}”"]
        best = others[:TOP_K]
        answers.append(
            Answer(question, [names[i] for i in best], [texts[i] for i in best], [float(row[i]) for i in best])
        )
    return Demo(
        model=model,
        docstrings=docstrings,
        embeddings=embeddings,
        seconds=seconds,
        tokens=sum(model.count_tokens(documents)),
        answers=answers,
        cosines=model.similarity(page, page),
    )


def draw(demo: Demo) -> str:
    """Draw what was found, as SVG."""
    families = [docstring.family for docstring in demo.docstrings]
    threads = "1 thread" if demo.model.threads == 1 else f"{demo.model.threads} threads"
    return Picture(
        title=f"The Python {'.'.join(platform.python_version_tuple()[:2])} standard library, by meaning",
        subtitle=(
            f"{len(demo.docstrings):,} docstrings, embedded with {demo.model.name} in {demo.seconds:.1f} s: "
            f"{demo.texts_per_s:,.0f} texts/s ({demo.model.isa}, {threads})"
        ),
        texts=PAGE_TEXTS,
        cosines=demo.cosines,
        points=wheel_of(demo.embeddings, families),
        families=families,
        answers=[_without_page(answer) for answer in demo.answers if answer.question in IN_PICTURE],
    ).svg()


def _without_page(answer: Answer) -> Answer:
    places = [place for place, name in enumerate(answer.names) if not name.startswith("“")]
    return Answer(
        answer.question,
        [answer.names[place] for place in places],
        [answer.texts[place] for place in places],
        [answer.scores[place] for place in places],
    )
