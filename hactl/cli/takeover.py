"""`hactl switchover`, `hactl failover`, `hactl rejoin`: the primary's role moved or taken, the old one brought back.

What they do stands in the playbooks of the same names; here arguments become a request, as for every acting command.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.inventory import Inventory
    from hactl.model.parameters import Value

_SPLIT_BRAIN = "split-brain"  # the guard that wants proof that the old primary takes no writes
_SERVICE = click.option("--service", metavar="NAME", help="Which database. [default: the only one]")


@click.command(
    epilog=examples(
        "hactl switchover --plan                  every check and command",
        "hactl switchover                         to the standby that suits best",
        "hactl switchover --to db2 --reason 'kernel update of db1'",
        "hactl switchover --to db1 --yes -o json | jq .outcome    in a script",
    )
)
@click.option("--to", metavar="NODE", help="The new primary. [default: the nearest standby, best in the same site]")
@_SERVICE
@acting
@pass_cli
@click.pass_context
def switchover(ctx: click.Context, cli: Cli, /, *, to: str | None, service: str | None, **options: object) -> ExitCode:
    """Move the primary's role to a standby, without losing a row.

    Everything that speaks against it is found first and said at once. Then writes are held at the balancers, the
    primary is stopped, the standby is proven to have all that was written, and promoted; the old primary comes back as
    a standby of the new one. What fails before the promotion is put back: the old primary serves again (exit 8).
    """
    inventory = cli.load()
    given = chosen_servers(inventory, service, to=to)
    return act(ctx, cli, Acting.taken(options), "switchover", given, inventory=inventory)


@click.command(
    epilog=examples(
        "hactl failover --plan                    who, and what may be lost",
        "hactl failover --reason 'db1 has burnt'",
        "hactl failover --to db3 --yes --confirm lab --reason 'east is cut off'",
        "hactl failover --accept-split-brain-risk --reason 'db1 is unplugged'",
    )
)
@click.option("--to", metavar="NODE", help="Who takes over. [default: who has most of what the old primary wrote]")
@_SERVICE
@click.option(
    "--accept-split-brain-risk",
    "risky",
    is_flag=True,
    help="Promote though nothing proves that the old primary takes no writes; wants --reason.",
)
@acting
@pass_cli
@click.pass_context
def failover(
    ctx: click.Context, cli: Cli, /, *, to: str | None, service: str | None, risky: bool, **options: object
) -> ExitCode:
    """Promote a standby because the primary is gone, its site, or the way to it.

    Survivors are ranked by timeline, then by what they have received; the plan says what may be lost. The old primary
    is fenced first: powered off, or stopped and kept from starting, or cut off at every balancer. That it does not
    answer is no proof. What is promoted stays promoted: bring the old primary back with `hactl rejoin`.
    """
    how = Acting.taken(options)
    if risky:
        how = replace(how, overrides=tuple(dict.fromkeys((*how.overrides, _SPLIT_BRAIN))))
    inventory = cli.load()
    return act(ctx, cli, how, "failover", chosen_servers(inventory, service, to=to), inventory=inventory)


@click.command(
    epilog=examples(
        "hactl rejoin db1 --plan",
        "hactl rejoin db1                         by pg_rewind, tried dry first",
        "hactl rejoin db1 --clone                 copied anew, the old one kept",
    )
)
@click.argument("node")
@click.option("--clone", is_flag=True, help="Copy the database anew instead of rewinding it.")
@_SERVICE
@acting
@pass_cli
@click.pass_context
def rejoin(
    ctx: click.Context, cli: Cli, /, *, node: str, clone: bool, service: str | None, **options: object
) -> ExitCode:
    """Make NODE, an old primary or a standby that lost its way, a standby of the present primary.

    Its own configuration stays. No data directory is ever deleted: a new copy stands beside it until the copy is
    whole, then the old one is renamed aside.
    """
    inventory = cli.load()
    parameters: dict[str, Value] = {**chosen_servers(inventory, service, server=node)}
    if clone:
        parameters["clone"] = True
    return act(ctx, cli, Acting.taken(options), "rejoin", parameters, inventory=inventory)


def chosen_servers(inventory: Inventory, service: str | None, **nodes: str | None) -> dict[str, Value]:
    """What was said, checked against the inventory. Raises InputError, click.UsageError."""
    from hactl.cli.db import databases
    from hactl.cli.drain import chosen

    found = databases(inventory, service)
    members = {node for one in found for node in one.nodes}
    given: dict[str, Value] = {} if service is None else {"service": service}
    for name, node in nodes.items():
        if node is None:
            continue
        if chosen([node], inventory) not in members:
            raise click.UsageError(f"{node} is no server of {' or '.join(one.name for one in found)}.")
        given[name] = node
    return given
