from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from hactl.model.command import FENCED_OUT, Command, Completed, Fence
from hactl.model.inventory import BecomeMethod
from hactl.transport import become
from hactl.transport.become import Refusal

SUDO, NONE = BecomeMethod.SUDO, BecomeMethod.NONE
ENV = ("env", "LC_ALL=C.UTF-8", "sudo")


@pytest.mark.parametrize(
    ("command", "method", "options", "words"),
    [
        (Command(("id",)), SUDO, {}, ("id",)),
        (Command(("id",), as_user="me"), SUDO, {}, ("id",)),
        (Command(("id",), as_user="root"), NONE, {}, ("id",)),
        (Command(("id",), as_user="root"), SUDO, {}, (*ENV, "-n", "-u", "root", "--", "id")),
        (
            Command(("id",), as_user="db"),
            SUDO,
            {"password": True},
            (*ENV, "-k", "-S", "-p", "", "-u", "db", "--", "id"),
        ),
        (Command(("id",), mutates=True, timeout=7.2), SUDO, {}, ("timeout", "-k", "5", "10", "id")),
        (Command(("id",), timeout=1), SUDO, {"bounded": True}, ("timeout", "-k", "5", "3", "id")),
        (
            Command(("id",), as_user="root", mutates=True, timeout=1),
            SUDO,
            {},
            ("timeout", "-k", "5", "3", *ENV, "-n", "-u", "root", "--", "id"),
        ),
        (
            Command(("id",), as_user="root", mutates=True, timeout=1, fence=Fence("/f", 7)),
            SUDO,
            {},
            (
                "timeout",
                "-k",
                "5",
                "3",
                "sh",
                "-c",
                become._FENCE,
                "sh",
                "/f",
                "7",
                *ENV,
                "-n",
                "-u",
                "root",
                "--",
                "id",
            ),
        ),
    ],
)
def test_words(command: Command, method: BecomeMethod, options: dict[str, bool], words: tuple[str, ...]) -> None:
    assert become.words(command, "me", method, **options) == words


@pytest.mark.parametrize(
    ("content", "exit_", "stdout", "stderr"),
    [
        ("7\n", 3, "a  b|in", ""),
        ("8\n", FENCED_OUT, "", "fenced out: the lock is at epoch 8, not 7\n"),
        ("", FENCED_OUT, "", "fenced out: the lock is at epoch none, not 7\n"),
        (None, FENCED_OUT, "", "No such file"),
    ],
)
def test_a_fence_lets_only_its_own_epoch_pass(
    tmp_path: Path, content: str | None, exit_: int, stdout: str, stderr: str
) -> None:
    file = tmp_path / "epo'ch"
    if content is not None:
        file.write_text(content)
    fenced = Command(("sh", "-c", 'printf "%s|%s" "$1" "$(cat)"; exit 3', "sh", "a  b"), fence=Fence(str(file), 7))
    words = become.words(fenced, "me", NONE)
    done = subprocess.run(words, input="in", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (exit_, stdout)
    assert stderr in done.stderr


@pytest.mark.parametrize("words", [("a", ""), ("it's", "$x", "a\nb"), ("-n",), ("ä",)])
def test_a_line_reads_back_as_the_words(words: tuple[str, ...]) -> None:
    assert tuple(shlex.split(become.line(words))) == words


@pytest.mark.parametrize(
    ("exit_", "stdout", "stderr", "expected"),
    [
        (1, "", "sudo: a password is required\n", Refusal.WANTS_PASSWORD),
        (1, "", "sudo: a terminal is required to read it\nsudo: a password is required\n", Refusal.WANTS_PASSWORD),
        (1, "", "Sorry, user me is not allowed to execute '/bin/id' as root on db1.\n", Refusal.NOT_ALLOWED),
        (1, "", "me is not in the sudoers file.\n", Refusal.NOT_ALLOWED),
        (1, "", "Sorry, try again.\nsudo: 1 incorrect password attempt\n", Refusal.WRONG_PASSWORD),
        (1, "", "sudo: unknown user nobody2\nsudo: error initializing audit plugin\n", Refusal.NOT_ALLOWED),
        (127, "", "env: 'sudo': No such file or directory\n", Refusal.ABSENT),
        (127, "", "sh: 1: sudo: not found\n", Refusal.ABSENT),
        # The command ran: whatever it says about a sudo of its own is its answer.
        (1, "some output\n", "sudo: a password is required\n", None),
        (1, "", "deploy.sh: step 3 failed\nsudo: a password is required\n", None),
        (2, "", "sudo: a password is required\n", None),
        (0, "", "sudo: a password is required\n", None),
        (1, "", "", None),
        (1, "", "sudo: unable to resolve host db1: Name or service not known\n", None),
        (127, "", "bash: line 1: psql: command not found\n", None),
    ],
)  # fmt: skip
def test_refusals(exit_: int, stdout: str, stderr: str, expected: Refusal | None) -> None:
    assert become.refusal(Completed(exit_, stdout, stderr, 0.1)) is expected


@pytest.mark.parametrize(
    ("argv", "rest"),
    [
        (("/bin/systemctl", "restart", "postgresql@15-main"), "/bin/systemctl restart postgresql@15-main"),
        (("/bin/id",), '/bin/id ""'),
        (("/bin/x", "a b", "c,d:e=f", "*?[x]", "\\"), r"/bin/x a\ b c\,d\:e\=f \*\?\[x\] \\"),
    ],
)
def test_the_rule_allows_exactly_that(argv: tuple[str, ...], rest: str) -> None:
    assert become.rule("me", Command(argv, as_user="db")) == f"me ALL=(db) NOPASSWD: {rest}"
