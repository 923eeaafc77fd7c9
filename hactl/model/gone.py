"""Whether a finding that is not there any more is really over, or only nobody could look.

A node that cannot be asked says nothing about its disk; that does not make the disk well.
"""

from __future__ import annotations

from hactl.model.findings import Finding, ScopeKind
from hactl.model.inventory import Inventory, PgbackrestService, ServiceKind, Standing
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase, NodeState

_TOGETHER = {ServiceKind.POSTGRESQL, ServiceKind.PGBACKREST}  # judged by what several nodes say


def witnesses(inventory: Inventory, finding: Finding) -> tuple[str, ...]:
    """The nodes whose answers decide whether it is so; a spare only where it is about that very node.

    Names that the inventory does not have any more witness nothing.
    """
    named = [finding.node] if finding.node in inventory.nodes else []
    others = (name for name in _others(inventory, finding) if inventory.nodes[name].standing is Standing.ACTIVE)
    return tuple(dict.fromkeys(name for name in (*named, *others) if name is not None))


def surely_gone(finding: Finding, picture: Picture) -> bool:
    """Whether everybody who would tell of it has answered, and nobody does. A limited picture never knows."""
    if picture.outside or any(one.key == finding.key for one in picture.assessment.findings):
        return False
    alone = finding.scope.kind is ScopeKind.NODE
    return all(tells(picture, name, alone=alone) for name in witnesses(picture.state.inventory, finding))


def tells(picture: Picture, node: str, *, alone: bool = False) -> bool:
    """Whether a node has answered everything lately; `alone`: everything about the machine, whatever its services."""
    state = picture.state.nodes.get(node)
    if state is None or state.link.phase is not LinkPhase.UP or not _fresh(state, picture.now, alone=alone):
        return False
    return not any(
        finding.node == node and finding.key.startswith(("waiting:", "stale:"))
        for finding in picture.assessment.findings
        if not alone or finding.service is None
    )


def decided(picture: Picture, node: str) -> bool:
    """Whether it is known of a node how it is: it has answered, or it is known not to answer."""
    state = picture.state.nodes.get(node)
    return state is not None and (state.link.phase is LinkPhase.DOWN or tells(picture, node))


def _fresh(state: NodeState, now: float, *, alone: bool) -> bool:
    """What a probe could not find out is no answer. Probes of services have a colon in their key."""
    return all(
        reading.failure is None and reading.last is not None and reading.last.age(now) <= reading.limit()
        for key, reading in state.readings.items()
        if not (alone and ":" in key)
    )


def _others(inventory: Inventory, finding: Finding) -> tuple[str, ...]:
    name = finding.scope.name
    match finding.scope.kind:
        case ScopeKind.POOL if name in inventory.pools:
            return inventory.services[inventory.pools[name].balancer].nodes
        case ScopeKind.VIP if name in inventory.vips:
            return inventory.services[inventory.vips[name].service].nodes
        case ScopeKind.SERVICE if name in inventory.services:
            return _of_service(inventory, finding)
        case ScopeKind.SITE:
            return tuple(node.name for node in inventory.nodes.values() if node.site == name)
        case ScopeKind.CLUSTER:
            return tuple(inventory.nodes)
        case _:
            return ()


def _of_service(inventory: Inventory, finding: Finding) -> tuple[str, ...]:
    service = inventory.services[finding.scope.name]
    if finding.node is not None and service.kind not in _TOGETHER:
        return ()
    database = service.database if isinstance(service, PgbackrestService) else ""
    return (*service.nodes, *(inventory.services[database].nodes if database else ()))
