"""Bytes to Inventory, by the cache when it knows them, else by way of `draft`, `check` and `build`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hactl.config import cache
from hactl.model.errors import InventoryError
from hactl.model.inventory import Inventory
from hactl.model.text import one_line

MAX_BYTES = 4 * 1024 * 1024


def load_inventory(path: Path) -> Inventory:
    """The inventory in the file `path`.

    Raises InventoryError with every problem, one line each, `FILE:LINE:COLUMN: MESSAGE` as `path` was written; a file
    that cannot be read is one problem without a place.
    """
    data = _read(path)
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - symbolic links stay: relative paths start where it was named
    entry = cache.Entry(absolute, data)
    found = entry.fetch()
    if found is None:
        found = parse_inventory(data, absolute, shown=str(path))
        entry.store(found)
    return found


def parse_inventory(data: bytes, path: Path, *, shown: str | None = None) -> Inventory:
    """The inventory that `data` says, as though it stood in the absolute `path`. Reads no file.

    `shown` is what problems call the file. Raises InventoryError.
    """
    from hactl.config.parse import parse  # noqa: PLC0415 - pydantic and tomli: 150 ms that a warm cache saves

    return parse(data, path, shown if shown is not None else str(path))


def _read(path: Path) -> bytes:
    """The file's bytes; refuses what is no file or too large before it is in memory."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
                raise _unreadable(path, "is not a file")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, _reason(error)) from error
    except ValueError as error:  # a NUL in the path
        raise _unreadable(path, "is not a file name") from error
    if len(data) > MAX_BYTES:
        raise _unreadable(path, f"is larger than {MAX_BYTES // 1024**2} MiB, so it is no inventory")
    return data


def _reason(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "is a directory; name the file in it"
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    return f"cannot be read: {error.strerror}"


def _unreadable(path: Path, reason: str) -> InventoryError:
    line = f"{one_line(str(path), 300)}: {reason}"
    return InventoryError(f"{line}.", (line,), remedy="Name an inventory with --inventory FILE.")
