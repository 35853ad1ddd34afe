"""Every kernel set that runs here against the scalar one, which is the specification, on a model of the user's."""

from collections.abc import Callable, Iterator

from gtekit import _core
from gtekit.embedder import Embedder
from gtekit.verify.checks import Check, compare

PAGE_TEXTS = (
    "what is the capital of China?",
    "how to implement quick sort in python?",
    "Beijing",
    "sorting algorithms",
)
TEXTS = (
    *PAGE_TEXTS,
    "",
    "a",
    "That is a happy person.",
    "naïve café, 42 %, x[i] = y & z; don't",
    "An embedding is a list of numbers that stands for the meaning of a text, so that texts which mean the same "
    "have lists that lie close together, however different their words are.",
    " ".join(f"the {number} of {number + 1}" for number in range(40)),  # about 160 tokens
)


def check_kernels(load_with: Callable[[str], Embedder]) -> Iterator[Check]:
    """Compare the kernel sets with scalar, and each with itself: one by one the same bits as all together.

    Args:
        load_with: Loads the model with the kernels of the name it is given.
    """
    expected = load_with("scalar").encode(TEXTS, normalize=True, on_truncation="ignore", progress=False)
    for isa in _core.isas():
        if isa == "scalar":
            continue
        model = load_with(isa)
        together = model.encode(TEXTS, normalize=True, on_truncation="ignore", progress=False)
        yield compare(f"{isa} against scalar, {model.name}", together, expected)
        alone = together.copy()
        for row, text in enumerate(TEXTS):
            alone[row] = model.encode_one(text, normalize=True, on_truncation="ignore", progress=False)
        yield compare(f"{isa} one by one against together, {model.name}", alone, together, allowed=0.0)
