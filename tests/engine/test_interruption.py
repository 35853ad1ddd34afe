"""Ctrl-C, fork, urgent texts and memory: what a long job must not spoil. Each in a process of its own."""

import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gtekit.engine.native import NativeEngine
from tests.engine.models import DEEP, TINY, embed, native, random_tensors, random_texts
from tests.engine.subprocesses import run_python, start_python

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor kill(SIGINT)")

INTERRUPTED = """
from tests.engine.models import *
engine = native(DEEP)
few, bulk = random_texts([4, 30], DEEP), random_texts([256] * 4_000, DEEP)  # minutes of work
before = embed(engine, few)
print("ready")
try:
    embed(engine, bulk)
except KeyboardInterrupt:
    print("interrupted")
print((embed(engine, few) == before).all())
"""

FORKED = """
import os, signal
from tests.engine.models import *
engine = native(TINY, threads=2)
texts = random_texts([3, 40, 512] * 10, TINY)
before = embed(engine, texts)
child = os.fork()
same = bool((embed(engine, texts) == before).all())
if child == 0:
    signal.alarm(60)
    grandchild = os.fork()
    if grandchild == 0:
        signal.alarm(60)
        os._exit(0 if (embed(engine, texts) == before).all() else 1)
    os._exit(0 if same and os.waitpid(grandchild, 0)[1] == 0 else 1)
print(same, os.waitpid(child, 0)[1])
"""

FORKED_WHILE_WORKING = """
import os, signal, threading, time
from tests.engine.models import *
engine = native(DEEP, threads=2)
few, bulk = random_texts([4, 30], DEEP), random_texts([200] * 20, DEEP)
before = embed(engine, few)
worker = threading.Thread(target=embed, args=(engine, bulk))
worker.start()
time.sleep(0.3)
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(0 if (embed(engine, few) == before).all() else 1)
print(os.waitpid(child, 0)[1])
worker.join()
"""

PEAK_MEMORY = """
from tests.engine.models import *

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

engine = native(TINY, threads=2)
rng = np.random.default_rng(0)
lengths = rng.integers(1, 513, 1_000)
token_ids, cu_seqlens = pack(random_texts(lengths, TINY))
embed(engine, random_texts([512, 511] * 4, TINY))
held, peak = engine.memory_bytes, resident()
out = engine.encode(token_ids, cu_seqlens, pooling="mean", normalize=True, batch_tokens=BUDGET)
print(len(token_ids), out.nbytes, engine.memory_bytes - held, resident() - peak)
"""


def interrupt_once() -> float:
    """Seconds from the signal to the KeyboardInterrupt of a long call; checks that the engine works afterwards."""
    process = start_python(INTERRUPTED)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()
        time.sleep(0.5)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        waited = time.monotonic() - sent
        assert process.stdout.readline() == "True\n"
        assert process.wait(timeout=60) == 0
        return waited
    finally:
        process.kill()
        process.communicate()


@posix_only
def test_ctrl_c_takes_effect_within_a_second_and_the_engine_works_on() -> None:
    # A busy machine may hold one attempt up, not three.
    assert any(interrupt_once() < 1.0 for _ in range(3))


@posix_only
def test_a_fork_can_use_the_engine_and_so_can_its_own_fork() -> None:
    result = run_python(FORKED)
    assert result.stdout.split() == ["True", "0"], result.stderr


@posix_only
def test_a_fork_in_the_middle_of_work_can_use_the_engine() -> None:
    result = run_python(FORKED_WHILE_WORKING)
    assert result.stdout.split() == ["0"], result.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_working_memory_is_bounded_by_the_token_budget() -> None:
    result = run_python(PEAK_MEMORY)
    tokens, output_bytes, growth_held, growth_resident = map(int, result.stdout.split())
    assert tokens > 250_000 > growth_held  # the scratch memory is that of the first few texts
    # One float32 row of D per token would be 64 * 4 * tokens = 65 MB; allow the output, the plan and the allocator.
    assert growth_resident < output_bytes + 64 * 1_000 + 8 * 2**20, result.stderr


def test_an_urgent_text_overtakes_a_long_job_and_neither_changes_a_bit() -> None:
    engine = native(DEEP, threads=1)
    bulk = random_texts([200, 30, 512] * 8, DEEP)
    urgent = [random_texts([5 + i], DEEP, seed=i) for i in range(5)]
    expected_bulk, expected = embed(engine, bulk), [embed(engine, texts) for texts in urgent]
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(embed, engine, bulk)
        time.sleep(0.2)  # the job is under way
        for texts, right in zip(urgent, expected, strict=True):
            np.testing.assert_array_equal(embed(engine, texts), right)
        assert not job.done()
        np.testing.assert_array_equal(job.result(), expected_bulk)


def test_urgent_texts_may_come_from_many_threads_at_once() -> None:
    engine = native(DEEP, threads=2)
    bulk = random_texts([200, 30, 512] * 4, DEEP)
    urgent = [random_texts([3 + i], DEEP, seed=i) for i in range(30)]
    expected_bulk, expected = embed(engine, bulk), [embed(engine, texts) for texts in urgent]
    with ThreadPoolExecutor(9) as pool:
        job = pool.submit(embed, engine, bulk)
        for found, right in zip(pool.map(lambda texts: embed(engine, texts), urgent), expected, strict=True):
            np.testing.assert_array_equal(found, right)
        np.testing.assert_array_equal(job.result(), expected_bulk)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in Linux's /proc")
def test_an_engine_that_is_gone_leaves_no_threads() -> None:
    texts = random_texts([30] * 40, TINY)
    tensors = random_tensors(TINY)
    before = len(list(Path("/proc/self/task").iterdir()))
    for _ in range(5):
        embed(NativeEngine(TINY, tensors, threads=4), texts)
    assert len(list(Path("/proc/self/task").iterdir())) <= before
