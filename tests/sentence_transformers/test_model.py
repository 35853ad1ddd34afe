import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gtekit
from gtekit.errors import (
    ArgumentError,
    LanguageWarning,
    MissingExtraError,
    TextTypeError,
    TruncationError,
    TruncationWarning,
)
from gtekit.sentence_transformers import SentenceTransformer

TEXTS = ["That is a happy person", "That is a very happy person", "", "Beijing"]
ALLOWED_DIFF = 1e-6  # float32: norms rounded twice


@pytest.fixture(scope="module")
def model() -> SentenceTransformer:
    return SentenceTransformer("all-MiniLM-L6-v2", prompts={"query": "query: ", "passage": "passage: "})


def test_a_list_gives_a_matrix_and_a_str_a_vector(model: SentenceTransformer, minilm: gtekit.Embedder) -> None:
    embeddings = model.encode(TEXTS)
    assert embeddings.dtype == np.float32
    np.testing.assert_array_equal(embeddings, minilm.encode(TEXTS))
    np.testing.assert_array_equal(model.encode(TEXTS[0]), embeddings[0])


@pytest.mark.parametrize("texts", [tuple(TEXTS), np.array(TEXTS), np.array(TEXTS, object)])
def test_other_sequences_of_str_are_lists_too(model: SentenceTransformer, texts: Any) -> None:
    np.testing.assert_array_equal(model.encode(texts), model.encode(TEXTS))


def test_no_texts_give_an_empty_matrix(model: SentenceTransformer) -> None:
    assert model.encode([]).shape == (0, 384)
    assert model.encode([], precision="int8").shape == (0, 384)


def test_the_former_name_of_the_first_argument_still_works(model: SentenceTransformer) -> None:
    np.testing.assert_array_equal(model.encode(sentences=TEXTS), model.encode(inputs=TEXTS))
    with pytest.raises(ArgumentError, match="once"):
        model.encode(TEXTS, sentences=TEXTS)
    with pytest.raises(ArgumentError, match="once"):
        model.encode()


def test_batch_size_pool_and_device_change_nothing(model: SentenceTransformer) -> None:
    pool = model.start_multi_process_pool(["cpu", "cpu"])
    embeddings = model.encode(TEXTS, batch_size=1, pool=pool, chunk_size=2, device=["cpu", "cpu"])
    model.stop_multi_process_pool(pool)
    np.testing.assert_array_equal(embeddings, model.encode(TEXTS))


def test_prompts_go_before_each_text(model: SentenceTransformer) -> None:
    spelled_out = model.encode(["query: Beijing"])
    np.testing.assert_array_equal(model.encode(["Beijing"], prompt_name="query"), spelled_out)
    np.testing.assert_array_equal(model.encode(["Beijing"], prompt="query: "), spelled_out)
    np.testing.assert_array_equal(model.encode_query(["Beijing"]), spelled_out)
    np.testing.assert_array_equal(model.encode_query(["query: Beijing"], prompt=""), spelled_out)
    np.testing.assert_array_equal(model.encode_document("Beijing"), model.encode("passage: Beijing"))


def test_an_unknown_prompt_is_refused_with_the_choices(model: SentenceTransformer) -> None:
    with pytest.raises(ArgumentError, match="'query', 'passage'"):
        model.encode(TEXTS, prompt_name="question")


def test_a_default_prompt_is_used_where_none_is_named() -> None:
    model = SentenceTransformer("all-MiniLM-L6-v2", prompts={"q": "query: "}, default_prompt_name="q")
    np.testing.assert_array_equal(model.encode("Beijing"), model.encode("query: Beijing", prompt=""))
    with pytest.raises(ArgumentError, match="no prompt named 'p'"):
        SentenceTransformer("all-MiniLM-L6-v2", default_prompt_name="p")


def test_truncated_vectors_are_not_normalized_unless_asked(model: SentenceTransformer) -> None:
    whole = model.encode(TEXTS)
    np.testing.assert_array_equal(model.encode(TEXTS, truncate_dim=64), whole[:, :64])
    normalized = model.encode(TEXTS, truncate_dim=64, normalize_embeddings=True)
    np.testing.assert_allclose(np.linalg.norm(normalized, axis=1), 1, atol=ALLOWED_DIFF)
    with model.truncate_embeddings(16):
        assert model.get_embedding_dimension() == model.get_sentence_embedding_dimension() == 16
        assert model.encode(TEXTS).shape == (4, 16)
    assert model.get_embedding_dimension() == 384


def test_token_embeddings_are_one_array_a_text_without_padding(model: SentenceTransformer) -> None:
    states = model.encode(TEXTS, output_value="token_embeddings")
    assert [array.shape for array in states] == [(7, 384), (8, 384), (2, 384), (3, 384)]
    np.testing.assert_array_equal(model.encode(TEXTS[1], output_value="token_embeddings"), states[1])
    pooled = states[0].mean(0)
    np.testing.assert_allclose(pooled / np.linalg.norm(pooled), model.encode(TEXTS[0]), atol=ALLOWED_DIFF)
    prompted = model.encode("Beijing", output_value="token_embeddings", prompt="query: ")
    assert prompted.shape == model.encode("query: Beijing", output_value="token_embeddings").shape


def test_vectors_of_fewer_bytes(model: SentenceTransformer) -> None:
    assert model.encode(TEXTS, precision="ubinary").shape == (4, 48)
    assert model.encode("Beijing", precision="binary").dtype == np.int8
    many = [f"text number {number}" for number in range(100)]
    assert model.encode(many, precision="int8").dtype == np.int8
    with pytest.raises(ArgumentError, match="to_int8"):
        model.encode("Beijing", precision="int8")
    with pytest.raises(ArgumentError, match="token_embeddings are float32"):
        model.encode(TEXTS, precision="int8", output_value="token_embeddings")


def test_the_length_can_be_read_and_set() -> None:
    model = SentenceTransformer("all-MiniLM-L6-v2")
    assert model.max_seq_length == model.get_max_seq_length() == 256
    model.max_seq_length = 16
    assert model.max_seq_length == 16
    with pytest.warns(TruncationWarning):
        assert len(model.encode("word " * 100, output_value="token_embeddings")) == 16
    with pytest.raises(ArgumentError, match="512"):
        model.max_seq_length = 513


def test_a_warning_that_is_given_once_is_not_given_again_after_the_length_was_set() -> None:
    model = SentenceTransformer("all-MiniLM-L6-v2")
    with pytest.warns(LanguageWarning):
        model.encode("北京是中国的首都。" * 3)
    model.max_seq_length = 128
    model.encode("北京是中国的首都。" * 3)


def test_long_texts_are_never_cut_in_silence() -> None:
    with pytest.warns(TruncationWarning):
        SentenceTransformer("all-MiniLM-L6-v2").encode("word " * 1000)
    with pytest.raises(TruncationError):
        SentenceTransformer("all-MiniLM-L6-v2", on_truncation="error").encode("word " * 1000)
    whole = SentenceTransformer("all-MiniLM-L6-v2", on_truncation="chunk").encode("word " * 1000)
    assert whole.shape == (384,)


def test_tokenize_gives_padded_arrays(model: SentenceTransformer) -> None:
    tokens = model.tokenize(["Beijing", "sorting algorithms in python"])
    assert tokens["input_ids"].tolist() == [[101, 7211, 102, 0, 0, 0], [101, 22210, 13792, 1999, 18750, 102]]
    assert tokens["attention_mask"].tolist() == [[1, 1, 1, 0, 0, 0], [1] * 6]
    assert tokens["token_type_ids"].tolist() == [[0] * 6] * 2


def test_similarity_follows_the_chosen_function(model: SentenceTransformer) -> None:
    embeddings = model.encode(TEXTS)
    assert model.similarity(embeddings, embeddings).shape == (4, 4)
    np.testing.assert_allclose(model.similarity_pairwise(embeddings, embeddings), 1, atol=ALLOWED_DIFF)
    other = SentenceTransformer("all-MiniLM-L6-v2", similarity_fn_name="euclidean")
    assert other.similarity_fn_name == "euclidean"
    np.testing.assert_allclose(other.similarity_pairwise(embeddings, embeddings), 0, atol=ALLOWED_DIFF)


def test_a_model_is_on_the_cpu_and_stays_there(model: SentenceTransformer) -> None:
    assert str(model.device) == "cpu"
    assert model.to("cpu").eval().cpu() is model
    with pytest.raises(ArgumentError, match=r"cuda.*sentence-transformers itself"):
        model.to("cuda")
    with pytest.raises(ArgumentError, match="mps"):
        SentenceTransformer("all-MiniLM-L6-v2", device="mps")


@pytest.mark.parametrize(
    "argument",
    [
        {"backend": "onnx"},
        {"trust_remote_code": True},
        {"modules": [object()]},
        {"model_kwargs": {"torch_dtype": "float16"}},
        {"tokenizer_kwargs": {"padding_side": "left"}},
        {"token": False},
        {"truncate_dim": 0},
        {"similarity_fn_name": "maxsim"},
    ],
)
def test_what_gtekit_does_not_do_is_refused(argument: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(argument))):
        SentenceTransformer("all-MiniLM-L6-v2", **argument)


def test_defaults_of_the_original_are_accepted() -> None:
    SentenceTransformer(
        "all-MiniLM-L6-v2", modules=None, device="cpu", backend="torch", trust_remote_code=False, model_kwargs={}
    )


def test_misspelled_arguments_fail(model: SentenceTransformer) -> None:
    misspelled: Any = {"normalise_embeddings": True}
    with pytest.raises(TypeError, match="normalise_embeddings"):
        SentenceTransformer("all-MiniLM-L6-v2", **misspelled)
    with pytest.raises(TypeError, match="normalise_embeddings"):
        model.encode(TEXTS, **misspelled)
    with pytest.raises(TypeError, match="normalise_embeddings"):
        model.encode_query(TEXTS, **misspelled)


def test_a_model_name_is_needed() -> None:
    with pytest.raises(ArgumentError, match="gte-small"):
        SentenceTransformer()


def test_wrong_texts_and_values_are_refused(model: SentenceTransformer) -> None:
    wrong: Any = ["a", None]
    with pytest.raises(TextTypeError, match=r"texts\[1\]"):
        model.encode(wrong)
    wrong = "int3"
    with pytest.raises(ArgumentError, match="int3"):
        model.encode(TEXTS, precision=wrong)
    with pytest.raises(ArgumentError, match="batch_size=0"):
        model.encode(TEXTS, batch_size=0)
    wrong = None
    with pytest.raises(ArgumentError, match="token_embeddings"):
        model.encode(TEXTS, output_value=wrong)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed here")
def test_tensors_without_torch_are_refused_with_the_pip_line(model: SentenceTransformer) -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'gtekit\[torch\]'"):
        model.encode(TEXTS, convert_to_tensor=True)
    with pytest.raises(MissingExtraError, match="torch"):
        model.encode(TEXTS, convert_to_numpy=False)


def test_a_folder_is_a_model_too(minilm_folder: str, model: SentenceTransformer) -> None:
    from_folder = SentenceTransformer(Path(minilm_folder))
    np.testing.assert_array_equal(from_folder.encode(TEXTS), model.encode(TEXTS))


@pytest.mark.parametrize("name", ["save_pretrained", "fit", "tokenizer"])
def test_what_is_not_there_says_where_it_is(model: SentenceTransformer, name: str) -> None:
    with pytest.raises(AttributeError, match=f"no '{name}': it embeds and does not train.*the original package"):
        getattr(model, name)
