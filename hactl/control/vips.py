"""Asking every balancer who has which address: `ip addr` and the track_file, by nobody's hearsay."""

from __future__ import annotations

import asyncio

from hactl.control.control import Control
from hactl.drivers import keepalived
from hactl.model.command import command
from hactl.model.errors import TransportError
from hactl.model.inventory import Inventory, KeepalivedService, Vip
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.vips import Candidate, Holding


async def holdings(control: Control, inventory: Inventory) -> tuple[Holding, ...]:
    """Every VIP of the inventory, all candidates asked at the same time."""
    return tuple(await asyncio.gather(*(_holding(control, inventory, vip) for vip in inventory.vips.values())))


async def _holding(control: Control, inventory: Inventory, vip: Vip) -> Holding:
    service = inventory.services[vip.service]
    path = service.track_file if isinstance(service, KeepalivedService) else None
    answers = await asyncio.gather(*(_asked(control, vip, node, path) for node in service.nodes))
    return Holding(vip, dict(zip(service.nodes, answers, strict=True)))


async def _asked(control: Control, vip: Vip, node: str, path: str | None) -> Maybe[Candidate]:
    try:
        addresses = await control.run_on(node, keepalived.ADDRESSES)
        held = await control.run_on(node, command("cat", "--", path)) if path is not None else None
    except TransportError as error:
        return Unknown(error.message, control.now())
    if not addresses.ok:
        return Unknown(f"{node}: `ip addr` failed: {addresses.stderr.strip()}", control.now())
    said = held.stdout.strip() if held is not None and held.ok else ""
    has = keepalived.has(vip, keepalived.addresses(addresses.stdout))
    return Observed(Candidate(has, "" if said == "0" else said), control.now())
