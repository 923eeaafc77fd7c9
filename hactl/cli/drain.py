"""`hactl drain` and `hactl undrain`: take nodes out of their balancer pools, and bring them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.inventory import Inventory
    from hactl.model.parameters import Value


@click.command(
    epilog=examples(
        "hactl drain app1                                ask, then do it",
        "hactl drain app1 --plan                         only show what would be done",
        "hactl drain app1 app2 --reason 'new disks'      two, one after the other",
        "hactl drain app1 --timeout 10m --on-timeout wait",
        "hactl drain app1 --yes -o json | jq .outcome    in a script",
    )
)
@click.argument("nodes", nargs=-1, required=True, metavar="NODE...")
@click.option("--timeout", metavar="TIME", help="How long sessions may take to end: 60s, 15m. [default: 60s]")
@click.option(
    "--on-timeout",
    type=click.Choice(["wait", "abort", "shut"]),
    help="Sessions that do not end: go on waiting, put everything back, or shut them. [default: abort]",
)
@click.option("--maint", is_flag=True, help="Afterwards into maintenance: no health checks either.")
@click.option("--pool", metavar="POOL", help="Only out of this pool. [default: all that the node is in]")
@acting
@pass_cli
@click.pass_context
def drain(
    ctx: click.Context,
    cli: Cli,
    /,
    *,
    nodes: tuple[str, ...],
    timeout: str | None,
    on_timeout: str | None,
    maint: bool,
    pool: str | None,
    **options: object,
) -> ExitCode:
    """Take NODEs out of their balancer pools without cutting off anybody.

    On every balancer, in every pool that the node is in: no new sessions, then wait until those that are left have
    ended. What cannot be completed is put back as it was. A node that is drained already is left alone.
    """
    inventory = cli.load()
    given: dict[str, Value | None] = {"timeout": timeout, "on_timeout": on_timeout, "pool": pool}
    parameters: dict[str, Value] = {name: value for name, value in given.items() if value is not None}
    if maint:
        parameters["maint"] = True
    limit = chosen(nodes, inventory)
    return act(ctx, cli, Acting.taken(options), "drain", parameters, limit=limit, inventory=inventory)


@click.command(
    epilog=examples(
        "hactl undrain app1              bring it back",
        "hactl undrain app1 app2 --yes   in a script",
    )
)
@click.argument("nodes", nargs=-1, required=True, metavar="NODE...")
@click.option("--pool", metavar="POOL", help="Only into this pool. [default: all that the node is in]")
@acting
@pass_cli
@click.pass_context
def undrain(
    ctx: click.Context, cli: Cli, /, *, nodes: tuple[str, ...], pool: str | None, **options: object
) -> ExitCode:
    """Bring drained NODEs back into their balancer pools.

    The service is verified on the node itself first; then every balancer is told, and has to call the server up after
    a check of its own. A node that is in its pools already is left alone.
    """
    inventory = cli.load()
    parameters: dict[str, Value] = {} if pool is None else {"pool": pool}
    limit = chosen(nodes, inventory)
    return act(ctx, cli, Acting.taken(options), "undrain", parameters, limit=limit, inventory=inventory)


def chosen(nodes: Sequence[str], inventory: Inventory) -> str:
    """The nodes as a limit expression. Raises click.UsageError for a name that the inventory does not have."""
    from hactl.model.suggest import did_you_mean, quoted

    wrong = [name for name in nodes if name not in inventory.nodes]
    if wrong:
        said = (f"There is no node {quoted(name)}{did_you_mean(name, inventory.nodes) or '.'}" for name in wrong)
        raise click.UsageError(" ".join(said))
    return ",".join(dict.fromkeys(nodes))
