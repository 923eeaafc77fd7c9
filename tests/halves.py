"""Every test but the stories, in two processes at one time: those of the lab, which mostly wait, beside all others.

    python -m tests.halves

What the others say is shown as they go; what the lab's say when they have ended. Exits with 0 where both have passed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

_PYTEST = (sys.executable, "-m", "pytest", "--durations=25")
# Each has a cache of its own, so that `--last-failed` of either means what it says.
_LAB = (*_PYTEST, "-m", "lab and not story", "-o", "cache_dir=.pytest_cache/lab")
_OTHERS = (*_PYTEST, "-m", "not lab and not story")


def main(lab: tuple[str, ...] = _LAB, others: tuple[str, ...] = _OTHERS) -> int:
    """The first exit status that is not 0. Ctrl-c reaches both by themselves: they are in this process's group."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "lab").open("w+b") as said:
        halves = (subprocess.Popen(lab, stdout=said, stderr=subprocess.STDOUT), subprocess.Popen(others))
        codes = [ended(half) for half in reversed(halves)]
        said.seek(0)
        sys.stdout.write("\nthe tests of the lab\n")
        sys.stdout.flush()
        sys.stdout.buffer.write(said.read())
        sys.stdout.flush()
    return next((code for code in codes if code), 0)


def ended(half: subprocess.Popen[bytes]) -> int:
    """Its exit status; whoever presses ctrl-c waits for it to have cleaned up."""
    while True:
        try:
            return half.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    sys.exit(main())
