"""Passphrases, asked on a real terminal: once, without echo, never written down; and Ctrl-C ends the question."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Small
from tests.cli.driving import hactl
from tests.cli.test_status import chunks, terminal
from tests.contract import sshd

pytestmark = pytest.mark.sshd

SECRET = "correct-horse-battery"


@pytest.fixture
def locked(small: Small, tmp_path: Path) -> Path:
    """The small cluster, with a login key that has a passphrase."""
    key = sshd.keygen(tmp_path / "locked", SECRET)
    small.server.authorized.write_text(Path(f"{key}.pub").read_text())
    path = tmp_path / "locked.toml"
    path.write_text(small.inventory.read_text().replace(str(small.server.identity), str(key)))
    return path


def until(handle: int, mark: bytes) -> bytes:
    seen = b""
    deadline = time.monotonic() + 30
    while mark not in seen:
        assert time.monotonic() < deadline, seen
        seen += os.read(handle, 4096)
    return seen


def test_a_passphrase_is_asked_once_and_kept_nowhere(locked: Path, home: Path) -> None:
    args = ["-vv", "--log-file", str(home / "log"), "-i", str(locked), "status", "-o", "json"]
    with terminal(args, home) as (pid, handle):
        asked = until(handle, b"assphrase")
        os.write(handle, SECRET.encode() + b"\n")
        rest = b"".join(chunks(handle))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert rest.count(b'"phase": "up"') == 2
    assert b"assphrase" not in rest.replace(asked, b""), "one question serves every node"
    assert SECRET.encode() not in asked + rest
    log = (home / "log").read_text()
    assert log
    assert SECRET not in log


def test_ctrl_c_ends_the_question_and_gives_the_terminal_back(locked: Path, home: Path) -> None:
    import termios

    with terminal(["-i", str(locked), "status"], home) as (pid, handle):
        before = termios.tcgetattr(handle)[3] & termios.ECHO
        until(handle, b"assphrase")
        os.kill(pid, signal.SIGINT)
        begun = time.monotonic()
        for _ in chunks(handle):
            pass
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
        assert time.monotonic() - begun < 10
        assert before


def test_nobody_is_asked_through_a_pipe_or_by_a_scheduler(locked: Path, home: Path) -> None:
    done = hactl("-i", str(locked), "status", "--limit", "one", home=home)
    assert done.returncode == 0
    assert "encrypted" in done.stdout
    assert "ssh-add" in done.stdout
    with terminal(["-i", str(locked), "check", "--node", "one"], home) as (pid, handle):
        said = b"".join(chunks(handle))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    assert said.startswith(b"HACTL UNKNOWN")
