"""How commands speak: data to stdout as a table or a document, talk to stderr.

A table fits the terminal when stdout is one, and is never cut when it is not. Everything is plain text: colours belong
to the commands that want them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import click

from hactl.view.tables import text_width

FORMATS = ("json", "yaml", "jsonl")
Scalar: TypeAlias = str | int | float | bool | None
Document: TypeAlias = "Scalar | Sequence[Document] | Mapping[str, Document]"

_GAP = "  "
_NARROWEST = 6  # columns that a cell keeps before the table overflows instead


def say(message: str) -> None:
    """A sentence for the person: to stderr, so that it never mixes with data."""
    click.echo(message, err=True)


def emit(document: Document, fmt: str) -> None:
    """`document` on stdout as `fmt`, one of FORMATS; jsonl writes one line per item when the document is a list."""
    click.echo(rendered(document, fmt))


def write(text: str, out: str) -> None:
    """`text` into the file `out`; "-" is stdout. Raises InputError when it cannot be written."""
    if out == "-":
        click.echo(text, nl=False)
        return
    from hactl.model.errors import InputError

    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{out} cannot be written: {error.strerror}.", remedy="Name another file with --out."
        ) from error
    say(f"written: {out}")


def rendered(document: Document, fmt: str) -> str:
    """`document` as text without a final newline."""
    if fmt == "json":
        return json.dumps(document, indent=2, ensure_ascii=False)
    if fmt == "jsonl":
        items = document if isinstance(document, Sequence) and not isinstance(document, str) else [document]
        return "\n".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items)
    if fmt == "yaml":
        import yaml  # only yaml pays for it

        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000).rstrip("\n")
    raise ValueError(f"no such format: {fmt}")


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None) -> str:
    """A plain table with a header line, columns left-aligned, no final newline, no trailing blanks.

    `width` is in columns; None means the terminal's, or unlimited when stdout is not one. Too wide a table loses
    characters from its widest columns first, each cut shown by "…".
    """
    lines = [list(headers), *[list(row) for row in rows]]
    widths = [max(text_width(line[index]) for line in lines) for index in range(len(headers))]
    room = terminal_width() if width is None else width
    if room is not None:
        widths = _fitted(widths, room - len(_GAP) * (len(widths) - 1))
    return "\n".join(
        _GAP.join(_cell(text, space) for text, space in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def terminal_width() -> int | None:
    """Columns of the terminal on stdout; None when stdout is a pipe or a file."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else None


def _fitted(widths: list[int], room: int) -> list[int]:
    widths = list(widths)
    while sum(widths) > room and (widest := max(widths)) > _NARROWEST:
        widths[widths.index(widest)] -= 1
    return widths


def _cell(text: str, space: int) -> str:
    if text_width(text) > space:
        while text_width(text) > space - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (space - text_width(text))
