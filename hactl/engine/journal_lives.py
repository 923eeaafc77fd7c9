"""Who works on a run: a locked file per run beside the journal, which the kernel frees when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from hactl.model.errors import RunNotFoundError
from hactl.model.observed import Unknown

_PATIENCE = 0.5  # seconds: who only looks whether it is locked holds the lock for a moment, too


class Life:
    """Held by a run's runner for as long as it works on it. Closing it, or dying, frees it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        """Idempotent."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Lives:
    """The files of the runs in one folder."""

    def __init__(self, folder: Path, host: str | None = None) -> None:
        self._folder = folder
        self._host = host or socket.gethostname()

    def take(self, run: str) -> Life:
        """Begin to work on `run`. Raises RunNotFoundError when somebody does already; OSError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        life = Life(os.open(self._path(run), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        try:
            self._take(run, life.fd)
        except BaseException:
            life.close()
            raise
        return life

    def _take(self, run: str, fd: int) -> None:
        if not _locked(fd, fcntl.LOCK_EX, _PATIENCE):
            raise RunNotFoundError(
                f"Run {run} is being worked on by process {self._told(run).get('pid', '?')}.",
                remedy=f"Follow it with `hactl runs attach {run}`.",
            )
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"host": self._host, "pid": os.getpid()}).encode(), 0)

    def alive(self, run: str) -> bool | Unknown:
        """Whether somebody works on `run` now. Unknown, which is true enough for `if`, for a runner of another host."""
        try:
            fd = os.open(self._path(run), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            if not _locked(fd, fcntl.LOCK_SH, 0.0):
                return True
        finally:
            os.close(fd)
        host = self._told(run).get("host", self._host)
        if host == self._host:
            return False
        return Unknown(f"its runner was started on {host}, and only that machine can tell", time.monotonic())

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}.alive"

    def _told(self, run: str) -> dict[str, object]:
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(self._path(run).read_text(encoding="utf-8"))
            if isinstance(told, dict):
                return told
        return {}


def _locked(fd: int, how: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True
