"""The program, called as a function and as a process."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gtekit.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the program in this process: exit code, standard output, standard error."""

    def call(*arguments: str | Path, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        output, errors = capfd.readouterr()
        return code, output, errors

    return call


def program(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "gtekit", *map(str, arguments)]


def start(*arguments: str | Path) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen(program(*arguments), stdin=pipe, stdout=pipe, stderr=pipe)
