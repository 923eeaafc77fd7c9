"""`hactl db`: how the databases replicate, and what became of their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.params import document
from hactl.cli.text import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hactl.control import Control
    from hactl.model.inventory import Inventory, PostgresqlService
    from hactl.model.picture import Picture
    from hactl.model.replication import Replication

_SERVICE = click.option("--service", metavar="NAME", help="Only this database. [default: all]")
_INTERVAL = 1.0  # seconds between the two answers from which movement is told
_WITHIN = 8.0  # seconds; who has not answered twice by then is shown as it is


@click.group(cls=Group, epilog=examples("hactl db status", "hactl db history", "hactl switchover --plan"))
def db() -> None:
    """The databases: their replication, their roles, who could take over."""


@db.command(
    epilog=examples(
        "hactl db status                          tree, lags, slots, candidates",
        "hactl db status -o json | jq -r '.databases[].primary'",
    )
)
@_SERVICE
@document
@pass_cli
def status(cli: Cli, /, *, service: str | None, fmt: str) -> ExitCode:
    """Show each database's replication: who follows whom, how far behind, and who could take over or why not.

    Every server is asked twice, a second apart, so that it can be told how lags move. What cannot be found out is
    unknown, and a server that does not answer shows as what and when it was last seen. Exit 0 when each database has
    exactly one primary, else 1.
    """
    from hactl.cli import live
    from hactl.model.replication import replication

    inventory = cli.load()
    services = databases(inventory, service)
    nodes = {node for one in services for node in one.nodes}
    picture = live.with_control(
        inventory, lambda control: _twice(control, services), limit=",".join(sorted(nodes)), interval=_INTERVAL
    )
    found = tuple(replication(one, picture) for one in services)
    _show(picture, found, fmt)
    return ExitCode.OK if all(one.primary for one in found) else ExitCode.NEGATIVE


def databases(inventory: Inventory, name: str | None = None) -> tuple[PostgresqlService, ...]:
    """The PostgreSQL services, or the one called `name`. Raises InputError."""
    from hactl.model.errors import InputError
    from hactl.model.inventory import PostgresqlService
    from hactl.model.suggest import did_you_mean, quoted

    found = {one.name: one for one in inventory.services.values() if isinstance(one, PostgresqlService)}
    if not found:
        raise InputError("The inventory has no service of kind postgresql.")
    if name is None:
        return tuple(found.values())
    if name not in found:
        raise InputError(f"There is no database {quoted(name)}{did_you_mean(name, found) or '.'}")
    return (found[name],)


async def _twice(control: Control, services: tuple[PostgresqlService, ...]) -> Picture:
    """A picture in which each server that can be asked has answered twice."""
    import asyncio
    from contextlib import aclosing, suppress

    newest = control.blank()
    with suppress(TimeoutError):
        async with asyncio.timeout(_WITHIN), aclosing(control.watch()) as pictures:
            async for newest in pictures:
                if all(_settled(newest, node, one.name) for one in services for node in one.nodes):
                    break
    return newest


def _settled(picture: Picture, node: str, service: str) -> bool:
    """Whether waiting would tell more."""
    from hactl.model.state import LinkPhase

    state = picture.state.nodes[node]
    reading = state.readings.get(f"postgresql:{service}")
    if reading is not None:
        return reading.failure is not None or reading.before is not None
    return state.link.phase is LinkPhase.DOWN


def _show(picture: Picture, found: tuple[Replication, ...], fmt: str) -> None:
    if fmt != "table":
        from hactl.cli.output import emit
        from hactl.view.replication_document import replication_document

        emit(replication_document(picture, found), fmt)
        return
    for number, one in enumerate(found):
        if number:
            click.echo()
        for line in _lines(picture, one):
            click.echo(line)


def _lines(picture: Picture, found: Replication) -> Iterator[str]:
    from hactl.cli import draw
    from hactl.cli.telling import drawn
    from hactl.view import replication as view

    columns = draw.width()
    yield from drawn([view.summary(found), *view.lost_lines(found)], columns)
    slots = view.slot_rows(found)
    tables = [view.tree_rows(found), *((slots,) if slots.rows else ()), view.candidate_rows(found)]
    for shown in tables:
        yield ""
        yield from draw.table(shown, columns, indent=0)
    yield ""
    yield from drawn([*view.archive_lines(found), *view.finding_lines(picture, found)], columns)


@db.command(
    epilog=examples(
        "hactl db history                         when, by whom, why, at what cost",
        "hactl db history -o json | jq '.changes[] | select(.run == null)'",
    )
)
@_SERVICE
@document
@pass_cli
def history(cli: Cli, /, *, service: str | None, fmt: str) -> ExitCode:
    """Show when which server became the primary: from where, by whom, why, how long nobody wrote, what was lost.

    Runs from this machine are known exactly. A change that nobody made from here is known to have been between two
    looks, or from what the servers themselves remember of their timelines; who did it and why is then not known.
    """
    import time

    from hactl.cli import live
    from hactl.control.roles import role_history

    inventory = cli.load()
    services = databases(inventory, service)
    found = live.with_control(inventory, lambda control: role_history(control, services), limit=None)
    if fmt != "table":
        from hactl.cli.output import emit
        from hactl.view.role_history import history_document

        emit(history_document(inventory.name, found.changes, found.silent), fmt)
        return ExitCode.OK
    from hactl.cli import draw
    from hactl.cli.output import say
    from hactl.view.role_history import history_rows

    if not found.changes:
        click.echo("No change of roles is known.")
    for line in draw.table(history_rows(found.changes, time.time()), draw.width(), indent=0) if found.changes else ():
        click.echo(line)
    for node, reason in found.silent.items():
        say(f"{node} does not tell what it remembers: {reason}.")
    return ExitCode.OK
