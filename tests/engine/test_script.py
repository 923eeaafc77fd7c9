"""The loop's shell text, run by the shells of this machine."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from hactl.drivers.probe import Cadence, TickProbe
from hactl.engine.script import answer, loop_command, loop_script, question

BODIES = (
    "hactl_out=one",
    "hactl_out='two\n'; false",
    "echo printed; hactl_out=three",
    "hactl_out=$(cat; echo four)",
    "echo five >&2; exit_me",
)
SHELLS = [shell for shell in (("dash",), ("bash", "--posix"), ("busybox", "sh"), ("sh",)) if shutil.which(shell[0])]


def probes(*bodies: str) -> list[TickProbe]:
    return [TickProbe(f"p{n}", Cadence.FAST, 1.0, body, lambda c, a: None) for n, body in enumerate(bodies)]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_question_is_answered_in_order_with_its_exit(shell):
    asked = b"".join(question(10 + n, n) for n in range(5)) + question(99, 0)
    done = subprocess.run(
        [*shell, "-c", loop_script(probes(*BODIES))], input=asked, capture_output=True, timeout=10, check=False
    )
    greeting, *frames, rest = done.stdout.decode().split("\x1e")
    assert (greeting, rest) == ("", "")
    assert [answer(frame) for frame in frames] == [
        (10, "one", 0),
        (11, "two\n", 1),
        (12, "three", 0),  # what is printed is no answer
        (13, "four", 0),  # `cat` got no question to swallow
        (14, "", 127),
        (99, "one", 0),
    ]
    assert done.stderr == b""


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_the_loop_ends_when_its_stdin_closes_even_while_a_question_waits(shell):
    loop = subprocess.Popen(
        [*shell, "-c", loop_script(probes("sleep 0.3"))], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    loop.stdin.write(question(1, 0))
    loop.stdin.close()
    started = time.monotonic()
    assert loop.wait(5) is not None
    assert time.monotonic() - started < 3


def test_a_login_shells_chatter_stands_before_the_first_frame():
    script = "echo Welcome!; " + loop_script(probes("hactl_out=one"))
    done = subprocess.run(["sh", "-c", script], input=question(1, 0), capture_output=True, timeout=10, check=False)
    assert done.stdout.split(b"\x1e")[0] == b"Welcome!\n"
    assert answer(done.stdout.split(b"\x1e")[1].decode()) == (1, "one", 0)


@pytest.mark.parametrize("frame", ["", "no newline 0", "\nx 0", "\n1", "\n1 x"])
def test_what_the_loop_never_says_is_refused(frame):
    with pytest.raises(ValueError, match=r"answer of the loop|invalid literal"):
        answer(frame)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_the_first_questions_travel_with_the_command(shell):
    asked = loop_command(probes("hactl_out=one; set -- x y z", "hactl_out=two"), [(7, 1), (8, 0)], 5.0)
    words = [*shell, *asked.argv[1:]]
    done = subprocess.run(words, input=question(9, 1), capture_output=True, timeout=10, check=False)
    frames = done.stdout.decode().split("\x1e")[1:-1]
    assert [answer(frame) for frame in frames] == [(7, "two", 0), (8, "one", 0), (9, "two", 0)]
