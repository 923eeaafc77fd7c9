"""Drives the real command line: a process of its own, as an operator's shell would start it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "inventory" / "lab.toml"


def environment(home: Path, **more: str) -> dict[str, str]:
    """The least that a command needs; nothing of the developer's own settings."""
    return {
        "PATH": f"{home}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        **more,
    }


def hactl(
    *args: str, home: Path, cwd: Path | None = None, timeout: float = 60, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """One run to its end, through pipes."""
    return subprocess.run(
        [sys.executable, "-m", "hactl", *args],
        cwd=cwd or home,
        env=environment(home, **env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def script(home: Path) -> Path:
    """An executable `hactl` in `home`/bin, for shells to find on PATH."""
    path = home / "bin" / "hactl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hactl "$@"\n')
    path.chmod(0o755)
    return path


def modules(*args: str, home: Path, **env: str) -> set[str]:
    """The modules that a run has loaded when it ends."""
    program = (
        "import sys\n"
        "from hactl.__main__ import run\n"
        "try:\n    run(sys.argv[1:])\n"
        "finally:\n    print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *args],
        cwd=home,
        env=environment(home, **env),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return set(done.stderr.split())
