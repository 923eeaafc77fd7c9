"""Who acts, by the one name that journal, lock and notes on nodes know."""

from __future__ import annotations

import getpass
import os
import socket


def operator() -> str:
    """Who acts: "anna@laptop", also when she became root by sudo."""
    name = os.environ.get("SUDO_USER", "") if os.geteuid() == 0 else ""
    return f"{name or getpass.getuser()}@{socket.gethostname()}"
