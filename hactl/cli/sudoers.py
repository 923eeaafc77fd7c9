"""`hactl sudoers`: the exact sudo policy that hactl needs on a role's nodes, ready for visudo."""

from __future__ import annotations

from collections.abc import Iterable

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.text import examples


@click.command(
    epilog=examples(
        "hactl sudoers backup > hactl.sudoers && visudo -cf hactl.sudoers",
        "hactl sudoers --node backup1 | ssh root@backup1 \\",
        "    'umask 337 && cat >/etc/sudoers.d/hactl && visudo -c'",
    )
)
@click.argument("role", required=False)
@click.option("--node", metavar="NAME", help="What this one node needs, all its roles together.")
@click.option(
    "--user", default="hactl", show_default=True, metavar="NAME", help="Who logs in where the inventory names nobody."
)
@pass_cli
def sudoers(cli: Cli, /, role: str | None, node: str | None, user: str) -> None:
    """Print the least sudo policy for the nodes of ROLE.

    It allows the login user exactly the commands that hactl runs there through sudo for what the inventory names: full
    paths, full arguments, no wildcards. `hactl doctor` tells which of these rules a node lacks.
    """
    if (role is None) is (node is None):
        raise click.UsageError("Name either a ROLE or a --node.")
    inventory = cli.load()
    from hactl.drivers import sudoers as drivers

    if node is not None:
        _require("node", node, inventory.nodes)
        click.echo(drivers.policy_of(inventory, inventory.nodes[node], user=user), nl=False)
    elif role is not None:
        _require("role", role, inventory.roles)
        click.echo(drivers.policy(inventory, role, user=user), nl=False)


def _require(kind: str, name: str, known: Iterable[str]) -> None:
    from hactl.model.suggest import did_you_mean, quoted

    if name not in known:
        raise click.UsageError(f"There is no {kind} {quoted(name)}{did_you_mean(name, known) or '.'}")
