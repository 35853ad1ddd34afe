"""Get a checkpoint from the Hugging Face hub into its cache. The only file that imports huggingface_hub.

Small files come first and the weights last, so that a snapshot with weights has everything else, whenever a download
was interrupted; and so that a model of another architecture is refused before its gigabytes are on the disk.
huggingface_hub itself writes each file under another name and renames it when it is whole.
"""

import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from gtekit.checkpoint.config import read_model_config
from gtekit.checkpoint.hub_cache import CachedModel, missing_files
from gtekit.checkpoint.locate import not_found
from gtekit.checkpoint.modules import read_modules
from gtekit.checkpoint.weights import PICKLES, SHARD_INDEX, SINGLE_FILE, pickle_refusal, weight_files
from gtekit.errors import CheckpointError, GtekitError, ModelNotFoundError, PickleRefusedError

SMALL_FILES = {
    "adapter_config.json",
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
}
OTHER_RUNTIMES = {"onnx", "openvino", "coreml"}

T = TypeVar("T")


def download(
    hub_id: str,
    *,
    revision: str | None,
    cache: Path,
    token: str | None,
    timeout_s: float | None = None,
    force: bool = False,
) -> CachedModel:
    """Download what a checkpoint needs, with progress on stderr, and name the commit that was pinned.

    Args:
        hub_id: owner/name.
        revision: A commit, branch or tag; None: main.
        cache: The Hugging Face cache.
        token: For gated and private models; None: what huggingface_hub finds by itself.
        timeout_s: Give up on a hub that has not answered by then. The download itself takes as long as it takes.
        force: Download files again that the cache has, for one that is damaged.

    Raises:
        ModelNotFoundError: If the hub can't be reached, or does not have or give out the model.
        ArchitectureError: If it is no BERT encoder.
        PickleRefusedError: If its weights are only there as a pickle.
        CheckpointError: If the repository is no checkpoint.
    """
    from huggingface_hub import HfApi  # imported before the clock starts

    api = HfApi(token=token)
    try:
        info = within(timeout_s, lambda: api.model_info(hub_id, revision=revision, timeout=timeout_s))
        names = [sibling.rfilename for sibling in info.siblings or []]
        get = _Getter(hub_id, cache, token, force)
        snapshot = get.files(revision or "main", [name for name in names if _is_small(name)])
        if "modules.json" not in names:
            _note_absence(snapshot, "modules.json")
        weights = _weights(hub_id, snapshot, names)
        _say(f"gtekit: {hub_id} at revision {snapshot.name}, from {_endpoint()} to {snapshot}")
        get.files(snapshot.name, weights)
        if weights == [_beside(weights[0], SHARD_INDEX)]:
            encoder = snapshot / Path(weights[0]).parent
            get.files(snapshot.name, [str(file.relative_to(snapshot).as_posix()) for file in weight_files(encoder)])
    except GtekitError:
        raise
    except Exception as error:  # every version of huggingface_hub has exceptions of its own, and of its HTTP client
        raise ModelNotFoundError(not_found(hub_id, hub_id, cache, _why(error, hub_id, revision))) from None
    missing = missing_files(snapshot)
    if missing:
        raise CheckpointError(
            f"{hub_id} at {snapshot.name}: expected {', '.join(missing)} in the repository, found none."
        )
    return CachedModel(hub_id=hub_id, revision=snapshot.name, folder=snapshot)


def within(timeout_s: float | None, call: Callable[[], T]) -> T:
    """The result of `call`, or TimeoutError: looking up a host's address can take longer than any socket's time-out."""
    if timeout_s is None:
        return call()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # handed to the caller's thread below
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True, name="gtekit-hub")
    thread.start()
    thread.join(timeout_s)
    if failure:
        raise failure[0]
    if not outcome:
        raise TimeoutError(f"no answer within {timeout_s:g} s")
    return outcome[0]


class _Getter:
    """Downloads named files of one repository."""

    def __init__(self, hub_id: str, cache: Path, token: str | None, force: bool) -> None:
        self.options: dict[str, Any] = {"repo_id": hub_id, "cache_dir": cache, "token": token, "force_download": force}

    def files(self, revision: str, names: Iterable[str]) -> Path:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(revision=revision, allow_patterns=sorted(names), **self.options))


def _is_small(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return file in SMALL_FILES and "/" not in folder and folder not in OTHER_RUNTIMES


def _weights(hub_id: str, snapshot: Path, names: list[str]) -> list[str]:
    """Names of the weights in the repository, once its small files say that this package can run the model."""
    modules = read_modules(snapshot)
    encoder = modules.encoder if modules else snapshot
    if (encoder / "config.json").exists():
        read_model_config(encoder / "config.json")
    beside = f"{encoder.relative_to(snapshot).as_posix()}/config.json".removeprefix("./")
    for file in (SINGLE_FILE, SHARD_INDEX):
        if _beside(beside, file) in names:
            return [_beside(beside, file)]
    for file in PICKLES:
        if _beside(beside, file) in names:
            raise PickleRefusedError(pickle_refusal(f"{hub_id} ({_beside(beside, file)})"))
    raise CheckpointError(f"{hub_id}: expected {SINGLE_FILE} in the repository, found {', '.join(sorted(names)[:20])}.")


def _beside(name: str, file: str) -> str:
    folder, slash, _ = name.rpartition("/")
    return folder + slash + file


def _note_absence(snapshot: Path, name: str) -> None:
    """Note that the repository has no such file, where huggingface_hub notes it too."""
    note = snapshot.parent.parent / ".no_exist" / snapshot.name / name
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()


def _why(error: Exception, hub_id: str, revision: str | None) -> str:
    from huggingface_hub import errors

    page = f"{_endpoint()}/{hub_id}"
    detail = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, errors.GatedRepoError):
        return f"the hub gives it only to those who accept its conditions at {page} and send a token (HF_TOKEN)."
    if isinstance(error, errors.RevisionNotFoundError):
        return f"the hub has the model, but no revision {revision!r}: see {page}/commits/main."
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"not in the cache, and the hub has no such model at {page}, or it is private and needs a token (HF_TOKEN)."
        )
    return f"not in the cache, and the hub at {_endpoint()} could not be used: {detail}."


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
