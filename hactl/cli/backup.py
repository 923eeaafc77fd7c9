"""`hactl backup`: what the repositories hold and since when; a backup taken now, a repository read as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.params import document
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.backups import Repository
    from hactl.model.inventory import Inventory, PgbackrestService
    from hactl.model.parameters import Value
    from hactl.model.picture import Picture

_ONLY = click.option("--service", metavar="NAME", help="Only these backups. [default: all]")
_SERVICE = click.option("--service", metavar="NAME", help="Which backups. [default: the only ones]")
_REPOSITORY = click.option(
    "--repository", type=click.IntRange(1, 256), metavar="N", help="Which repository. [default: the first]"
)


@click.group(epilog=examples("hactl backup list", "hactl backup info", "hactl backup run --type full"))
def backup() -> None:
    """Backups of the databases: what there is, and taking one."""


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

    Exit 0 when every repository could be asked and holds a backup that can be restored, else 1.
    """
    from hactl.view.backups import backup_rows, nothing_lines

    picture, found = _asked(cli, service)
    if fmt != "table":
        return _emit(picture, found, fmt)
    from hactl.cli import draw
    from hactl.cli.telling import tell

    shown = backup_rows(found)
    for line in draw.table(shown, draw.width(), indent=0) if shown.rows else ():
        click.echo(line)
    tell(nothing_lines(found), err=True)
    return _exit(found)


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
    """Show each repository: its state, what can be restored, how far the archive is, what the policy wants.

    Exit 0 when every repository could be asked and holds a backup that can be restored, else 1.
    """
    from hactl.view.backups import repository_lines
    from hactl.view.findings import about_lines

    picture, found = _asked(cli, service)
    if fmt != "table":
        return _emit(picture, found, fmt)
    from hactl.cli import draw
    from hactl.cli.telling import drawn

    for number, one in enumerate(found):
        if number:
            click.echo()
        for line in drawn(repository_lines(picture, one), draw.width()):
            click.echo(line)
    if wrong := about_lines(picture, {one.service.name for one in found}):
        click.echo()
        for line in drawn(wrong, draw.width()):
            click.echo(line)
    return _exit(found)


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

    pgBackRest takes it on the repository's node and waits for the WAL that belongs to it. It is known by the run that
    took it, so that nothing is taken twice, whatever becomes of hactl meanwhile.
    """
    inventory = cli.load()
    given = {**_given(inventory, service, repository), "kind": kind}
    return act(ctx, cli, Acting.taken(options), "backup", given, inventory=inventory)


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
    given = _given(inventory, service, repository)
    return act(ctx, cli, Acting.taken(options), "backup-verify", given, inventory=inventory)


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


def _given(inventory: Inventory, service: str | None, repository: int | None) -> dict[str, Value]:
    """What was said, checked against the inventory. Raises InputError, click.UsageError."""
    found = services(inventory, service)
    given: dict[str, Value] = {} if service is None else {"service": service}
    if repository is not None:
        if not any(repository in one.repositories for one in found):
            raise click.UsageError(f"There is no repository {repository} of {' or '.join(one.name for one in found)}.")
        given["repository"] = repository
    return given


def _asked(cli: Cli, service: str | None) -> tuple[Picture, tuple[Repository, ...]]:
    """A picture of the repositories' hosts and of the databases that they keep."""
    from hactl.cli import live
    from hactl.model.backups import repositories

    inventory = cli.load()
    found = services(inventory, service)
    nodes = {node for one in found for node in (one.repository_host, *inventory.services[one.database].nodes)}
    picture = live.snapshot(inventory, timeout=None, limit=",".join(sorted(nodes)))
    return picture, tuple(one for each in found for one in repositories(each, picture))


def _emit(picture: Picture, found: tuple[Repository, ...], fmt: str) -> ExitCode:
    from hactl.cli.output import emit
    from hactl.view.backups_document import backups_document

    emit(backups_document(picture, found), fmt)
    return _exit(found)


def _exit(found: tuple[Repository, ...]) -> ExitCode:
    return ExitCode.OK if all(one.known is not None and one.known.good for one in found) else ExitCode.NEGATIVE
