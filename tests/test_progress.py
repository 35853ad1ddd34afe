"""The progress line says how far, how fast and how long, and keeps quiet where nobody looks."""

import io
import time

import pytest

from gtekit.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_tells_share_rates_and_the_time_that_is_left() -> None:
    progress = Progress(200, 4_000, show=False)
    progress.update(50, 1_000)
    line = progress.line(elapsed_s=10)
    assert line == " 25% ██████░░░░░░░░░░░░░░░░░░ 50/200 texts  5 texts/s  100 tokens/s  0:30 left"


def test_without_a_total_there_is_no_share() -> None:
    progress = Progress(show=False)
    progress.update(7_200, 90_000)
    assert progress.line(elapsed_s=3_600) == "7,200 texts  2 texts/s  25 tokens/s  1:00:00"


def test_long_times_have_hours() -> None:
    progress = Progress(100, show=False)
    progress.update(1, 5)
    assert progress.line(elapsed_s=60).endswith("1:39:00 left")


def test_nothing_is_written_unasked_to_a_pipe_or_for_short_work() -> None:
    for stream in (io.StringIO(), Terminal()):
        with Progress(10, stream=stream) as progress:
            progress.update(5, 50)
            progress.update(10, 100)
        assert stream.getvalue() == ""


def test_a_terminal_gets_one_line_that_is_written_over() -> None:
    stream = Terminal()
    with Progress(10, show=True, stream=stream) as progress:
        progress.update(5, 50)
        progress.update(6, 60)  # too soon after the line before
        progress.update(10, 100)
    written = stream.getvalue()
    assert written.startswith("\r 50%")
    assert written.count("\n") == 1
    assert written.rstrip().split("\r")[-1].startswith("100%")


def test_a_pipe_gets_whole_lines_when_asked() -> None:
    stream = io.StringIO()
    with Progress(10, show=True, stream=stream) as progress:
        progress.update(5, 50)
    assert "\r" not in stream.getvalue()
    assert all(line.startswith(" 50%") for line in stream.getvalue().splitlines())


def test_a_pipe_gets_each_state_once() -> None:
    stream = io.StringIO()
    with Progress(10, show=True, stream=stream) as progress:
        progress.update(10, 100)
    assert len(stream.getvalue().splitlines()) == 1


def test_a_pipe_gets_a_handful_of_lines_however_often_the_work_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream = io.StringIO()
    with Progress(1000, show=True, stream=stream) as progress:
        for done in range(1, 1001):
            now = done * 0.06  # a minute in all
            progress.update(done, done)
    lines = stream.getvalue().splitlines()
    assert 4 <= len(lines) <= 8
    assert lines[-1].startswith("100%")


def test_short_work_gets_one_last_line_when_asked() -> None:
    stream = io.StringIO()
    with Progress(10, show=True, stream=stream):
        pass
    assert stream.getvalue().startswith("  0%")
    assert stream.getvalue().count("\n") == 1


def test_parts_of_the_work_count_on() -> None:
    progress = Progress(10, show=False)
    progress.after(4, 40)(2, 20)
    assert "6/10 texts" in progress.line(1)


def test_a_stream_that_knows_only_ascii_gets_a_line_all_the_same() -> None:
    raw = io.BytesIO()
    with Progress(10, show=True, stream=io.TextIOWrapper(raw, encoding="ascii")) as progress:
        progress.update(5, 50)
        progress.close()
        assert b"5/10 texts" in raw.getvalue()
