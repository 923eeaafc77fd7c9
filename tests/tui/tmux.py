"""A program in a real terminal: tmux, driven by keys and read as text."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_KEPT = "set -g remain-on-exit on"  # what a program said last can be read when it has ended
_ENDED = "Pane is dead"


class Tmux:
    """One server of its own, on a socket in `folder`, with one window of `size`."""

    def __init__(self, folder: Path, size: tuple[int, int] = (120, 36)) -> None:
        self._socket, self._settings, self._size = folder / "tmux", folder / "tmux.conf", size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tmux("kill-server", check=False)

    def open(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """A new terminal with this program in it."""
        words = " ".join(map(shlex.quote, ["env", *(f"{name}={value}" for name, value in env.items()), *argv]))
        width, height = map(str, self._size)
        self._settings.write_text(_KEPT)
        self._tmux("-f", str(self._settings), "new-session", "-d", "-x", width, "-y", height, words)

    def close(self) -> None:
        """As when somebody closes the window: the terminal is gone, and the program with it."""
        self._tmux("kill-server")
        until(lambda: not self.screen(), "the terminal is closed", lambda: "")

    def type(self, *keys: str) -> None:
        """Keys by their names: "Enter", "Escape", "D", "j"."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        """What it shows now; "" when there is no terminal."""
        return self._tmux("capture-pane", "-p", check=False)

    def shows(self, *texts: str, seconds: float = 90.0) -> str:
        """Wait until all of them are on the screen; for ever they cannot come when the program has ended."""
        seen = ""

        def there() -> bool:
            nonlocal seen
            seen = self.screen()
            assert _ENDED not in seen, f"it has ended instead of showing {texts}\n{seen}"
            return all(text in seen for text in texts)

        until(there, str(texts), lambda: seen, seconds)
        return seen

    def _tmux(self, *words: str, check: bool = True) -> str:
        env = {name: value for name, value in os.environ.items() if name != "TMUX"}
        argv = ["tmux", "-S", str(self._socket), *words]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, env={**env, "TERM": "xterm-256color"})
        assert not check or done.returncode == 0, done.stderr
        return done.stdout


def until(true: Callable[[], object], what: str, screen: Callable[[], str], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}\n{screen()}")
        time.sleep(0.1)
