"""A picture as terminal text: the cluster, its services, pools and addresses, its nodes, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import click

from hactl.cli import draw
from hactl.model.ack import Ack
from hactl.model.assess import subject
from hactl.model.findings import Finding
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.cluster import banner
from hactl.view.databases import database_rows
from hactl.view.files import store_rows
from hactl.view.findings import ack_words, in_order
from hactl.view.nodes import node_rows
from hactl.view.services import pool_rows, service_rows, vip_rows
from hactl.view.severity import severity
from hactl.view.tables import Table


def lines(picture: Picture, columns: int, *, ages: bool) -> list[str]:
    """The whole board, no line wider than `columns` (80 or more), with colours that `click.unstyle` takes away.

    `ages` tells how long each thing has been so, which only somebody who watches can know.
    """
    judged = (service_rows(picture), pool_rows(picture), vip_rows(picture))
    facts = (database_rows(picture), store_rows(picture), node_rows(picture))
    board = [*_headline(picture, columns, ages=ages)]
    for shown in (*(one if ages else _without(one, "age") for one in judged), *facts):
        if shown.rows:
            board += ["", *draw.table(_without_blanks(shown), columns, indent=0)]
    board += _findings(picture, columns, ages=ages)
    if picture.outside:
        names = ", ".join(name.replace("/", " ") for name in picture.outside)
        board += ["", *draw.wrapped(f"Outside the limit, not asked: {names}", columns, first="", rest="  ")]
    return board


def _headline(picture: Picture, columns: int, *, ages: bool) -> Iterator[str]:
    shown = banner(picture)
    mark = severity(shown.level)
    first = f"{mark.symbol} {shown.name}: {mark.word}"
    said = f"{first}  {shown.sentence}" + (f", for {shown.age} (since {shown.since})" if ages else "")
    wrapped = draw.wrapped(said, columns, first="", rest="  ")
    yield wrapped[0].replace(first, draw.paint(first, shown.level), 1)
    yield from wrapped[1:]
    facts = [draw.paint(f"{fact.label} {fact.value}", fact.level) for fact in shown.facts]
    counts = [draw.paint(f"{count} {level.word}", level) for level, count in shown.counts]
    known = [f"{shown.acknowledged} acknowledged"] if shown.acknowledged else []
    yield "  " + ", ".join((*facts, *counts, *known))


def _without_blanks(shown: Table) -> Table:
    """A column in which no row has anything to say takes no room."""
    blank = [c.key for index, c in enumerate(shown.columns) if not any(row.cells[index].text for row in shown.rows)]
    return _without(shown, *blank)


def _without(shown: Table, *keys: str) -> Table:
    kept = [index for index, column in enumerate(shown.columns) if column.key not in keys]
    return Table(
        tuple(shown.columns[index] for index in kept),
        tuple(replace(row, cells=tuple(row.cells[index] for index in kept)) for row in shown.rows),
    )


def _findings(picture: Picture, columns: int, *, ages: bool) -> Iterator[str]:
    """Sentences and hints whole, wrapped rather than cut: this is what somebody acts on."""
    findings = in_order(picture)
    if not findings:
        return
    yield ""
    yield click.style("findings", bold=True)
    for finding in findings:
        age = f" (for {units.age(picture.now - finding.since)})" if ages else ""
        if (ack := picture.acks.get(finding.key)) is not None:
            yield from _acknowledged(finding, ack, age, columns, picture.state.wall(picture.now))
        else:
            yield from _finding(finding, age, columns)


def _acknowledged(finding: Finding, ack: Ack, age: str, columns: int, wall: float) -> Iterator[str]:
    """Without its hint: somebody knows what to do."""
    word = f"({severity(finding.level).word})"
    said = f"{subject(finding)}: {finding.sentence}{age}"
    for line in draw.wrapped(said, columns, first=f"{word:<9}", rest=" " * 9):
        yield click.style(line, dim=True)
    known = f"acknowledged {ack_words(ack, wall)}"
    for line in draw.wrapped(known, columns, first=" " * 9 + "> ", rest=" " * 11):
        yield click.style(line, dim=True)


def _finding(finding: Finding, age: str, columns: int) -> Iterator[str]:
    word = f"{severity(finding.level).word:<7}"
    first, *rest = draw.wrapped(
        f"{subject(finding)}: {finding.sentence}{age}", columns, first=f"{word}  ", rest=" " * 9
    )
    yield first.replace(word, draw.paint(word, finding.level), 1)
    yield from rest
    if finding.hint:
        yield from draw.wrapped(finding.hint, columns, first=" " * 9 + "> ", rest=" " * 11)
