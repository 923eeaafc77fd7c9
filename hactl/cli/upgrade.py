"""`hactl upgrade`: a service to another version, node by node and without a failed request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.model.inventory import Inventory, Service
    from hactl.model.parameters import Value


@click.command(
    epilog=examples(
        "hactl upgrade --plan                         what an upgrade would do",
        "hactl upgrade --to 1.1.0                     the only service with a package",
        "hactl upgrade --service shop --canary 1 --batch 50% --pause 30s",
        "hactl upgrade --service balancer             HAProxy, the VIP's holder last",
        "hactl upgrade --os --limit role:app          Debian packages, reboots",
    )
)
@click.option("--service", metavar="NAME", help="What to upgrade. [default: the only service with a package]")
@click.option("--os", "system", is_flag=True, help="The operating system's packages instead of a service's.")
@click.option("--to", "version", metavar="VERSION", help="The version. [default: the newest that nodes are offered]")
@click.option("--refresh", is_flag=True, help="Read the nodes' package lists anew first.")
@click.option("-l", "--limit", metavar="EXPR", help="Only these of the service's nodes: names, globs, site:, !TERM.")
@click.option("--batch", metavar="N|%", help="So many nodes at a time: 2, 25%. [default: 1]")
@click.option("--canary", type=click.IntRange(0), metavar="N", help="So many nodes first, one by one.")
@click.option("--pause", metavar="TIME", help="Between two batches: 30s, 5m.")
@acting
@pass_cli
@click.pass_context
def upgrade(
    ctx: click.Context,
    cli: Cli,
    /,
    *,
    service: str | None,
    system: bool,
    version: str | None,
    refresh: bool,
    limit: str | None,
    batch: str | None,
    canary: int | None,
    pause: str | None,
    **options: object,
) -> ExitCode:
    """Upgrade a service on its nodes, a batch after another, without a failed request.

    Each node is drained on every balancer, upgraded, restarted, checked on the node itself and brought back. A node
    that is sick afterwards gets its old version back, and the rest is not touched (exit 8). Nodes that are at the
    version already are left alone.
    """
    if system and (service or version):
        raise click.UsageError("--os upgrades all packages, so --service and --to mean nothing with it.")
    inventory = cli.load()
    if limit is not None:
        from hactl.model.limit import parse_limit

        parse_limit(limit, inventory)
    playbook = "os-upgrade"
    given: dict[str, Value | None] = {"batch": batch, "canary": canary, "pause": pause}
    if not system:
        subject = _service(service, inventory)
        playbook = _playbook(subject)
        given |= {"service": subject.name, "version": version, "refresh": refresh or None}
    if playbook == "balancer-upgrade" and (batch or canary or pause):
        raise click.UsageError("Balancers are upgraded one by one; --batch, --canary and --pause do not apply.")
    parameters: dict[str, Value] = {name: value for name, value in given.items() if value is not None}
    return act(ctx, cli, Acting.taken(options), playbook, parameters, limit=limit, inventory=inventory)


def _playbook(service: Service) -> str:
    from hactl.model.inventory import ServiceKind

    return "balancer-upgrade" if service.kind is ServiceKind.HAPROXY else "rolling-upgrade"


def _service(name: str | None, inventory: Inventory) -> Service:
    """The service that is meant. Raises click.UsageError when it cannot be told or cannot be upgraded."""
    from hactl.model.inventory import HttpService, ServiceKind
    from hactl.model.suggest import did_you_mean, quoted

    packaged = [one for one in inventory.services.values() if isinstance(one, HttpService) and one.package]
    if name is None:
        if len(packaged) == 1:
            return packaged[0]
        names = ", ".join(service.name for service in packaged)
        raise click.UsageError(
            f"--service is needed, one of {names}." if packaged else "No service of the inventory names its package."
        )
    if name not in inventory.services:
        raise click.UsageError(f"There is no service {quoted(name)}{did_you_mean(name, inventory.services) or '.'}")
    service = inventory.services[name]
    if service not in packaged and service.kind is not ServiceKind.HAPROXY:
        raise click.UsageError(f"Service {name} has no `package` in the inventory, so nobody knows what to install.")
    return service
