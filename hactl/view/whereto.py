"""Where something is looked at: the place and the row to which enter leads from a finding or from what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hactl.model.findings import Finding, ScopeKind
from hactl.model.inventory import Inventory, ServiceKind

NODE = "node"  # the page of a node
RUN = "run"  # the page of a run

# The screens that show services of a kind; all others are looked at on their nodes.
_SCREENS = {
    ServiceKind.HAPROXY: "balancers",
    ServiceKind.KEEPALIVED: "balancers",
    ServiceKind.POSTGRESQL: "database",
    ServiceKind.PGBACKREST: "backups",
    ServiceKind.RESTIC: "backups",
}


@dataclass(frozen=True, slots=True)
class Where:
    """`place` is NODE, RUN, or a screen's name; `name` what to look at there. `node` is where to look if there is no
    such screen; "": nowhere.
    """

    place: str
    name: str
    node: str = ""


def row_of(where: Where, keys: Sequence[str]) -> str | None:
    """The key of the row that is about it: by its name, its name and node ("shop/app1"), its node, or the first of the
    rows under its name.
    """
    exact = (where.name, f"{where.name}/{where.node}", where.node)
    found = next((key for key in exact if key and key in keys), None)
    return found or next((key for key in keys if key.startswith(f"{where.name}/")), None)


def of_node(name: str) -> Where:
    return Where(NODE, name, name)


def of_run(run: str) -> Where:
    return Where(RUN, run)


def of_finding(finding: Finding, inventory: Inventory) -> Where:
    """Every finding has a place; what is about the whole cluster or a site, the list of nodes."""
    node, name = finding.node or "", finding.scope.name
    match finding.scope.kind:
        case ScopeKind.POOL:
            return Where("balancers", name, node or next(iter(_balancers(inventory, name)), ""))
        case ScopeKind.VIP if name in inventory.vips:
            return Where("balancers", name, node or inventory.services[inventory.vips[name].service].nodes[0])
        case ScopeKind.SERVICE if name in inventory.services:
            return _of_finding_about(inventory, name, node)
        case _:
            return of_node(node) if node else Where("nodes", name)


def of_service(inventory: Inventory, name: str, worst: str = "") -> Where:
    """The screen of its kind; a pooled service's pool; else one of its nodes, `worst` where it is given."""
    service = inventory.services[name]
    node = worst or next(iter(service.nodes), "")
    if (screen := _SCREENS.get(service.kind)) is not None:
        return Where(screen, name, node)
    pool = next((pool.name for pool in inventory.pools.values() if pool.service == name), None)
    if pool is not None:
        return Where("balancers", pool, node)
    return of_node(node) if node else Where("nodes", name)


def _of_finding_about(inventory: Inventory, service: str, node: str) -> Where:
    """A member that is not well is looked at on its node; what concerns a database as a whole, or its copies, there."""
    screen = _SCREENS.get(inventory.services[service].kind)
    if screen in {"database", "backups"}:
        return Where(screen, node or service, node or next(iter(inventory.services[service].nodes), ""))
    return of_node(node) if node else of_service(inventory, service)


def _balancers(inventory: Inventory, pool: str) -> tuple[str, ...]:
    found = inventory.pools.get(pool)
    return inventory.services[found.balancer].nodes if found is not None else ()
