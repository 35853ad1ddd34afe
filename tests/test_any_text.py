"""Any list of Unicode strings gives finite unit vectors: a bounded fuzz run with fixed seeds."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.errors import GtekitError
from tests.engine.models import TINY

ALLOWED_DIFF = 1e-6  # float32: the rounding of a norm
SPECIAL = "\u0000\u0007\u001b\u007f\u0085\u00ad\u0301\u0903\u1160\u200b\u200d\u202e\u2028\ufe0f\ufeff\ufffd\uffff"

any_text = st.one_of(
    st.text(),
    st.text(alphabet=SPECIAL + "aZ é北ש🇩👩‍", max_size=60),
    st.text(alphabet=st.characters(categories=["Lo", "Mn", "Mc", "So", "Cf", "Co"]), max_size=40),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=8), st.integers(1, 2_000)),
    st.sampled_from(["[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "##a", "[", "]", " [CLS] [CLS]"]),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> "gtekit.Embedder":
    folder: Path = tmp_path_factory.mktemp("seeded") / "tiny"
    write_seeded_checkpoint(folder, size=TINY)
    return gtekit.load(folder, language_warning=False)


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(any_text, max_size=8))
def test_any_unicode_gives_finite_unit_vectors(model: "gtekit.Embedder", texts: list[str]) -> None:
    embeddings = model.encode(texts, on_truncation="ignore", normalize=True)
    assert embeddings.shape == (len(texts), TINY.hidden_size)
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=ALLOWED_DIFF)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(any_text, min_size=1, max_size=6))
def test_any_text_alone_equals_itself_among_others(model: "gtekit.Embedder", texts: list[str]) -> None:
    together = model.encode(texts, on_truncation="ignore")
    single = [model.encode_one(text, on_truncation="ignore") for text in texts]
    np.testing.assert_array_equal(together, np.stack(single))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=any_text)
def test_any_text_can_be_cut_into_chunks(model: "gtekit.Embedder", text: str) -> None:
    chunks = model.encode_chunks([text])
    assert np.isfinite(chunks.embeddings).all()
    assert (chunks.offsets[:, 0] <= chunks.offsets[:, 1]).all()
    assert chunks.offsets.min(initial=0) >= 0
    assert chunks.offsets.max(initial=0) <= len(text)
    assert np.isfinite(model.encode([text], on_truncation="chunk")).all()


@pytest.mark.parametrize("text", ["\ud800", "half \udfff of a pair"])
def test_half_of_a_surrogate_pair_is_refused_with_its_index(model: "gtekit.Embedder", text: str) -> None:
    with pytest.raises(GtekitError, match=r"texts\[1\]"):
        model.encode(["fine", text])
