"""Any model of the package sentence-transformers: to compare with, and for what gtekit can't run."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gtekit.arrays import Floats
from gtekit.checkpoint.locate import locate
from gtekit.errors import ArgumentError, MissingExtraError, ModelNotFoundError
from gtekit.evaluation.models.interface import ModelFacts
from gtekit.evaluation.models.names import prompts_of, short_name

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEVICE = "cpu"  # what it is compared on
BLOCK_TEXTS = 2_048  # between two signs of progress


class PeerModel:
    """A SentenceTransformer behind the interface of evaluation."""

    def __init__(self, name: str, model: "SentenceTransformer") -> None:
        self._name = name
        self._model = model
        self._fingerprint = _fingerprint(model)

    @property
    def facts(self) -> ModelFacts:
        """What is known of it."""
        model = self._model
        own = dict(model.prompts or {})
        default = model.default_prompt_name
        parameters = list(model.parameters())
        return ModelFacts(
            name=short_name(self._name),
            kind="sentence-transformers",
            fingerprint=self._fingerprint,
            precision=str(parameters[0].dtype).removeprefix("torch."),
            max_tokens=model.get_max_seq_length(),
            prompts=prompts_of(self._name, {role: own.get(role) or "" for role in ("query", "document")}),
            default_prompt=own[default] if default else "",
            size_bytes=sum(values.numel() * values.element_size() for values in parameters),
            threads=_threads(),
        )

    @property
    def texts_cut(self) -> None:
        """Not known: the package does not say."""
        return

    @property
    def texts_kept(self) -> int:
        """None is kept here."""
        return 0

    def embed(
        self, texts: Sequence[str], *, prompt: str, normalize: bool | None, done: Callable[[int], None]
    ) -> Floats:
        """Embed texts, shape (N, D)."""
        model = self._without_normalize() if normalize is False else self._model
        blocks = []
        for start in range(0, len(texts), BLOCK_TEXTS):
            block = list(texts[start : start + BLOCK_TEXTS])
            blocks.append(
                model.encode(block, prompt=prompt, normalize_embeddings=bool(normalize), show_progress_bar=False)
            )
            done(start + len(block))
        embeddings: Floats = np.concatenate(blocks).astype(np.float32, copy=False)
        return embeddings

    def _without_normalize(self) -> "SentenceTransformer":
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.models import Normalize

        kept = [module for module in self._model if not isinstance(module, Normalize)]
        return SentenceTransformer(modules=kept, device=DEVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerOptions:
    """Where a model comes from and how it runs."""

    cache_folder: Path | None = None
    local_files_only: bool = False
    max_tokens: int | None = None  # None: what the model reads
    threads: int | None = None  # of torch, in the whole process; None: as many as it likes


def open_peer(name: str, options: PeerOptions = PeerOptions()) -> PeerModel:
    """Load a model with sentence-transformers: a hub id, a short name that gtekit knows, or a folder.

    Raises:
        MissingExtraError: If the package is not installed.
        ModelNotFoundError: If it finds no such model.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise MissingExtraError(f"evaluating {name} with sentence-transformers", "eval", "it") from None
    where = name
    with suppress(ModelNotFoundError, ArgumentError):  # it may be of a kind that gtekit knows nothing of
        where = str(locate(name, local_files_only=True, cache_folder=options.cache_folder).folder)
    try:
        model = SentenceTransformer(
            where,
            device=DEVICE,
            cache_folder=None if options.cache_folder is None else str(options.cache_folder),
            local_files_only=options.local_files_only,
        )
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(f"sentence-transformers could not load {name!r}: {error}") from None
    if options.max_tokens is not None:
        model.max_seq_length = options.max_tokens
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    return PeerModel(name, model)


def _threads() -> int:
    import torch

    return int(torch.get_num_threads())


def _fingerprint(model: "SentenceTransformer") -> str:
    """Hash the values of all tensors and how each module prints, with its settings: other vectors, other hash."""
    digest = sha256()
    state: dict[str, Any] = model.state_dict()
    for key in sorted(state):
        digest.update(f"{key} {state[key].dtype} {tuple(state[key].shape)}".encode())
        digest.update(np.ascontiguousarray(state[key].float().cpu().numpy()).data)
    for module in model:
        digest.update(repr(module).encode())
        config: dict[str, Any] = module.get_config_dict() if hasattr(module, "get_config_dict") else {}
        digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]
