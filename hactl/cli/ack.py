"""`hactl ack`: say that somebody knows of a finding and why it may stay for a while; take that back; list it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.params import document
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.control.acks import Acks
    from hactl.model.findings import Finding
    from hactl.model.picture import Picture
    from hactl.view.tables import Table


@click.group(
    cls=Group,
    epilog=examples(
        "hactl ack add disk:db1:/var --until 2d --reason 'new disk on Monday'",
        "hactl ack list",
        "hactl ack remove disk:db1:/var",
    ),
)
def ack() -> None:
    """Findings that somebody knows of. They stay and change no level; they only call nobody any more."""


@ack.command(
    epilog=examples(
        "hactl ack add disk:db1:/var --until 2d --reason 'new disk on Monday'",
        "hactl ack add db3 --until 18:30 --reason 'is being moved'",
        "hactl status -o json | jq -r '.findings[].key'    what there is",
    )
)
@click.argument("finding")
@click.option("--reason", required=True, metavar="TEXT", help="Why it may stay; shown to everybody who looks.")
@click.option(
    "--until",
    default="4h",
    show_default=True,
    metavar="END",
    help='A span ("90m", "4h", "2d") or a moment in UTC ("18:30", "2026-11-22 08:00"); 30 days at most.',
)
@pass_cli
def add(cli: Cli, /, *, finding: str, reason: str, until: str) -> ExitCode:
    """Acknowledge FINDING, by its key or by the node or thing that it is about, if that has only one.

    It is over at its end, when the finding gets worse, and when a dashboard has seen that the finding has gone: one
    that comes again is news.
    """
    from hactl.cli import live
    from hactl.cli.output import say
    from hactl.control.acks import Acks
    from hactl.control.operator import operator
    from hactl.model.until import end_of
    from hactl.view.findings import ack_words

    inventory, now = cli.load(), time.time()
    end = end_of(until, now)
    acks = Acks(inventory.name)
    meant = _meant(live.snapshot(inventory, limit=None, timeout=None), finding)
    made = acks.add(meant, reason=reason, who=operator(), until=end)
    say(f"acknowledged {ack_words(made, now)}")
    return ExitCode.OK


@ack.command(epilog=examples("hactl ack remove disk:db1:/var"))
@click.argument("key")
@pass_cli
def remove(cli: Cli, /, *, key: str) -> ExitCode:
    """Take back the acknowledgement of the finding KEY."""
    from hactl.cli.output import say
    from hactl.control.operator import operator

    removed = _acks(cli).remove(key, operator())
    say(f"no longer acknowledged: {removed.finding.sentence}")
    return ExitCode.OK


@ack.command("list", epilog=examples("hactl ack list", "hactl ack list -o json | jq -r '.acknowledgements[].key'"))
@document
@pass_cli
def list_(cli: Cli, /, *, fmt: str) -> ExitCode:
    """What is acknowledged now, until when, by whom and why. Asks no node."""
    from hactl.cli.output import emit
    from hactl.view.acks import ack_document, ack_rows

    inventory = cli.load()
    acks = _acks(cli).look()
    if fmt != "table":
        emit(ack_document(inventory.name, acks), fmt)
        return ExitCode.OK
    _show(ack_rows(acks, time.time()), "Nothing is acknowledged.")
    return ExitCode.OK


@ack.command(epilog=examples("hactl ack history", "hactl ack history --limit 5"))
@click.option(
    "-n", "--limit", "most", metavar="N", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many."
)
@pass_cli
def history(cli: Cli, /, *, most: int) -> ExitCode:
    """Who acknowledged what and why, and how it ended, newest first: as the journal has it."""
    from hactl.view.acks import note_rows

    _show(note_rows(_acks(cli).history(most), time.time()), "Nothing was ever acknowledged.")
    return ExitCode.OK


def _acks(cli: Cli) -> Acks:
    from hactl.control.acks import Acks

    return Acks(cli.load().name)


def _show(table: Table, nothing: str) -> None:
    from hactl.cli import draw

    for line in draw.table(table, draw.width(), indent=0) if table.rows else [nothing]:
        click.echo(line)


def _meant(picture: Picture, wanted: str) -> Finding:
    """The one finding that is meant. Raises InputError."""
    from hactl.model.errors import InputError
    from hactl.model.suggest import did_you_mean, quoted
    from hactl.view.acks import chosen

    findings = picture.assessment.findings
    found = chosen(findings, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(finding.key for finding in found[:5]) + (", ..." if len(found) > 5 else "")
        raise InputError(f"{quoted(wanted)} has {len(found)} findings: {keys}.", remedy="Name one by its key.")
    hint = did_you_mean(wanted, [finding.key for finding in findings])
    raise InputError(f"There is no finding {quoted(wanted)} now{hint or '.'}", remedy="See `hactl status`.")
