"""Reading a file that a person named: whole, bounded, and with a reason when it cannot be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_BYTES = 4 * 1024 * 1024


class UnreadableError(Exception):
    """`reason` reads after the file's name: "does not exist"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_file(path: Path, noun: str) -> bytes:
    """The file's bytes; refuses what is no file or too large before it is in memory. Raises UnreadableError.

    `noun` is what the file should have been: "inventory".
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
                raise UnreadableError("is not a file")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(_reason(error)) from error
    except ValueError as error:  # a NUL in the path
        raise UnreadableError("is not a file name") from error
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"is larger than {MAX_BYTES // 1024**2} MiB, so it is no {noun}")
    return data


def _reason(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "is a directory; name the file in it"
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    return f"cannot be read: {error.strerror}"
