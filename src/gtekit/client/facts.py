"""What a server says of the model that it serves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from gtekit.client.wire import Reply, not_ours
from gtekit.config import Pooling
from gtekit.errors import EndpointError


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFacts:
    """A served model. The fields are named as the properties of an Embedder and of its checkpoint."""

    name: str
    revision: str | None
    fingerprint: str
    dimension: int
    max_tokens: int
    prompts: Mapping[str, str]
    default_prompt_name: str | None
    pooling: Pooling
    normalize: bool
    precision: str
    isa: str
    threads: int
    cls_id: int
    sep_id: int
    max_texts: int  # the most texts that one request may have
    max_text_chars: int  # the most characters of a text
    max_body_bytes: int  # the most that a request may weigh
    requests_per_minute: int | None  # of the key that asked; None: no limit
    tokens_per_minute: int | None


def read_facts(reply: Reply, address: str) -> ServedFacts:
    """Read the answer of GET /model.

    Raises:
        EndpointError: If it is something else: another kind of server.
    """
    try:
        values = json.loads(reply.body)
        facts = ServedFacts(**{name: values[name] for name in ServedFacts.__slots__})
    except (ValueError, TypeError, KeyError):
        raise not_ours(address, "GET /model does not describe a model") from None
    _check(facts, address)
    return facts


def _check(facts: ServedFacts, address: str) -> None:
    expected: Mapping[str, Any] = {
        "name": str,
        "fingerprint": str,
        "dimension": int,
        "max_tokens": int,
        "prompts": dict,
        "normalize": bool,
        "precision": str,
        "max_texts": int,
        "max_text_chars": int,
        "max_body_bytes": int,
        "requests_per_minute": int | None,
        "tokens_per_minute": int | None,
    }
    for name, kind in expected.items():
        if not isinstance(getattr(facts, name), kind):
            raise not_ours(address, f"GET /model says {name}={getattr(facts, name)!r}")
    if facts.pooling not in get_args(Pooling):
        raise not_ours(address, f"GET /model says pooling={facts.pooling!r}")


def check_space(facts: ServedFacts, reply: Reply, address: str) -> None:
    """Make sure that an answer comes from the model that was asked about before, in the same precision.

    Raises:
        EndpointError: If the server serves another one by now: its vectors don't belong with the earlier ones.
    """
    found = reply.headers.get("x-gtekit-fingerprint", facts.fingerprint)
    if found != facts.fingerprint:
        raise EndpointError(
            f"{address}: serves another model by now (fingerprint {found}, before {facts.fingerprint}); vectors of the "
            "two can't be compared. Make a new Client, and embed again what the old one embedded."
        )
    if (precision := reply.headers.get("x-gtekit-precision", facts.precision)) != facts.precision:
        raise EndpointError(
            f"{address}: serves the model in another precision by now ({precision}, before {facts.precision}); vectors "
            f"of the two don't belong together. Start the server with --precision {facts.precision} again, or make a "
            "new Client and embed again what the old one embedded."
        )
