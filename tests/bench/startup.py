"""Start-up: a command beside bare Python, before it does anything; the dashboard's first paint beside a bare app's.

    python -m tests.bench.startup [--runs 15]

Programs run in turn; medians and ratios are printed, of the time on the clock and of the CPU's (user and system). As
root with real-time priority, so that other programs on the machine count less. The first paint is the time from the
start of the process to the moment a real pseudo-terminal shows the table, of the dashboard (its whole inventory) and of
a bare Textual app with a DataTable of the same rows; its CPU's time has what is loaded until the program is ended, too.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass
class Took:
    """Seconds."""

    clock: float = 0.0
    cpu: float = 0.0


Run = Callable[[], Took]


@contextmanager
def taken() -> Iterator[Took]:
    """By programs that begin and end within. The clock can be read before their end."""
    took, began, spent = Took(), time.perf_counter(), _spent()
    yield took
    took.clock = took.clock or time.perf_counter() - began
    took.cpu = _spent() - spent


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def command(*words: str, env: dict[str, str] | None = None) -> Run:
    def run() -> Took:
        with taken() as took:
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **(env or {})}, cwd=ROOT)
        return took

    return run


def paint(*words: str, shows: str) -> Run:
    def run() -> Took:
        began = time.perf_counter()
        with taken() as took, Terminal(list(words)) as terminal:
            terminal.wait_for(shows)
            took.clock = time.perf_counter() - began
        return took

    return run


def compare(title: str, programs: dict[str, Run], runs: int) -> None:
    """In turn, so that a busy moment hits all alike; one round is not counted. The first program is the measure."""
    found: dict[str, list[Took]] = {name: [] for name in programs}
    for turn in range(runs + 1):
        for name, run in programs.items():
            took = run()
            if turn:
                found[name].append(took)
    base = _middle(next(iter(found.values())))
    print(title)
    for name, times in found.items():
        middle = _middle(times)
        print(
            f"  {name:28} clock {middle.clock * 1000:7.1f} ms   {middle.clock / base.clock:5.2f} x"
            f"   CPU {middle.cpu * 1000:7.1f} ms   {middle.cpu / base.cpu:5.2f} x"
        )


def _middle(times: list[Took]) -> Took:
    return Took(statistics.median(one.clock for one in times), statistics.median(one.cpu for one in times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    if os.geteuid() == 0:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with bytecode():
        compare_all(options.runs)


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
