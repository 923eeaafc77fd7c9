"""`hactl site`: what concerns everything that stands in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.inventory import Inventory
    from hactl.model.parameters import Value


@click.group(cls=Group, epilog=examples("hactl site evacuate west --plan", "hactl site return west"))
def site() -> None:
    """Everything that stands in one place: taken away from it, and let back."""


@site.command(
    epilog=examples(
        "hactl site evacuate west --plan          what would move, and what refuses",
        "hactl site evacuate west --reason 'power works on Sunday'",
        "hactl site evacuate west --to db2 --yes -o json | jq .outcome",
    )
)
@click.argument("site")
@click.option("--to", metavar="NODE", help="The new primary. [default: the standby elsewhere that suits best]")
@click.option("--service", metavar="NAME", help="The database whose primary must leave. [default: the only one]")
@acting
@pass_cli
@click.pass_context
def evacuate(
    ctx: click.Context, cli: Cli, /, *, site: str, to: str | None, service: str | None, **options: object
) -> ExitCode:
    """Take what is served away from SITE: the primary, the VIP, the members of pools.

    A primary there is switched over to a standby elsewhere, without losing a row. Then its balancers give their VIPs up
    and take none any more, and its members leave their pools, node by node. What the other sites cannot carry is
    refused, every reason at once. `hactl site return` ends it; `hactl runs undo` puts a run back as far as can be: a
    switchover that is done stays.
    """
    inventory = cli.load()
    given = _given(inventory, site)
    if to is not None or service is not None:
        from hactl.cli.takeover import chosen_servers

        given |= chosen_servers(inventory, service, to=to)
    return act(ctx, cli, Acting.taken(options), "site-evacuate", given, inventory=inventory)


@site.command(
    "return",
    epilog=examples("hactl site return west --plan", "hactl site return west --yes"),
)
@click.argument("site")
@acting
@pass_cli
@click.pass_context
def come_back(ctx: click.Context, cli: Cli, /, *, site: str, **options: object) -> ExitCode:
    """Let SITE serve again: its balancers may take VIPs, its members come back into their pools.

    Each member is verified on its own node first. The primary stays where it is: `hactl switchover` moves it.
    """
    inventory = cli.load()
    return act(ctx, cli, Acting.taken(options), "site-return", _given(inventory, site), inventory=inventory)


def _given(inventory: Inventory, site: str) -> dict[str, Value]:
    """Raises click.UsageError for a site that the inventory does not have."""
    from hactl.model.suggest import did_you_mean, quoted

    if site not in inventory.sites:
        raise click.UsageError(f"There is no site {quoted(site)}{did_you_mean(site, inventory.sites) or '.'}")
    return {"site": site}
