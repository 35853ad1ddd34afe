"""The same calls to sentence-transformers itself: same shapes, types, values (scripts/test --reference)."""

from typing import Any

import numpy as np
import pytest

from gtekit.sentence_transformers import SentenceTransformer, util

pytestmark = [
    pytest.mark.reference,
    pytest.mark.filterwarnings("ignore"),  # the original's own, and ours about few int8 ranges
]

MAX_ABS_DIFF = 2e-5  # float32, another order of summation
TEXTS = [
    "what is the capital of China?",
    "how to implement quick sort in python?",
    "Beijing",
    "sorting algorithms",
    "",
    "  Schrödinger's café, 東京 \U0001f600 ",
    "word " * 600,
]
MANY = [f"{text} {number}" for number in range(30) for text in TEXTS[:4]]


@pytest.fixture(scope="module")
def original(minilm_folder: str) -> Any:
    return pytest.importorskip("sentence_transformers").SentenceTransformer(minilm_folder, device="cpu")


@pytest.fixture(scope="module")
def ours(minilm_folder: str) -> SentenceTransformer:
    return SentenceTransformer(minilm_folder, on_truncation="ignore")


@pytest.mark.parametrize("texts", [TEXTS, TEXTS[0], [TEXTS[2]], ""])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"normalize_embeddings": True},
        {"truncate_dim": 100},
        {"truncate_dim": 100, "normalize_embeddings": True},
        {"prompt": "query: "},
        {"batch_size": 2},
        {"convert_to_tensor": True},
        {"convert_to_numpy": False},
    ],
)
def test_encode_gives_the_same_vectors(
    original: Any, ours: SentenceTransformer, texts: Any, arguments: dict[str, Any]
) -> None:
    expected, found = original.encode(texts, **arguments), ours.encode(texts, **arguments)
    assert type(found) is type(expected)
    if isinstance(expected, list):
        assert [type(vector) for vector in found] == [type(vector) for vector in expected]
        expected, found = np.stack(expected), np.stack(found)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=0, atol=MAX_ABS_DIFF)


@pytest.mark.parametrize("method", ["encode_query", "encode_document"])
def test_queries_and_documents_give_the_same_vectors(original: Any, ours: SentenceTransformer, method: str) -> None:
    expected, found = getattr(original, method)(TEXTS), getattr(ours, method)(TEXTS)
    np.testing.assert_allclose(found, expected, rtol=0, atol=MAX_ABS_DIFF)


def test_token_embeddings_are_the_same(original: Any, ours: SentenceTransformer) -> None:
    expected = original.encode(TEXTS, output_value="token_embeddings")
    found = ours.encode(TEXTS, output_value="token_embeddings")
    for expected_states, states in zip(expected, found, strict=True):
        np.testing.assert_allclose(states, expected_states.numpy(), rtol=0, atol=1e-4)  # up to 10 in size: 1e-5 of it


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_small_vectors_are_the_same(original: Any, ours: SentenceTransformer, precision: Any) -> None:
    expected, found = original.encode(MANY, precision=precision), ours.encode(MANY, precision=precision)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    if "int8" in precision:  # a value on the edge of a step may fall to either side
        assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1
    else:
        assert np.mean(found == expected) > 0.999


@pytest.mark.parametrize("name", util.__all__)
def test_functions_of_util_answer_as_theirs(original: Any, ours: SentenceTransformer, name: str) -> None:
    theirs = getattr(pytest.importorskip("sentence_transformers").util, name)
    torch = pytest.importorskip("torch")
    a, b = ours.encode(MANY[:9]), ours.encode(MANY[3:12])
    arguments: dict[str, tuple[Any, ...]] = {
        "normalize_embeddings": (torch.from_numpy(a * 3),),
        "truncate_embeddings": (a, 10),
        "quantize_embeddings": (a, "int8"),
    }
    expected, found = theirs(*arguments.get(name, (a, b))), getattr(util, name)(*arguments.get(name, (a, b)))
    if name == "semantic_search":
        assert [[hit["corpus_id"] for hit in hits] for hits in found] == [
            [hit["corpus_id"] for hit in hits] for hits in expected
        ]
        return
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=0, atol=MAX_ABS_DIFF)


def test_a_tensor_that_goes_in_comes_out_as_one(ours: SentenceTransformer) -> None:
    torch = pytest.importorskip("torch")
    tensor, array = ours.encode(TEXTS, convert_to_tensor=True), ours.encode(TEXTS)
    assert isinstance(util.cos_sim(tensor, tensor), torch.Tensor)
    assert isinstance(util.cos_sim(list(tensor), array), torch.Tensor)
    assert isinstance(ours.similarity(tensor, array), torch.Tensor)
    assert isinstance(util.cos_sim(array, array), np.ndarray)
    assert util.cos_sim(tensor.to(torch.bfloat16), tensor).dtype == torch.float32


def test_settings_read_the_same(original: Any, ours: SentenceTransformer) -> None:
    assert ours.max_seq_length == original.max_seq_length
    assert ours.get_embedding_dimension() == original.get_embedding_dimension()
    assert ours.similarity_fn_name == original.similarity_fn_name
    assert str(ours.device) == str(original.device)
    tokens, expected = ours.tokenize(TEXTS), original.tokenize(TEXTS)
    for name in ("input_ids", "token_type_ids", "attention_mask"):
        np.testing.assert_array_equal(tokens[name], expected[name].numpy())


def test_the_original_refuses_one_int8_vector_too(original: Any, ours: SentenceTransformer) -> None:
    for model in (original, ours):
        with pytest.raises(ValueError, match="calibration_embeddings"):
            model.encode("one text", precision="int8")
