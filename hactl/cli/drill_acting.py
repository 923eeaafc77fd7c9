"""`hactl drill run` and `hactl drill clean`: the commands of drills that act."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.inventory import Inventory, PgbackrestService
    from hactl.model.parameters import Value
    from hactl.model.stores import BackupTool

_SERVICE = click.option("--service", metavar="NAME", help="Which backups. [default: the first]")
_ON = click.option("--on", metavar="NODE", help="Where. [default: the drill_node of the inventory]")


@click.command(
    epilog=examples(
        "hactl drill run --plan",
        "hactl drill run --yes                    the newest backup and all WAL since",
        "hactl drill run --time '2026-11-21 14:30:05' --query 'SELECT now()'",
        "hactl drill run --time '2026-11-21 14:30:05' --database shop --table orders",
        "hactl drill run --backup 20261121-020000F --yes -o json | jq .outcome",
        "hactl drill run --service uploads        files, compared one by one",
    )
)
@click.option("--latest", is_flag=True, help="As far as the archive goes. [default]")
@click.option("--time", default="", metavar="TIME", help="To this moment, in UTC or with its zone.")
@click.option("--backup", default="", metavar="SET", help="Only this backup, by its label.")
@click.option("--repository", type=click.IntRange(1, 256), metavar="N", help="Which repository. [default: the first]")
@click.option("--query", default="", metavar="SQL", help="Ask the copy this, and keep the answer.")
@click.option("--database", default="postgres", show_default=True, metavar="NAME", help="Of --query and --table.")
@click.option(
    "--table",
    default="",
    metavar="NAME",
    help="Keep this table of the copy as SQL on the node; SCHEMA.TABLE, or TABLE.",
)
@_SERVICE
@_ON
@acting
@pass_cli
@click.pass_context
def run(
    ctx: click.Context,
    cli: Cli,
    /,
    *,
    latest: bool,
    time: str,
    backup: str,
    repository: int | None,
    query: str,
    database: str,
    table: str,
    service: str | None,
    on: str | None,
    **options: object,
) -> ExitCode:
    """Restore a backup into scratch space, start it where nobody can reach it, check it, and take all of it away.

    Nothing of the database that runs is touched. The verdict is kept in the history of drills; a drill that has failed
    ends with exit 3, one that passed in part with 0.

    Of files that restic keeps, a snapshot is restored on each of their nodes, compared with the live files, and taken
    away; --backup names one by its id, --on a node.
    """
    if latest and (time or backup):
        raise click.UsageError("--latest goes as far as the archive does; leave --time and --backup away.")
    inventory = cli.load()
    if (tool := _of_files(inventory, service)) is not None:
        if time or query or table or repository is not None:
            raise click.UsageError(
                "Files have no --time, --query, --table or --repository: each node has its snapshots."
            )
        files: dict[str, Value] = {"service": service or "", "snapshot": backup or "latest"}
        return act(ctx, cli, Acting.taken(options), tool.drill, files, limit=on, inventory=inventory)
    given = _given(_backups(inventory, service), on)
    given |= {"time": time, "backup": backup, "query": query, "database": database, "table": table}
    given |= {} if repository is None else {"repository": repository}
    return act(ctx, cli, Acting.taken(options), "restore-drill", given, inventory=inventory)


@click.command(epilog=examples("hactl drill clean --plan", "hactl drill clean --service uploads --yes"))
@_SERVICE
@_ON
@acting
@pass_cli
@click.pass_context
def clean(ctx: click.Context, cli: Cli, /, *, service: str | None, on: str | None, **options: object) -> ExitCode:
    """Remove what drills that were cut off for good have left: their server, their scratch space.

    `hactl status` tells of which service there is some.

    Only what says that hactl made it for this cluster and these backups. A drill that can be resumed is better resumed:
    `hactl runs resume`.
    """
    inventory = cli.load()
    if (tool := _of_files(inventory, service)) is not None:
        files: dict[str, Value] = {"service": service or ""}
        return act(ctx, cli, Acting.taken(options), tool.clean, files, limit=on, inventory=inventory)
    given = _given(_backups(inventory, service), on)
    return act(ctx, cli, Acting.taken(options), "drill-clean", given, inventory=inventory)


def _of_files(inventory: Inventory, name: str | None) -> BackupTool | None:
    """Their tool, where `name` is a service that keeps files."""
    from hactl.model.inventory import ServiceKind
    from hactl.model.stores import TOOLS

    found = inventory.services.get(name or "")
    return TOOLS[ServiceKind.RESTIC] if found is not None and found.kind is ServiceKind.RESTIC else None


def _backups(inventory: Inventory, name: str | None) -> PgbackrestService:
    """Those that are meant: the named ones, or the first that the inventory lets anybody restore. Raises InputError."""
    from hactl.cli.backup import services
    from hactl.model.errors import InputError

    found = services(inventory, name)
    able = [one for one in found if one.drill_user is not None]
    if not able:
        raise InputError(
            f"The inventory lets nobody restore {' or '.join(one.name for one in found)}.",
            remedy="Name a drill_user: see docs/inventory.md.",
        )
    return able[0]


def _given(service: PgbackrestService, on: str | None) -> dict[str, Value]:
    return {"service": service.name} if on is None else {"service": service.name, "on": on}
