"""`hactl status` against a real SSH server: what it prints where, in which form, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest
import yaml

from hactl.cli import live
from hactl.cli.render import render
from hactl.config import load_inventory
from hactl.view.tables import text_width
from tests.cli.conftest import Small
from tests.cli.driving import environment, hactl, modules

pytestmark = pytest.mark.sshd


def document(small: Small, home: Path, *args: str) -> dict:
    done = hactl("-i", str(small.inventory), "status", "-o", "json", *args, home=home)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_document_tells_what_is_there(home: Path, small: Small) -> None:
    told = document(small, home)
    assert told["cluster"]["name"] == "small"
    assert [node["name"] for node in told["nodes"]] == ["one", "two"]
    (web,) = told["services"]
    assert (web["available"], web["total"], web["status"]["level"]) == (2, 2, "ok")
    assert all(node["host"]["uptime_seconds"] > 0 for node in told["nodes"])


def test_a_node_that_is_off_is_shown_as_such_and_hides_nothing(home: Path, small: Small) -> None:
    done = hactl("-i", str(small.with_dead), "status", home=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^crit +dead: unreachable since .*refused", done.stdout, re.MULTILINE)
    dead = next(line for line in done.stdout.splitlines() if line.startswith("dead "))
    assert "down" in dead
    assert "?" in dead
    one = next(line for line in done.stdout.splitlines() if line.startswith("one "))
    assert " up " in one


def test_exit_code_reflects_the_level_only_when_asked(home: Path, small: Small) -> None:
    assert hactl("-i", str(small.with_dead), "status", home=home).returncode == 0
    assert hactl("-i", str(small.with_dead), "status", "--exit-code", home=home).returncode == 1


def test_a_limit_leaves_the_rest_alone_and_says_so(home: Path, small: Small) -> None:
    done = hactl("-i", str(small.with_dead), "status", "--limit", "!dead", "-o", "json", home=home)
    told = json.loads(done.stdout)
    assert [node["name"] for node in told["nodes"]] == ["one", "two"]
    assert "node/dead" in told["outside"]
    assert not [finding for finding in told["findings"] if finding["node"] == "dead"]


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_no_line_is_wider_than_the_terminal(home: Path, small: Small, columns: int) -> None:
    done = hactl("-i", str(small.with_dead), "status", home=home, COLUMNS=str(columns))
    lines = done.stdout.splitlines()
    assert max(map(text_width, lines)) <= columns
    assert any("unreachable since" in line for line in lines)


def test_a_wide_terminal_is_used_and_a_pipe_has_no_edge(home: Path, small: Small) -> None:
    for variables in ({"COLUMNS": "240"}, {}):
        lines = hactl("-i", str(small.with_dead), "status", home=home, **variables).stdout.splitlines()
        (finding,) = (line for line in lines if line.startswith("crit  ") and "dead: unreachable" in line)
        assert len(finding) > 80


def test_every_format_says_the_same(home: Path, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    picture = live.snapshot(load_inventory(small.inventory), limit=None, timeout=None)
    told = json.loads(render(picture, "json"))
    assert yaml.safe_load(render(picture, "yaml")) == told
    line = render(picture, "jsonl")
    assert json.loads(line) == told
    assert "\n" not in line


@pytest.mark.parametrize(
    ("args", "variables", "coloured"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {}, False),
    ],
)
def test_colours_through_a_pipe(home: Path, small: Small, args, variables, coloured) -> None:
    done = hactl("-i", str(small.inventory), *args, "status", home=home, **variables)
    assert ("\x1b[" in done.stdout) is coloured


@pytest.mark.parametrize(
    ("args", "variables", "coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"TERM": "dumb"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
    ],
)
def test_colours_on_a_terminal(home: Path, small: Small, args, variables, coloured) -> None:
    with terminal(["-i", str(small.inventory), *args, "status"], home, **variables) as (pid, handle):
        seen = b"".join(chunks(handle))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert (b"\x1b[" in seen) is coloured


def test_watching_into_a_pipe_gives_one_document_a_line(home: Path, small: Small) -> None:
    with watching(small, home, "-o", "jsonl", "--watch", "0.5") as process:
        assert process.stdout is not None
        told = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert small.server.sessions()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert process.stderr.read().strip() == ""
    moments = [one["at"] for one in told]
    assert moments == sorted(moments)
    assert all(one["services"][0]["status"]["level"] == "ok" for one in told), "the first waits for the nodes"
    assert told[-1]["nodes"][0]["host"]["cpu_percent"] is not None
    _gone(small)


def test_a_reader_that_leaves_ends_the_watching(home: Path, small: Small) -> None:
    with watching(small, home, "-o", "jsonl", "--watch", "0.5") as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 141
    _gone(small)


def test_watching_as_text_appends_boards_with_their_time(home: Path, small: Small) -> None:
    with watching(small, home, "--watch", "0.5") as process:
        assert process.stdout is not None
        heads: list[str] = []
        while len(heads) < 2:
            line = process.stdout.readline()
            assert "\x1b" not in line
            heads += [line] if line.startswith("== ") else []
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_watching_on_a_terminal_repaints_it(home: Path, small: Small) -> None:
    screen = pyte.Screen(100, 30)
    stream = pyte.ByteStream(screen)
    with terminal(["-i", str(small.with_dead), "status", "--watch", "0.5"], home, size=(30, 100)) as (pid, handle):
        deadline = time.monotonic() + 20
        feet = set()
        while len(feet) < 3 and time.monotonic() < deadline:
            stream.feed(os.read(handle, 65536))
            feet |= {line for line in screen.display if "Ctrl-C ends" in line}
        os.kill(pid, signal.SIGINT)
        for data in chunks(handle):
            stream.feed(data)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert len(feet) >= 3
    assert "small" in screen.display[0]
    assert sum("small" in line for line in screen.display) == 1, "painted over, not appended"
    assert any(line.startswith("dead") for line in screen.display)


def test_a_frozen_server_costs_no_more_than_the_timeout(home: Path, small: Small) -> None:
    small.server.freeze()
    begun = time.monotonic()
    done = hactl("-i", str(small.inventory), "status", "--timeout", "1", "-o", "json", home=home)
    assert time.monotonic() - begun < 15, "connecting may take 20 s: that was not waited for"
    small.server.thaw()
    told = json.loads(done.stdout)
    assert {node["link"]["phase"] for node in told["nodes"]} == {"down"}
    assert {node["link"]["reason"] for node in told["nodes"]} == {"no answer within 1 s"}
    assert all(node["host"] is None for node in told["nodes"])
    assert told["services"][0]["available"] == 0


def test_status_loads_no_screen(home: Path, small: Small) -> None:
    loaded = modules("-i", str(small.inventory), "status", home=home)
    assert "asyncssh" in loaded
    assert not {"textual", "rich", "paramiko", "psutil", "asyncpg", "tomlkit"} & loaded
    warm = modules("-i", str(small.inventory), "status", home=home)
    assert not {"pydantic", "tomli"} & warm


@contextmanager
def watching(small: Small, home: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "hactl", "-i", str(small.inventory), "status", *args],
        env=environment(home),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def terminal(
    args: list[str], home: Path, *, size: tuple[int, int] = (40, 100), **variables: str
) -> Iterator[tuple[int, int]]:
    """hactl on a pseudo-terminal: its process id and the terminal's other end."""
    pid, handle = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execve(sys.executable, [sys.executable, "-m", "hactl", *args], environment(home, TERM="xterm") | variables)
    try:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        yield pid, handle
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(handle)


def chunks(handle: int) -> Iterator[bytes]:
    """Everything until the program has gone."""
    while True:
        try:
            data = os.read(handle, 65536)
        except OSError:  # the other end is closed
            return
        if not data:
            return
        yield data


def _gone(small: Small) -> None:
    """Nothing that hactl started is left on the node."""
    for _ in range(100):
        if not small.server.sessions():
            return
        time.sleep(0.05)
    pytest.fail(f"processes are left: {small.server.sessions()}")
