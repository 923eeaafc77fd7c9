"""Lines for the journal: systemd takes the level from the start of each."""

from __future__ import annotations

import sys
from enum import IntEnum


class Level(IntEnum):
    """Syslog's, as far as the shop needs them."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


def log(level: Level, message: str) -> None:
    sys.stderr.write(f"<{level.value}>{message}\n")
