"""ssh's ProxyCommand into a lab (with ProxyUseFdpass): connects one Unix socket, hands it to ssh and ends.

    connect.py SOCKET

Run as a script with nothing but what it needs, because every ssh to a node starts it.
"""

from __future__ import annotations

import os
import socket
import sys


def pipe() -> tuple[str, ...]:
    """The command that does so, but for the socket's path."""
    return (sys.executable, "-IS", __file__)


def main(path: str) -> int:
    near = socket.socket(socket.AF_UNIX)
    try:
        near.connect(path)
    except OSError as error:
        sys.stderr.write(f"{path}: {error.strerror}. Is the lab up? (hactl lab up)\n")
        return 1
    with socket.socket(fileno=os.dup(1)) as ssh:
        socket.send_fds(ssh, [b"\0"], [near.fileno()])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
