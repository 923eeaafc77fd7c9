"""`hactl restore`: a whole database out of its repository, on the day on which no server of it is left."""

from __future__ import annotations

from dataclasses import replace

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.backup import services
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.takeover import chosen_servers
from hactl.cli.text import examples

_SPLIT_BRAIN = "split-brain"  # the guard that wants proof that no other server takes writes


@click.command(
    epilog=examples(
        "hactl restore --to db1 --plan            what is lost, and every command",
        "hactl restore --to db1 --reason 'both sites are gone'",
        "hactl restore --to db1 --service offsite",
        "hactl restore --to db1 --time '2026-11-21 14:30:05'",
        "hactl restore --to db1 --yes --confirm lab --reason 'east has burnt'",
    )
)
@click.option("--to", required=True, metavar="NODE", help="The database node that gets it and becomes the primary.")
@click.option("--service", metavar="NAME", help="From which backups. [default: the first]")
@click.option("--repository", type=click.IntRange(1, 256), metavar="N", help="Which repository. [default: the first]")
@click.option("--time", default="", metavar="TIME", help="To this moment, in UTC or with its zone.")
@click.option("--backup", default="", metavar="SET", help="Only this backup, by its label; see `hactl backup list`.")
@click.option(
    "--accept-split-brain-risk",
    "risky",
    is_flag=True,
    help="Restore though nothing proves that the others take no writes; wants --reason.",
)
@acting
@pass_cli
@click.pass_context
def restore(
    ctx: click.Context,
    cli: Cli,
    /,
    *,
    to: str,
    service: str | None,
    repository: int | None,
    time: str,
    backup: str,
    risky: bool,
    **options: object,
) -> ExitCode:
    """Restore the whole database from a repository on a node, which becomes the primary.

    For the day on which no server of the database is left: while any answers, it is refused. The others are fenced
    first, as before a failover. What the node has is put aside and kept. What the repository lacks is lost; the plan
    says how much that may be. Afterwards bring the others back: `hactl rejoin NODE --clone`.
    """
    how = Acting.taken(options)
    if risky:
        how = replace(how, overrides=tuple(dict.fromkeys((*how.overrides, _SPLIT_BRAIN))))
    inventory = cli.load()
    found = services(inventory, service)
    having = [one for one in found if repository is None or repository in one.repositories]
    if not having:
        raise click.UsageError(f"There is no repository {repository} of {' or '.join(one.name for one in found)}.")
    given = chosen_servers(inventory, having[0].database, to=to)
    given |= {"backups": having[0].name, "time": time, "backup": backup}
    given |= {} if repository is None else {"repository": repository}
    return act(ctx, cli, how, "restore", given, inventory=inventory)
