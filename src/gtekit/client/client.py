"""A model behind `gtekit serve` with the methods of a local one."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import closing
from functools import partial
from threading import Event
from types import TracebackType
from typing import Self, TypeVar, Unpack

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.chunking import Chunks
from gtekit.client.connection import Connection, Priority, read_connection
from gtekit.client.facts import ServedFacts
from gtekit.client.jobs import ChunksJob, Job, ListJob, StatesJob, VectorsJob
from gtekit.client.refusals import TooLongError
from gtekit.client.remote_model import RemoteModel, check_states_options
from gtekit.client.remote_tokenizer import RemoteTokenizer
from gtekit.client.transport import Transport, need_httpx
from gtekit.client.wire import check_characters
from gtekit.config import FEWEST_TOKENS, EncodeKeywords, EncodeOptions
from gtekit.errors import TextTypeError
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS, check_count, check_texts
from gtekit.progress import Progress
from gtekit.protocols import Report
from gtekit.streaming import BLOCK_TEXTS, blocks_of, one_ahead
from gtekit.truncation import Truncation, TruncationCount, warn_of_truncation

T = TypeVar("T")


class Client(RemoteModel):
    """A served model: the methods, warnings, errors and bits of `gtekit.load(...)`, over HTTP.

    Safe to use from several threads, and in a process that was forked. Nothing is sent before the first method or
    property that needs the server. Needs httpx: pip install 'gtekit[client]'

    Args:
        base_url: Of the server, such as http://127.0.0.1:8080.
        model: Which of the server's models; None: its default.
        api_key: None: what the environment variable GTEKIT_API_KEY holds, if anything.
        timeout_s: For each request, its retries included; a large list is many requests.
        retries: How often a request is sent again after 408, 429, 502, 503, 504 or a broken connection.
        connections: The most requests of a call that are on their way at once.
        compress: Whether texts are sent with gzip: for slow networks. 123 kB of prose become 53 kB and take 1.7 ms of
            CPU on both sides together (Zen 4), which loopback and gigabit networks are faster than.
        priority: "bulk" lets others go first, "interactive" asks to be among those; None: the server goes by size.
        max_tokens: Cut texts sooner than the server would.

    Raises:
        ArgumentError: If a value is not possible.
        MissingExtraError: If httpx is not installed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 120.0,
        retries: int = 5,
        connections: int = 4,
        compress: bool = False,
        priority: Priority | None = None,
        max_tokens: int | None = None,
    ) -> None:
        need_httpx()
        connection = read_connection(
            base_url,
            model=model,
            api_key=api_key,
            timeout_s=timeout_s,
            retries=retries,
            connections=connections,
            compress=compress,
            priority=priority,
        )
        if max_tokens is not None:
            check_count("max_tokens", max_tokens, least=FEWEST_TOKENS)
        self._join(connection, Transport(connection), None, max_tokens)

    def _join(
        self, connection: Connection, transport: Transport, facts: ServedFacts | None, max_tokens: int | None
    ) -> None:
        super().__init__(connection, facts, max_tokens)
        self._transport = transport

    def __repr__(self) -> str:
        known = f" {self._known.name}" if self._known else ""
        return f"<Client{known} at {self.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. What `with_max_tokens` gave shares them."""
        self._transport.close()

    @property
    def checkpoint(self) -> ServedFacts:
        """What the server says of the model. Asked for once."""
        return self._known or self._learn(self._transport.ask(self._facts_ask()))

    @property
    def tokenizer(self) -> RemoteTokenizer:
        """Tokens with their places in the text: what cuts documents into passages, and explains a match."""
        return RemoteTokenizer(self._transport, self._context())

    def with_max_tokens(self, max_tokens: int) -> "Client":
        """Give the same model over the same connections with another limit.

        Raises:
            ArgumentError: If the server's model reads fewer.
        """
        check_count("max_tokens", max_tokens, least=FEWEST_TOKENS, most=self.checkpoint.max_tokens)
        other = Client.__new__(Client)
        other._join(self._connection, self._transport, self.checkpoint, max_tokens)
        return other

    def encode(self, texts: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed texts: as `Embedder.encode`, in as many requests as it takes.

        Returns:
            Shape (N, D), in the order of the texts, with the bits that the model gives locally.

        Raises:
            TextTypeError: If something in `texts` is not a str.
            TruncationError: If a text is too long and `on_truncation="error"`.
            ArgumentError: If there is no such option, or its value is not possible.
            EndpointError: If the server can't be reached, refuses, or answers wrongly.
        """
        chosen = self._options(options)
        checked = check_texts(texts)
        if not checked:
            return self._empty(chosen)
        with Progress(len(checked), show=chosen.progress) as progress:
            embeddings, lengths = self._vectors(0, checked, None, chosen, self._prompt(chosen), progress.update)
        warn_of_truncation(lengths, self.max_tokens, chosen)
        return embeddings

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
        """Embed texts from any iterable, even one that never ends, in bounded memory: as `Embedder.encode_stream`.

        Texts are pulled on the calling thread, two blocks ahead of what is given out at most. Each block is a few
        requests of its own: what breaks is asked for again, not the whole stream.
        """
        if isinstance(texts, str | bytes):
            raise TextTypeError(f"texts is one {type(texts).__name__}, expected an iterable of str.")
        check_count("block_texts", block_texts)
        chosen = self._options(options)
        return self._stream(texts, block_texts, chosen, self._prompt(chosen), take_lengths)

    def encode_chunks(
        self,
        texts: Sequence[str],
        *,
        max_tokens: int | None = None,
        overlap_tokens: int | None = None,
        **options: Unpack[EncodeKeywords],
    ) -> Chunks:
        """Embed texts of any length in pieces, cut at sentence or word boundaries: as `Embedder.encode_chunks`."""
        chosen = self._options(options, without=("on_truncation",))
        if max_tokens is not None:
            check_count("max_tokens", max_tokens, least=FEWEST_TOKENS, most=self.max_tokens)
        checked = check_texts(texts)
        check_characters(checked)
        fields = self._chunk_fields(chosen, max_tokens, overlap_tokens)
        with Progress(len(checked), show=chosen.progress) as progress:
            return self._run(ChunksJob(self._context(), checked, fields, progress.update))

    def token_states(self, texts: Sequence[str], **options: Unpack[EncodeKeywords]) -> list[Floats]:
        """Give the last hidden state of every token, not pooled and not normalized: as `Embedder.token_states`."""
        chosen = self._options(options, without=("normalize", "dimensions"))
        check_states_options(chosen)
        checked = check_texts(texts)
        if not checked:
            return []
        check_characters(checked)
        fields = {"prompt": self._prompt(chosen), "on_truncation": chosen.on_truncation}
        with Progress(len(checked), show=chosen.progress) as progress:
            try:
                states, lengths = self._run(StatesJob(self._context(), checked, fields, progress.update))
            except TooLongError:
                raise self._refuse(self._counts(checked, fields["prompt"]), 0) from None
        warn_of_truncation(lengths, self.max_tokens, chosen)
        return states

    def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Give the tokens of each text as the model would see them, [CLS] and [SEP] included, not cut."""
        checked = check_texts(texts)
        check_characters(checked)
        return self._run(ListJob(self._context(), checked, "/tokens", "tokens"))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, [CLS] and [SEP] included: more than `max_tokens` will be cut."""
        checked = check_texts(texts)
        check_characters(checked)
        return self._counts(checked, "")

    def truncation_report(
        self, texts: Sequence[str], *, prompt_name: str | None = None, prompt: str | None = None
    ) -> list[Truncation]:
        """Say which texts `encode` would cut, how much is lost, and at which character the cut falls."""
        chosen = self._options({"prompt_name": prompt_name, "prompt": prompt})
        checked = check_texts(texts)
        check_characters(checked)
        fields = {"prompt": self._prompt(chosen), "max_tokens": self.max_tokens}
        job = ListJob(self._context(), checked, "/truncation_report", "truncations", fields, has_all=False)
        return [Truncation(**cut) for cut in self._run(job)]

    def _run(self, job: Job[T], stop: Event | None = None) -> T:
        self._transport.ask_all(job.count, job.ask, job.take, stop, in_turn=job.in_turn)
        return job.result()

    def _vectors(
        self,
        first_index: int,
        texts: Sequence[str],
        stop: Event | None,
        options: EncodeOptions,
        prompt: str,
        report: Report,
    ) -> tuple[Floats, Ints]:
        check_characters(texts, first_index)
        try:
            fields = self._encode_fields(options, prompt)
            return self._run(VectorsJob(self._context(), texts, fields, report, first_index), stop)
        except TooLongError:
            raise self._refuse(self._counts(texts, prompt), first_index) from None

    def _counts(self, texts: Sequence[str], prompt: str) -> list[int]:
        prompted = [prompt + text for text in texts] if prompt else texts
        return self._run(ListJob(self._context(), prompted, "/count_tokens", "counts"))

    def _stream(
        self,
        texts: Iterable[str],
        block_texts: int,
        options: EncodeOptions,
        prompt: str,
        take_lengths: Callable[[Ints], None] | None,
    ) -> Iterator[Floats]:
        count = TruncationCount(self.max_tokens)
        total = len(texts) if isinstance(texts, Sized) else None
        embed = partial(self._vectors, options=options, prompt=prompt, report=lambda _texts, _tokens: None)
        blocks = one_ahead(blocks_of(texts, block_texts), embed)
        texts_done = tokens_done = 0
        try:
            with Progress(total, show=options.progress) as progress, closing(blocks):
                for embeddings, lengths in blocks:
                    (take_lengths or count.add)(lengths)
                    texts_done += len(lengths)
                    tokens_done += int(np.minimum(lengths, self.max_tokens).sum())
                    progress.update(texts_done, tokens_done)
                    yield embeddings
        finally:  # also where the caller stops early or the source breaks: some of what was given out is cut
            if options.on_truncation == "warn":
                count.warn()
