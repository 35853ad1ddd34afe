"""Vectors of texts seen before, bounded in bytes, the least recently used leaving first. Not for several threads."""

from collections import OrderedDict

from gtekit.arrays import Floats

ENTRY_BYTES = 250  # of the dictionary, the key's header and the array's, measured with sys.getsizeof


class VectorCache:
    """Keys are the token ids that the engine would get, so whatever gives the same tokens has one entry.

    Args:
        size_bytes: The most to hold; 0 keeps nothing.
    """

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._entries: OrderedDict[bytes, Floats] = OrderedDict()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Floats | None:
        """Give the vector of a key, shape (D,), or None."""
        vector = self._entries.get(key)
        if vector is not None:
            self._entries.move_to_end(key)
        return vector

    def put(self, key: bytes, vector: Floats) -> None:
        """Keep a copy of a vector, where it fits."""
        cost = _cost(key, vector)
        if cost > self._size_bytes or key in self._entries:
            return
        try:
            self._entries[key] = vector.copy()
        except MemoryError:  # it is computed again another time
            return
        self.held_bytes += cost
        while self.held_bytes > self._size_bytes:
            oldest, gone = self._entries.popitem(last=False)
            self.held_bytes -= _cost(oldest, gone)


def _cost(key: bytes, vector: Floats) -> int:
    return len(key) + vector.nbytes + ENTRY_BYTES
