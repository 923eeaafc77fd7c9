"""A command for a node, as a structured value. Quoting for a shell happens once, at the transport's edge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hactl.model.observed import Unknown

FENCED_OUT = 86
"""The exit status of a command that its fence has stopped: it did not run."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Runs a command only where the file at `path` on the node still holds `epoch`: see `engine.lock`."""

    path: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to run on a node.

    `argv` is never seen by a shell as anything but literal words. `as_user` None means the login user; another name
    goes through the node's become method without a password prompt. `mutates` says whether it changes the node: such a
    command is bounded on the node itself and never repeated blindly. `secrets` are words of argv or stdin that must
    not be shown. `timeout` is in seconds and covers everything, opening the channel included. With a `fence` the node
    itself checks, right before, that whoever sends the command still holds the cluster's lock.
    """

    argv: tuple[str, ...]
    stdin: bytes = b""
    as_user: str | None = None
    mutates: bool = False
    secrets: frozenset[str] = frozenset()
    timeout: float = 10.0
    fence: Fence | None = None

    def shown(self) -> str:
        """The command for people: secrets masked, still copyable where there are none."""
        import shlex  # noqa: PLC0415 - only wanted when somebody looks

        return shlex.join("****" if word in self.secrets else word for word in self.argv)


def command(*argv: str, as_user: str | None = None, timeout: float = 10.0) -> Command:
    """A read-only command, written shortly."""
    return Command(argv, as_user=as_user, timeout=timeout)


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command answered. A non-zero exit is data; an exit that nobody learned is `Unknown`.

    `stdout` and `stderr` are safe text (see `model.text`). A command killed by signal N exits with 128 + N.
    `truncated`: more was said than the transport keeps.
    """

    exit: int | Unknown
    stdout: str
    stderr: str
    seconds: float
    truncated: bool = False

    @property
    def ok(self) -> bool:
        return self.exit == 0


def masked(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret replaced by ****."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "****")
    return text
