"""hactl's own log: off unless asked for, to a private file or to stderr, with secrets masked and text made safe."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

from hactl.cli.secrets import masked_everywhere
from hactl.model.errors import InputError
from hactl.model.text import safe


class _SafeFormatter(logging.Formatter):
    """The last hand on every record, exceptions included: nothing secret, nothing that moves a cursor."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(masked_everywhere(super().format(record)))


def start(path: str | None, verbosity: int) -> None:
    """Log to `path` (created 0600, appended to) or, when None, to stderr. `verbosity` 0, 1: info; 2 or more: debug.

    Raises InputError when the file cannot be written.
    """
    handler = logging.StreamHandler(sys.stderr) if path is None else logging.StreamHandler(_opened(path))
    handler.setFormatter(_SafeFormatter("%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
    logging.getLogger(__name__).info("hactl %s, process %d", " ".join(sys.argv[1:]), os.getpid())


def warn() -> None:
    """Warnings to stderr, unless a log was asked for: what a server refuses is worth knowing."""
    if not logging.getLogger().handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_SafeFormatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logging.getLogger().addHandler(handler)


def _opened(path: str) -> TextIO:
    try:
        return os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "a", encoding="utf-8"
        )
    except OSError as error:
        raise InputError(f"The log file {path} cannot be written: {error.strerror}.") from error
