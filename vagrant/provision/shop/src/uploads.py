"""Files that users leave with the shop, in a folder of this node: no other node has them, so they are backed up here.

A file appears under its name whole or not at all.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class FolderError(Exception):
    """The folder cannot be read or written: something is wrong with this node."""


@dataclass(frozen=True)
class Upload:
    name: str
    size: int  # bytes


class Uploads:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def names(self) -> list[Upload]:
        """All of them, by name. Raises FolderError."""
        return await asyncio.to_thread(self._names)

    async def read(self, name: str) -> bytes | None:
        """None where there is no such file. Raises FolderError."""
        return await asyncio.to_thread(self._read, name)

    async def write(self, name: str, data: bytes) -> bool:
        """On disk when it returns, and whether the name is new. Raises FolderError."""
        return await asyncio.to_thread(self._write, name, data)

    def _names(self) -> list[Upload]:
        try:
            found = [path for path in self._folder.iterdir() if NAME.fullmatch(path.name)]
            return sorted((Upload(path.name, path.stat().st_size) for path in found), key=lambda one: one.name)
        except OSError as error:
            raise FolderError(str(error)) from error

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FolderError(str(error)) from error

    def _write(self, name: str, data: bytes) -> bool:
        final = self._folder / name
        part = self._folder / f".{name}.{secrets.token_hex(4)}"
        try:
            new = not final.exists()
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(final)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise FolderError(str(error)) from error
        return new
