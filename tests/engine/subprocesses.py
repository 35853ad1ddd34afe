"""Programs in a Python of their own: for signals, forks, environment variables and peak memory."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120  # a hang is a failure, not a wait


def start_python(
    program: str, environment: Mapping[str, str] | None = None, arguments: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """Start a program that may import `tests`, with its output as pipes."""
    return subprocess.Popen(
        [sys.executable, "-u", "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_python(program: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and give what it printed; its own errors stay in `stderr`."""
    process = start_python(program, environment)
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
