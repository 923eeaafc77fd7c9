"""Makes the recording of the lab that ships with hactl: what an operator does on an eventful quarter of an hour.

    python -m tests.tools.recording [FILE] [--lab NAME] [--keep]

Boots the lab, records it, and works on it meanwhile with hactl itself, while clients who know nothing of it ask the
shop. Writes recordings/lab.jsonl.gz unless FILE says otherwise. Needs root and a machine that hosts the lab; takes
about eight minutes. The lab is taken down again unless --keep.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hactl.engine.recording_file import RecordingFile
from hactl.lab import Lab
from tests.cli.driving import ROOT, hactl
from tests.lab.acting import GOOD, Operator, set_back
from tests.lab.load.watching import load

NOTE = "the training lab: a drain, a rolling upgrade, a node that hangs"
LARGEST = 500_000  # bytes that the shipped file may have
RATE = 20.0  # requests a second
CALM = 12.0  # seconds between two acts, in which everything is seen to be well
HUNG = 25.0  # seconds that a node hangs


def work(anna: Operator, name: str) -> None:
    """What is done, one after the other; each has to go well."""
    time.sleep(CALM)
    _well(anna("drain", "app2", "--yes", "--reason", "new memory"))
    time.sleep(CALM)
    _well(anna("undrain", "app2", "--yes", "--reason", "memory is in"))
    time.sleep(CALM)
    _well(anna("upgrade", "--to", GOOD, "--yes", "--pause", "5s", "--reason", "shop 1.1.0"))
    time.sleep(CALM)
    _well(hactl("lab", "fault", "freeze", "app3", "-n", name, home=anna.home))
    time.sleep(HUNG)
    _well(hactl("lab", "fault", "undo", "-n", name, home=anna.home))
    time.sleep(2 * CALM)


def _well(done: subprocess.CompletedProcess[str]) -> None:
    print(f"exit {done.returncode}: {done.args[5:]}", flush=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


@contextlib.contextmanager
def recording(anna: Operator, path: Path) -> Iterator[None]:
    """`hactl record` runs meanwhile, and has ended well."""
    recorder = anna.begin("record", str(path), "--note", NOTE)
    try:
        yield
    finally:
        recorder.send_signal(signal.SIGINT)
        said, _ = recorder.communicate(timeout=30)
        print(said.strip(), flush=True)
    if recorder.returncode:
        raise SystemExit(f"hactl record ended with {recorder.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "recordings" / "lab.jsonl.gz")
    parser.add_argument("--lab", default="demo")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    chosen = parser.parse_args()
    lab = Lab(chosen.lab)
    lab.up()
    try:
        with tempfile.TemporaryDirectory() as home:
            set_back(lab)
            anna, made = Operator(lab, Path(home)), Path(home) / "made.jsonl.gz"
            with recording(anna, made), load(lab, RATE) as sent:
                work(anna, chosen.lab)
            print(f"{sent['sent']} requests, {sent['failed']} failed")
            _keep(made, chosen.file)
    finally:
        if not chosen.keep:
            lab.down(now=True, disks=True)


def _keep(made: Path, path: Path) -> None:
    with RecordingFile(made) as file:
        for mark in file.index.marks:
            print(f"{mark.at:7.1f}  {mark.kind.value:6} {mark.sentence}")
        size = made.stat().st_size
        print(f"{file.length:.0f} s, {len(file.index.frames)} frames, {size} bytes")
    if size > LARGEST:
        sys.exit(f"{size} bytes are more than {LARGEST}: {path} stays as it was")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(made.read_bytes())


if __name__ == "__main__":
    main()
