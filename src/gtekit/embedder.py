"""Text to embeddings: `load` gives an Embedder, which does all that most people do with a model."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Unpack, get_args

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.checkpoint import Checkpoint, load_checkpoint
from gtekit.chunking import Chunks, chunk_texts
from gtekit.config import DEFAULT_MODEL, FEWEST_TOKENS, EncodeKeywords, EncodeOptions, Pooling, Precision
from gtekit.cosines import similarity, similarity_pairwise
from gtekit.engine.native import NativeEngine, chosen_isa
from gtekit.errors import ArgumentError, TextTypeError
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS, check_count, check_texts, choose_prompt, read_options
from gtekit.language import LanguageNotice
from gtekit.progress import Progress
from gtekit.protocols import Engine
from gtekit.streaming import BLOCK_TEXTS
from gtekit.text_encoder import TextEncoder
from gtekit.threads import MOST_THREADS
from gtekit.threads import VARIABLE as THREADS_VARIABLE
from gtekit.tokenizer import Tokenizer, load_tokenizer
from gtekit.truncation import Truncation, find_cuts, warn_of_truncation
from gtekit.tuned import Tuned, find_tuned
from gtekit.vectors import Vectors


class Embedder:
    """A loaded model: texts in, embeddings out. Made by `gtekit.load`.

    Safe to call from several threads at once. The vector of a text is the same to the last bit whatever else is in
    the call, in whatever order, with any number of threads.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        tokenizer: Tokenizer,
        engine: Engine,
        *,
        language: LanguageNotice,
        batch_tokens: int = EncodeOptions().batch_tokens,
    ) -> None:
        self.checkpoint = checkpoint
        self.tokenizer = tokenizer
        self.engine = engine
        self.batch_tokens = batch_tokens  # of a micro-batch, where a call says nothing else
        self._language = language
        self._encoder = TextEncoder(
            tokenizer, engine, language, pooling=checkpoint.pooling, normalize=checkpoint.normalize
        )

    def __repr__(self) -> str:
        return (
            f"<Embedder {self.name}: {self.dimension} dimensions, {self.max_tokens} tokens, "
            f"{self.precision} on {self.isa}, {self.threads} thread{'' if self.threads == 1 else 's'}>"
        )

    @property
    def name(self) -> str:
        """The hub id, or the folder as it was given."""
        return self.checkpoint.name

    @property
    def revision(self) -> str | None:
        """The commit that was loaded, for a model of the hub."""
        return self.checkpoint.revision

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the vectors: equal fingerprints, one space. Computed at first use."""
        return self.checkpoint.fingerprint

    @property
    def dimension(self) -> int:
        """D, the length of an embedding."""
        return self.engine.hidden_size

    @property
    def max_tokens(self) -> int:
        """The most tokens of a text that are read, [CLS] and [SEP] included."""
        return self.tokenizer.max_tokens

    @property
    def prompts(self) -> Mapping[str, str]:
        """The prompts that the model was trained with, by name."""
        return self.checkpoint.prompts

    @property
    def pooling(self) -> Pooling:
        """How token vectors become the vector of a text."""
        return self.checkpoint.pooling

    @property
    def normalize(self) -> bool:
        """Whether embeddings have length 1 unless asked otherwise."""
        return self.checkpoint.normalize

    @property
    def threads(self) -> int:
        """The most threads that a call uses."""
        return self.engine.threads

    @property
    def isa(self) -> str:
        """The kernels that run, such as scalar, avx2, avx512_vnni, neon_dotprod."""
        return self.engine.isa

    @property
    def precision(self) -> str:
        """The number format of the linear layers."""
        return self.engine.precision

    @property
    def memory_bytes(self) -> int:
        """Weights and scratch memory held right now."""
        return self.engine.memory_bytes

    def encode(self, texts: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed texts.

        A text longer than `max_tokens` is cut, which is warned of once per call (`on_truncation="warn"`), refused
        ("error") or passed over ("ignore"). With "chunk" its pieces are embedded, cut at sentence or word boundaries
        with an overlap of an eighth; its vector is the mean of their vectors before normalization, weighted by tokens.

        Args:
            texts: A list of str. Of no texts there are no vectors; an empty str has one.
            **options: The fields of EncodeOptions.

        Returns:
            Shape (N, D), in the order of the texts.

        Raises:
            TextTypeError: If something in `texts` is not a str.
            TruncationError: If a text is too long and `on_truncation="error"`.
            ArgumentError: If there is no such option, or its value is not possible.
        """
        chosen = self._options(options)
        checked = check_texts(texts)
        if not checked:
            return self._empty(chosen)
        block = self._encoder.prepare(0, checked, prompt=self._prompt(chosen), options=chosen)
        warn_of_truncation(block.batch.lengths, self.max_tokens, chosen)
        with Progress(len(checked), len(block.batch.token_ids), show=chosen.progress) as progress:
            return self._encoder.embed(block, chosen, progress.update)

    def encode_one(self, text: str, **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed one text: as `encode`, shape (D,)."""
        if not isinstance(text, str):
            raise TextTypeError(f"text is a {type(text).__name__}, expected one str. For a list: encode(texts).")
        return np.asarray(self.encode([text], **options)[0])

    def encode_query(self, queries: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed queries: as `encode`, with the model's "query" prompt where it has one."""
        return self.encode(queries, **self._with_prompt(options, QUERY_PROMPTS))

    def encode_document(self, documents: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed documents: as `encode`, with the model's "document" or "passage" prompt where it has one."""
        return self.encode(documents, **self._with_prompt(options, DOCUMENT_PROMPTS))

    def encode_stream(
        self,
        texts: Iterable[str],
        *,
        block_texts: int = BLOCK_TEXTS,
        take_lengths: Callable[[Ints], None] | None = None,
        **options: Unpack[EncodeKeywords],
    ) -> Iterator[Floats]:
        """Embed texts from any iterable, even one that never ends, in bounded memory.

        Texts are pulled on the calling thread, two blocks ahead of what is given out at most; the next block is
        tokenized while this one is computed. The one truncation warning comes at the end, early or not.

        Args:
            texts: Any iterable of str.
            block_texts: The most texts in a block; texts of more than a million characters in all end one sooner.
            take_lengths: Gets the tokens of each text before the cut, shape (n,), ahead of each block; warning of cut
                texts is left to it.
            **options: The fields of EncodeOptions.

        Returns:
            An iterator over arrays of shape (n, D), in the order of the texts.
        """
        if isinstance(texts, str | bytes):
            raise TextTypeError(f"texts is one {type(texts).__name__}, expected an iterable of str.")
        check_count("block_texts", block_texts)
        chosen = self._options(options)
        return self._encoder.stream(texts, block_texts, self._prompt(chosen), chosen, take_lengths)

    def encode_chunks(
        self,
        texts: Sequence[str],
        *,
        max_tokens: int | None = None,
        overlap_tokens: int | None = None,
        **options: Unpack[EncodeKeywords],
    ) -> Chunks:
        """Embed texts of any length in pieces, cut at sentence or word boundaries.

        Args:
            texts: A list of str.
            max_tokens: The most tokens of a piece, [CLS], [SEP] and the prompt included; None: what the model reads.
            overlap_tokens: How far a piece may reach back into the one before; None: an eighth of a piece.
            **options: The fields of EncodeOptions, without `on_truncation`. A prompt goes before every piece.

        Returns:
            At least one piece per text, in the order of the texts, with character offsets.
        """
        chosen = self._options(options, without=("on_truncation",))
        if max_tokens is not None:
            check_count("max_tokens", max_tokens, least=FEWEST_TOKENS, most=self.max_tokens)
        checked = check_texts(texts)
        pieces = chunk_texts(
            self.tokenizer,
            enumerate(checked),
            prompt=self._prompt(chosen),
            max_tokens=max_tokens or self.max_tokens,
            overlap_tokens=overlap_tokens,
        )
        if not checked:
            return Chunks(self._empty(chosen), pieces.text_index, pieces.offsets)
        with Progress(len(pieces.offsets), len(pieces.token_ids), show=chosen.progress) as progress:
            embeddings = self._encoder.embed_pieces(checked, pieces, chosen, progress.update)
        return Chunks(embeddings, pieces.text_index, pieces.offsets)

    def token_states(self, texts: Sequence[str], **options: Unpack[EncodeKeywords]) -> list[Floats]:
        """Give the last hidden state of every token, not pooled and not normalized.

        Args:
            texts: A list of str.
            **options: The fields of EncodeOptions, without `normalize` and `dimensions`; `on_truncation="chunk"` has
                no meaning here.

        Returns:
            One array of shape (L, D) per text, [CLS] and [SEP] included.
        """
        chosen = self._options(options, without=("normalize", "dimensions"))
        if chosen.on_truncation == "chunk":
            raise ArgumentError("token_states cuts long texts or refuses them; on_truncation: warn, error, ignore.")
        checked = check_texts(texts)
        if not checked:
            return []
        block = self._encoder.prepare(0, checked, prompt=self._prompt(chosen), options=chosen)
        warn_of_truncation(block.batch.lengths, self.max_tokens, chosen)
        with Progress(len(checked), len(block.batch.token_ids), show=chosen.progress) as progress:
            return self._encoder.token_states(block, chosen, progress.update)

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Give the tokens of each text as the model would see them, [CLS] and [SEP] included, not cut."""
        return [self.tokenizer.tokens(text, index) for index, text in enumerate(check_texts(texts))]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, [CLS] and [SEP] included: more than `max_tokens` will be cut."""
        checked = check_texts(texts)
        return [int(length) for length in self.tokenizer.encode(checked, threads=self.threads).lengths]

    def truncation_report(
        self, texts: Sequence[str], *, prompt_name: str | None = None, prompt: str | None = None
    ) -> list[Truncation]:
        """Say which texts `encode` would cut, how much is lost, and at which character the cut falls.

        Args:
            texts: A list of str.
            prompt_name: As for `encode`: a prompt takes room too.
            prompt: As for `encode`.

        Returns:
            One entry per text that is too long, in order; empty if all fit.
        """
        chosen = self._options({"prompt_name": prompt_name, "prompt": prompt})
        checked = check_texts(texts)
        return find_cuts(self.tokenizer, checked, self._prompt(chosen), threads=self.threads)

    def with_max_tokens(self, max_tokens: int) -> "Embedder":
        """Give the same model with another limit: it shares the engine, and what was warned of once stays said.

        Raises:
            ArgumentError: If the model has no so many positions.
        """
        tokenizer = _tokenizer(self.checkpoint, max_tokens)
        return Embedder(
            self.checkpoint, tokenizer, self.engine, language=self._language, batch_tokens=self.batch_tokens
        )

    def similarity(self, a: Vectors, b: Vectors) -> Floats:
        """Give the cosine of every vector of a with every vector of b, shape (Q, N)."""
        return similarity(a, b)

    def similarity_pairwise(self, a: Vectors, b: Vectors) -> Floats:
        """Give the cosine of each vector of a with the vector of b in the same place, shape (N,)."""
        return similarity_pairwise(a, b)

    def _options(self, keywords: EncodeKeywords, without: tuple[str, ...] = ()) -> EncodeOptions:
        defaults = EncodeKeywords(batch_tokens=self.batch_tokens)
        return read_options({**defaults, **keywords}, dimension=self.dimension, without=without)

    def _prompt(self, options: EncodeOptions) -> str:
        return choose_prompt(self.prompts, self.checkpoint.default_prompt_name, options)

    def _with_prompt(self, keywords: EncodeKeywords, names: Sequence[str]) -> EncodeKeywords:
        if keywords.get("prompt") is None and keywords.get("prompt_name") is None:
            name = next((name for name in names if name in self.prompts), None)
            return {**keywords, "prompt_name": name}
        return keywords

    def _empty(self, options: EncodeOptions) -> Floats:
        return np.empty((0, options.dimensions or self.dimension), np.float32)


def load(
    name_or_path: str | Path = DEFAULT_MODEL,
    *,
    revision: str | None = None,
    cache_folder: Path | str | None = None,
    local_files_only: bool = False,
    token: str | None = None,
    threads: int | None = None,
    isa: str | None = None,
    precision: Precision | None = None,
    max_tokens: int | None = None,
    language_warning: bool = True,
) -> Embedder:
    """Load a model.

    Where `gtekit tune` has found the fastest choice for this model on this machine, it stands in for what is not said
    here: precision, threads (GTEKIT_THREADS goes before it) and the `batch_tokens` of `encode`. GTEKIT_CONFIG=off
    passes over it.

    Args:
        name_or_path: gte-small, gte-base or gte-large; any Hugging Face id of a BERT embedder; or a folder.
        revision: A commit, tag or branch of the hub.
        cache_folder: Where downloads go and are looked for; None: the Hugging Face cache.
        local_files_only: Never ask the hub.
        token: For private models of the hub.
        threads: The most threads that a call uses; None: GTEKIT_THREADS, as tuned, or as many as this process may.
        isa: Kernels to force; None: GTEKIT_ISA, or the fastest that run here.
        precision: Number format of the linear layers; None: as tuned, or float32.
        max_tokens: Cut texts sooner than the model would; None: at the model's length.
        language_warning: Whether to warn, once, of text that the model's vocabulary hardly covers.

    Raises:
        ModelNotFoundError: If there is no such model here or on the hub.
        CheckpointError: If a file of it is damaged, or it is a model of another kind.
        ArgumentError: If a value is not possible.
        EngineError: If the kernels asked for do not run here.
        FileFormatError: If the file that `gtekit tune` writes is damaged.
    """
    if precision is not None and precision not in get_args(Precision):
        raise ArgumentError(f"precision={precision!r} is not possible; choose from: {', '.join(get_args(Precision))}.")
    if threads is not None:
        check_count("threads", threads, most=MOST_THREADS)
    checkpoint = load_checkpoint(
        name_or_path,
        revision=revision,
        cache_folder=None if cache_folder is None else Path(cache_folder),
        local_files_only=local_files_only,
        token=token,
    )
    tokenizer = _tokenizer(checkpoint, checkpoint.max_tokens if max_tokens is None else max_tokens)
    tuned = find_tuned(checkpoint.name, checkpoint.folder, checkpoint.revision, isa=chosen_isa(isa))
    engine = NativeEngine(
        checkpoint.config,
        checkpoint.tensors,
        isa=isa,
        threads=_threads(threads, tuned),
        precision=precision or (tuned.precision if tuned else "float32"),
    )
    language = LanguageNotice(tokenizer, checkpoint.name, enabled=language_warning)
    batch_tokens = tuned.batch_tokens if tuned else EncodeOptions().batch_tokens
    return Embedder(checkpoint.without_tensors(), tokenizer, engine, language=language, batch_tokens=batch_tokens)


def _threads(asked: int | None, tuned: Tuned | None) -> int | None:
    if asked is None and tuned and not os.environ.get(THREADS_VARIABLE):
        return tuned.threads
    return asked


def _tokenizer(checkpoint: Checkpoint, max_tokens: int) -> Tokenizer:
    check_count("max_tokens", max_tokens, least=FEWEST_TOKENS, most=checkpoint.config.max_position_embeddings)
    return load_tokenizer(checkpoint.tokenizer_files, max_tokens=max_tokens, vocab_size=checkpoint.config.vocab_size)
