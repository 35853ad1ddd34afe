"""Every kernel set that runs here against the scalar one, which is the specification, on a model of the user's."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gtekit import _core
from gtekit.arrays import Floats
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
ORDER = np.random.default_rng(0).permutation(len(TEXTS))


def check_kernels(load_with: Callable[[str, int | None], Embedder]) -> Iterator[Check]:
    """Compare the kernel sets with scalar, and each with itself: the same bits in any company, order and threads.

    Args:
        load_with: Loads the model with the kernels of the name it is given, and so many threads; None: its own choice.
    """
    expected = _encode(load_with("scalar", None), TEXTS)
    for isa in _core.isas():
        model = load_with(isa, None)
        together = _encode(model, TEXTS)
        if isa != "scalar":
            yield compare(f"{isa} against scalar, {model.name}", together, expected)
        shuffled = np.empty_like(together)
        shuffled[ORDER] = _encode(model, [TEXTS[place] for place in ORDER])
        yield compare(f"{isa} in another order, {model.name}", shuffled, together, allowed=0.0)
        single = load_with(isa, 1)
        alone = np.concatenate([_encode(single, [text]) for text in TEXTS])
        yield compare(f"{isa} one by one on one thread, {model.name}", alone, together, allowed=0.0)


def _encode(model: Embedder, texts: Sequence[str]) -> Floats:
    return model.encode(texts, normalize=True, on_truncation="ignore", progress=False)
