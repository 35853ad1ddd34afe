"""The class that code written for sentence-transformers makes: its arguments and answers, gtekit's engine below."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NoReturn, TypedDict, Unpack

import numpy as np

from gtekit.arrays import Array
from gtekit.config import FEWEST_TOKENS, OnTruncation
from gtekit.embedder import Embedder, load
from gtekit.errors import ArgumentError
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS, check_count, check_texts
from gtekit.sentence_transformers.arguments import (
    check_cpu,
    check_dimension,
    refuse_constructor_arguments,
    resolve_token,
)
from gtekit.sentence_transformers.quantization import (
    VectorPrecision,
    check_vector_precision,
    quantize_embeddings,
    truncate_embeddings,
)
from gtekit.sentence_transformers.similarity import SCORES, check_similarity_name, normalize_embeddings
from gtekit.sentence_transformers.tensors import Vectors, tensor_maker

OutputValue = Literal["sentence_embedding", "token_embeddings"]
Texts = str | Iterable[str]


class EncodeArguments(TypedDict, total=False):
    """What `encode_query` and `encode_document` hand to `encode`."""

    batch_size: int
    show_progress_bar: bool | None
    output_value: OutputValue
    precision: VectorPrecision
    convert_to_numpy: bool
    convert_to_tensor: bool
    device: object
    normalize_embeddings: bool
    truncate_dim: int | None
    pool: object
    chunk_size: int | None
    sentences: Texts | None


class SentenceTransformer:
    """A model with the methods of `sentence_transformers.SentenceTransformer`, on gtekit's engine.

    Vectors are float32 and stand within 2e-5 of the original's; the vector of a text never depends on its neighbours.
    `embedder` is the gtekit model below, with all that this interface has no words for.

    Args:
        model_name_or_path: As for `gtekit.load`: a short name, a Hugging Face id or a folder.
        device: None or a CPU: there is nothing else here.
        prompts: Texts to put in front, by name; they are added to the model's own.
        default_prompt_name: The prompt of calls that name none.
        cache_folder: Where downloads are kept, instead of the Hugging Face cache.
        revision: Branch, tag or commit on the hub.
        local_files_only: Never ask the hub.
        token: For private models.
        similarity_fn_name: cosine, dot, euclidean or manhattan.
        truncate_dim: Keep so many numbers of each vector.
        on_truncation: What happens to the rest of a longer text (not in the original, which cuts in silence).
        threads: The most threads of a call (not in the original).
        refused: Arguments that need torch or another engine (modules, backend, model_kwargs, trust_remote_code, ...):
            their defaults are accepted, anything else is an error that says what to do.

    Raises:
        ArgumentError: If an argument asks for what gtekit does not do.
        ModelNotFoundError: If the model is neither here nor on the hub.
        CheckpointError: If its files are damaged or of another kind.
    """

    def __init__(
        self,
        model_name_or_path: str | Path | None = None,
        *,
        device: object = None,
        prompts: dict[str, str] | None = None,
        default_prompt_name: str | None = None,
        cache_folder: str | Path | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        token: bool | str | None = None,
        similarity_fn_name: object = None,
        truncate_dim: int | None = None,
        on_truncation: OnTruncation = "warn",
        threads: int | None = None,
        **refused: object,
    ) -> None:
        refuse_constructor_arguments(refused)
        check_cpu(device)
        if model_name_or_path is None:
            raise ArgumentError('SentenceTransformer needs a model, for example SentenceTransformer("gte-small").')
        self.similarity_fn_name = similarity_fn_name
        self.truncate_dim = check_dimension(truncate_dim)
        self.on_truncation = on_truncation
        self.embedder: Embedder = load(
            model_name_or_path,
            revision=revision,
            cache_folder=None if cache_folder is None else Path(cache_folder),
            local_files_only=local_files_only,
            token=resolve_token(token),
            threads=threads,
        )
        self.prompts: dict[str, str] = {**self.embedder.prompts, **(prompts or {})}
        self.default_prompt_name = default_prompt_name or self.embedder.checkpoint.default_prompt_name
        if self.default_prompt_name is not None:
            self._prompt(None, self.default_prompt_name)  # an unknown name fails here, not at the first call

    def encode(
        self,
        inputs: Texts | None = None,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int = 32,
        show_progress_bar: bool | None = None,
        output_value: OutputValue = "sentence_embedding",
        precision: VectorPrecision = "float32",
        convert_to_numpy: bool = True,
        convert_to_tensor: bool = False,
        device: object = None,
        normalize_embeddings: bool = False,
        truncate_dim: int | None = None,
        pool: object = None,
        chunk_size: int | None = None,
        *,
        sentences: Texts | None = None,
    ) -> Any:  # noqa: ANN401 the type follows the arguments, as in the original
        """Embed one text or many.

        Args:
            inputs: A str, or many.
            prompt_name: Which of `prompts` goes before each text.
            prompt: The same, spelled out; wins over `prompt_name`.
            batch_size: Accepted and without effect: texts are packed by tokens, and no vector depends on its batch.
            show_progress_bar: None: on a terminal, once the work has run for two seconds.
            output_value: One vector a text, or the states of all its tokens.
            precision: Format of the vectors; int8 and uint8 take their ranges from this very call.
            convert_to_numpy: False: a list of torch tensors.
            convert_to_tensor: One torch tensor.
            device: None or CPUs.
            normalize_embeddings: Divide by the L2 norm, after truncation to `truncate_dim`.
            truncate_dim: Keep so many numbers of each vector.
            pool: Accepted and without effect: all cores work already, in one process.
            chunk_size: As `batch_size`.
            sentences: The former name of `inputs`.

        Returns:
            Shape (N, D) for many texts, (D,) for one. Token states: a list of (L, D), for one text (L, D).

        Raises:
            ArgumentError: If an argument has a value that can't be used.
            TextTypeError: If something is not a str; the message names its place.
            MissingExtraError: If tensors are asked for and torch is not installed.
        """
        texts, is_single = _as_list(inputs, sentences)
        if batch_size < 1:
            raise ArgumentError(f"batch_size={batch_size} must be 1 or more.")
        check_vector_precision(precision)
        check_cpu(device)
        wants_tensors = convert_to_tensor or not convert_to_numpy
        convert = tensor_maker("convert_to_tensor=True") if wants_tensors else np.asarray
        prompt = self._prompt(prompt, prompt_name)
        if output_value == "token_embeddings":
            states = [convert(array) for array in self._token_states(texts, prompt, precision)]
            return states[0] if is_single else states
        if output_value != "sentence_embedding":
            raise ArgumentError(
                f"unknown output_value {output_value!r}; there are: sentence_embedding, token_embeddings. "
                f"For both, call encode twice; token ids come from model.tokenize(texts)."
            )
        width = self.truncate_dim if truncate_dim is None else check_dimension(truncate_dim)
        vectors = self._embed(texts, prompt, show_progress_bar, normalize_embeddings, width)
        if len(vectors) and precision != "float32":
            vectors = quantize_embeddings(vectors, precision)
        if is_single:
            return convert(vectors[0])
        return convert(vectors) if convert_to_tensor or convert_to_numpy else [convert(vector) for vector in vectors]

    def encode_query(
        self,
        inputs: Texts | None = None,
        prompt_name: str | None = None,
        prompt: str | None = None,
        **arguments: Unpack[EncodeArguments],
    ) -> Any:  # noqa: ANN401 as encode
        """Embed queries: `encode` with the model's prompt "query", where it has one and none was given."""
        return self.encode(inputs, self._first_prompt(QUERY_PROMPTS, prompt_name, prompt), prompt, **arguments)

    def encode_document(
        self,
        inputs: Texts | None = None,
        prompt_name: str | None = None,
        prompt: str | None = None,
        **arguments: Unpack[EncodeArguments],
    ) -> Any:  # noqa: ANN401 as encode
        """Embed documents: `encode` with the model's prompt "document", "passage" or "corpus", where it has one."""
        return self.encode(inputs, self._first_prompt(DOCUMENT_PROMPTS, prompt_name, prompt), prompt, **arguments)

    def similarity(self, embeddings1: Vectors, embeddings2: Vectors) -> Vectors:
        """Score all vectors of one list with all of another by `similarity_fn_name`, shape (Q, N)."""
        return SCORES[self.similarity_fn_name][0](embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Vectors, embeddings2: Vectors) -> Vectors:
        """Score the vectors in the same places of two lists by `similarity_fn_name`, shape (N,)."""
        return SCORES[self.similarity_fn_name][1](embeddings1, embeddings2)

    @property
    def similarity_fn_name(self) -> str:
        """The scores that `similarity` gives: cosine, dot, euclidean or manhattan."""
        return self._similarity_fn_name

    @similarity_fn_name.setter
    def similarity_fn_name(self, name: object) -> None:
        self._similarity_fn_name = "cosine" if name is None else check_similarity_name(name)

    def get_embedding_dimension(self) -> int:
        """D, the length of a vector, after `truncate_dim`."""
        dimension = self.embedder.dimension
        return dimension if self.truncate_dim is None else min(dimension, self.truncate_dim)

    def get_sentence_embedding_dimension(self) -> int:
        """The former name of `get_embedding_dimension`."""
        return self.get_embedding_dimension()

    def get_max_seq_length(self) -> int:
        """The former name of `max_seq_length`."""
        return self.max_seq_length

    @property
    def max_seq_length(self) -> int:
        """The most tokens of a text, [CLS] and [SEP] included; what is longer is cut, and a warning says so."""
        return self.embedder.max_tokens

    @max_seq_length.setter
    def max_seq_length(self, value: int) -> None:
        most = self.embedder.checkpoint.config.max_position_embeddings
        check_count("max_seq_length", value, least=FEWEST_TOKENS, most=most)
        self.embedder = self.embedder.with_max_tokens(value)

    @property
    def device(self) -> str:
        """Always cpu."""
        return "cpu"

    def to(self, device: object) -> "SentenceTransformer":
        """Stay where it is: on the CPU. Any other device is an error."""
        check_cpu(device)
        return self

    def cpu(self) -> "SentenceTransformer":
        """Give the model itself: it is on the CPU."""
        return self

    def eval(self) -> "SentenceTransformer":
        """Give the model itself: it never trains."""
        return self

    @contextmanager
    def truncate_embeddings(self, truncate_dim: int | None) -> Iterator[None]:
        """Keep so many numbers of each vector inside a `with` block."""
        before, self.truncate_dim = self.truncate_dim, check_dimension(truncate_dim)
        try:
            yield
        finally:
            self.truncate_dim = before

    def tokenize(self, texts: Sequence[str]) -> dict[str, Array]:
        """Give input_ids, token_type_ids and attention_mask of texts, padded to the longest, shape (B, L)."""
        batch = self.embedder.tokenizer.encode(_as_list(list(texts), None)[0])
        lengths = np.diff(batch.cu_seqlens)
        mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
        ids = np.zeros(mask.shape, np.int64)  # [PAD] has id 0 in every BERT vocabulary
        ids[mask] = batch.token_ids
        return {"input_ids": ids, "token_type_ids": np.zeros_like(ids), "attention_mask": mask.astype(np.int64)}

    def start_multi_process_pool(self, target_devices: Sequence[object] | None = None) -> dict[str, object]:
        """Give a pool for code that asks for one. It holds no process: a single call uses all cores already."""
        check_cpu(target_devices)
        return {"input": None, "output": None, "processes": []}

    @staticmethod
    def stop_multi_process_pool(pool: object) -> None:
        """Stop a pool of `start_multi_process_pool`, which has nothing to stop."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"SentenceTransformer of gtekit has no {name!r}: it embeds and does not train, save or give out its parts. "
            "The loaded model is in .embedder; for the rest use the original package."
        )

    def __repr__(self) -> str:
        return f"SentenceTransformer({self.embedder.name!r}, max_seq_length={self.max_seq_length})"

    def _embed(
        self, texts: list[str], prompt: str | None, progress: bool | None, normalize: bool, width: int | None
    ) -> Array:
        vectors: Array = self.embedder.encode(
            texts,
            prompt=prompt or "",  # "" keeps the embedder from looking for a default of its own
            progress=progress,
            on_truncation=self.on_truncation,
            normalize=True if normalize and width is None else None,
        )
        if width is None:
            return vectors
        vectors = truncate_embeddings(vectors, width)
        return normalize_embeddings(vectors) if normalize else vectors

    def _token_states(self, texts: list[str], prompt: str | None, precision: str) -> list[Array]:
        if precision != "float32":
            raise ArgumentError(
                f"precision={precision!r} is for sentence embeddings; token_embeddings are float32. Leave it out."
            )
        return list(self.embedder.token_states(texts, prompt=prompt or ""))

    def _prompt(self, prompt: str | None, prompt_name: str | None) -> str | None:
        if prompt is not None:
            return prompt
        name = prompt_name if prompt_name is not None else self.default_prompt_name
        if name is None:
            return None
        if name not in self.prompts:
            known = ", ".join(map(repr, self.prompts)) or "none"
            raise ArgumentError(f"this model has no prompt named {name!r}; its prompts: {known}. Or pass prompt=.")
        return self.prompts[name]

    def _first_prompt(self, candidates: Sequence[str], prompt_name: str | None, prompt: str | None) -> str | None:
        if prompt_name is not None or prompt is not None:
            return prompt_name
        return next((name for name in candidates if name in self.prompts), None)


def _as_list(inputs: Texts | None, sentences: Texts | None) -> tuple[list[str], bool]:
    """Give texts as a list, and whether there was one alone."""
    if (inputs is None) == (sentences is None):
        raise ArgumentError("encode takes its texts once: encode(texts). `sentences` is the former name of `inputs`.")
    texts = sentences if inputs is None else inputs
    if isinstance(texts, str):
        return [texts], True
    return check_texts(texts.tolist() if isinstance(texts, np.ndarray) else texts), False  # type: ignore[arg-type]
