"""What a build did."""

from dataclasses import dataclass, field

from gtekit.documents import Failure
from gtekit.index.interface import Recall


@dataclass(slots=True)
class BuildReport:
    """Counts of one build, and what the user should know of it."""

    location: str
    model: str
    passage_tokens: int
    overlap_tokens: int
    files: int = 0  # found
    documents: int = 0  # in the index afterwards
    passages: int = 0  # in the index afterwards
    unchanged: int = 0  # documents, as are the next three
    added: int = 0
    changed: int = 0
    deleted: int = 0
    passages_embedded: int = 0
    passages_reused: int = 0  # of changed documents, whose text was there already
    passages_deleted: int = 0
    tokens_embedded: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    passed_over: dict[str, int] = field(default_factory=dict)  # files of kinds that are not read, by their suffix
    guessed_encodings: dict[str, str] = field(default_factory=dict)  # file and what it was read as
    values_as_text: dict[str, int] = field(default_factory=dict)  # kept in NAME_text: of another type than their column
    dropped_values: dict[str, int] = field(default_factory=dict)  # that could not be kept so either, by their column
    of_other_paths: int = 0  # documents of paths that were not named this time; they stay
    missing: list[str] = field(default_factory=list)  # paths that are not there any more; their documents left
    is_whole: bool = True  # False: somebody else has changed the rows meanwhile; the next build mends that
    repaired: int = 0  # documents that an earlier build had left half written
    has_other_settings: bool = False  # the passages are cut otherwise than before: all are made again
    recall: Recall | None = None  # of the approximate index, where there is one
