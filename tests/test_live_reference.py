"""gtekit beside transformers and sentence-transformers in one process: needs torch, so it is marked `reference`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gtekit
from tests.golden.checkpoints import golden_folder
from tests.golden.files import MAX_ABS_DIFF, deviation
from tests.golden.texts import PAGE, all_texts, few_texts
from tests.reference import normalized

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

CASES = [("all-MiniLM-L6-v2", all_texts()), ("gte-small", few_texts()), ("gte-large", few_texts())]


def load(name: str) -> "gtekit.Embedder":
    return gtekit.load(golden_folder(name), language_warning=False)


def page_embeddings(folder: Path, texts: list[str], max_tokens: int) -> Any:
    """The code of the model's page, word for word but for its names: pads all texts to the longest."""
    import torch
    import torch.nn.functional as functional
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    batch_dict = tokenizer(texts, max_length=max_tokens, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        outputs = model(**batch_dict)
    mask = batch_dict["attention_mask"]
    last_hidden = outputs.last_hidden_state.masked_fill(~mask[..., None].bool(), 0.0)
    embeddings = last_hidden.sum(dim=1) / mask.sum(dim=1)[..., None]
    return functional.normalize(embeddings, p=2, dim=1)


@pytest.mark.parametrize(("name", "texts"), CASES, ids=[name for name, _ in CASES])
def test_vectors_agree_with_transformers(name: str, texts: list[str]) -> None:
    model = load(name)
    embeddings = model.encode(texts, on_truncation="ignore")
    expected = np.concatenate(
        [page_embeddings(golden_folder(name), texts[i : i + 32], model.max_tokens) for i in range(0, len(texts), 32)]
    )
    found = deviation(embeddings, normalized(expected))
    assert found.is_golden, found


@pytest.mark.parametrize(("name", "texts"), CASES, ids=[name for name, _ in CASES])
def test_vectors_agree_with_sentence_transformers(name: str, texts: list[str]) -> None:
    from sentence_transformers import SentenceTransformer

    # sentence-transformers 6 and transformers 5 compute in the dtype of the file: float16 for GTE. We promise float32.
    model = SentenceTransformer(str(golden_folder(name)), device="cpu", model_kwargs={"dtype": "float32"})
    expected = model.encode(texts, normalize_embeddings=True)
    embeddings = load(name).encode(texts, on_truncation="ignore", normalize=True)
    found = deviation(embeddings, normalized(expected))
    assert found.is_golden, found


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "gte-small"])
def test_the_first_example_of_the_page_prints_the_same_scores(name: str) -> None:
    model = load(name)
    theirs = page_embeddings(golden_folder(name), PAGE[:4], model.max_tokens)
    expected = (theirs[:1] @ theirs[1:].T) * 100
    embeddings = model.encode(PAGE[:4])
    scores = (embeddings[:1] @ embeddings[1:].T) * 100
    np.testing.assert_allclose(scores, expected.numpy(), atol=100 * MAX_ABS_DIFF)
    assert [f"{score:.3f}" for score in scores[0]] == [f"{score:.3f}" for score in expected[0].tolist()]


def test_token_states_agree_with_transformers() -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = golden_folder("gte-small")
    texts = few_texts()[:8]
    tokenizer, reference = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, dtype=torch.float32)
    for text, states in zip(texts, load("gte-small").token_states(texts), strict=True):
        with torch.inference_mode():
            expected = reference(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        np.testing.assert_allclose(states, expected.numpy(), atol=1e-4, rtol=1e-4)  # not unit vectors: up to 20 large
