"""A report may use the engine that it is called by: on one thread too, where no other could do the work."""

import numpy as np

from gtekit.arrays import Floats
from tests.engine.models import TINY, native, pack


def test_a_report_may_embed_a_text_even_on_one_thread() -> None:
    engine = native(TINY, None, 1)
    texts = [np.array([1, 2, 3, 4], np.int32)] * 200_000
    query = pack([np.array([5, 6, 7], np.int32)])
    alone = engine.encode(*query, pooling="mean", normalize=True, batch_tokens=256)
    found: list[Floats] = []

    def report(texts_done: int, tokens_done: int) -> None:
        found.append(engine.encode(*query, pooling="mean", normalize=True, batch_tokens=256))

    engine.encode(*pack(texts), pooling="mean", normalize=True, batch_tokens=256, report=report)
    assert found, "the long call ended before its first report; it needs more texts"
    assert all(np.array_equal(vector, alone) for vector in found)
