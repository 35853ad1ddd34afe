"""What dialects ask of the scheduler, and what they get."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from gtekit.arrays import Floats, Ints
from gtekit.chunking import ChunkBatch
from gtekit.serving.messages import Disconnect

if TYPE_CHECKING:
    from gtekit.serving.memory import Lease

Lane = Literal["interactive", "bulk"]
LANES: Final[tuple[Lane, ...]] = get_args(Lane)
Truncation = Literal["error", "end", "start", "chunk"]  # refuse; lose the end; lose the beginning; embed it all


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """A vector for each piece of the texts, in place of one for each text."""

    overlap_tokens: int | None  # how far a piece may reach back; None: an eighth of a piece


@dataclass(slots=True, kw_only=True)
class EncodeJob:
    """Texts of one request and how to embed them. Checked by the dialect that made it."""

    texts: Sequence[str]
    prompt: str = ""  # goes before each text
    truncation: Truncation = "error"
    max_tokens: int | None = None  # fewer than the model reads, [CLS] and [SEP] included
    normalize: bool | None = None  # None: as the model does
    dimensions: int | None = None  # keep so many, then normalize again
    pieces: Pieces | None = None
    lane: Lane | None = None  # None: by size
    is_first: bool = False  # ahead of all that waits in the lane: what watches the server is no load
    deadline: float | None = None  # of time.monotonic()
    disconnect: Disconnect | None = None
    lease: "Lease | None" = None  # of the request: its vectors are taken from it before they are made
    text_name: str = "texts"  # how the client calls its list, for messages: input, inputs, documents
    too_long_fix: str = (  # how a client of this dialect gets a long text embedded, for the same
        'ask for its beginning with "on_truncation": "cut" or for all of it, in pieces, with "on_truncation": "chunk"'
    )


@dataclass(slots=True, kw_only=True)
class Encoded:
    """The vectors of a job, and what they took."""

    embeddings: Floats  # (N, D), or (M, D) for pieces
    lengths: Ints  # (N,), tokens of each text before any cut, [CLS], [SEP] and prompt included; () for pieces
    truncated: list[int]  # the places of the texts that were cut, ascending
    tokens: int  # that were read, all texts together
    lane: Lane
    cached: int  # texts that were found in the cache
    deduplicated: int  # texts that were on their way already, for this request or another
    tokenization_s: float
    queue_s: float  # until the first of the texts was taken
    inference_s: float
    pieces: ChunkBatch | None = None  # where the job asked for vectors of pieces
