"""On what, of what and how a result was measured."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.batching import cores

ROOT = Path(__file__).resolve().parent.parent
INTERESTING_FLAGS = [
    "avx2",
    "fma",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
    "sve2",
]


def cpuinfo() -> dict[str, str]:
    """Read the first processor of /proc/cpuinfo, {} elsewhere."""
    file = Path("/proc/cpuinfo")
    if not file.is_file():
        return {}
    lines = (line.partition(":") for line in file.read_text().split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}


def os_name() -> str:
    """Name the operating system and its kernel."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.system()
    return f"{name}, kernel {platform.release().split('-')[0]}, {platform.machine()}"


def git_commit() -> str:
    """Name the commit, and say whether files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("rev-parse", "--short=12", "HEAD")
    changes = git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return f"{commit} with local changes" if commit and changes else commit or "unknown"


def memory_gib() -> float | None:
    """Give the machine's memory."""
    if not hasattr(os, "sysconf"):
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def load_average() -> str:
    """Give the load: above the cores in use, somebody else was at work."""
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"


def describe_machine() -> dict[str, str]:
    """Describe machine, versions and command, once at the start of a measurement."""
    cpu = cpuinfo()
    flags = set((cpu.get("flags") or cpu.get("Features") or "").split())
    model = cpu.get("model name") or platform.processor() or platform.machine()
    family = f" (family {cpu['cpu family']}, model {cpu['model']})" if "cpu family" in cpu else ""
    own_command = f"python -m benchmarks.{Path(sys.argv[0]).stem} {' '.join(sys.argv[1:])}"
    return {
        "cpu": model + family,
        "cores": f"{cores()} used of {os.cpu_count()}",
        "isa": " ".join(flag for flag in INTERESTING_FLAGS if flag in flags),
        "memory": f"{memory_gib()} GiB",
        "os": os_name(),
        "python": platform.python_version(),
        "commit": git_commit(),
        "command": os.environ.get("BENCHMARK_COMMAND") or own_command,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load_before": load_average(),
    }
