"""Validated inventories, kept in the user's cache so that the next start needs neither pydantic nor tomli.

One JSON file per inventory path, in a folder that only the user may enter. It holds good only for the very same bytes,
path, home directory and version of this code; anything else, and anything odd about the file (foreign, writable by
others, damaged), counts as no entry and is written anew. The cache saves time and decides nothing: no failure here is
ever an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

from hactl import __version__
from hactl.config import codec
from hactl.config.folders import cache_folder
from hactl.model.inventory import Inventory

_FORMAT = 1
_MAX_BYTES = 64 * 1024 * 1024
_CODE = (Path(__file__).parent, Path(__file__).parent.parent / "model")


class Entry:
    """The cached form of the inventory that is `data` in the file `path` (absolute)."""

    def __init__(self, path: Path, data: bytes) -> None:
        place = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
        self.file = cache_folder() / "inventory" / f"{place}.json"
        self._key = _digest(os.fsencode(path), os.fsencode(Path("~").expanduser()), _code_stamp(), data)

    def fetch(self) -> Inventory | None:
        """The inventory, or None when there is no entry that can be trusted."""
        try:
            document = json.loads(_read_private(self.file))
            if document["format"] != _FORMAT or document["key"] != self._key:
                return None
            return codec.inventory_from_json(document["inventory"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def store(self, inventory: Inventory) -> None:
        """Keeps `inventory`, atomically; where that cannot be done, the next start is slow and that is all."""
        document = {"format": _FORMAT, "key": self._key, "inventory": codec.to_json(inventory, sparse=True)}
        try:
            _write_private(self.file, json.dumps(document, separators=(",", ":")).encode())
        except OSError:
            return


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _code_stamp() -> bytes:
    """Changes with the version and, in a checkout, with every edit of the code that decides what an inventory means."""
    stamps = [__version__]
    for folder in _CODE:
        with os.scandir(folder) as entries:
            files = sorted((entry.name, entry.stat()) for entry in entries if entry.name.endswith(".py"))
        stamps += [f"{name} {status.st_mtime_ns} {status.st_size}" for name, status in files]
    return "\n".join(stamps).encode()


def _read_private(path: Path) -> bytes:
    """The file's bytes. Raises OSError unless it is a plain file that only this user can have written."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        status = os.fstat(descriptor)
        _own(status)
        _own(path.parent.stat())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            raise OSError("not a cache entry")
        return file.read()


def _own(status: os.stat_result) -> None:
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError("others could have written this")


def _write_private(path: Path, data: bytes) -> None:
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    _own(path.parent.stat())
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(data)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
