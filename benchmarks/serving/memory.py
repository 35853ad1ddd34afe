"""The memory of another process, and whether it grows."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

JUDGED_S = 600.0  # a server that lives shorter has no level yet
MOST_GROWTH = 0.02  # from the third quarter of a life to the last, of medians: 3 MiB, or 150 bytes a request
WARM_S = 60.0  # buffers reach their size; half of the time where a server lives shorter than two minutes
MEASURES = ("mib_per_hour", "peak_warm_mib", "peak_later_mib", "growth_mib", "late_growth", "seconds")
Sample = tuple[float, float]  # seconds, MiB


def resident_mib(pid: int) -> float:
    """Give the resident set of a process, 0 where the system does not tell or it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


def growth_of(samples: Sequence[Sample]) -> dict[str, float]:
    """Fit a line to what comes after the first minute, and compare its peak with that of the minute.

    Returns:
        `mib_per_hour` of the line, `peak_warm_mib`, `peak_later_mib`, `growth_mib` between the two; `late_growth` of
        the median from the third quarter to the last, as a share; `seconds` between first and last sample.
    """
    known = [(at, mib) for at, mib in samples if mib]
    if len(known) < 4:
        return dict.fromkeys(MEASURES, 0.0)
    first, last = known[0][0], known[-1][0]
    warm = first + min(WARM_S, (last - first) / 2)
    early = [mib for at, mib in known if at <= warm]
    later = [(at, mib) for at, mib in known if at > warm]
    slope = np.polyfit([at / 3600 for at, _ in later], [mib for _, mib in later], 1)[0] if len(later) > 1 else 0.0
    peak = max(mib for _, mib in later)
    return {
        "mib_per_hour": float(slope),
        "peak_warm_mib": max(early),
        "peak_later_mib": peak,
        "growth_mib": peak - max(early),
        "late_growth": _level(known, 0.75, 1.0) / _level(known, 0.5, 0.75) - 1,
        "seconds": last - first,
    }


def grows(life: Mapping[str, float]) -> bool:
    """Tell whether a server that lived long enough ends with more memory than it had."""
    return life["seconds"] >= JUDGED_S and life["late_growth"] > MOST_GROWTH


def _level(samples: Sequence[Sample], begin: float, end: float) -> float:
    first, length = samples[0][0], samples[-1][0] - samples[0][0]
    return float(np.median([mib for at, mib in samples if begin <= (at - first) / length <= end]))
