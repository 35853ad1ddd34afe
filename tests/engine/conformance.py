"""What every engine must do. A test class per engine inherits this one and gives it an `engine` fixture.

The engine runs a model of the shape `TINY` with any weights.
"""

import numpy as np
import pytest

from gtekit.arrays import Floats, TokenIds
from gtekit.config import Pooling
from gtekit.protocols import Engine
from tests.engine.models import BUDGET, TINY, pack, random_texts
from tests.golden.files import read_golden

POOLINGS: tuple[Pooling, ...] = ("mean", "cls")
MAX_ABS_DIFF = 1e-6  # float32: two roundings of the same mean


def encode(engine: Engine, texts: list[TokenIds], *, pooling: Pooling = "mean", normalize: bool = True) -> Floats:
    return engine.encode(*pack(texts), pooling=pooling, normalize=normalize, batch_tokens=BUDGET)


class EngineConformance:
    @pytest.fixture
    def texts(self) -> list[TokenIds]:
        return random_texts([3, 512, 2, 100, 17, 2, 255, 64, 1, 300], TINY)

    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_the_order_of_texts_is_kept(self, engine: Engine, texts: list[TokenIds], pooling: Pooling) -> None:
        forth = encode(engine, texts, pooling=pooling)
        back = encode(engine, texts[::-1], pooling=pooling)
        np.testing.assert_array_equal(forth, back[::-1])
        assert len(np.unique(forth, axis=0)) == len(texts)

    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_a_batch_equals_its_texts_one_by_one(self, engine: Engine, texts: list[TokenIds], pooling: Pooling) -> None:
        single = np.concatenate([encode(engine, [text], pooling=pooling) for text in texts])
        np.testing.assert_array_equal(encode(engine, texts, pooling=pooling), single)

    @pytest.mark.parametrize("normalize", [True, False])
    def test_no_texts_give_an_array_of_no_rows(self, engine: Engine, normalize: bool) -> None:
        embeddings = encode(engine, [], normalize=normalize)
        assert embeddings.shape == (0, TINY.hidden_size)
        assert embeddings.dtype == np.float32
        states = engine.hidden_states(*pack([]), batch_tokens=BUDGET)
        assert states.shape == (0, TINY.hidden_size)

    def test_the_longest_text_is_embedded(self, engine: Engine) -> None:
        longest = random_texts([TINY.max_position_embeddings], TINY)
        assert np.isfinite(encode(engine, longest)).all()

    def test_tokens_of_any_script_give_unit_vectors(self, engine: Engine) -> None:
        golden = read_golden("all-MiniLM-L6-v2")
        embeddings = engine.encode(
            golden.token_ids, golden.cu_seqlens, pooling="mean", normalize=True, batch_tokens=BUDGET
        )
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=MAX_ABS_DIFF)

    def test_pooling_agrees_with_the_hidden_states(self, engine: Engine, texts: list[TokenIds]) -> None:
        token_ids, cu_seqlens = pack(texts)
        states = np.split(engine.hidden_states(token_ids, cu_seqlens, batch_tokens=BUDGET), cu_seqlens[1:-1])
        first = np.stack([rows[0] for rows in states])
        np.testing.assert_array_equal(encode(engine, texts, pooling="cls", normalize=False), first)
        means = np.stack([rows.mean(axis=0, dtype=np.float64) for rows in states])
        np.testing.assert_allclose(encode(engine, texts, normalize=False), means, atol=MAX_ABS_DIFF)

    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_normalizing_divides_by_the_l2_norm(self, engine: Engine, texts: list[TokenIds], pooling: Pooling) -> None:
        plain = encode(engine, texts, pooling=pooling, normalize=False)
        divided = plain / np.linalg.norm(plain, axis=1, keepdims=True)
        np.testing.assert_allclose(encode(engine, texts, pooling=pooling), divided, atol=MAX_ABS_DIFF)

    def test_it_tells_what_it_is(self, engine: Engine) -> None:
        assert engine.hidden_size == TINY.hidden_size
        assert engine.isa
        assert engine.precision == "float32"
        assert engine.threads >= 1
        assert engine.memory_bytes > TINY.vocab_size * TINY.hidden_size
