"""Running programs on this machine: bounded in time, never through a shell, failures told with what they said."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hactl.model.errors import LabError

TAIL_LINES = 20


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    timeout: float = 60.0,
    env: Mapping[str, str] | None = None,
) -> str:
    """What `argv` wrote to stdout. Raises LabError with the tail of its output unless it exits 0 within `timeout` s."""
    done = attempt(argv, stdin=stdin, timeout=timeout, env=env)
    if done.returncode != 0:
        raise failed(argv, done)
    return done.stdout


def attempt(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    timeout: float = 60.0,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Like `run`, but a non-zero exit is data. Raises LabError when it cannot start or takes too long."""
    words = [str(word) for word in argv]
    try:
        return subprocess.run(
            words,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout,
            check=False,
            env=env,
        )
    except FileNotFoundError as error:
        raise LabError(f"{words[0]} is not installed.", remedy="`hactl lab check` names the Debian package.") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(words[:6])} did not end within {timeout:.0f} s.") from error


def logged(argv: Sequence[str | Path], log: Path, *, timeout: float) -> int:
    """The exit status of `argv`, whose output replaces the file `log`. Raises LabError when it takes too long."""
    words = [str(word) for word in argv]
    with log.open("wb") as file:
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{' '.join(words[-3:])} did not end within {timeout:.0f} s.") from error
    return done.returncode


def failed(argv: Sequence[str | Path], done: subprocess.CompletedProcess[str], what: str = "") -> LabError:
    """A LabError that tells how `argv` ended, with the last lines of what it said."""
    said = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    tail = "\n  ".join(said[-TAIL_LINES:]) or "(it said nothing)"
    name = what or " ".join(str(word) for word in argv)
    return LabError(f"{name} failed with exit status {done.returncode}:\n  {tail}")
