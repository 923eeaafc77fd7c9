"""`hactl doctor`: what keeps hactl from seeing a node, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.params import documents
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.cli.output import Document
    from hactl.control.doctor import Check
    from hactl.model.inventory import Inventory

SCHEMA = 1


@click.command(
    epilog=examples(
        "hactl doctor                           every node",
        "hactl doctor --limit db1               why does hactl not see this one?",
        "hactl doctor --problems                only what is wrong",
        "hactl doctor -o json | jq '.checks[] | select(.outcome == \"fail\")'",
    )
)
@click.option("-l", "--limit", metavar="EXPR", help="Only these nodes: names, globs, role:, site:, label:, !TERM.")
@click.option("-p", "--problems", is_flag=True, help="Only what is wrong; nothing at all when nothing is.")
@documents
@pass_cli
def doctor(cli: Cli, /, limit: str | None, problems: bool, fmt: str) -> ExitCode:
    """Find what keeps hactl from seeing a node, and say what to do.

    For each node, all at the same time: is it reached, is its host key trusted, does the login work, is each sudo rule
    there that hactl needs, are tools there and new enough, can admin sockets and databases be used, is the clock
    right, and is every question answered that hactl asks when it watches. Nothing is changed.

    Lines are OK, WARN, FAIL or SKIP; what to do follows each that is not OK. Exit 1 when something is FAIL, else 0.
    """
    inventory = cli.load()
    checks = _examined(inventory, limit)
    shown = [check for check in checks if not problems or check.outcome.value in {"warn", "fail"}]
    if fmt == "table":
        click.echo("\n".join(_report(inventory, shown, checks)))
    else:
        _emit(inventory, shown, checks, fmt)
    return ExitCode.NEGATIVE if any(check.outcome.value == "fail" for check in checks) else ExitCode.OK


def _examined(inventory: Inventory, limit: str | None) -> tuple[Check, ...]:
    if limit is not None:
        from hactl.model.limit import parse_limit

        parse_limit(limit, inventory)  # a wrong one is found before anything heavy is loaded
    from hactl.cli import live
    from hactl.control import Control
    from hactl.control.doctor import examine

    async def work(control: Control) -> tuple[Check, ...]:
        progress = live.Progress("nodes examined")
        try:
            return await examine(control, progress.count)
        finally:
            progress.clear()

    return live.with_control(inventory, work, limit=limit)


def _report(inventory: Inventory, shown: Sequence[Check], checks: Sequence[Check]) -> Iterator[str]:
    from hactl.cli import draw

    columns = draw.width()
    for name, group in groupby(shown, key=lambda check: check.node):
        yield click.style(f"{name}  {inventory.nodes[name].address}", bold=True)
        for check in group:
            yield from _lines(check, columns)
        yield ""
    counts = ", ".join(f"{count} {word}" for word, count in _counts(checks).items() if count)
    yield f"{len({check.node for check in checks})} nodes: {counts}"


def _lines(check: Check, columns: int) -> Iterator[str]:
    """The check, and what to do on lines of its own: a remedy is often to be copied."""
    from hactl.cli import draw
    from hactl.model.findings import Level

    level = {"ok": Level.OK, "warn": Level.WARN, "fail": Level.CRIT, "skip": Level.UNKNOWN}[check.outcome.value]
    word = check.outcome.name
    first, *rest = draw.wrapped(check.sentence, columns, first=f"  {word:<4}  {check.about:<8}  ", rest=" " * 18)
    yield first.replace(word, draw.paint(word, level), 1)
    yield from rest
    if check.remedy and check.outcome.value != "ok":
        yield from draw.wrapped(check.remedy, columns, first=" " * 18 + "> ", rest=" " * 20)


def _emit(inventory: Inventory, shown: Sequence[Check], checks: Sequence[Check], fmt: str) -> None:
    from hactl.cli.output import emit

    rows: list[Mapping[str, Document]] = [
        {
            "node": check.node,
            "about": check.about,
            "outcome": check.outcome.value,
            "sentence": check.sentence,
            "remedy": check.remedy,
        }
        for check in shown
    ]
    if fmt == "jsonl":
        emit(rows, fmt)
    else:
        emit({"schema": SCHEMA, "cluster": inventory.name, "counts": _counts(checks), "checks": rows}, fmt)


def _counts(checks: Sequence[Check]) -> dict[str, int]:
    return {word: sum(check.outcome.value == word for check in checks) for word in ("ok", "warn", "fail", "skip")}
