"""Vectors of texts that were embedded before, in memory: allowed because a vector depends on its text alone."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from gtekit.arrays import Floats


class VectorCache:
    """The vectors of the texts that were asked for last. Safe to use from several threads at once."""

    def __init__(self) -> None:
        self._vectors: OrderedDict[bytes, Floats] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def encode(
        self, texts: Sequence[str], embed: Callable[[list[str]], Floats], *, options: str, most_texts: int
    ) -> Floats:
        """Give the vectors of texts, shape (N, D), N above 0; those that are not known are embedded, equal ones once.

        Args:
            texts: At least one.
            embed: From texts to vectors.
            options: What decides the vectors beside the texts: vectors of other options are never given.
            most_texts: How many vectors stay for the next call.
        """
        keys = [_key(options, text) for text in texts]
        with self._lock:
            found = {key: self._vectors[key] for key in keys if key in self._vectors}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            found |= zip(missing, embed(list(missing.values())), strict=True)
        with self._lock:
            for key in dict.fromkeys(keys):
                self._vectors[key] = np.array(found[key])  # a copy: a row would keep the whole array in memory
                self._vectors.move_to_end(key)
            while len(self._vectors) > most_texts:
                self._vectors.popitem(last=False)
        return np.stack([found[key] for key in keys])


def _key(options: str, text: str) -> bytes:
    return hashlib.blake2b(f"{options}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
