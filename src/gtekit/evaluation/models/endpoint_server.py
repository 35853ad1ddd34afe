"""One server that makes embeddings: a request to it, and every way in which that fails, in words."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from gtekit.arrays import Floats
from gtekit.errors import EndpointError
from gtekit.evaluation.models.endpoint_address import Access
from gtekit.evaluation.models.endpoint_answer import SHOWN_CHARACTERS, NoEmbeddingsError, read_answer

if TYPE_CHECKING:
    import openai

Encoding = Literal["base64", "float"]
REFUSALS = frozenset({400, 413, 422})  # what was sent is at fault; 413 and 422 is TEI's way to say too much
CONNECT_S = 10.0
NO_KEY = "none"  # the client wants one; it never gets the true one, so nothing of it can be in its logs
MODELS_SHOWN = 20
HEADERS = frozenset(  # that a request needs; the client would add which machine, Python and organization this is
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-stainless-retry-count",
        "x-stainless-raw-response",  # how the client itself knows that the body is wanted as it came
    }
)
ACCOUNT_HEADERS = frozenset({"openai-organization", "openai-project"})  # from OPENAI_ORG_ID and OPENAI_PROJECT_ID


class RefusedError(Exception):
    """The server did not take the texts of a request."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status}: {words}")
        self.place = 0  # of the text, once it is a single one


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is served, and how to ask."""

    address: str  # without user and password
    model: str
    is_openai: bool
    timeout_s: float
    max_retries: int
    batch_size: int  # texts in a request, at most
    batch_tokens: int  # in a request, at most
    encoding: Encoding
    access: Access


class Server:
    """Asks an endpoint. Retries, with longer and longer pauses or those that the server asks for, are the client's."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._is_reached = False

    @contextmanager
    def connect(self) -> "Iterator[openai.OpenAI]":
        """Open connections, for a `with` block."""
        import openai

        # A redirect is not followed: texts and key go to the address that was given and nowhere else.
        connections = openai.DefaultHttpxClient(
            follow_redirects=False, event_hooks={"request": [_only_what_is_needed(self.endpoint)]}
        )
        with openai.OpenAI(
            api_key=NO_KEY,
            base_url=self.endpoint.address,
            timeout=openai.Timeout(self.endpoint.timeout_s, connect=min(CONNECT_S, self.endpoint.timeout_s)),
            max_retries=self.endpoint.max_retries,
            http_client=connections,
        ) as client:
            yield client

    def ask(self, client: "openai.OpenAI", texts: Sequence[str]) -> Floats:
        """Give the vectors of the texts of one request, shape (N, D).

        Raises:
            RefusedError: If the server does not take these texts.
            EndpointError: If it can't be reached, does not answer, or not with embeddings.
        """
        import openai

        failure: RefusedError | EndpointError
        try:
            return read_answer(self._send(client, texts), len(texts))
        except openai.APIStatusError as error:
            if error.status_code in REFUSALS:
                failure = RefusedError(error.status_code, self._words(error))
            else:
                failure = self._explain_status(error, client)
        except openai.APIConnectionError as error:
            failure = self._explain_connection(error)
        except NoEmbeddingsError as error:
            failure = EndpointError(
                f"{self.endpoint.address}: the answer is no embeddings: {self._hide(str(error))}. Is the address "
                f"right, and {self.endpoint.model!r} a model for embeddings?"
            )
        raise failure  # not above: the first error has the server's own words, which may spell out the key

    def _send(self, client: "openai.OpenAI", texts: Sequence[str]) -> bytes:
        """Send a request. The very first is tried once: that no server is there is said at once, not after minutes."""
        import openai

        if not self._is_reached:
            try:
                content = self._post(client, texts, max_retries=0)
            except openai.APIStatusError as error:
                self._is_reached = True
                if not _passes(error):
                    raise
            else:
                self._is_reached = True
                return content
        return self._post(client, texts, max_retries=self.endpoint.max_retries)

    def _post(self, client: "openai.OpenAI", texts: Sequence[str], *, max_retries: int) -> bytes:
        answer = client.with_options(max_retries=max_retries).embeddings.with_raw_response.create(
            model=self.endpoint.model, input=list(texts), encoding_format=self.endpoint.encoding
        )
        content: bytes = answer.http_response.content
        return content

    def _explain_status(self, error: "openai.APIStatusError", client: "openai.OpenAI") -> EndpointError:
        status, words = error.status_code, self._words(error)
        address, model = self.endpoint.address, self.endpoint.model
        if status in (401, 403):
            return self._explain_access(status, words)
        if status == 404:
            return EndpointError(
                f"{address}: has no model {model!r}, or nothing that makes embeddings (404: {words})."
                f"{self._choices(client)} Is the address whole? Most end with /v1."
            )
        if status == 429 and error.code == "insufficient_quota":
            return EndpointError(f"{address}: the account has no credit left (429: {words}). Add some, and run again.")
        if 300 <= status < 400:
            target = self._hide(error.response.headers.get("location", "somewhere"))
            return EndpointError(f"{address}: sends requests on to {target} ({status}). If that is meant, give it.")
        retried = _retried(error)
        if status == 429:
            pause = error.response.headers.get("retry-after")
            wait = f", and asks for a pause of {self._hide(pause)} s" if pause else ""
            return EndpointError(
                f"{address}: had too many requests{retried} (429: {words}){wait}. Wait and run again, or send fewer at "
                f"once: parallel=1, batch_size=100."
            )
        return EndpointError(f"{address}: failed{retried} ({status}: {words}). Its log may say why.")

    def _explain_access(self, status: int, words: str) -> EndpointError:
        address, variable = self.endpoint.address, self.endpoint.access.key_variable
        if variable:
            # 401 comes without the server's words: some of them spell out parts of the key
            why = f"{status}: {words}" if status == 403 else f"{status}"
            return EndpointError(
                f"{address}: does not accept the key in {variable} for {self.endpoint.model!r} ({why}). Is it whole, "
                f"still valid, and of this server?"
            )
        if self.endpoint.access.authorization:
            return EndpointError(f"{address}: does not accept the user and password of the address ({status}).")
        return EndpointError(
            f"{address}: wants a key ({status}), and none was sent. Put it into an environment variable and name "
            f"that: key_variable='MY_KEY'."
        )

    def _explain_connection(self, error: "openai.APIConnectionError") -> EndpointError:
        import openai

        retried = _retried(error)
        cause = error.__cause__
        if isinstance(error, openai.APITimeoutError) and type(cause).__name__ != "ConnectTimeout":
            return EndpointError(
                f"{self.endpoint.address}: gave no answer within {self.endpoint.timeout_s:g} s{retried}. Is it busy, "
                f"or still loading the model? Wait longer, or send fewer texts at once: timeout_s=600, batch_size=32."
            )
        why = self._hide(str(cause or "")) or type(cause).__name__
        return EndpointError(
            f"{self.endpoint.address}: can't be reached, or closes the connection ({why}){retried}. Is the server "
            f"running, and the address right?"
        )

    def _choices(self, client: "openai.OpenAI") -> str:
        """Name the server's models, where it does."""
        import openai

        try:
            names = [model.id for model in client.with_options(max_retries=0, timeout=CONNECT_S).models.list().data]
        except (openai.OpenAIError, ValueError, TypeError, AttributeError):  # whatever it says is not worth an error
            return ""
        names = [name for name in names if "embed" in str(name)] or names
        shown = ", ".join(map(str, names[:MODELS_SHOWN])) + (", ..." if len(names) > MODELS_SHOWN else "")
        return f" It has: {self._hide(shown)}." if names else ""

    def _words(self, error: "openai.APIStatusError") -> str:
        """Give what the server said, whichever way it says it."""
        said: object = error.body
        while isinstance(said, Mapping):
            said = next((said[name] for name in ("error", "message", "detail") if said.get(name)), str(dict(said)))
        return self._hide(str(said or "")) or "no reason given"

    def _hide(self, words: str) -> str:
        words = " ".join(words.split())
        for secret in self.endpoint.access.secrets:
            words = words.replace(secret, "[secret]")
        return words[:SHOWN_CHARACTERS]


def _passes(error: "openai.APIStatusError") -> bool:
    """Whether to wait may help."""
    is_busy = error.status_code in (408, 409, 429) or error.status_code >= 500
    return is_busy and error.code != "insufficient_quota"


def _retried(error: "openai.APIError") -> str:
    retries = error.request.headers.get("x-stainless-retry-count", "0")
    return "" if retries == "0" else f", also after {retries} {'retry' if retries == '1' else 'retries'}"


class _Request(Protocol):
    """A request of httpx or httpx2, whichever the client uses."""

    @property
    def headers(self) -> MutableMapping[str, str]: ...


def _only_what_is_needed(endpoint: Endpoint) -> Callable[[_Request], None]:
    """Give the hook that takes off what a request does not need, and puts on the key."""
    kept = HEADERS | ACCOUNT_HEADERS if endpoint.is_openai else HEADERS

    def change(request: _Request) -> None:
        for name in [name for name in request.headers if name.lower() not in kept]:
            del request.headers[name]
        if endpoint.access.authorization:
            request.headers["Authorization"] = endpoint.access.authorization

    return change
