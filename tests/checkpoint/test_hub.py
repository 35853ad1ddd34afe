"""gte-small's own files from the real hub: what the seeded checkpoints stand in for elsewhere."""

import numpy as np
import pytest

import gtekit

QUERY = "how to implement quick sort in python?"


@pytest.mark.network
def test_gte_small_of_the_hub_loads_and_ranks_as_its_page_says() -> None:
    model = gtekit.load("gte-small")
    assert (model.dimension, model.max_tokens, model.pooling) == (384, 512, "mean")
    assert model.revision is not None
    vectors = model.encode([QUERY, "Beijing", "sorting algorithms"], normalize=True)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    _, beijing, sorting = model.similarity(vectors[:1], vectors)[0]
    assert sorting > beijing
