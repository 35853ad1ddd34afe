"""Every kernel set that runs here against the scalar one, which is the specification, on a model of the user's."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import get_args

import numpy as np

from gtekit import _core
from gtekit.arrays import Floats
from gtekit.config import Precision
from gtekit.embedder import Embedder
from gtekit.verify.checks import Check, compare

TEXTS = (
    "Which river runs through Vienna?",
    "Danube",
    "",
    "a",
    "That is a happy person.",
    "naïve café, 42 %, x[i] = y & z; don't",
    "An embedding is a list of numbers that stands for the meaning of a text, so that texts which mean the same "
    "have lists that lie close together, however different their words are.",
    " ".join(f"the {number} of {number + 1}" for number in range(40)),  # about 160 tokens
)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
ORDER = np.random.default_rng(0).permutation(len(TEXTS))


def check_kernels(
    load_with: Callable[[str, int | None, Precision], Embedder], precisions: Iterable[Precision] = PRECISIONS
) -> Iterator[Check]:
    """Compare the kernel sets with scalar, and each with itself: the same bits in any company, order and threads.

    Args:
        load_with: Loads the model with the kernels of the name it is given, so many threads (None: its own choice),
            and a precision.
        precisions: Those to look at.
    """
    for precision in precisions:
        expected = _encode(load_with("scalar", None, precision), TEXTS)
        for isa in _core.isas():
            model = load_with(isa, None, precision)
            together = _encode(model, TEXTS)
            if isa != "scalar":
                name = f"{precision} {isa} against scalar, {model.name}"
                yield compare(name, together, expected, precision=precision)
            shuffled = np.empty_like(together)
            shuffled[ORDER] = _encode(model, [TEXTS[place] for place in ORDER])
            yield _same(f"{precision} {isa} in another order, {model.name}", shuffled, together, precision)
            alone = _alone(load_with(isa, 1, precision))
            yield _same(f"{precision} {isa} one by one on one thread, {model.name}", alone, together, precision)


def _same(name: str, embeddings: Floats, expected: Floats, precision: Precision) -> Check:
    return compare(name, embeddings, expected, precision=precision, same_bits=True)


def _alone(single: Embedder) -> Floats:
    return np.concatenate([_encode(single, [text]) for text in TEXTS])


def _encode(model: Embedder, texts: Sequence[str]) -> Floats:
    return model.encode(texts, normalize=True, on_truncation="ignore", progress=False)
