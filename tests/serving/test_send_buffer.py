"""What the kernel holds of what was sent."""

import contextlib
import socket
import sys
from pathlib import Path

import pytest

from gtekit.serving.send_buffer import unsent_bytes
from tests.serving.conftest import until


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="other kernels do not say")
def test_what_the_other_end_has_not_taken_is_counted_until_it_takes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as one:
        other, _ = listening.accept()
        with other:
            assert unsent_bytes(one.fileno()) == 0
            one.setblocking(False)
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent += one.send(bytes(65_536))
            assert 0 < unsent_bytes(one.fileno()) <= sent
            while sent:
                sent -= len(other.recv(min(sent, 65_536)))
            until(lambda: unsent_bytes(one.fileno()) == 0)


def test_what_is_no_socket_holds_nothing() -> None:
    with Path(__file__).open("rb") as file:
        assert unsent_bytes(file.fileno()) == 0
