"""Bytes to Inventory, by the cache when it knows them, else by way of `draft`, `check` and `build`."""

from __future__ import annotations

import os
from pathlib import Path

from hactl.config import cache
from hactl.config.files import UnreadableError, read_file
from hactl.model.errors import InventoryError
from hactl.model.inventory import Inventory
from hactl.model.text import one_line


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
    try:
        return read_file(path, "inventory")
    except UnreadableError as error:
        line = f"{one_line(str(path), 300)}: {error.reason}"
        raise InventoryError(f"{line}.", (line,), remedy="Name an inventory with --inventory FILE.") from error
