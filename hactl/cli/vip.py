"""`hactl vip`: who has the addresses that keepalived moves; moving them, and keeping a balancer from taking them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hactl.cli.acting import Acting, act, acting
from hactl.cli.context import Cli, pass_cli
from hactl.cli.exit_codes import ExitCode
from hactl.cli.group import Group
from hactl.cli.params import document
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.control import Control
    from hactl.model.inventory import Inventory, Vip
    from hactl.model.parameters import Value
    from hactl.model.vips import Holding

_VIP = click.option("--vip", metavar="NAME", help="Which address. [default: the only one]")


@click.group(cls=Group, epilog=examples("hactl vip status", "hactl vip move --to lb2", "hactl vip release lb1"))
def vip() -> None:
    """The addresses that keepalived moves between balancers."""


@vip.command(epilog=examples("hactl vip status", "hactl vip status -o json | jq -r '.vips[].holders[]'"))
@document
@pass_cli
def status(cli: Cli, /, *, fmt: str) -> ExitCode:
    """Show who has each address, as every balancer's own `ip addr` says, and who is kept from taking it.

    Exit 0 when each address is on exactly one balancer and every balancer could be asked, else 1.
    """
    from hactl.cli import live

    inventory = cli.load()
    _require(inventory)
    found = live.with_control(inventory, lambda control: _asked(control, inventory), limit=None)
    if fmt != "table":
        from hactl.cli.output import emit
        from hactl.view.vips import vips_document

        emit(vips_document(inventory.name, found), fmt)
    else:
        from hactl.cli import draw
        from hactl.view.vips import vip_holding_rows

        for line in draw.table(vip_holding_rows(found), draw.width(), indent=0):
            click.echo(line)
    return ExitCode.OK if all(one.right for one in found) else ExitCode.NEGATIVE


async def _asked(control: Control, inventory: Inventory) -> tuple[Holding, ...]:
    from hactl.control.vips import holdings

    return await holdings(control, inventory)


@vip.command(
    epilog=examples(
        "hactl vip move --plan",
        "hactl vip move                           to whoever takes it",
        "hactl vip move --to lb2 --yes -o json | jq .outcome",
    )
)
@click.option("--to", metavar="NODE", help="Who has to have it then. [default: whoever takes it]")
@_VIP
@acting
@pass_cli
@click.pass_context
def move(ctx: click.Context, cli: Cli, /, *, to: str | None, vip: str | None, **options: object) -> ExitCode:
    """Move the address to another balancer.

    Its holder gives it up through its track_file until another one has it alone, read back on every balancer. With
    `nopreempt` it then stays; a keepalived that preempts would take it back at once, and that is said and undone.
    Requests go to the public endpoints all the while: the end tells how long clients got no answer.
    """
    inventory = cli.load()
    given = _given(inventory, vip, to=to)
    return act(ctx, cli, Acting.taken(options), "vip-move", given, inventory=inventory)


@vip.command(
    epilog=examples(
        "hactl vip release                        the holder gives it up, till --end",
        "hactl vip release lb1 --reason 'new network card'",
        "hactl vip release lb1 --end              it may take addresses again",
    )
)
@click.argument("node", required=False)
@click.option("--end", is_flag=True, help="End it: NODE may take addresses again.")
@_VIP
@acting
@pass_cli
@click.pass_context
def release(
    ctx: click.Context, cli: Cli, /, *, node: str | None, end: bool, vip: str | None, **options: object
) -> ExitCode:
    """Let NODE give its address up and keep it from taking one, until --end.

    Without NODE it is the holder. The hold is in the node's track_file: it outlives keepalived and the node's reboot.
    """
    inventory = cli.load()
    given = _given(inventory, vip, holder=node)
    if end and node is None:
        raise click.UsageError("--end wants the NODE that may take addresses again.")
    return act(ctx, cli, Acting.taken(options), "vip-return" if end else "vip-release", given, inventory=inventory)


def _require(inventory: Inventory) -> None:
    """Raises InputError where there is no address at all."""
    from hactl.model.errors import InputError

    if not inventory.vips:
        raise InputError("The inventory has no VIP.", remedy="[[vips]] names them: see docs/inventory.md.")


def _given(inventory: Inventory, name: str | None, **nodes: str | None) -> dict[str, Value]:
    """What was said, checked against the inventory. Raises InputError, click.UsageError."""
    from hactl.cli.drain import chosen

    _require(inventory)
    candidates = _candidates(inventory, name)
    given: dict[str, Value] = {} if name is None else {"vip": name}
    for key, node in nodes.items():
        if node is None:
            continue
        if chosen([node], inventory) not in candidates:
            raise click.UsageError(f"{node} may hold no such address.")
        given[key] = node
    return given


def _candidates(inventory: Inventory, name: str | None) -> set[str]:
    from hactl.model.suggest import did_you_mean, quoted

    if name is not None and name not in inventory.vips:
        raise click.UsageError(f"There is no VIP {quoted(name)}{did_you_mean(name, inventory.vips) or '.'}")
    vips: tuple[Vip, ...] = tuple(inventory.vips.values()) if name is None else (inventory.vips[name],)
    return {node for one in vips for node in inventory.services[one.service].nodes}
