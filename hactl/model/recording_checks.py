"""What a recording that somebody else wrote must not do: move the cursor, outgrow every number, name what is not there.

Everything here raises ValueError with a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from hactl.model.codec import Json, restored
from hactl.model.events import Event
from hactl.model.findings import Assessment, ScopeKind
from hactl.model.inventory import (
    HaproxyService,
    HttpService,
    Inventory,
    KeepalivedService,
    PgbackrestService,
    PostgresqlService,
    ResticService,
    Service,
    UnitService,
)
from hactl.model.plan import Plan
from hactl.model.recording import inventory_for_recording
from hactl.model.text import one_line, safe
from hactl.model.values import known_name

_LARGEST = 2.0**64  # of a whole number: sizes, counters, log positions
_HUGE = 1e18  # of any other
_SEVERAL_LINES = {"body"}  # facts that a service may have written over several lines


def cleaned(value: object, *, lines: bool) -> Json:
    """JSON values with every text made safe, and of one line each unless `lines`."""
    match value:
        case str():
            return safe(value) if lines else _flat(safe(value))
        case dict():
            return {
                _flat(safe(key)): cleaned(item, lines=lines or key in _SEVERAL_LINES) for key, item in value.items()
            }
        case list():
            return [cleaned(item, lines=lines) for item in value]
        case bool() | None:
            return value
        case int() if abs(value) <= _LARGEST:
            return value
        case float() if math.isfinite(value) and abs(value) <= _HUGE:
            return value
    raise ValueError(f"{value!s:.40} is no number that can be")


def _flat(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ") if "\n" in text or "\t" in text else text


# --- the inventory ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Services:
    """Services by name; which kind each is, its `type` tells."""

    services: Mapping[
        str,
        HttpService
        | PostgresqlService
        | PgbackrestService
        | ResticService
        | HaproxyService
        | KeepalivedService
        | UnitService,
    ]


def inventory_from(document: Json) -> Inventory:
    """The inventory of a recording, with everything in it that inventories promise."""
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise ValueError("its inventory is none")  # noqa: TRY004 - whoever reads a file expects one error
    services: Mapping[str, Service] = restored(_Services, {"services": document["services"]}).services
    inventory = replace(restored(Inventory, document | {"services": {}}), services=services)
    _check_names(inventory)
    _check_references(inventory)
    return inventory_for_recording(inventory)  # a file does not decide how anything is reached


def _check_names(inventory: Inventory) -> None:
    known_name(inventory.name)
    for things in (inventory.sites, inventory.nodes, inventory.services, inventory.pools, inventory.vips):
        for name, thing in things.items():
            known_name(name)
            if thing.name != name:
                raise ValueError(f'"{one_line(thing.name, 60)}" stands under the name "{name}"')


def _check_references(inventory: Inventory) -> None:
    nodes, services = inventory.nodes, inventory.services
    _require("its inventory has no nodes", holds=bool(nodes))
    for node in nodes.values():
        _named("site", (node.site,), inventory.sites)
        _require(f"node {node.name} has no role", holds=bool(node.roles))
    for service in services.values():
        _named("node", service.nodes, nodes)
        if isinstance(service, PgbackrestService):
            _named("service", (service.database,), services)
            _named("node", (service.repository_host,), nodes)
            database = isinstance(services[service.database], PostgresqlService)
            _require(f"service {service.database} is no database", holds=database)
    for pool in inventory.pools.values():
        _named("service", (pool.service, pool.balancer), services)
        _named("node", pool.servers, nodes)
        balancer = isinstance(services[pool.balancer], HaproxyService)
        _require(f"service {pool.balancer} is no balancer", holds=balancer)
    _named("service", [vip.service for vip in inventory.vips.values()], services)
    _named("node", [inventory.drill_node] if inventory.drill_node is not None else [], nodes)


def _require(otherwise: str, *, holds: bool) -> None:
    if not holds:
        raise ValueError(otherwise)


def _named(kind: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f'its inventory names no {kind} "{one_line(name, 60)}"')


# --- what refers to it ----------------------------------------------------------------------------------------------


def consistent(assessment: Assessment, inventory: Inventory) -> None:
    """A judgement is of everything that the inventory has, and of nothing else."""
    whole = (
        (assessment.sites, inventory.sites),
        (assessment.services, inventory.services),
        (assessment.pools, inventory.pools),
        (assessment.vips, inventory.vips),
        (assessment.nodes, inventory.nodes),
    )
    if any(judged.keys() != things.keys() for judged, things in whole):
        raise ValueError("what is judged is not what the inventory has")
    known: Mapping[ScopeKind, Collection[str]] = {
        ScopeKind.CLUSTER: (inventory.name,),
        ScopeKind.SITE: inventory.sites,
        ScopeKind.SERVICE: inventory.services,
        ScopeKind.POOL: inventory.pools,
        ScopeKind.VIP: inventory.vips,
        ScopeKind.NODE: inventory.nodes,
    }
    for service in assessment.services.values():
        _named("node", service.members, inventory.nodes)
    for finding in assessment.findings:
        _named(finding.scope.kind.value, (finding.scope.name,), known[finding.scope.kind])
        _named("node", () if finding.node is None else (finding.node,), inventory.nodes)


def one_run_plan(plan: Plan) -> None:
    if any(step.index != place for place, step in enumerate(plan.steps)):
        raise ValueError("the plan's steps are not numbered from 0")


def one_run_event(event: Event) -> None:
    step = getattr(event, "step", None)
    if step is not None and step < 0:
        raise ValueError("a step's number counts from 0")
