"""A problem in a file: what is wrong and where, and how a list of them is told to people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hactl.config.positions import KeyPath, find_positions
from hactl.model.text import one_line


@dataclass(frozen=True, slots=True)
class Problem:
    """`message` is a sentence without its place, "did you mean" included.

    `path` leads to the value that is wrong, or with `at_key` to the key. `also` is the other place of a duplicate.
    """

    path: KeyPath
    message: str
    at_key: bool = False
    also: KeyPath | None = None


def told(problems: Iterable[Problem], source: str, file: str) -> tuple[str, ...]:
    """One line per problem, `FILE:LINE:COLUMN: MESSAGE`, in file order, each once."""
    positions = find_positions(source)
    placed: dict[tuple[int, int, str], None] = {}
    for problem in problems:
        line, column = positions.key(problem.path) if problem.at_key else positions.value(problem.path)
        message = problem.message
        if problem.also is not None:
            message += f"; the first is at line {positions.value(problem.also)[0]}"
        placed[line, column, message] = None
    name = one_line(file, 300)
    return tuple(f"{name}:{line}:{column}: {message}" for line, column, message in sorted(placed))


def headed(lines: tuple[str, ...], file: str) -> str:
    """`lines` under a sentence that counts them, for whoever prints only one text."""
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return f"{one_line(file, 300)} has {count}:\n" + "\n".join(lines)
