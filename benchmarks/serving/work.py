"""Where the checkpoint, the texts and the results are."""

import subprocess
import sys
from pathlib import Path

from benchmarks.job import Job, read_job
from benchmarks.machine import ROOT

WORK = ROOT / "build" / "benchmarks" / "serving"
OUT = ROOT / "benchmarks" / "results" / "serving"


def prepared(work: Path, *, quick: bool) -> Job:
    """Give the checkpoint and the texts; they are made where they are not there yet."""
    if not (work / "job.json").is_file():
        command = [sys.executable, "-m", "benchmarks.prepare", "--work", str(work), *(["--quick"] if quick else [])]
        subprocess.run(command, check=True, stdout=sys.stderr, cwd=ROOT)
    return read_job(work.resolve())
