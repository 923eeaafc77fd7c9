"""How verbs write, show and judge commands for nodes: what several of them need, and no verb itself."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from hactl.model.command import Command, Completed
from hactl.model.errors import ConnectionLostError
from hactl.model.observed import Unknown
from hactl.model.verb import Scene, Shown, VerbError, exit_sentence

ROOT = "root"


def mutating(argv: tuple[str, ...], *, as_user: str | None, timeout: float, stdin: bytes = b"") -> Command:
    """A command that changes its node: bounded there, never repeated blindly. `timeout` in seconds."""
    return Command(argv, stdin=stdin, as_user=as_user, mutates=True, timeout=timeout)


def as_root(*argv: str, timeout: float = 60.0) -> Command:
    return mutating(argv, as_user=ROOT, timeout=timeout)


def user(name: str) -> str | None:
    """An `as_user` argument: "" stands for the login user."""
    return name or None


def shown(scene: Scene, command: Command) -> Shown:
    """The command as it could be typed on the node."""
    become = f"sudo -u {shlex.quote(command.as_user)} " if command.as_user is not None else ""
    return Shown(scene.target.name, become + command.shown())


def known(scene: Scene, done: Completed, what: str) -> int:
    """The exit status. Raises ConnectionLostError where nobody learned it: the outcome is unknown, not failed."""
    if isinstance(done.exit, Unknown):
        raise ConnectionLostError(scene.target.name, f"{exit_sentence(done, what)}.")
    return done.exit


def answered(done: Completed, what: str) -> Completed:
    """What a reading command said. Raises VerbError where it could not be asked."""
    if not done.ok:
        raise VerbError(exit_sentence(done, what))
    return done


def sections(text: str) -> Mapping[str, tuple[str, ...]]:
    """Lines by the `@name` line above them, of a script that ends with `echo @end`.

    Raises VerbError when the answer was cut off.
    """
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("@"):
            current = found.setdefault(line[1:], [])
        elif line.strip():
            current.append(line.strip())
    if "end" not in found:
        raise VerbError("the node's answer was cut off")
    return {name: tuple(lines) for name, lines in found.items()}
