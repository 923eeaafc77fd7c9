"""`hactl site`: what concerns everything that stands in one place."""

from __future__ import annotations

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.text import examples


@click.group(epilog=examples("hactl site evacuate east --plan"))
def site() -> None:
    """Everything that stands in one place."""


@site.command(
    epilog=examples(
        "hactl site evacuate east --plan          what would move, and whether the rest can carry it",
        "hactl site evacuate east --reason 'power works on Sunday'",
        "hactl site evacuate east --override site-loss --reason 'power works on Sunday'",
    )
)
@click.argument("site")
@click.option(
    "--service", metavar="NAME", help="The database whose primary has to be elsewhere. [default: the only one]"
)
@acting
@pass_cli
@click.pass_context
def evacuate(ctx: click.Context, cli: Cli, /, *, site: str, service: str | None, **options: object) -> ExitCode:
    """Take what is served away from SITE: the VIP, its pools' members, and the primary.

    The primary is switched over to a standby elsewhere, the VIP moves to a balancer elsewhere, and the site's nodes are
    drained on every balancer. Nothing is stopped but the old primary, which comes back as a standby. A run that
    fails can be undone as a whole: hactl runs undo.
    """
    from hactl.model.suggest import did_you_mean, quoted

    inventory = cli.load()
    if site not in inventory.sites:
        raise click.UsageError(f"There is no site {quoted(site)}{did_you_mean(site, inventory.sites) or '.'}")
    parameters = {"away": f"site:{site}"} if service is None else {"away": f"site:{site}", "service": service}
    return act(ctx, cli, Acting.taken(options), "site-evacuate", parameters, inventory=inventory)
