"""A model behind `gtekit serve` for asyncio: the methods of Client, to be awaited."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence, Sized
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.chunking import Chunks
from gtekit.client.async_transport import AsyncTransport
from gtekit.client.connection import Priority, read_connection
from gtekit.client.facts import ServedFacts
from gtekit.client.jobs import ChunksJob, Job, ListJob, StatesJob, VectorsJob
from gtekit.client.refusals import TooLongError
from gtekit.client.remote_model import RemoteModel, check_states_options
from gtekit.client.transport import need_httpx
from gtekit.client.wire import check_characters
from gtekit.config import FEWEST_TOKENS, EncodeKeywords, EncodeOptions
from gtekit.errors import ArgumentError, TextTypeError
from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS, check_count, check_texts, wrong_text
from gtekit.progress import Progress
from gtekit.protocols import Report
from gtekit.streaming import BLOCK_CHARS, BLOCK_TEXTS, Block
from gtekit.truncation import Truncation, TruncationCount, warn_of_truncation

T = TypeVar("T")


class AsyncClient(RemoteModel):
    """A served model, to be awaited: the methods, warnings, errors and bits of `gtekit.load(...)`, over HTTP.

    Properties are there after `async with AsyncClient(...) as model`, `await model.connect()` or the first call. A
    call that is cancelled closes the connections of its requests, and the server stops working for them.

    Args:
        base_url: And all others: as for Client.
        model: Which of the server's models; None: its default.
        api_key: None: what the environment variable GTEKIT_API_KEY holds, if anything.
        timeout_s: For each request, its retries included.
        retries: How often a request is sent again.
        connections: The most requests of a call that are on their way at once.
        compress: Whether texts are sent with gzip.
        priority: "bulk", "interactive", or None: by size.
        max_tokens: Cut texts sooner than the server would.
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
        super().__init__(connection, None, max_tokens)
        self._transport = AsyncTransport(connection)

    def __repr__(self) -> str:
        known = f" {self._known.name}" if self._known else ""
        return f"<AsyncClient{known} at {self.address}>"

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:  # nobody else closes what was opened for it: __aexit__ is not called
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Ask the server what its model is, once.

        Raises:
            EndpointError: If it can't be reached, refuses, or is another kind of server.
        """
        if self._known is None:
            self._learn(await self._transport.ask(self._facts_ask()))

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    @property
    def checkpoint(self) -> ServedFacts:
        """What the server says of the model."""
        if self._known is None:
            raise ArgumentError(
                "this AsyncClient has not asked the server yet: async with AsyncClient(...) as model, or "
                "await model.connect()."
            )
        return self._known

    async def encode(self, texts: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed texts: as `Client.encode`, shape (N, D)."""
        await self.connect()
        chosen = self._options(options)
        checked = check_texts(texts)
        if not checked:
            return self._empty(chosen)
        with Progress(len(checked), show=chosen.progress) as progress:
            embeddings, lengths = await self._vectors(0, checked, chosen, self._prompt(chosen), progress.update)
        warn_of_truncation(lengths, self.max_tokens, chosen)
        return embeddings

    async def encode_one(self, text: str, **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed one text: as `encode`, shape (D,)."""
        if not isinstance(text, str):
            raise TextTypeError(f"text is a {type(text).__name__}, expected one str. For a list: encode(texts).")
        return np.asarray((await self.encode([text], **options))[0])

    async def encode_query(self, queries: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed queries: as `encode`, with the model's "query" prompt where it has one."""
        await self.connect()
        return await self.encode(queries, **self._with_prompt(options, QUERY_PROMPTS))

    async def encode_document(self, documents: Sequence[str], **options: Unpack[EncodeKeywords]) -> Floats:
        """Embed documents: as `encode`, with the model's "document" or "passage" prompt where it has one."""
        await self.connect()
        return await self.encode(documents, **self._with_prompt(options, DOCUMENT_PROMPTS))

    async def encode_stream(
        self,
        texts: Iterable[str] | AsyncIterable[str],
        *,
        block_texts: int = BLOCK_TEXTS,
        take_lengths: Callable[[Ints], None] | None = None,
        **options: Unpack[EncodeKeywords],
    ) -> AsyncIterator[Floats]:
        """Embed texts from any iterable, asynchronous or not, in bounded memory: as `Client.encode_stream`.

        Yields:
            Arrays of shape (n, D), in the order of the texts. To stop early, close it: contextlib.aclosing.
        """
        if isinstance(texts, str | bytes):
            raise TextTypeError(f"texts is one {type(texts).__name__}, expected an iterable of str.")
        check_count("block_texts", block_texts)
        await self.connect()
        chosen = self._options(options)
        count = TruncationCount(self.max_tokens)
        total = len(texts) if isinstance(texts, Sized) else None
        texts_done = tokens_done = 0
        try:
            with Progress(total, show=chosen.progress) as progress:
                async for embeddings, lengths in self._blocks(texts, block_texts, chosen):
                    (take_lengths or count.add)(lengths)
                    texts_done += len(lengths)
                    tokens_done += int(np.minimum(lengths, self.max_tokens).sum())
                    progress.update(texts_done, tokens_done)
                    yield embeddings
        finally:
            if chosen.on_truncation == "warn":
                count.warn()

    async def encode_chunks(
        self,
        texts: Sequence[str],
        *,
        max_tokens: int | None = None,
        overlap_tokens: int | None = None,
        **options: Unpack[EncodeKeywords],
    ) -> Chunks:
        """Embed texts of any length in pieces: as `Client.encode_chunks`."""
        await self.connect()
        chosen = self._options(options, without=("on_truncation",))
        if max_tokens is not None:
            check_count("max_tokens", max_tokens, least=FEWEST_TOKENS, most=self.max_tokens)
        checked = check_texts(texts)
        check_characters(checked)
        fields = self._chunk_fields(chosen, max_tokens, overlap_tokens)
        with Progress(len(checked), show=chosen.progress) as progress:
            return await self._run(ChunksJob(self._context(), checked, fields, progress.update))

    async def token_states(self, texts: Sequence[str], **options: Unpack[EncodeKeywords]) -> list[Floats]:
        """Give the last hidden state of every token: as `Client.token_states`."""
        await self.connect()
        chosen = self._options(options, without=("normalize", "dimensions"))
        check_states_options(chosen)
        checked = check_texts(texts)
        if not checked:
            return []
        check_characters(checked)
        fields = {"prompt": self._prompt(chosen), "on_truncation": chosen.on_truncation}
        with Progress(len(checked), show=chosen.progress) as progress:
            try:
                states, lengths = await self._run(StatesJob(self._context(), checked, fields, progress.update))
            except TooLongError:
                raise self._refuse(await self._counts(checked, fields["prompt"]), 0) from None
        warn_of_truncation(lengths, self.max_tokens, chosen)
        return states

    async def tokenize(self, texts: Sequence[str]) -> list[list[str]]:
        """Give the tokens of each text as the model would see them, [CLS] and [SEP] included, not cut."""
        await self.connect()
        checked = check_texts(texts)
        check_characters(checked)
        return await self._run(ListJob(self._context(), checked, "/tokens", "tokens"))

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, [CLS] and [SEP] included: more than `max_tokens` will be cut."""
        await self.connect()
        checked = check_texts(texts)
        check_characters(checked)
        return await self._counts(checked, "")

    async def truncation_report(
        self, texts: Sequence[str], *, prompt_name: str | None = None, prompt: str | None = None
    ) -> list[Truncation]:
        """Say which texts `encode` would cut, how much is lost, and at which character the cut falls."""
        await self.connect()
        chosen = self._options({"prompt_name": prompt_name, "prompt": prompt})
        checked = check_texts(texts)
        check_characters(checked)
        fields = {"prompt": self._prompt(chosen), "max_tokens": self.max_tokens}
        job = ListJob(self._context(), checked, "/truncation_report", "truncations", fields, has_all=False)
        return [Truncation(**cut) for cut in await self._run(job)]

    async def _run(self, job: Job[T]) -> T:
        await self._transport.ask_all(job.count, job.ask, job.take, in_turn=job.in_turn)
        return job.result()

    async def _vectors(
        self, first_index: int, texts: Sequence[str], options: EncodeOptions, prompt: str, report: Report
    ) -> tuple[Floats, Ints]:
        check_characters(texts, first_index)
        try:
            fields = self._encode_fields(options, prompt)
            return await self._run(VectorsJob(self._context(), texts, fields, report, first_index))
        except TooLongError:
            raise self._refuse(await self._counts(texts, prompt), first_index) from None

    async def _counts(self, texts: Sequence[str], prompt: str) -> list[int]:
        prompted = [prompt + text for text in texts] if prompt else texts
        return await self._run(ListJob(self._context(), prompted, "/count_tokens", "counts"))

    async def _blocks(
        self, texts: Iterable[str] | AsyncIterable[str], block_texts: int, options: EncodeOptions
    ) -> AsyncIterator[tuple[Floats, Ints]]:
        """Give each block's vectors while the next one is on its way."""
        import asyncio  # here and not above: it takes 20 ms, which `import gtekit` need not

        prompt = self._prompt(options)
        blocks = _blocks_of(texts, block_texts)
        coming: asyncio.Task[tuple[Floats, Ints]] | None = None
        try:
            while True:
                block, error = await _pull(blocks)
                ready, coming = coming, None
                if ready is not None and self._context().has_rate:
                    await ready  # requests at once would take each other's turn
                if block is not None:
                    coming = asyncio.ensure_future(self._vectors(*block, options, prompt, lambda _texts, _tokens: None))
                if ready is not None:
                    yield await ready
                if error is not None:
                    raise error
                if coming is None:
                    return
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)


async def _pull(blocks: AsyncIterator[Block]) -> tuple[Block | None, Exception | None]:
    try:
        return await anext(blocks, None), None
    except Exception as error:  # the caller's own; raised once the blocks before it are out
        return None, error


async def _blocks_of(texts: Iterable[str] | AsyncIterable[str], block_texts: int) -> AsyncIterator[Block]:
    block: list[str] = []
    first_index = index = chars = 0
    async for text in _each(texts):
        if not isinstance(text, str):
            raise wrong_text(text, index)
        block.append(text)
        index += 1
        chars += len(text)
        if len(block) >= block_texts or chars >= BLOCK_CHARS:
            yield first_index, block
            block, first_index, chars = [], index, 0
    if block:
        yield first_index, block


async def _each(texts: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    if isinstance(texts, AsyncIterable):
        async for text in texts:
            yield text
    else:
        for text in texts:
            yield text
