"""Draws the lines of `view` as terminal text: wrapped rather than cut, in colours that only repeat what words say."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from hactl.cli import draw
from hactl.view.lines import Line

_MARK = 7  # columns of the word that a marked line begins with


def drawn(lines: Iterable[Line], columns: int) -> list[str]:
    """Terminal lines of at most `columns`, with colours that `click.unstyle` takes away."""
    return [text for line in lines for text in _drawn(line, columns)]


def tell(lines: Iterable[Line], *, err: bool = False) -> None:
    """Write the lines: to stdout, or to stderr where stdout is for a document."""
    for text in drawn(lines, draw.width()):
        click.echo(text, err=err)


def colour_wanted(ctx: click.Context, *, err: bool = False) -> bool:
    """Whether what is painted by hand, cursor movements and all, may have colours."""
    return (sys.stderr if err else sys.stdout).isatty() if ctx.color is None else ctx.color


def _drawn(line: Line, columns: int) -> list[str]:
    blank = " " * line.indent
    word = f"{line.mark:<{_MARK}}  " if line.mark else ""
    if not word + line.text:
        return [""]
    wrapped = draw.wrapped(line.text, columns, first=blank + word, rest=blank + " " * line.hang)
    if line.mark:
        return [wrapped[0].replace(line.mark, draw.paint(line.mark, line.level), 1), *wrapped[1:]]
    return [_styled(text, line) for text in wrapped]


def _styled(text: str, line: Line) -> str:
    if line.level is not None:
        return draw.paint(text, line.level)
    if line.strong:
        return click.style(text, bold=True)
    return click.style(text, dim=True) if line.faint else text
