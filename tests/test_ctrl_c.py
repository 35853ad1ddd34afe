"""Ctrl-C during a long `encode` takes effect within a second, wherever in the work it falls."""

import signal
import sys
import time
from pathlib import Path

import pytest

from gtekit.checkpoint.seeded import write_seeded_checkpoint
from tests.engine.subprocesses import start_python

BEGIN = """
import sys
import gtekit
model = gtekit.load(sys.argv[1], language_warning=False)
few = ["a short text", "another"]
before = model.encode(few)
"""
MANY_TEXTS = """
texts = [f"the quick brown fox jumps over the lazy dog number {i} " * 5 for i in range(200_000)]
print("ready")
try:
    model.encode(texts)  # tokenizing alone takes seconds
"""
LONG_TEXTS = """
text = "the quick brown fox jumps over the lazy dog " * 230_000  # 10 MB
print("ready")
try:
    {call}
"""
END = """
except KeyboardInterrupt:
    print("interrupted")
print((model.encode(few) == before).all())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_seeded_checkpoint(tmp_path_factory.mktemp("ctrl_c") / "model", size="small", num_layers=3)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send SIGINT to another process")
@pytest.mark.parametrize("delay_s", [0.05, 0.1, 0.2, 0.4])
def test_ctrl_c_ends_a_long_encode_within_a_second(folder: Path, delay_s: float) -> None:
    interrupt(folder, MANY_TEXTS, delay_s)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send SIGINT to another process")
@pytest.mark.parametrize(
    "call",
    [
        "model.encode([text] * 3, on_truncation='ignore')",
        "list(model.encode_stream([text] * 3, on_truncation='ignore'))",
    ],
    ids=["encode", "encode_stream"],
)
def test_ctrl_c_gets_through_to_texts_of_10_mb(folder: Path, call: str) -> None:
    interrupt(folder, LONG_TEXTS.format(call=call), 0.5)


def interrupt(folder: Path, work: str, delay_s: float) -> None:
    process = start_python(BEGIN + work + END, arguments=[str(folder)])
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()
        time.sleep(delay_s)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - sent < 1.0
        assert process.stdout.readline() == "True\n"
    finally:
        process.kill()
        process.communicate()
