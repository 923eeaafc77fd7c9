"""Clients of the shop beside Vagrant's machines: plain processes of this computer, which reaches the lab's network."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hactl.lab import shell

_DIES_WITHIN = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Beside:
    """`folder` has a file for each, with its process and what it runs: a number alone may be another's by now."""

    folder: Path

    def begin(self, group: str, argv: Sequence[str | Path], log: Path) -> None:
        self.end(group)
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [str(word) for word in argv]
        with log.open("ab") as said:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        (self.folder / group).write_text(f"{child.pid}\n{' '.join(words)}\n", encoding="utf-8")

    def end(self, group: str) -> None:
        pid = self._process(group)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            deadline = time.monotonic() + _DIES_WITHIN
            while self._process(group) is not None and time.monotonic() < deadline:
                time.sleep(0.05)
        (self.folder / group).unlink(missing_ok=True)

    def end_all(self) -> None:
        for path in self.folder.glob("*"):
            self.end(path.name)

    def there(self, group: str) -> bool:
        return self._process(group) is not None

    def _process(self, group: str) -> int | None:
        try:
            number, words, *_ = (self.folder / group).read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, ValueError):
            return None
        with contextlib.suppress(ChildProcessError):  # one of this process's own would stay as a zombie
            os.waitpid(int(number), os.WNOHANG)
        said = shell.attempt(["ps", "-o", "args=", "-ww", "-p", number]).stdout
        return int(number) if words in said else None
