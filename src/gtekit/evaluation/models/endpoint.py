"""A model behind an address, in the shape of OpenAI's embeddings: OpenAI itself, vLLM, TEI, LiteLLM and others."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import get_args

import numpy as np

from gtekit.arrays import Floats
from gtekit.cosines import l2_normalize
from gtekit.errors import ArgumentError, EndpointError, GtekitWarning, MissingExtraError
from gtekit.evaluation.models.endpoint_address import OPENAI_ADDRESS, read_access, read_address
from gtekit.evaluation.models.endpoint_requests import Piece, Sender, plan_requests, send_all
from gtekit.evaluation.models.endpoint_server import Encoding, Endpoint, RefusedError, Server
from gtekit.evaluation.models.interface import ModelFacts
from gtekit.evaluation.models.names import short_name
from gtekit.evaluation.models.paid_vectors import PaidVectors, open_paid_vectors
from gtekit.inputs import check_count, check_texts
from gtekit.notices import warn_caller

EMPTY = " "  # is sent for a text without any character, which OpenAI and TEI refuse
UNIT_TOLERANCE = 1e-3  # of the length of vectors that a server says are normalized: it may compute in float16
WORDS_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """How a server is asked. The defaults wait out a rate limit of a minute."""

    batch_size: int | None = None  # texts in a request; None: 2,048, OpenAI's limit, and 128 for others
    batch_tokens: int | None = None  # in a request, estimated; None: 300,000, OpenAI's limit, and 32,768 for others,
    # which may compute on a CPU: what is not answered within timeout_s is asked for again, and again in vain
    parallel: int = 1  # requests on their way at once
    timeout_s: float = 120.0  # for each answer
    max_retries: int = 15  # pauses of 0.5, 1, 2, 4 s and then of 8, each up to a quarter shorter: 70 to 95 s in all
    encoding: Encoding | None = None  # None: base64 for OpenAI, float for others: some of them know nothing else
    max_characters: int | None = None  # longer texts are cut there; None: they are sent, and a server may refuse them


class EndpointModel:
    """A model of a server behind the interface of evaluation.

    A text that is empty, prompt included, is sent as one space, with a warning: servers refuse an empty text.
    """

    def __init__(
        self, server: Server, facts: ModelFacts, space: str, options: EndpointOptions, paid_vectors: Path | None
    ) -> None:
        self._server = server
        self._facts = facts
        self._space = space  # of vectors of whole texts; of facts, it says as well whether texts are cut
        self._options = options
        self._paid_vectors = paid_vectors
        self._batch_size = server.endpoint.batch_size  # less once the server has refused so many
        self._texts_cut = 0
        self._texts_kept = 0

    @property
    def facts(self) -> ModelFacts:
        """What is known of it."""
        return self._facts

    @property
    def texts_cut(self) -> int | None:
        """Texts so far that were cut at `max_characters`; None without that: what a server cuts it does not say."""
        return None if self._options.max_characters is None else self._texts_cut

    @property
    def texts_kept(self) -> int:
        """Texts so far whose vectors were paid for before."""
        return self._texts_kept

    def embed(
        self, texts: Sequence[str], *, prompt: str, normalize: bool | None, done: Callable[[int], None]
    ) -> Floats:
        """Embed texts. Those whose vectors have been paid for are not sent.

        Args:
            texts: All different; order is kept.
            prompt: Goes before every text; "" for none.
            normalize: True gives vectors length 1. None leaves them as the server makes them. False does too, and
                refuses those of a server that gives them length 1, which can't be undone.
            done: Called with the number of texts finished so far, after each request.

        Returns:
            Shape (N, D); (0, 0) for no texts, as nobody asked the server for D.

        Raises:
            EndpointError: If the server can't be reached, refuses, or does not answer with embeddings.
            FileFormatError: If the file of paid vectors is damaged or can't be written.
            ArgumentError: If `normalize` is False and the server normalizes.
        """
        sent = self._as_sent(texts, prompt)
        if not sent:
            return np.empty((0, 0), np.float32)
        _warn_of_empty(texts, prompt)
        every = list(dict.fromkeys(sent))  # two texts can become the same: cut, or "" and " "
        vectors = _Vectors(len(every), normalize)
        with self._paid() as paid:
            if paid is not None:
                for places, found in paid.find(self._space, every):
                    vectors.put(places, found)
                    self._texts_kept += len(places)
                    done(vectors.finished)
            missing = vectors.missing()
            asked = [every[place] for place in missing]

            def take(piece: Piece) -> None:
                places, found = piece
                if paid is not None:
                    paid.write(self._space, asked[places.start : places.stop], found)
                vectors.put([missing[place] for place in places], found)
                done(vectors.finished)

            try:
                self._ask(asked, take)
            except RefusedError as refusal:
                raise self._explain(refusal, sent.index(asked[refusal.place]), asked[refusal.place]) from None
        if len(every) < len(sent):
            done(len(sent))
        self._texts_cut += sum(len(prompt) + len(text) > (self._options.max_characters or inf) for text in texts)
        row_of = {text: row for row, text in enumerate(every)}
        return vectors.rows([row_of[text] for text in sent])

    def unpaid(self, texts: Sequence[str], *, prompt: str) -> list[str]:
        """Give the texts that `embed` would send, as it would send them: what `estimate_cost` is to count.

        Raises:
            FileFormatError: If the file of paid vectors is damaged.
        """
        every = list(dict.fromkeys(self._as_sent(texts, prompt)))
        with self._paid() as paid:
            return every if paid is None else [every[place] for place in paid.missing(self._space, every)]

    def _as_sent(self, texts: Sequence[str], prompt: str) -> list[str]:
        sent = [(prompt + text)[: self._options.max_characters] for text in check_texts(texts)]
        for index, text in enumerate(sent):
            _check_characters(text, index)
        return [text or EMPTY for text in sent]

    def _ask(self, texts: Sequence[str], take: Callable[[Piece], None]) -> None:
        if not texts:
            return
        requests = plan_requests(texts, batch_size=self._batch_size, batch_tokens=self._server.endpoint.batch_tokens)
        with self._server.connect() as client:
            sender = Sender(lambda some: self._server.ask(client, some), texts, self._batch_size)
            send_all(sender.pieces, requests[:1], take, 1)  # alone: what is wrong with all of them is wrong with it
            send_all(sender.pieces, requests[1:], take, self._options.parallel)
        self._batch_size = sender.batch_size

    def _paid(self) -> AbstractContextManager[PaidVectors | None]:
        return nullcontext() if self._paid_vectors is None else open_paid_vectors(self._paid_vectors)

    def _explain(self, refusal: RefusedError, index: int, text: str) -> EndpointError:
        endpoint = self._server.endpoint
        begin = " ".join(text[: 4 * WORDS_SHOWN].split())[:WORDS_SHOWN]
        encoding = " If it is about base64: encoding='float'." if endpoint.encoding == "base64" else ""
        return EndpointError(
            f"{endpoint.address}: refused texts[{index}] alone ({refusal}). It has {len(text):,} characters and begins "
            f"{begin!r}. If it is longer than {endpoint.model!r} reads, cut texts at about 3 characters for each token "
            f"that it reads: max_characters=24000 suits 8,192 tokens.{encoding}"
        )


class _Vectors:
    """The vectors of one call, as they come."""

    def __init__(self, count: int, normalize: bool | None) -> None:
        self.finished = 0
        self._normalize = normalize
        self._is_there = np.zeros(count, bool)
        self._embeddings = np.empty((count, 0), np.float32)

    def put(self, places: Sequence[int], vectors: Floats) -> None:
        dimension = vectors.shape[1]
        if not self.finished:
            _check_not_normalized(vectors, self._normalize)
            self._embeddings = np.empty((len(self._is_there), dimension), np.float32)
        if dimension != self._embeddings.shape[1]:
            raise EndpointError(
                f"the server gave vectors of {self._embeddings.shape[1]} dimensions and then of {dimension}. Is it "
                f"another model under the same name? Then take another file of paid vectors."
            )
        self._embeddings[places] = l2_normalize(vectors) if self._normalize else vectors
        self._is_there[places] = True
        self.finished += len(places)

    def missing(self) -> list[int]:
        return np.flatnonzero(~self._is_there).tolist()

    def rows(self, places: list[int]) -> Floats:
        return self._embeddings if len(places) == len(self._embeddings) else self._embeddings[places]


def open_endpoint(
    name: str,
    *,
    address: str = OPENAI_ADDRESS,
    key_variable: str | None = None,
    prompts: Mapping[str, str] | None = None,
    paid_vectors: Path | None = None,
    options: EndpointOptions = EndpointOptions(),
) -> EndpointModel:
    """Make a model of a server ready to be asked. Nothing is sent yet.

    Args:
        name: As the server calls the model.
        address: Everything before /embeddings.
        key_variable: The environment variable with the key. None: OPENAI_API_KEY for OpenAI, and no key for others.
        prompts: What goes before texts, by the names "query" and "document".
        paid_vectors: A file that keeps every vector, made where there is none. None keeps none.
        options: How the server is asked.

    Raises:
        MissingExtraError: If the openai package is not installed.
        EndpointError: If the key is not in the environment.
        ArgumentError: If a value can't be used.
        FileFormatError: If the file of paid vectors can't be used.
    """
    if find_spec("openai") is None:
        raise MissingExtraError("evaluating an endpoint", "endpoint", "openai")
    if not name.strip():
        raise ArgumentError("name is empty. Give the model's name as the server calls it.")
    _check_options(options)
    where, access = read_address(address), read_access(address, key_variable)
    if paid_vectors is not None:
        with open_paid_vectors(paid_vectors):  # a file that can't be used is told before anything is paid
            pass
    space = f"endpoint:{where.place}:{name}"
    cut = "" if options.max_characters is None else f":cut at {options.max_characters} characters"
    facts = ModelFacts(
        name=short_name(name),
        kind="openai",
        fingerprint=space + cut,
        precision="",
        max_tokens=None,
        prompts=dict(prompts or {}),
        default_prompt="",
        size_bytes=None,
    )
    endpoint = Endpoint(
        address=where.url,
        model=name,
        is_openai=where.is_openai,
        timeout_s=options.timeout_s,
        max_retries=options.max_retries,
        batch_size=options.batch_size or (2_048 if where.is_openai else 128),
        batch_tokens=options.batch_tokens or (300_000 if where.is_openai else 32_768),
        encoding=options.encoding or ("base64" if where.is_openai else "float"),
        access=access,
    )
    return EndpointModel(Server(endpoint), facts, space, options, paid_vectors)


def _check_options(options: EndpointOptions) -> None:
    check_count("parallel", options.parallel)
    check_count("max_retries", options.max_retries, least=0)
    for option in ("batch_size", "batch_tokens", "max_characters"):
        if getattr(options, option) is not None:
            check_count(option, getattr(options, option))
    if not options.timeout_s > 0:
        raise ArgumentError(f"timeout_s={options.timeout_s!r} is not possible; choose a number of seconds above 0.")
    if options.encoding not in (None, *get_args(Encoding)):
        raise ArgumentError(f"encoding={options.encoding!r} is not possible; choose from: 'base64', 'float', None.")


def _check_not_normalized(vectors: Floats, normalize: bool | None) -> None:
    lengths = np.linalg.norm(vectors, axis=1)
    if normalize is False and np.all(np.abs(lengths - 1) <= UNIT_TOLERANCE):
        raise ArgumentError(
            "normalize=False is not possible: the server gives vectors of length 1, and their own lengths are lost. "
            "Leave normalize out, or serve the model without normalizing."
        )


def _check_characters(text: str, index: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(
            f"texts[{index}] has half of a surrogate pair, {text[error.start]!a}, which is no character and can't be "
            f"sent. Replace it: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from None


def _warn_of_empty(texts: Sequence[str], prompt: str) -> None:
    count = 0 if prompt else sum(not text for text in texts)
    if count:
        warn_caller(
            f"{count:,} of {len(texts):,} texts {'is' if count == 1 else 'are'} empty. Servers refuse an empty text, "
            f"so it is sent as one space.",
            GtekitWarning,
        )
