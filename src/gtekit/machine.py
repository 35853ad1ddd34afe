"""Which machine this is, as far as that decides how fast something runs."""

import platform
from dataclasses import dataclass
from pathlib import Path

from gtekit.threads import find_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What has to be the same for a speed measured once to mean anything later."""

    processor: str
    cpus: int  # that this process may keep busy
    kernels: str  # the kernel set that runs: another version of gtekit may have a better one

    def __str__(self) -> str:
        return f"{self.processor}, {self.cpus} CPU{'' if self.cpus == 1 else 's'}, {self.kernels}"


def this_machine(kernels: str) -> Machine:
    """Describe the machine that this process runs on, with the kernel set that it uses."""
    return Machine(processor=processor_name(), cpus=min(limit.threads for limit in find_limits()), kernels=kernels)


def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Name the CPU's model; on Arm by the numbers of its maker; else its architecture.

    macOS tells no more than "arm": every Apple M has this name.
    """
    maker = ""
    try:
        with cpuinfo.open(encoding="utf-8", errors="replace") as lines:  # the first CPU is enough: there may be 256
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
                if name.strip() == "CPU implementer":
                    maker = value.strip()
                if name.strip() == "CPU part":
                    return f"{platform.machine()}, implementer {maker}, part {value.strip()}"
    except OSError:
        return platform.processor() or platform.machine()
    return platform.machine()
