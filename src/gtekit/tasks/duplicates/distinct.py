"""The different ones among any number of texts, each embedded once, their vectors in a file and not in memory."""

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from gtekit.any_model import AnyModel
from gtekit.arrays import Floats, Ints
from gtekit.config import EncodeKeywords
from gtekit.errors import TextTypeError
from gtekit.inputs import wrong_text
from gtekit.tasks.alike import alike_options

DIGEST_BYTES = 16  # two of a million different texts get the same one in 1 of 10^26 cases


@dataclass(frozen=True, slots=True)
class DistinctTexts:
    """Which texts are equal, and one vector for each different one."""

    vectors: Floats  # (U, D), normalized, mapped from a file; gone when the block that made it ends
    kinds: Ints  # (N,), which of the U each text is; numbered in the order of their first texts
    chars: Ints  # (U,)

    @property
    def first(self) -> Ints:
        """The first text of each kind, shape (U,), ascending."""
        return np.unique(self.kinds, return_index=True)[1]

    @property
    def last(self) -> Ints:
        """The last text of each kind, shape (U,)."""
        reversed_first = np.unique(self.kinds[::-1], return_index=True)[1]
        return np.asarray(len(self.kinds) - 1 - reversed_first)


class Seen:
    """Which texts have been there, at 110 bytes or so for each different one, however long it is."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, text: str, index: int) -> int:
        """Give the number of a text among the different ones; a new one has that of `len` before the call.

        Raises:
            TextTypeError: If it is no str.
        """
        if not isinstance(text, str):
            raise wrong_text(text, index)
        # half of a surrogate pair is refused by the tokenizer, which says where
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()
        return self._numbers.setdefault(digest, len(self._numbers))


def check_iterable(texts: object) -> None:
    """Make sure that texts come one after the other.

    Raises:
        TextTypeError: If they are one str, or have no order.
    """
    if isinstance(texts, str | bytes):
        raise TextTypeError(f"texts is one {type(texts).__name__}, expected an iterable of str.")
    if isinstance(texts, set | frozenset | Mapping):
        raise TextTypeError(f"texts is a {type(texts).__name__}, which has no order; pass a list of str.")
    if not isinstance(texts, Iterable):
        raise TextTypeError(f"texts is a {type(texts).__name__}, expected an iterable of str.")


@contextmanager
def embed_distinct(model: AnyModel, texts: Iterable[str], options: EncodeKeywords) -> Iterator[DistinctTexts]:
    """Embed every different text once; texts are read one by one and not kept.

    Vectors lie as float32 in a temporary file (4 D bytes a text, where TMPDIR says), which the system keeps in memory
    as far as there is room.

    Raises:
        TextTypeError: If something among the texts is not a str.
    """
    check_iterable(texts)
    seen, kinds, chars = Seen(), array("q"), array("q")

    def new_texts() -> Iterator[str]:
        for index, text in enumerate(texts):
            count = len(seen)
            number = seen.number(text, index)
            kinds.append(number)
            if number == count:
                chars.append(len(text))
                yield text

    with tempfile.TemporaryFile(prefix="gtekit-") as file:
        dimension = model.dimension
        for vectors in model.encode_stream(new_texts(), **alike_options(model, options)):
            dimension = vectors.shape[1]
            file.write(np.ascontiguousarray(vectors, np.float32).data)
        file.flush()
        shape = (len(seen), dimension)
        mapped: Floats = np.memmap(file, np.float32, "r", shape=shape) if len(seen) else np.empty(shape, np.float32)
        yield DistinctTexts(mapped, np.array(kinds, np.int64), np.array(chars, np.int64))
