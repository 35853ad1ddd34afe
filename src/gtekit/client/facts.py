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
    max_body_bytes: int  # the most that it may weigh


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
        "max_texts": int,
        "max_body_bytes": int,
    }
    for name, kind in expected.items():
        if not isinstance(getattr(facts, name), kind):
            raise not_ours(address, f"GET /model says {name}={getattr(facts, name)!r}")
    if facts.pooling not in get_args(Pooling):
        raise not_ours(address, f"GET /model says pooling={facts.pooling!r}")


def check_space(facts: ServedFacts, reply: Reply, address: str) -> None:
    """Make sure that an answer comes from the model that was asked about before.

    Raises:
        EndpointError: If the server serves another one by now: its vectors don't belong with the earlier ones.
    """
    found = reply.headers.get("x-gtekit-fingerprint", facts.fingerprint)
    if found != facts.fingerprint:
        raise EndpointError(
            f"{address}: serves another model by now (fingerprint {found}, before {facts.fingerprint}); vectors of the "
            "two can't be compared. Make a new Client, and embed again what the old one embedded."
        )
