"""The vector of a text is the same to the last bit, whatever runs beside it, per kernel set."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtekit.arrays import Array, TokenIds
from gtekit.config import ModelConfig
from tests.engine.models import SHALLOW, TINY, bert_config, embed, native, pack, random_texts

# Longer than two tiles of any kernel, so that every row count modulo the tile is there more than once.
ROW_COUNTS = range(1, 50)
ODD = bert_config(60, 2, 5, 100)

lengths = st.lists(
    st.one_of(st.integers(1, 50), st.sampled_from([1, 127, 128, 255, 256, 511, 512])), min_size=1, max_size=10
)
budgets = st.sampled_from([1, 7, 64, 256, 300, 1_024, 100_000])
property_test = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


def alone(config: ModelConfig, isa: str, texts: list[TokenIds]) -> Array:
    return np.concatenate([embed(native(config, isa, 1), [text]) for text in texts])


@pytest.mark.parametrize("config", [TINY, ODD], ids=["tiny", "odd"])
@property_test
@given(lengths=lengths, budget=budgets, threads=st.sampled_from([1, 2, 3, 8]), random=st.randoms(use_true_random=False))
def test_order_batch_and_threads_change_no_bit(
    isa: str, config: ModelConfig, lengths: list[int], budget: int, threads: int, random: Random
) -> None:
    texts = random_texts(lengths, config)
    expected = alone(config, isa, texts)
    order = list(range(len(texts)))
    random.shuffle(order)
    shuffled = embed(native(config, isa, threads), [texts[i] for i in order], batch_tokens=budget)
    np.testing.assert_array_equal(shuffled, expected[order])


@property_test
@given(lengths=lengths, budget=budgets, threads=st.sampled_from([1, 2, 3, 8]))
def test_hidden_states_do_not_depend_on_batch_and_threads(
    isa: str, lengths: list[int], budget: int, threads: int
) -> None:
    texts = random_texts(lengths, TINY)
    one_by_one = [native(TINY, isa, 1).hidden_states(*pack([text]), batch_tokens=256) for text in texts]
    together = native(TINY, isa, threads).hidden_states(*pack(texts), batch_tokens=budget)
    np.testing.assert_array_equal(together, np.concatenate(one_by_one))


def test_every_row_count_of_a_micro_batch_gives_the_same_bits(isa: str) -> None:
    engine = native(SHALLOW, isa, 1)
    text, *others = random_texts([5, *[1] * max(ROW_COUNTS)], SHALLOW)
    expected = embed(engine, [text])
    for rows in ROW_COUNTS:
        before = others[: rows // 2]  # the text starts at another row of the tile each time
        after = others[rows // 2 : rows]
        embeddings = embed(engine, [*before, text, *after], batch_tokens=10_000)
        np.testing.assert_array_equal(embeddings[len(before)], expected[0], err_msg=f"{rows + 5} rows")


def test_every_length_of_a_text_gives_the_same_bits_alone_and_together(isa: str) -> None:
    texts = random_texts(list(ROW_COUNTS), TINY)
    together = embed(native(TINY, isa), texts, batch_tokens=10_000)
    np.testing.assert_array_equal(together, alone(TINY, isa, texts))


def test_the_shortest_and_the_longest_texts_mix(isa: str) -> None:
    texts = random_texts([1, 512, 1, 1, 512, 511, 1], TINY)
    expected = alone(TINY, isa, texts)
    for budget in (1, 256, 513, 100_000):
        np.testing.assert_array_equal(embed(native(TINY, isa, 2), texts, batch_tokens=budget), expected)


def test_the_same_text_gives_the_same_bits_in_every_row(isa: str) -> None:
    (text,) = random_texts([9], TINY)
    embeddings = embed(native(TINY, isa), [text] * 100)
    assert len(np.unique(embeddings, axis=0)) == 1


def test_several_python_threads_may_call_at_once(isa: str) -> None:
    engine = native(TINY, isa, 2)
    jobs = [random_texts([(7 * i + j * j) % 200 + 1 for j in range(20)], TINY, seed=i) for i in range(12)]
    expected = [embed(engine, job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        for found, right in zip(pool.map(lambda job: embed(engine, job), jobs), expected, strict=True):
            np.testing.assert_array_equal(found, right)
