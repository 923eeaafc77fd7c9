"""`hactl backup`: what the repositories hold and since when; a backup taken now, a repository read as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.params import document
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.backups import Repository
    from hactl.model.inventory import Inventory, PgbackrestService, Service
    from hactl.model.parameters import Value
    from hactl.model.picture import Picture
    from hactl.model.stores import BackupTool, Files

_ONLY = click.option("--service", metavar="NAME", help="Only these backups. [default: all]")
_SERVICE = click.option("--service", metavar="NAME", help="Which backups. [default: the first ones]")
_REPOSITORY = click.option(
    "--repository", type=click.IntRange(1, 256), metavar="N", help="Which repository. [default: the first]"
)


@click.group(cls=Group, epilog=examples("hactl backup list", "hactl backup info", "hactl backup run --type full"))
def backup() -> None:
    """Backups of the databases and of nodes' files: what there is, and taking one."""


@backup.command(
    "list",
    epilog=examples(
        "hactl backup list",
        "hactl backup list -o json | jq -r '.repositories[].backups[].label'",
    ),
)
@_ONLY
@document
@pass_cli
def list_(cli: Cli, /, *, service: str | None, fmt: str) -> ExitCode:
    """List every backup of every repository, newest first: age, size, what it builds on, which WAL it needs.

    Below it, which repositories hold nothing, cannot be asked, or are nearly full.

    Exit 0 when every repository could be asked and holds a backup that can be restored, else 1.
    """
    from hactl.view.backups import backup_rows, nothing_lines
    from hactl.view.files import missing_lines, snapshot_rows
    from hactl.view.rooms import full_lines
    from hactl.view.tables import Table

    found = _asked(cli, service)
    if fmt != "table":
        return _emit(found, fmt)
    from hactl.cli import draw
    from hactl.cli.telling import tell

    databases, files = backup_rows(found.repositories), snapshot_rows(found.files)
    shown = Table(databases.columns, (*databases.rows, *files.rows))
    for line in draw.table(shown, draw.width(), indent=0) if shown.rows else ():
        click.echo(line)
    missing = [*nothing_lines(found.repositories), *missing_lines(found.files)]
    tell([*missing, *full_lines(found.picture, found.services)], err=True)
    return found.exit


@backup.command(
    epilog=examples(
        "hactl backup info                        status, ages, archive",
        "hactl backup info -o json | jq '.repositories[].newest_wal'",
    )
)
@_ONLY
@document
@pass_cli
def info(cli: Cli, /, *, service: str | None, fmt: str) -> ExitCode:
    """Show each repository: what can be restored, how far the archive is, its room, the policy, the last good drill.

    Exit 0 when every repository could be asked and holds a backup that can be restored, else 1.
    """
    from hactl.view.backups import repository_lines
    from hactl.view.files import files_lines
    from hactl.view.findings import about_lines

    found = _asked(cli, service)
    if fmt != "table":
        return _emit(found, fmt)
    from hactl.cli import draw
    from hactl.cli.telling import drawn

    parts = [repository_lines(found.picture, one) for one in found.repositories]
    parts += [files_lines(found.picture, one) for one in found.files]
    if wrong := about_lines(found.picture, found.services):
        parts.append(wrong)
    for number, lines in enumerate(parts):
        if number:
            click.echo()
        for line in drawn(lines, draw.width()):
            click.echo(line)
    return found.exit


@backup.command(
    epilog=examples(
        "hactl backup run --plan",
        "hactl backup run                         what has changed since the last",
        "hactl backup run --type full --yes -o json | jq .outcome",
    )
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["full", "diff", "incr"]),
    default="incr",
    show_default=True,
    help="All of it; the changes since the last full one; the changes since the last one.",
)
@_REPOSITORY
@_SERVICE
@acting
@pass_cli
@click.pass_context
def run(
    ctx: click.Context,
    cli: Cli,
    /,
    *,
    kind: str,
    repository: int | None,
    service: str | None,
    **options: object,
) -> ExitCode:
    """Take a backup now.

    Of a database pgBackRest takes it on the repository's node and waits for the WAL that belongs to it; of files restic
    does, on each of their nodes. It is known by the run that took it, so that nothing is taken twice, whatever becomes
    of hactl meanwhile.
    """
    inventory = cli.load()
    tool = _tool(inventory, service)
    given = _given(inventory, service, repository, tool)
    if tool.kind == "pgbackrest":
        given["kind"] = kind
    elif ctx.get_parameter_source("kind") is not ParameterSource.DEFAULT:
        raise click.UsageError(f"Backups by {tool.name} are of no --type: each is a whole one.")
    return act(ctx, cli, Acting.taken(options), tool.take, given, inventory=inventory)


@backup.command(epilog=examples("hactl backup verify", "hactl backup verify --repository 2 --yes"))
@_REPOSITORY
@_SERVICE
@acting
@pass_cli
@click.pass_context
def verify(
    ctx: click.Context, cli: Cli, /, *, repository: int | None, service: str | None, **options: object
) -> ExitCode:
    """Read every file of a repository and see that it is there and is what it was.

    A file that is missing or damaged makes the run fail (exit 3) and is named by its backup.
    """
    inventory = cli.load()
    tool = _tool(inventory, service)
    given = _given(inventory, service, repository, tool)
    return act(ctx, cli, Acting.taken(options), tool.verify, given, inventory=inventory)


def services(inventory: Inventory, name: str | None = None) -> tuple[PgbackrestService, ...]:
    """The pgBackRest services, or the one called `name`. Raises InputError."""
    from hactl.model.backups import backup_services
    from hactl.model.errors import InputError
    from hactl.model.suggest import did_you_mean, quoted

    found = {one.name: one for one in backup_services(inventory)}
    if not found:
        raise InputError(
            "The inventory has no service of kind pgbackrest.", remedy="[[services]] names it: see docs/inventory.md."
        )
    if name is None:
        return tuple(found.values())
    if name not in found:
        raise InputError(f"There are no backups {quoted(name)}{did_you_mean(name, found) or '.'}")
    return (found[name],)


def _kept(inventory: Inventory, name: str | None) -> tuple[Service, ...]:
    """The services that keep copies, or the one called `name`. Raises InputError."""
    from hactl.model.errors import InputError
    from hactl.model.stores import kept_services
    from hactl.model.suggest import did_you_mean, quoted

    found = {one.name: one for one in kept_services(inventory)}
    if not found:
        raise InputError(
            "The inventory has no service of kind pgbackrest or restic.",
            remedy="[[services]] names it: see docs/inventory.md.",
        )
    if name is None:
        return tuple(found.values())
    if name not in found:
        raise InputError(f"There are no backups {quoted(name)}{did_you_mean(name, found) or '.'}")
    return (found[name],)


def _tool(inventory: Inventory, name: str | None) -> BackupTool:
    """The tool of the service called `name`; without a name that of databases, where there are such backups."""
    from hactl.model.inventory import ServiceKind
    from hactl.model.stores import TOOLS

    kinds = {one.kind for one in _kept(inventory, name)}
    return TOOLS[ServiceKind.PGBACKREST if ServiceKind.PGBACKREST in kinds else ServiceKind.RESTIC]


def _given(inventory: Inventory, service: str | None, repository: int | None, tool: BackupTool) -> dict[str, Value]:
    """What was said, checked against the inventory. Raises InputError, click.UsageError."""
    given: dict[str, Value] = {} if service is None else {"service": service}
    if repository is None:
        return given
    if tool.kind != "pgbackrest":
        raise click.UsageError(f"Repositories of {tool.name} have no numbers: each node has its own.")
    found = services(inventory, service)
    having = [one for one in found if repository in one.repositories]
    if not having:
        raise click.UsageError(f"There is no repository {repository} of {' or '.join(one.name for one in found)}.")
    if having[0] is not found[0]:
        given["service"] = having[0].name  # the first service is meant where it has one of that number
    return {**given, "repository": repository}


@dataclass(frozen=True, slots=True)
class _Found:
    """What was asked for: the repositories of databases, and those of nodes' files."""

    picture: Picture
    repositories: tuple[Repository, ...]
    files: tuple[Files, ...]
    services: frozenset[str]

    @property
    def exit(self) -> ExitCode:
        from hactl.view.files import restorable

        return ExitCode.OK if restorable(self.picture, self.services) else ExitCode.NEGATIVE


def _asked(cli: Cli, service: str | None) -> _Found:
    """A picture of whoever can tell of the repositories, of the databases that they keep, and of drills with them."""
    from hactl.cli import live
    from hactl.model.backups import repositories
    from hactl.model.inventory import PgbackrestService, ResticService
    from hactl.model.rooms import places
    from hactl.model.stores import files

    inventory = cli.load()
    found = _kept(inventory, service)
    databases = [one for one in found if isinstance(one, PgbackrestService)]
    nodes = {node for one in found if isinstance(one, ResticService) for node in one.nodes}
    nodes |= {node for one in databases for node in (one.repository_host, *inventory.services[one.database].nodes)}
    nodes |= {place.node for one in found for place in places(one, inventory).values()}
    nodes |= {one.drill_node for one in databases if one.drill_node is not None and one.drill_user is not None}
    picture = live.snapshot(inventory, timeout=None, limit=",".join(sorted(nodes)))
    return _Found(
        picture,
        tuple(one for each in databases for one in repositories(each, picture)),
        tuple(one for each in found if isinstance(each, ResticService) for one in files(each, picture)),
        frozenset(one.name for one in found),
    )


def _emit(found: _Found, fmt: str) -> ExitCode:
    from hactl.cli.output import emit
    from hactl.view.backups_document import backups_document

    emit(backups_document(found.picture, found.repositories, found.files), fmt)
    return found.exit
