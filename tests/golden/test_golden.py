"""The engine against what transformers gave, on every kernel set; and the check against models that are wrong."""

from dataclasses import replace

import numpy as np
import pytest

from gtekit.config import Pooling
from gtekit.tokenizer import load_tokenizer
from tests.golden.checkpoints import golden_checkpoint, golden_engine
from tests.golden.files import RECIPES, SEEDED, deviation, read_golden, tensors_hash
from tests.golden.texts import PAGE, texts_hash
from tests.reference import MISTAKES, Reference, normalized, widened

POOLED: list[tuple[str, Pooling]] = [*((name, "mean") for name in RECIPES), *((name, "cls") for name in SEEDED)]
SCALAR_TOKENS = 150  # the specification is slow: it runs the first texts of each file; `slow` runs them all


@pytest.mark.parametrize("name", RECIPES)
def test_a_golden_file_fits_its_texts_and_its_checkpoint(name: str) -> None:
    golden, recipe = read_golden(name), RECIPES[name]
    remedy = "The golden file is not made from this; record it again: python -m tests.golden.record " + name
    assert golden.about["texts_sha256"] == texts_hash(list(recipe.texts)), remedy
    assert golden.about["tensors_sha256"] == tensors_hash(golden_checkpoint(name).tensors), remedy
    assert golden.about["max_tokens"] == recipe.max_tokens, remedy
    assert len(golden.mean) == len(recipe.texts)


@pytest.mark.parametrize("name", RECIPES)
def test_the_tokenizer_gives_the_ids_of_the_reference(name: str) -> None:
    golden, recipe, checkpoint = read_golden(name), RECIPES[name], golden_checkpoint(name)
    tokenizer = load_tokenizer(
        checkpoint.tokenizer_files, max_tokens=recipe.max_tokens, vocab_size=checkpoint.config.vocab_size
    )
    batch = tokenizer.encode(recipe.texts)
    np.testing.assert_array_equal(batch.cu_seqlens, golden.cu_seqlens)
    np.testing.assert_array_equal(batch.token_ids, golden.token_ids)


@pytest.mark.parametrize(("name", "pooling"), POOLED)
def test_every_kernel_set_gives_the_vectors_of_transformers(name: str, pooling: Pooling, isa: str) -> None:
    check_kernels(name, pooling, isa, tokens=SCALAR_TOKENS if isa == "scalar" else None)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_scalar_kernels_give_the_vectors_of_transformers_for_all_texts(name: str) -> None:
    check_kernels(name, "mean", "scalar", tokens=None)


def check_kernels(name: str, pooling: Pooling, isa: str, tokens: int | None) -> None:
    golden = read_golden(name)
    texts = len(golden.mean) if tokens is None else golden.first(tokens)
    cu_seqlens = golden.cu_seqlens[: texts + 1]
    engine = golden_engine(name, isa)
    assert engine.isa == isa
    embeddings = engine.encode(
        golden.token_ids[: cu_seqlens[-1]], cu_seqlens, pooling=pooling, normalize=True, batch_tokens=256
    )
    found = deviation(embeddings, golden.embeddings(pooling)[:texts])
    assert found.is_golden, found


@pytest.mark.parametrize("name", [*SEEDED, "all-MiniLM-L6-v2"])
def test_the_check_passes_the_right_model_and_fails_each_wrong_one(name: str) -> None:
    golden, checkpoint = read_golden(name), golden_checkpoint(name)
    texts = golden.texts()[: len(PAGE)]
    reference = Reference(checkpoint.config, widened(checkpoint.tensors))
    for mistake in (None, *MISTAKES):
        embeddings = normalized(replace(reference, mistake=mistake).embed(texts))
        found = deviation(embeddings, golden.embeddings("mean")[: len(texts)])
        assert found.is_golden == (mistake is None), (mistake, found)


def test_the_check_fails_for_a_single_wrong_number() -> None:
    right = read_golden("all-MiniLM-L6-v2").embeddings("mean")
    assert deviation(right, right).is_golden
    for value in (right[3, 5] + 3e-5, np.nan, np.inf):
        wrong = right.copy()
        wrong[3, 5] = value
        assert not deviation(wrong, right).is_golden
