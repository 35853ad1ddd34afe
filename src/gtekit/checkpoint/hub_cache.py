"""Find a model in the Hugging Face cache by reading its folders. No network, and huggingface_hub is not imported.

The layout (https://huggingface.co/docs/huggingface_hub/guides/manage-cache):

    models--thenlper--gte-small/
    ├── refs/main                      the commit that `main` was when it was last downloaded
    ├── blobs/                         the files, named after their content
    ├── snapshots/<commit>/            links to blobs, under the names of the repository
    └── .no_exist/<commit>/            names that a program asked for and the repository does not have
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gtekit.checkpoint.config import read_model_config
from gtekit.checkpoint.json_files import read_json
from gtekit.errors import CheckpointError

COMMIT = re.compile(r"[0-9a-f]{40}\Z")
TRUE_WORDS = {"1", "ON", "YES", "TRUE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedModel:
    """A snapshot in the cache that has all the files of a checkpoint."""

    hub_id: str
    revision: str  # the commit
    folder: Path

    def size_bytes(self) -> int:
        """What the files of the snapshot take on disk."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def cache_folder_of(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the Hugging Face cache is: the same variables in the same order as in huggingface_hub."""
    home = environ.get("HF_HOME") or str(Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    cache = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE") or str(Path(home) / "hub")
    return Path(os.path.expandvars(cache)).expanduser()


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment forbids the network (HF_HUB_OFFLINE, or TRANSFORMERS_OFFLINE where that is not set)."""
    value = environ.get("HF_HUB_OFFLINE") or environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in TRUE_WORDS


def find_cached(cache: Path, hub_id: str, revision: str | None) -> CachedModel | None:
    """The snapshot of a model in the cache, complete or not; None where there is none.

    Args:
        cache: The cache's folder.
        hub_id: owner/name.
        revision: A commit, or a branch or tag as it was last downloaded. None: main.
    """
    repository = cache / f"models--{hub_id.replace('/', '--')}"
    commit = revision or "main"
    if not COMMIT.match(commit):
        try:
            commit = (repository / "refs" / commit).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
    folder = repository / "snapshots" / commit
    if not COMMIT.match(commit) or not folder.is_dir():
        return None
    return CachedModel(hub_id=hub_id, revision=commit, folder=folder)


def list_cached(cache: Path) -> Iterator[CachedModel]:
    """Every complete checkpoint in the cache at its `main`, by name. Models of other architectures are left out."""
    for repository in sorted(cache.glob("models--*")):
        hub_id = repository.name.removeprefix("models--").replace("--", "/", 1)
        model = find_cached(cache, hub_id, None)
        if model and not missing_files(model.folder) and _is_encoder(model.folder):
            yield model


def missing_files(folder: Path) -> list[str]:
    """What a snapshot lacks to be a checkpoint: an interrupted download, or one by a program that needed less.

    A missing modules.json counts, unless the repository is known not to have one: without it nobody knows how to pool.
    """
    missing = []
    steps = _steps(folder)
    if steps is None and not lacks_modules_json(folder):
        missing.append("modules.json")
    encoder = folder
    for kind, place in steps or []:
        if kind.endswith(".Transformer"):
            encoder = folder / place
        if kind.endswith(".Pooling") and not (folder / place / "config.json").exists():
            missing.append(f"{place}/config.json")
    if not (encoder / "config.json").exists():
        missing.append("config.json")
    if not any((encoder / name).exists() for name in ("tokenizer.json", "vocab.txt")):
        missing.append("tokenizer.json")
    return missing + _missing_weights(encoder)


def lacks_modules_json(snapshot: Path) -> bool:
    """Whether the repository itself has no modules.json, as far as the cache has noted it."""
    return (snapshot.parent.parent / ".no_exist" / snapshot.name / "modules.json").exists()


def _is_encoder(folder: Path) -> bool:
    encoders = [folder / place for kind, place in _steps(folder) or [] if kind.endswith(".Transformer")] or [folder]
    try:
        read_model_config(encoders[0] / "config.json")
    except CheckpointError:
        return False
    return True


def _steps(folder: Path) -> list[tuple[str, str]] | None:
    if not (folder / "modules.json").exists():
        return None
    try:
        steps = read_json(folder / "modules.json")
    except CheckpointError:
        return []  # damaged: the loader says what is wrong with it
    steps = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    return [(str(step.get("type")), str(step.get("path", ""))) for step in steps]


def _missing_weights(encoder: Path) -> list[str]:
    if (encoder / "model.safetensors").exists():
        return []
    index = encoder / "model.safetensors.index.json"
    if not index.exists():
        return ["model.safetensors"]
    try:
        shards = read_json(index)["weight_map"].values()
        return sorted({str(shard) for shard in shards if not (encoder / str(shard)).exists()})
    except (CheckpointError, TypeError, KeyError, AttributeError):
        return []
