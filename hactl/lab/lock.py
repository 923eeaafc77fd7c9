"""One `up`, `down` or `reset` of a lab at a time, however many are called; the lock dies with its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hactl.model.errors import LabError

WAIT_TIMEOUT = 600.0


@contextlib.contextmanager
def exclusive(path: Path, on_wait: Callable[[str], None], timeout: float = WAIT_TIMEOUT) -> Iterator[None]:
    """Holds the lock at `path`. `on_wait` is told once who holds it, should this have to wait.

    The holder may unlink the file (a lab that is down leaves none): a lock on a file that is no longer at `path` counts
    for nothing and is taken again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    told = False
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
            os.close(handle)
            if not told:
                on_wait(f"waiting for process {holder or '?'}, which works on this lab")
                told = True
            if time.monotonic() > deadline:
                raise LabError(f"Process {holder} still works on this lab after {timeout:.0f} s.") from None
            time.sleep(0.1)
            continue
        if _is_at(handle, path):
            break
        os.close(handle)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
