"""What pages are made of: the page itself, tables, lists of facts, tiles. Safe to open whatever a node has said.

Every text goes through `report_text.shown`; the page forbids itself to load or run anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hactl.model.findings import Level
from hactl.view.report_style import STYLE
from hactl.view.report_text import shown

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, body: Iterable[str]) -> str:
    """The whole page around `body`, which is HTML already."""
    inside = "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{shown(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{inside}\n</main>\n</body>\n</html>\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    titles = "".join(f"<th>{shown(title)}</th>" for title in head)
    lines = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<tr>{titles}</tr>\n{lines}\n</table></div>'


def facts(known: Mapping[str, str]) -> str:
    """Names and values; what is empty is left out."""
    inside = "".join(f"<dt>{shown(name)}</dt><dd>{shown(value)}</dd>" for name, value in known.items() if value)
    return f"<dl>{inside}</dl>"


def tile(number: str, words: str, *, bad: bool = False) -> str:
    return f'<div class="tile{" bad" if bad else ""}"><b>{shown(number)}</b>{shown(words)}</div>'


def word(text: str, level: Level | None) -> str:
    """`text`, in the colour of a level that is not ok."""
    return f'<span class="{level.word}">{shown(text)}</span>' if level not in {None, Level.OK} else shown(text)


def badge(text: str, kind: str) -> str:
    """`kind` is a class of the style: a level's word, or "going"."""
    return f'<span class="badge {kind}">{shown(text)}</span>'


def figure(drawing: str) -> str:
    return f"<figure>{drawing}</figure>"
