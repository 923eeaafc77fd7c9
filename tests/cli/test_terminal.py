"""What happens on a real terminal: passphrases asked once and never written down, Ctrl-C, and the dashboard's door."""

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
        assert termios.tcgetattr(handle)[3] & termios.ECHO
        until(handle, b"assphrase")
        assert not termios.tcgetattr(handle)[3] & termios.ECHO
        os.kill(pid, signal.SIGINT)
        begun = time.monotonic()
        for _ in chunks(handle):
            pass
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
        assert time.monotonic() - begun < 10
        assert termios.tcgetattr(handle)[3] & termios.ECHO


def test_nobody_is_asked_through_a_pipe_or_by_a_scheduler(locked: Path, home: Path) -> None:
    done = hactl("-i", str(locked), "status", "--limit", "one", home=home)
    assert done.returncode == 0
    assert "encrypted" in done.stdout
    assert "ssh-add" in done.stdout
    with terminal(["-i", str(locked), "check", "--node", "one"], home) as (pid, handle):
        said = b"".join(chunks(handle))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    assert said.startswith(b"HACTL UNKNOWN")


def test_without_a_command_the_dashboard_opens_on_a_terminal(small: Small, home: Path) -> None:
    with terminal(["-i", str(small.inventory)], home) as (pid, handle):
        until(handle, b"small")
        os.write(handle, b"q")
        for _ in chunks(handle):
            pass
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_logging_to_the_screen_and_drawing_on_it_exclude_each_other(small: Small, home: Path) -> None:
    with terminal(["-v", "-i", str(small.inventory)], home) as (pid, handle):
        assert b"--log-file" in b"".join(chunks(handle))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
