"""Start-up: a command beside bare Python, before it does anything; the dashboard's first paint beside a bare app's.

    python -m tests.bench.startup [--runs 15]

Programs run in turn; medians and ratios are printed. The first paint is the time from the start of the process to the
moment a real pseudo-terminal shows the table, of the dashboard (its whole inventory) and of a bare Textual app with a
DataTable of the same rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.bytecode import bytecode
from tests.tui.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "inventory" / "lab.toml"

BARE_APP = """
from textual.app import App
from textual.widgets import DataTable, Footer
class Bare(App):
    def compose(self):
        yield DataTable()
        yield Footer()
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("node", "level", "site", "roles", "link", "age", "cpu", "mem")
        for name in NAMES:
            table.add_row(name, "unknown", "east", "x", "not asked", "?", "?", "?")
Bare().run()
"""


def command(*words: str, env: dict[str, str] | None = None) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **(env or {})}, cwd=ROOT)
        return time.perf_counter() - started

    return run


def paint(*words: str, shows: str) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        with Terminal(list(words)) as terminal:
            terminal.wait_for(shows)
            return time.perf_counter() - started

    return run


def compare(title: str, programs: dict[str, Callable[[], float]], runs: int) -> None:
    """In turn, so that a busy moment hits all alike; one round is not counted. The first program is the measure."""
    found: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(runs + 1):
        for name, run in programs.items():
            seconds = run()
            if turn:
                found[name].append(seconds)
    base = statistics.median(next(iter(found.values())))
    print(title)
    for name, times in found.items():
        middle = statistics.median(times)
        print(f"  {name:28} {middle * 1000:7.1f} ms   {middle / base:5.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    with bytecode():
        compare_all(parser.parse_args().runs)


def compare_all(runs: int) -> None:
    installed = str(Path(sys.executable).with_name("hactl"))
    completing = {"_HACTL_COMPLETE": "bash_complete", "COMP_WORDS": "hactl status --limit d", "COMP_CWORD": "3"}
    compare(
        "commands, beside bare Python",
        {
            "python3 -c pass": command(sys.executable, "-c", "pass"),
            "hactl --help": command(installed, "--help"),
            "hactl --version": command(installed, "--version"),
            "completion of a node's name": command(installed, env={**completing, "HACTL_INVENTORY": str(INVENTORY)}),
        },
        runs,
    )
    from hactl.config import load_inventory

    names = list(load_inventory(INVENTORY).nodes)
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(f"NAMES = {names!r}\n{BARE_APP}")
        compare(
            "first paint in a terminal, beside a bare Textual app with the same rows",
            {
                "bare Textual app": paint(sys.executable, str(bare), shows=names[-1]),
                "hactl": paint(installed, "-i", str(INVENTORY), shows=names[-1]),
            },
            runs,
        )


if __name__ == "__main__":
    main()
