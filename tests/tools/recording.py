"""Makes the recording of the lab that ships with hactl: what an operator does on an eventful quarter of an hour.

    python -m tests.tools.recording [FILE] [--lab NAME] [--keep]

Boots a lab, records it, and works on it meanwhile with hactl itself, while clients who know nothing of it ask the
shop: a drain, an upgrade, a primary that loses its power. Writes recordings/lab.jsonl.gz unless FILE says otherwise.
Needs root and a machine that hosts the lab, which is not up yet; takes about ten minutes. The lab is taken down again
unless --keep.
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
from hactl.model.errors import LabError
from tests.cli.driving import ROOT, hactl, script
from tests.lab.acting import GOOD, Operator, until
from tests.lab.load.watching import load

NOTE = "the training lab: a drain, a rolling upgrade, a primary without power, failover, its way back"
LARGEST = 500_000  # bytes that the shipped file may have
RATE = 20.0  # requests a second
CALM = 12.0  # seconds between two acts, in which everything is seen to be well
SEEN = 20.0  # seconds from a loss of power until somebody acts
PRIMARY = "db1"  # of a lab that is new


def work(anna: Operator) -> None:
    """What is done, one after the other; each has to go well."""
    time.sleep(CALM)
    _well(anna("drain", "app2", "--yes", "--reason", "new memory"))
    time.sleep(CALM)
    _well(anna("undrain", "app2", "--yes", "--reason", "memory is in"))
    time.sleep(CALM)
    _well(anna("upgrade", "--to", GOOD, "--yes", "--pause", "5s", "--reason", "shop 1.1.0"))
    time.sleep(CALM)
    lose_the_primary(anna)
    time.sleep(2 * CALM)


def lose_the_primary(anna: Operator) -> None:
    """Its power goes; a standby takes its place; it comes back as what it was, and is made a standby."""
    fault, this = ("lab", "fault"), ("-n", anna.lab.spec.name)
    _well(hactl(*fault, "power-off", PRIMARY, *this, home=anna.home))
    time.sleep(SEEN)
    sure = ("--yes", "--confirm", anna.lab.spec.name)
    _well(anna("failover", *sure, "--reason", f"{PRIMARY} has lost its power"))
    time.sleep(CALM)
    _well(hactl(*fault, "undo", *this, home=anna.home))
    until(lambda: _answers(anna.lab), f"{PRIMARY} is back")
    time.sleep(CALM)
    _well(anna("rejoin", PRIMARY, "--yes", "--reason", f"{PRIMARY} has power again"))


def _answers(lab: Lab) -> bool:
    try:
        return lab.exec(PRIMARY, ["pg_isready", "-q"], timeout=10).returncode == 0
    except (LabError, subprocess.TimeoutExpired):
        return False


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
    parser.add_argument("--lab", default="lab", help="its name, which the recording shows [lab]")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    chosen = parser.parse_args()
    lab = Lab(chosen.lab)
    if any(node.power != "off" for node in lab.status().nodes):
        sys.exit(f"The lab {chosen.lab} is up; a new one is wanted: take it down with its disks, or name another.")
    lab.down(disks=True)
    lab.up()
    try:
        with tempfile.TemporaryDirectory() as home:
            script(Path(home))  # a fence asks `hactl lab power`
            anna, made = Operator(lab, Path(home)), Path(home) / "made.jsonl.gz"
            with recording(anna, made), load(lab, RATE) as sent:
                work(anna)
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
