"""The settings of a server: one schema for flags, environment variables and the TOML file.

The field `max_body_bytes` is --max-body-bytes, GTEKIT_SERVE_MAX_BODY_BYTES and `max_body_bytes` in the file. A flag
goes before the environment, the environment before the file, the file before the default.
"""
# ruff: noqa: RUF009 - _setting is dataclasses.field with a help text

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from gtekit.config import DEFAULT_MODEL, Precision

T = TypeVar("T")


def _setting(default: T, help: str) -> T:  # noqa: A002 - argparse's word
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How `gtekit serve` runs. Times end in _s and are seconds, sizes end in _bytes."""

    model: tuple[str, ...] = _setting((DEFAULT_MODEL,), "a model, or NAME=MODEL; several are served side by side")
    alias: tuple[str, ...] = _setting((), "ALIAS=NAME: one more name for a model; '*=NAME' takes every name")
    revision: str | None = _setting(None, "a commit, branch or tag of the hub")
    cache_folder: Path | None = _setting(None, "stands in for the Hugging Face cache")
    local_files_only: bool = _setting(False, "never ask the hub")
    precision: Precision | None = _setting(None, "number format of the linear layers (as tuned, or float32)")
    threads: int | None = _setting(None, "the most threads of each model (as many as allowed)")
    max_tokens: int | None = _setting(None, "cut texts sooner than the model would")

    host: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 is every network of this machine")
    port: int = _setting(8080, "port to listen on; 0: any that is free")
    unix_socket: Path | None = _setting(None, "listen on this socket file and on no port")
    cors_origin: tuple[str, ...] = _setting((), "an origin whose pages may call: https://app.example")
    keys_file: Path | None = _setting(
        None, "who may call: a file that `gtekit keys` writes; read again when it changes"
    )
    open_metrics: bool = _setting(False, "/metrics answers without a key too")
    page: bool = _setting(True, "the page at / to try things out")

    on_truncation: Literal["dialect", "error", "cut", "chunk"] = _setting(
        "dialect", "a text that is too long: as each API has it, refused, cut, or embedded whole in pieces"
    )
    allow_dimensions: bool = _setting(False, "shorten vectors on request though the model was not trained for that")

    max_body_bytes: int = _setting(33_554_432, "the largest body, after decompression")
    max_texts: int = _setting(10_000, "the most texts of a request that is not a stream")
    max_text_chars: int = _setting(1_000_000, "the longest text, in characters")
    max_connections: int = _setting(1024, "the most connections at once")
    max_header_bytes: int = _setting(16_384, "the longest request line and headers together")
    max_memory_bytes: int = _setting(536_870_912, "the most that bodies and vectors of all requests may take at once")
    max_queue_tokens: int = _setting(1_000_000, "the most tokens that wait; more is answered with 429")
    cache_bytes: int = _setting(0, "memory for vectors of texts seen before; 0 keeps none")
    bulk_call_tokens: int = _setting(2048, "tokens that a long job gives to the engine at once")

    header_timeout_s: float = _setting(10.0, "the longest that request line and headers may take")
    body_timeout_s: float = _setting(30.0, "the longest that a body may pause")
    request_timeout_s: float = _setting(600.0, "the longest that a request may take")
    keep_alive_s: float = _setting(75.0, "how long a connection without a request stays open")
    drain_s: float = _setting(30.0, "how long requests under way may take after SIGTERM")
    ready_check_s: float = _setting(30.0, "how old the answer of the golden text may be when readiness is asked")

    log: Literal["json", "text", "off"] = _setting("json", "a line a request on standard error")
