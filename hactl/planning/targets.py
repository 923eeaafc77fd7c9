"""Which nodes a playbook acts on, in which order, how many at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hactl.model.errors import InputError
from hactl.model.inventory import Inventory, Standing
from hactl.model.limit import parse_limit
from hactl.model.parameters import ParameterKind, Value
from hactl.model.picture import Picture
from hactl.model.playbook import Order, Targets
from hactl.model.suggest import did_you_mean, quoted
from hactl.planning.resolve import number, resolved, setting
from hactl.planning.world import World

SPARE = "a spare: nothing depends on it; name it to act on it"


@dataclass(frozen=True, slots=True)
class Chosen:
    """`untouched`: nodes that were meant and are left alone, and why. `pause`: seconds between batches."""

    nodes: tuple[str, ...]
    untouched: Mapping[str, str]
    batches: tuple[tuple[str, ...], ...]
    pause: float
    canary: int = 0
    amount: str = "1"  # of a batch


def chosen(targets: Targets, known: Mapping[str, Value], limit: str | None, world: World) -> Chosen:
    """The targets of one run. `known` is what references stand for. Raises InputError when none is meant."""
    nodes, expressions = meant(targets, known, limit, world.inventory)
    unnamed = (name for name in nodes if not _named(name, expressions))
    others = {name: why for name in unnamed if (why := _left(name, targets, world.inventory))}
    nodes = _ordered(tuple(name for name in nodes if name not in others), targets.order, world.picture)
    canary = int(number("targets: canary", ParameterKind.INTEGER, targets.canary, known))
    amount = str(setting("targets: batch", ParameterKind.AMOUNT, targets.batch, known))
    pause = number("targets: pause", ParameterKind.DURATION, targets.pause, known)
    return Chosen(nodes, others, batches(nodes, canary, amount), pause, canary, amount)


def meant(
    targets: Targets, known: Mapping[str, Value], limit: str | None, inventory: Inventory
) -> tuple[tuple[str, ...], list[str]]:
    """The nodes of the service, of the site and of every limit, before anything is known of them; and those limits."""
    if targets.named and limit is None:
        raise InputError("Which nodes are meant?", remedy="Name them, or say --limit EXPR.")
    expressions = [str(resolved(targets.limit, known) or "all"), *filter(None, [limit])]
    nodes = [name for name in inventory.nodes if all(name in parse_limit(text, inventory) for text in expressions)]
    service = str(resolved(targets.service, known)) if targets.service is not None else ""
    if service:
        nodes = [name for name in nodes if name in _nodes_of(service, inventory)]
    site = str(resolved(targets.site, known)) if targets.site is not None else ""
    if site:
        nodes = [name for name in nodes if inventory.nodes[name].site == site]
    if not nodes:
        raise InputError(_nobody(service, site, expressions))
    return tuple(nodes), expressions


def narrowed(chosen: Chosen, idle: Mapping[str, str]) -> Chosen:
    """Without those that need nothing, batches made anew: the first node that is acted on is the canary."""
    nodes = tuple(node for node in chosen.nodes if node not in idle)
    left = batches(nodes, chosen.canary, chosen.amount, of=len(chosen.nodes))
    return replace(chosen, nodes=nodes, untouched={**chosen.untouched, **idle}, batches=left)


def batches(nodes: tuple[str, ...], canary: int, amount: str, of: int | None = None) -> tuple[tuple[str, ...], ...]:
    """Canaries one by one, then the rest. A share is one of all targets (`of` so many, where some of them need
    nothing), rounded down, and at least one node.
    """
    percent = amount.endswith("%")
    everybody = len(nodes) if of is None else of
    count = everybody * int(amount.rstrip("%")) // 100 if percent else int(amount)
    size = max(1, count)
    first, rest = nodes[:canary], nodes[canary:]
    return (*((node,) for node in first), *(rest[at : at + size] for at in range(0, len(rest), size)))


def _nodes_of(service: str, inventory: Inventory) -> tuple[str, ...]:
    if service not in inventory.services:
        hint = did_you_mean(service, inventory.services)
        raise InputError(f"There is no service {quoted(service)}{hint or '.'}")
    return inventory.services[service].nodes


def _nobody(service: str, site: str, expressions: list[str]) -> str:
    where = " and ".join(quoted(text) for text in expressions if text != "all")
    whose = (f" of {service}" if service else "") + (f" in {site}" if site else "")
    return f"No node{whose} is meant by {where}." if where else f"There is no node{whose}."


def _left(name: str, targets: Targets, inventory: Inventory) -> str:
    """Why the node is left alone as long as nobody names it; "" when it is not."""
    if inventory.nodes[name].standing is Standing.SPARE:
        return SPARE
    kept = [service.name for service in inventory.services_on(name) if service.kind in targets.reserved]
    return f"it provides {' and '.join(kept)}; name it to act on it" if kept else ""


def _named(name: str, expressions: list[str]) -> bool:
    """Somebody who writes a node's own name means it."""
    return any(name in re.split(r"[,\s]+", text) for text in expressions)


def _ordered(nodes: tuple[str, ...], order: Order, picture: Picture) -> tuple[str, ...]:
    match order:
        case Order.INVENTORY:
            return nodes
        case Order.REVERSE:
            return nodes[::-1]
        case Order.HOLDER_LAST:
            holders = {node for vip in picture.assessment.vips.values() for node in vip.holders}
            return tuple(sorted(nodes, key=lambda node: node in holders))
