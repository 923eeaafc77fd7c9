"""The dashboard in a real pseudo-terminal, beside a bare app with one DataTable of the same rows and updates.

    python -m tests.bench.tui [--keys 300] [--seconds 20] [--only keys|cpu|memory]

Key press to repaint: from the write of a key to the arrival of the row under the cursor in the cursor's colours, while
every one of 200 nodes answers something else each second. CPU of a core: with 12 and 200 such nodes, and when they
answer what they have answered before; what making the pictures takes is the engine's, measured by `stream`, and taken
off. "Still" is measured when no age on the screen counts seconds any more. Memory: what is private and was written,
against the bare app without updates. As root everything runs with real-time priority, so that
other programs on the machine do not count.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.bytecode import bytecode
from tests.bench.tui_apps import WIDTH

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = 36
MANY, FEW = 200, 12
_SETTLES = 4.0  # seconds until everything is loaded and drawn
_STANDS = 65.0  # seconds until no age is told in seconds any more: before that, something always changes
_QUIET = 0.05  # seconds without output after which a frame is over
_LOST = 5.0  # seconds: a key that shows no effect


class Subject:
    """One of `tests.bench.tui_apps` in a terminal of its own."""

    def __init__(self, kind: str, nodes: int, mode: str = "changing", screen: str = "nodes") -> None:
        self._spent = tempfile.NamedTemporaryFile(prefix="hactl-bench-")  # noqa: SIM115 - closed at the end
        self._spent.write(bytes(8))
        self._spent.flush()
        words = [sys.executable, "-m", "tests.bench.tui_apps", kind, str(nodes), mode, self._spent.name]
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execvpe(words[0], words, {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self._wait_for(b"n003")
        if kind == "hactl" and screen == "nodes":
            self._press("2")
        self.drain(_STANDS if kind == "hactl" and mode == "still" else _SETTLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._master)
        self._spent.close()

    def drain(self, seconds: float) -> bytes:
        """All that is written in so much time."""
        until, said = time.monotonic() + seconds, b""
        while (left := until - time.monotonic()) > 0:
            said += self._read(left)
        return said

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._master], [], [], seconds)
        return os.read(self._master, 1 << 16) if ready else b""

    def _wait_for(self, text: bytes) -> None:
        said, until = b"", time.monotonic() + 60
        while text not in said:
            said += self._read(1.0)
            if time.monotonic() > until:
                raise SystemExit(f"it never showed {text!r}: {said[-2000:]!r}")

    def _press(self, key: str) -> None:
        os.write(self._master, key.encode())

    # --- key press to repaint ---

    def latencies(self, count: int) -> list[float]:
        """Seconds of so many moves of the cursor, at irregular moments."""
        chance, at, step = random.Random(7), 0, 1
        colours = self._cursor_colours()
        found = []
        for _ in range(count):
            self.drain(chance.uniform(0.02, 0.12))
            step = 1 if at < 3 else -1 if at > HEIGHT - 12 else step
            at += step
            wanted = re.compile(rb"\x1b\[" + re.escape(colours) + rb"m[ *]*n%03d" % at)
            said, began = b"", time.perf_counter()
            self._press("\x1b[B" if step > 0 else "\x1b[A")
            while not wanted.search(said):
                said += self._read(_LOST)
                if time.perf_counter() - began > _LOST:
                    raise SystemExit(f"the cursor is not at n{at:03}: {said[-2000:]!r}")
            found.append(time.perf_counter() - began)
        return found

    def _cursor_colours(self) -> bytes:
        """What stands before the name in the row of the cursor, learned where nothing else is drawn."""
        for _ in range(20):
            self._press("\x1b[B")
            down = re.search(rb"\x1b\[([0-9;]*)m[ *]*n001", self.drain(_QUIET * 4))
            self._press("\x1b[A")
            up = re.search(rb"\x1b\[([0-9;]*)m[ *]*n000", self.drain(_QUIET * 4))
            if down is not None and up is not None and down[1] == up[1]:
                return down[1]
        raise SystemExit("the cursor cannot be told from other rows")

    # --- what it costs ---

    def cpu(self) -> float:
        """Seconds of CPU so far, of all threads, without what pictures took to make."""
        spent = sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{self.pid}/task").glob("*/schedstat"))
        made = struct.unpack("q", Path(self._spent.name).read_bytes()[:8])[0]
        return float(spent - made) / 1e9

    def share(self, seconds: float) -> float:
        """Of a core, in percent."""
        before, began = self.cpu(), time.monotonic()
        self.drain(seconds)
        return (self.cpu() - before) / (time.monotonic() - began) * 100

    def memory(self) -> int:
        """Bytes that it has written and shares with nobody. What it has loaded from files may be shared or not:
        that would be chance.
        """
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        private = re.findall(r"^Private_Dirty: +(\d+) kB", rollup, re.MULTILINE)
        return sum(map(int, private)) * 1024


def keys(count: int) -> None:
    print(f"key press to repaint, {MANY} nodes, all of them change every second")
    for kind in ("bare", "hactl"):
        with Subject(kind, MANY) as subject:
            print(f"  {_NAMES[kind]:24} {_spread(subject.latencies(count))}", flush=True)


def _spread(seconds: Sequence[float]) -> str:
    centiles = statistics.quantiles(seconds, n=100)
    shown = {"median": statistics.median(seconds), "p95": centiles[94], "p99": centiles[98], "most": max(seconds)}
    return "   ".join(f"{name} {value * 1000:5.1f} ms" for name, value in shown.items())


def cpu(seconds: float) -> None:
    print("CPU, percent of a core")
    for kind, screen in (("bare", "nodes"), ("hactl", "nodes"), ("hactl", "overview")):
        shares = []
        for nodes, mode in ((FEW, "changing"), (MANY, "changing"), (FEW, "still"), (MANY, "still")):
            with Subject(kind, nodes, mode, screen) as subject:
                shares.append(f"{nodes} nodes {mode} {subject.share(seconds):5.2f}")
        print(
            f"  {_NAMES[kind] + ', ' * (kind == 'hactl') + screen * (kind == 'hactl'):24} {'   '.join(shares)}",
            flush=True,
        )


def memory() -> None:
    print("memory, private to the process")
    for nodes in (FEW, MANY):
        found = {}
        for kind, mode in (("bare", "nothing"), ("hactl", "changing")):
            with Subject(kind, nodes, mode) as subject:
                subject.drain(10)
                found[kind] = subject.memory()
        allowed = found["bare"] * 1.5 + nodes * 100_000
        print(
            f"  {nodes:3} nodes: bare app {found['bare'] / 2**20:.1f} MiB, hactl {found['hactl'] / 2**20:.1f} MiB, "
            f"{found['hactl'] / found['bare']:.2f} x; 1.5 x and 100 kB a node are {allowed / 2**20:.1f} MiB",
            flush=True,
        )


_NAMES = {"bare": "bare app, DataTable", "hactl": "hactl"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--only", choices=["keys", "cpu", "memory"])
    options = parser.parse_args()
    if os.geteuid() == 0:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with bytecode():
        if options.only in {None, "keys"}:
            keys(options.keys)
        if options.only in {None, "cpu"}:
            cpu(options.seconds)
        if options.only in {None, "memory"}:
            memory()


if __name__ == "__main__":
    main()
