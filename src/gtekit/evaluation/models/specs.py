"""Which model is meant: gte-small, gte-small@int8, openai:text-embedding-ada-002, sentence-transformers:NAME."""

from dataclasses import dataclass
from typing import get_args

from gtekit.config import Precision
from gtekit.errors import ArgumentError
from gtekit.evaluation.results import ModelKind

KINDS: tuple[ModelKind, ...] = get_args(ModelKind)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model to evaluate, by name."""

    kind: ModelKind
    name: str
    precision: Precision | None = None  # None: as the caller says for all models

    def __str__(self) -> str:
        kind = "" if self.kind == "gtekit" else f"{self.kind}:"
        return f"{kind}{self.name}{f'@{self.precision}' if self.precision else ''}"


def parse_spec(text: str) -> ModelSpec:
    """Read the name of a model.

    Raises:
        ArgumentError: If it names nothing, or a precision for a model that does not run here.
    """
    kind, _, rest = text.partition(":")
    known = next((one for one in KINDS if one == kind), None)
    name = rest if known else text
    before, _, after = name.rpartition("@")
    precision = next((one for one in PRECISIONS if one == after), None) if before else None
    if precision:
        name = before
    if not name.strip():
        raise ArgumentError(
            f"{text!r} names no model. Choose gte-small, gte-small@int8, a hub id or folder, "
            f"openai:text-embedding-ada-002, or sentence-transformers:NAME."
        )
    if precision and known not in (None, "gtekit"):
        raise ArgumentError(f"{text}: a precision is chosen for gtekit's own models alone; leave out @{precision}.")
    return ModelSpec(known or "gtekit", name, precision)


def with_precisions(specs: list[ModelSpec], precisions: list[Precision]) -> list[ModelSpec]:
    """Give each of gtekit's models that names no precision once in each of these; the order stays, doubles go."""
    every = [
        ModelSpec(spec.kind, spec.name, precision)
        for spec in specs
        for precision in (precisions if spec.kind == "gtekit" and spec.precision is None else [spec.precision])
    ]
    return list(dict.fromkeys(every))
