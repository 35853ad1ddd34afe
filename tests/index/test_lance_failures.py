"""What LanceDB raises, as errors of this package."""

from pathlib import Path

import pytest

from gtekit.errors import ArgumentError, VectorIndexError
from gtekit.index.lance.failures import ATTEMPTS, lance_errors, until_committed
from gtekit.index.lance.store import Store

CONFLICT = (
    "lance error: Retryable commit conflict for version 3: preempted by concurrent transaction Merge at version 3."
)


def test_a_writer_that_others_get_in_the_way_of_gives_up_after_some_attempts() -> None:
    attempts = []

    def lose() -> None:
        attempts.append(1)
        raise RuntimeError(CONFLICT)

    with pytest.raises(
        VectorIndexError, match=r"my.index: while writing: other writers were quicker .*Nothing of this"
    ):
        until_committed("my.index", "while writing", lose)
    assert len(attempts) == ATTEMPTS


def test_a_writer_tries_again_until_it_wins() -> None:
    left = [RuntimeError(CONFLICT), RuntimeError(CONFLICT)]

    def win_at_last() -> str:
        if left:
            raise left.pop()
        return "done"

    assert until_committed("my.index", "while writing", win_at_last) == "done"


@pytest.mark.parametrize("error", [RuntimeError("disk full"), ValueError(CONFLICT), VectorIndexError("conflict")])
def test_what_is_no_conflict_is_not_tried_again(error: Exception) -> None:
    attempts = []

    def fail() -> None:
        attempts.append(1)
        raise error

    with pytest.raises(type(error)):
        until_committed("my.index", "while writing", fail)
    assert len(attempts) == 1


def test_errors_say_where_and_what_without_sources_of_rust() -> None:
    said = "lance error: LanceError(IO): file size is too small, /root/.cargo/registry/lance-13.0.0/utils.rs:172:20"
    with (
        pytest.raises(VectorIndexError, match=r"^my.index: while reading: LanceError\(IO\): file size is too small\.$"),
        lance_errors("my.index", "while reading"),
    ):
        raise RuntimeError(said)


def test_damaged_files_come_first() -> None:
    with (
        pytest.raises(
            VectorIndexError, match=r"while reading: a.lance: is missing\. Restore .* or build the index anew"
        ),
        lance_errors("my.index", "while reading", lambda: ["a.lance: is missing"]),
    ):
        raise RuntimeError("failed to fill whole buffer")


@pytest.mark.parametrize(("name", "base"), [("PanicException", BaseException), ("RustPanic", Exception)])
def test_a_panic_of_rust_is_an_error_like_others(name: str, base: type[BaseException]) -> None:
    panic = type(name, (base,), {})  # as pyo3 and its runtimes name it
    with pytest.raises(VectorIndexError, match="index out of bounds"), lance_errors("my.index", "while reading"):
        raise panic("index out of bounds")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ArgumentError("no such column"), KeyError("x")])
def test_what_is_not_of_lancedb_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, lance_errors("my.index", "while reading"):
        raise error
    assert raised.value is error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("lance error: LanceError(IO): No space left on device (os error 28)"), "Free some space"),
        (RuntimeError("LanceError(IO): File too large (os error 27)"), "ulimit -f"),
        (OSError(30, "Read-only file system"), "choose another place"),
        (PermissionError(13, "Permission denied"), "Change that of the folder"),
    ],
)
def test_what_the_system_refuses_comes_with_what_to_do(error: Exception, said: str) -> None:
    with pytest.raises(VectorIndexError, match=said), lance_errors("my.index", "while writing", list):
        raise error


def test_a_server_that_cannot_be_reached_is_said_without_a_dump() -> None:
    dump = (
        'Failed to connect to namespace: IO { source: Generic { store: "S3", source: RetryError { uri: '
        "Some(http://127.0.0.1:9/bucket?list-type=2), inner: Http(HttpError { kind: Connect, source: reqwest::Error"
    )
    with (
        pytest.raises(VectorIndexError, match=r"http://127\.0\.0\.1:9: the server can't be reached.*URL\.$"),
        lance_errors("s3://b/x", "while looking for the index"),
    ):
        raise RuntimeError(dump)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder where nothing can be made")
def test_a_place_where_nothing_can_be_made_is_said() -> None:
    pytest.importorskip("lancedb")
    with pytest.raises(VectorIndexError, match=r"^/proc/x\.index: can't be made \(.*\)\. Choose another place\.$"):
        Store("/proc/x.index").create_table(None)
