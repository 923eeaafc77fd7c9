"""Becoming another user on a node: the command line that asks sudo, and what sudo's refusals mean. Pure.

The password never stands in argv. `-n` is always tried first: it has no effect when sudo says no, and it tells whether
a password is wanted, so that stdin gets one only where sudo will take it away again.
"""

from __future__ import annotations

import math
import re
import shlex
from enum import Enum

from hactl.model.command import FENCED_OUT, Command, Completed
from hactl.model.inventory import BecomeMethod

_GRACE = 2.0  # seconds that the node's own bound stands behind ours, so that ours is the one that speaks
_KILL_AFTER = 5  # seconds from TERM to KILL on the node

_FENCE = (
    f'read -r e <"$1" && [ "$e" = "$2" ] || {{ echo "fenced out: the lock is at epoch ${{e:-none}}, not $2" >&2; '
    f'exit {FENCED_OUT}; }}; shift 2; exec "$@"'
)

_SPECIAL = re.compile(r"([\\,:=*?\[\]!])")  # what sudoers would read as something else


class Refusal(Enum):
    """Why sudo did not run a command. Nothing ran in any of these cases."""

    WANTS_PASSWORD = "wants a password"  # noqa: S105 - a description: this is also how sudo -n says "not allowed"
    NOT_ALLOWED = "does not allow it"
    WRONG_PASSWORD = "did not accept the password"  # noqa: S105 - a description
    ABSENT = "is not installed"


_REFUSALS = (
    ("a password is required", Refusal.WANTS_PASSWORD),
    ("a terminal is required", Refusal.WANTS_PASSWORD),
    ("you must have a tty", Refusal.WANTS_PASSWORD),
    ("incorrect password attempt", Refusal.WRONG_PASSWORD),
    ("no password was provided", Refusal.WRONG_PASSWORD),
    ("Sorry, try again", Refusal.WRONG_PASSWORD),
    ("is not allowed to execute", Refusal.NOT_ALLOWED),
    ("is not allowed to run sudo", Refusal.NOT_ALLOWED),
    ("is not in the sudoers file", Refusal.NOT_ALLOWED),
    ("may not run sudo", Refusal.NOT_ALLOWED),
    ("unknown user", Refusal.NOT_ALLOWED),
)


def needs_sudo(command: Command, login: str, method: BecomeMethod) -> bool:
    """Whether `command` goes through sudo for somebody who logs in as `login`."""
    return command.as_user not in (None, login) and method is BecomeMethod.SUDO


def words(
    command: Command, login: str, method: BecomeMethod, *, password: bool = False, bounded: bool = False
) -> tuple[str, ...]:
    """The argv that runs on the node: the command, under sudo where needed, bounded there when it changes things.

    With `password`, sudo reads one line from stdin, whatever it may have cached. `bounded`: bound it there in any
    case, for those whose command cannot be ended from here.
    """
    argv = command.argv
    if needs_sudo(command, login, method):
        how = ("-k", "-S", "-p", "") if password else ("-n",)
        # LC_ALL: sudo's refusals are told by their English words.
        argv = ("env", "LC_ALL=C.UTF-8", "sudo", *how, "-u", command.as_user or "root", "--", *argv)
    if command.fence is not None:
        # Outside of sudo, whose rules name the command alone; stdin stays the command's own.
        argv = ("sh", "-c", _FENCE, "sh", command.fence.path, str(command.fence.epoch), *argv)
    if command.mutates or bounded:
        bound = math.ceil(command.timeout + _GRACE)
        argv = ("timeout", "-k", str(_KILL_AFTER), str(bound), *argv)
    return argv


def line(argv: tuple[str, ...]) -> str:
    """The one place where argv becomes text for a login shell. Raises ValueError for a NUL, which no argv can hold."""
    if any("\0" in word for word in argv):
        raise ValueError("an argument holds a NUL byte")
    return shlex.join(argv)


def password_check(as_user: str) -> tuple[str, ...]:
    """The argv that only tells whether a password is right: one line on stdin, then end of file."""
    return ("env", "LC_ALL=C.UTF-8", "sudo", "-k", "-S", "-p", "", "-u", as_user, "-v")


def refusal(done: Completed) -> Refusal | None:
    """What sudo said instead of running the command; None when the command ran.

    Only an answer that is sudo's alone counts: a command that ran and then failed at a sudo of its own is no refusal.
    """
    said = [text for text in done.stderr.splitlines() if text.strip()]
    if done.stdout or not said:
        return None
    if done.exit == 127 and len(said) == 1 and "sudo" in said[0]:  # the shell's or env's "not found"
        return Refusal.ABSENT
    known = [next((kind for words, kind in _REFUSALS if words in text), None) for text in said]
    kinds = [kind for kind in known if kind is not None]
    foreign = any(kind is None and not text.startswith("sudo:") for kind, text in zip(known, said, strict=True))
    return None if done.exit != 1 or foreign or not kinds else kinds[-1]


def rule(login: str, command: Command) -> str:
    """The sudoers line that would allow `command`, and nothing more, without a password."""
    program, *arguments = command.argv
    # No arguments in sudoers means any arguments; "" means none.
    rest = [_SPECIAL.sub(r"\\\1", word).replace(" ", r"\ ") for word in arguments] or ['""']
    return f"{login} ALL=({command.as_user}) NOPASSWD: {' '.join([program, *rest])}"
