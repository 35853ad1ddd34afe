"""How much of what was sent still lies in this machine's kernel: only what has left it was taken by the client."""

import socket
import struct
import sys
from typing import Final

SO_NWRITE: Final = 0x1024  # of macOS, whose <sys/socket.h> has it; Python does not name it


def unsent_bytes(file: int) -> int:
    """Give the bytes that the kernel holds for the other end of a connection; 0 where it does not say.

    Args:
        file: The descriptor of its socket.

    Source:
        tcp(7) and unix(7) for SIOCOUTQ, which Linux numbers as TIOCOUTQ; getsockopt(2) of macOS for SO_NWRITE.
    """
    try:
        if sys.platform == "linux":
            import fcntl
            import termios

            (size,) = struct.unpack("i", fcntl.ioctl(file, termios.TIOCOUTQ, bytes(4)))
            return int(size)
        if sys.platform == "darwin":
            with socket.socket(fileno=file) as held:
                try:
                    return held.getsockopt(socket.SOL_SOCKET, SO_NWRITE)
                finally:
                    held.detach()
    except OSError:
        pass
    return 0
