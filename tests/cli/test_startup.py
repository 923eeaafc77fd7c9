"""Start-up is part of the interface: what a command loads, and how long `--help` takes against bare Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.driving import LAB, environment, modules

HEAVY = {
    "asyncio",
    "asyncssh",
    "paramiko",
    "pydantic",
    "textual",
    "tomli",
    "tomlkit",
    "yaml",
    "psutil",
    "logging",
    "json",
}


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("--version",),
        ("status", "--help"),
        ("check", "--help"),
        ("drain", "--help"),
        ("runs", "--help"),
        ("lock", "--help"),
    ],
    ids=" ".join,
)
def test_help_loads_little_more_than_click(home: Path, args: tuple[str, ...]) -> None:
    assert not HEAVY & modules(*args, home=home)


def test_root_help_loads_no_command(home: Path) -> None:
    loaded = modules("--help", home=home)
    assert "hactl.cli.status" not in loaded
    assert "hactl.config" not in loaded


def test_a_wrong_limit_is_found_without_ssh(home: Path) -> None:
    loaded = modules("-i", str(LAB), "status", "--limit", "nothing", home=home)
    assert "hactl.cli.status" in loaded
    assert not {"asyncssh", "textual", "hactl.transport.asyncssh_lib"} & loaded


def test_help_takes_at_most_eight_times_bare_python(home: Path) -> None:
    """Interleaved, so that a busy machine burdens both alike."""
    bare, ours = [], []
    for _ in range(11):
        bare.append(_seconds(["-c", "pass"], home))
        ours.append(_seconds(["-m", "hactl", "--help"], home))
    ratio = statistics.median(ours) / statistics.median(bare)
    assert ratio <= 8, f"hactl --help takes {ratio:.1f} x bare Python"


def _seconds(args: list[str], home: Path) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *args], env=environment(home), stdout=subprocess.DEVNULL, check=True, timeout=60)
    return time.perf_counter() - start
