"""The journal's script with a journalctl of our own: what a line becomes, and that nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from hactl.drivers import system_journal
from hactl.drivers.system_journal import Access
from hactl.model.command import Completed


def said(out: str, code: int = 0) -> system_journal.MayRead:
    return system_journal.may_read(Completed(code, out, "", 0.1))


@pytest.mark.parametrize(
    ("out", "code", "access", "remedy"),
    [
        ("readable\n", 0, Access.READABLE, ""),
        ("denied anna\n", 0, Access.DENIED, "usermod -aG systemd-journal anna"),
        ("later anna\n", 0, Access.LATER, "end hactl's connections"),
        ("absent\n", 0, Access.ABSENT, "by a shell"),
        ("", 0, Access.UNKNOWN, ""),
        ("readable\n", 1, Access.UNKNOWN, ""),
    ],
)
def test_access(out: str, code: int, access: Access, remedy: str) -> None:
    may = said(out, code)
    assert may.access is access
    assert remedy in may.remedy
    assert bool(may.remedy) is (access not in {Access.READABLE, Access.UNKNOWN})


def test_access_of_this_machine_is_one_of_them() -> None:
    argv = system_journal.access().argv
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    assert said(done.stdout, done.returncode).access is not Access.UNKNOWN


@pytest.fixture
def journalctl(tmp_path: Path) -> dict[str, str]:
    """An environment in which journalctl says what it was told, some lines, and waits, as with --follow."""
    script = tmp_path / "journalctl"
    script.write_text(
        '#!/bin/sh\necho "$$" >"$0.pid"\nfor word; do echo "<$word>"; done\necho "a \\\\ b"\nexec sleep 60\n'
    )
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PID": str(script) + ".pid"}


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_frame_a_line_and_the_end_of_input_ends_it(journalctl: dict[str, str], shell: str) -> None:
    _, *rest = system_journal.follow("a b$(id).service", 7).argv
    pipe = subprocess.PIPE
    with subprocess.Popen([shell, *rest], stdin=pipe, stdout=pipe, env=journalctl, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        heard = b""
        while heard.count(b"\x1e") < 7:
            heard += os.read(process.stdout.fileno(), 4096)
        words = ["--follow", "--lines=7", "--output=short-iso", "--no-pager", "--quiet", "--unit=a b$(id).service"]
        assert heard.decode().split("\x1e") == [*(f"<{word}>" for word in words), "a \\ b", ""]
        reader = int(Path(journalctl["PID"]).read_text())
        process.stdin.close()
        process.wait(timeout=5)
    deadline = time.monotonic() + 5
    while _lives(reader):
        assert time.monotonic() < deadline, "journalctl was left behind"
        time.sleep(0.02)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_it_ends_with_journalctl(journalctl: dict[str, str], shell: str, tmp_path: Path) -> None:
    (tmp_path / "journalctl").write_text("#!/bin/sh\necho No journal files were opened >&2\nexit 1\n")
    pipe = subprocess.PIPE
    argv = [shell, *system_journal.follow().argv[1:]]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, env=journalctl, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"No journal files were opened\x1e"
        assert process.wait(timeout=5) is not None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"
