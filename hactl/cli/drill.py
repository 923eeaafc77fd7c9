"""`hactl drill`: backups restored into scratch space, timed and checked; what drills have shown, and one on a timer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hactl.cli import drill_acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.params import document
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.drilled import Drilled, DrilledService
    from hactl.model.drills import DrillRecord
    from hactl.model.inventory import Inventory
    from hactl.model.picture import Picture

_ONLY = click.option("--service", metavar="NAME", help="Only of these backups. [default: all]")


class DrillGroup(Group):
    """Without a command a drill is made: `hactl drill --latest` is `hactl drill run --latest`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _named(args, known=[*self.commands, *self.get_help_option_names(ctx)]))


def _named(args: Sequence[str], known: Sequence[str]) -> list[str]:
    """The same with a command in front."""
    if "--schedule" in args and (not args or args[0] not in known):
        return ["schedule", *(one for one in args if one != "--schedule")]
    typed_a_name = bool(args) and not args[0].startswith("-")
    return list(args) if typed_a_name or (args and args[0] in known) else ["run", *args]


@click.group(
    cls=DrillGroup,
    epilog=examples(
        "hactl drill run --plan        what would be done, with the newest backup",
        "hactl drill list              what drills have shown, and what has changed",
        "hactl drill show last         the newest one: every check, every phase",
        "hactl drill report last -o junit --out drill.xml",
        "hactl drill --schedule        a systemd timer that makes one every week",
    ),
)
@click.option(
    "--schedule", is_flag=True, expose_value=False, help="A timer that makes one: `hactl drill schedule` in short."
)
def drill() -> None:
    """Restore drills: a backup restored, started apart, checked, timed, and cleared away.

    Without a command a drill is made: `hactl drill` is `hactl drill run`. A DRILL is named by the id of its run, by a
    beginning or end of it that no other has, or by `last`.
    """


@drill.command(
    "list",
    epilog=examples("hactl drill list", "hactl drill list -o json | jq '.drills[] | [.run, .verdict, .rto_seconds]'"),
)
@_ONLY
@document
@pass_cli
def list_(cli: Cli, /, *, service: str | None, fmt: str) -> ExitCode:
    """List drills, newest first: verdict, RTO and how it has changed, RPO, size of the database, checks.

    Exit 0 when every history could be read and each of the last drills was good, else 1.
    """
    picture, found = _asked(cli, service)
    if fmt != "table":
        from hactl.cli.output import emit
        from hactl.view.drills_document import drills_document

        emit(drills_document(picture, found), fmt)
        return _exit(found)
    from hactl.cli import draw
    from hactl.cli.telling import tell
    from hactl.view.drills import drill_rows, history_lines

    shown = drill_rows(found)
    for line in draw.table(shown, draw.width(), indent=0) if shown.rows else ():
        click.echo(line)
    for number, one in enumerate(found):
        if number or shown.rows:
            click.echo()
        tell(history_lines(one))
    return _exit(found)


@drill.command(epilog=examples("hactl drill show", "hactl drill show k3f -o json | jq '.drills[0].checks'"))
@click.argument("drill", metavar="[DRILL]", default="last")
@_ONLY
@document
@pass_cli
def show(cli: Cli, /, *, drill: str, service: str | None, fmt: str) -> ExitCode:
    """Show how one DRILL went, the last where none is named: each phase and check, RTO and RPO against their targets.

    One with files is shown node by node.

    Exit 0 when it was good: restored, and nothing that was checked was wrong. Else 1.
    """
    from hactl.model.drilled import before

    picture, found = _asked(cli, service)
    records = _chosen(found, drill)
    good = all(record.good for record in records)
    if fmt != "table":
        from hactl.cli.output import emit
        from hactl.view.drills_document import drills_document

        emit(drills_document(picture, found, records), fmt)
        return ExitCode.OK if good else ExitCode.NEGATIVE
    every = [one for each in found for one in each.records]
    for number, record in enumerate(records):
        if number:
            click.echo()
        _tell(record, before(every, record), picture)
    return ExitCode.OK if good else ExitCode.NEGATIVE


def _tell(record: DrillRecord, past: DrillRecord | None, picture: Picture) -> None:
    from hactl.cli import draw
    from hactl.cli.telling import tell
    from hactl.view.drills import check_rows, record_lines

    tell(record_lines(record, past, picture.state.wall(picture.now)))
    if record.checks:
        click.echo()
        for line in draw.table(check_rows(record), draw.width(), indent=0):
            click.echo(line)


@drill.command(
    epilog=examples(
        "hactl drill report                          writes DRILL.html here",
        "hactl drill report last -o junit --out drill.xml",
        "hactl drill report k3f -o json | jq '.drills[0].phases_seconds'",
    )
)
@click.argument("drill", metavar="[DRILL]", default="last")
@_ONLY
@click.option(
    "-o",
    "--output",
    "--format",
    "fmt",
    type=click.Choice(["html", "json", "junit"]),
    default="html",
    show_default=True,
    help="A page that needs nothing else, the document of `show`, or XML for a build server.",
)
@click.option("--out", metavar="FILE", help="Where to; - is stdout. [default: DRILL.html on a terminal, else stdout]")
@pass_cli
def report(cli: Cli, /, *, drill: str, service: str | None, fmt: str, out: str | None) -> ExitCode:
    """Write what one DRILL has shown as one file: the last, where none is named.

    Verdict, RTO by phase against its target, RPO, every check, and how all of that went from drill to drill.
    """
    from hactl.cli.output import write

    picture, found = _asked(cli, service)
    record, *others = _chosen(found, drill)
    text = _reported(picture, found, [record, *others], fmt)
    write(text, out or (f"{record.run}.html" if sys.stdout.isatty() and fmt == "html" else "-"))
    return ExitCode.OK


@drill.command(
    epilog=examples(
        "hactl drill --schedule          two unit files, to be read",
        'hactl drill schedule --on-calendar "*-*-01 03:00" --out .',
        "systemctl enable --now hactl-drill-lab-backup.timer",
    )
)
@click.option(
    "--on-calendar", default="Sun 03:00", show_default=True, metavar="WHEN", help="See `systemd-analyze calendar WHEN`."
)
@click.option("--service", metavar="NAME", help="Of which backups. [default: the first that drills can be made of]")
@click.option("--user", metavar="NAME", help="Whose keys and journal it uses. [default: who asks]")
@click.option("--out", metavar="FOLDER", help="Write the two files there. [default: print them]")
@pass_cli
def schedule(cli: Cli, /, *, on_calendar: str, service: str | None, user: str | None, out: str | None) -> ExitCode:
    """Print a systemd service and its timer that make a drill of the newest backup, every week or whenever else.

    They are for the machine that hactl is on. What a drill finds stands in its history, whoever made it, so that hactl
    warns on every screen when one has failed or none was made for too long.
    """
    from hactl.cli.output import write
    from hactl.cli.timers import timed
    from hactl.view.drill_units import timer_units

    inventory = cli.load()
    (chosen, *_) = services(inventory, service)
    for name, text in timer_units(timed(inventory, chosen.name, on_calendar, user)).items():
        if out is None:
            click.echo(f"# {name}\n{text}")
        else:
            write(text, str(Path(out, name)))
    return ExitCode.OK


def _reported(picture: Picture, found: Sequence[Drilled], records: Sequence[DrillRecord], fmt: str) -> str:
    """JSON of all of them; a page and XML of the first, which is one that failed where any has."""
    record = records[0]
    match fmt:
        case "json":
            from hactl.cli.output import rendered
            from hactl.view.drills_document import drills_document

            return rendered(drills_document(picture, found, records), "json") + "\n"
        case "junit":
            from hactl.view.drill_junit import junit

            return junit(record)
    from hactl.view.drill_report import drill_page

    return drill_page(record, [one for each in found for one in each.records])


def services(inventory: Inventory, name: str | None = None) -> tuple[DrilledService, ...]:
    """The services whose backups can be restored in drills, or the one called `name`. Raises InputError."""
    from hactl.model.drilled import drill_services
    from hactl.model.errors import InputError
    from hactl.model.suggest import did_you_mean, quoted

    found = {one.name: one for one in drill_services(inventory)}
    if not found:
        raise InputError(
            "The inventory names nowhere to make drills.",
            remedy="It wants drill_node and drill_user of a service of kind pgbackrest, or one of kind restic: see "
            "docs/backups.md.",
        )
    if name is None:
        return tuple(found.values())
    if name not in found:
        raise InputError(f"There are no drills of {quoted(name)}{did_you_mean(name, found) or '.'}")
    return (found[name],)


def _asked(cli: Cli, service: str | None) -> tuple[Picture, tuple[Drilled, ...]]:
    """A picture of the nodes of drills and of the repositories: a service is known where it has a node."""
    from hactl.cli import live
    from hactl.model.drilled import all_drilled, drill_nodes
    from hactl.model.inventory import PgbackrestService

    inventory = cli.load()
    wanted = services(inventory, service)
    nodes = {node for one in wanted for node in drill_nodes(one)}
    nodes |= {one.repository_host for one in wanted if isinstance(one, PgbackrestService)}
    picture = live.snapshot(inventory, timeout=None, limit=",".join(sorted(nodes)))
    return picture, all_drilled(picture, wanted)


def _chosen(found: Sequence[Drilled], name: str) -> tuple[DrillRecord, ...]:
    """One, or one for each node where it was on several. Raises InputError, also where nobody can say which."""
    from hactl.model.assess.base import because
    from hactl.model.drilled import chosen, newest_first
    from hactl.model.errors import InputError
    from hactl.model.observed import Unknown

    records = newest_first(found)
    for one in found if not records else ():
        if isinstance(one.facts, Unknown):
            raise InputError(
                f"Which drills of {one.service.name} there were is not known: {because(one.facts, one.node)}."
            )
    return chosen(name, records)


def _exit(found: Sequence[Drilled]) -> ExitCode:
    good = all(one.known is not None and one.known.last is not None and one.known.last.good for one in found)
    return ExitCode.OK if good else ExitCode.NEGATIVE


drill.add_command(drill_acting.run)
drill.add_command(drill_acting.clean)
