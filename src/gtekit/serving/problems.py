"""What can be wrong with a request: one exception, one table of HTTP statuses. Each dialect words its own body."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Why a request was not answered. The value is the code that bodies and metrics carry."""

    INVALID_JSON = "invalid_json"  # a body that can't be read, or has other types than the dialect says
    INVALID_VALUE = "invalid_value"
    EMPTY = "empty_input"  # no texts, or an empty one
    TOKEN_IDS = "token_ids_not_supported"
    TOO_LONG = "context_length_exceeded"  # a text, where cutting was refused
    TOO_MANY = "too_many_texts"
    UNAUTHORIZED = "invalid_api_key"
    FORBIDDEN = "forbidden"
    NO_ROUTE = "not_found"
    NO_MODEL = "model_not_found"
    METHOD = "method_not_allowed"
    READ_TIMEOUT = "request_timeout"  # the client is too slow in sending
    TOO_LARGE = "request_too_large"
    MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMIT = "rate_limit_exceeded"  # of this key
    OVERLOADED = "overloaded"  # of the whole server
    HEADERS = "headers_too_large"
    GONE = "client_closed_request"  # nobody is there to read the answer
    INTERNAL = "internal_error"  # our bug
    UNAVAILABLE = "unavailable"  # starting, or draining
    DEADLINE = "deadline_exceeded"  # the time that the client gave has passed


STATUSES: Final = {
    Kind.INVALID_JSON: 400,
    Kind.INVALID_VALUE: 400,
    Kind.EMPTY: 400,
    Kind.TOKEN_IDS: 400,
    Kind.TOO_LONG: 400,
    Kind.TOO_MANY: 400,
    Kind.UNAUTHORIZED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NO_ROUTE: 404,
    Kind.NO_MODEL: 404,
    Kind.METHOD: 405,
    Kind.READ_TIMEOUT: 408,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA_TYPE: 415,
    Kind.RATE_LIMIT: 429,
    Kind.OVERLOADED: 429,
    Kind.HEADERS: 431,
    Kind.GONE: 499,
    Kind.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
    Kind.DEADLINE: 504,
}


class Problem(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """A request that gets an error body.

    Args:
        kind: Decides the status, together with the dialect.
        message: What is wrong, where, why, and what to do.
        param: The field of the body that is meant, as the client wrote it.
        retry_after_s: When it is worth trying again, for the header.
    """

    def __init__(
        self, kind: Kind, message: str, *, param: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
