"""How many threads this process may use: fewer than the machine has CPUs, wherever somebody set a limit."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gtekit.errors import ArgumentError

VARIABLE = "GTEKIT_THREADS"
MOST_THREADS = 1024  # what the core takes; a larger number is a mistake


@dataclass(frozen=True, slots=True)
class ThreadLimit:
    """One thing that bounds the number of threads."""

    threads: int
    reason: str  # what says so, and what it says


@dataclass(frozen=True, slots=True)
class ThreadBudget:
    """The threads to use, and every limit that was found."""

    threads: int
    reason: str  # of the limit that decided
    limits: tuple[ThreadLimit, ...]


def available_threads(root: Path = Path("/")) -> ThreadBudget:
    """Give the number of threads that this process may keep busy.

    The smallest of: CPUs of the machine, CPU affinity (taskset), the cpuset and the CPU quota of the control group
    and of every group above it (containers: `docker run --cpus`, Kubernetes limits). GTEKIT_THREADS wins over all.

    Args:
        root: Where /proc and /sys are looked for.

    Raises:
        ArgumentError: If GTEKIT_THREADS is not a number from 1 to 1024.
    """
    limits = find_limits(root)
    smallest = min(limits, key=lambda limit: limit.threads)
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        return ThreadBudget(smallest.threads, smallest.reason, tuple(limits))
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 9 and 1 <= int(chosen) <= MOST_THREADS):
        raise ArgumentError(f"{VARIABLE}={chosen[:20]!r} is not possible; set it to 1 to {MOST_THREADS}, or unset it.")
    return ThreadBudget(int(chosen), f"{VARIABLE}={chosen}", tuple(limits))


def find_limits(root: Path = Path("/")) -> list[ThreadLimit]:
    """Give everything that bounds the threads of this process, whatever GTEKIT_THREADS says. At least one."""
    return [*_cpu_limits(), *_cgroup_limits(root)]


def _cpu_limits() -> Iterator[ThreadLimit]:
    machine = min(os.cpu_count() or 1, MOST_THREADS)
    yield ThreadLimit(machine, f"the machine has {machine} CPUs")
    if hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
        if usable < machine:
            yield ThreadLimit(usable, f"CPU affinity allows {usable} of {machine} CPUs")


def _cgroup_limits(root: Path) -> Iterator[ThreadLimit]:
    for folder in _cgroup_folders(root):
        cpus = _read(folder / "cpu.max") or _read_v1_quota(folder)
        quota, _, period = cpus.partition(" ")
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            share = int(quota) / int(period)
            # to the nearest: 1.5 CPUs keep two threads busy three quarters of the time, 1.2 hardly feed a second
            yield ThreadLimit(max(1, int(share + 0.5)), f"control group {folder} has a quota of {share:g} CPUs")
        cpuset = _read(folder / "cpuset.cpus.effective") or _read(folder / "cpuset.cpus")
        if count := _count_cpus(cpuset):
            yield ThreadLimit(count, f"control group {folder} may use the CPUs {cpuset}")


def _cgroup_folders(root: Path) -> Iterator[Path]:
    """Every folder of this process's control groups, from its own up to the top; v2, v1 and both at once."""
    mount = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            tops = [mount, mount / "unified"]
        elif {"cpu", "cpuset"} & set(controllers.split(",")):
            tops = [mount / controllers, *(mount / name for name in controllers.split(","))]
        else:
            continue
        top = next((top for top in tops if _is_group(top)), None)
        if top is None:
            continue
        # in a container the group may be named as the host sees it: what is not mounted here is skipped
        own = PurePosixPath(group.lstrip("/"))
        for part in (own, *own.parents):
            folder = top / part
            if ".." not in part.parts and folder.is_dir():
                yield folder


def _is_group(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("cgroup.controllers", "cgroup.procs", "cpu.max", "tasks"))


def _read_v1_quota(folder: Path) -> str:
    return f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _count_cpus(cpuset: str) -> int:
    """Count a list such as 0-3,8: five CPUs. What is no such list counts as none."""
    count = 0
    for part in cpuset.split(","):
        first, dash, last = part.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            return 0
        count += int(last or first) - int(first) + 1
    return max(count, 0)
