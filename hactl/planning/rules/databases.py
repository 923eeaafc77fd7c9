"""Databases: who must not be taken away, and when. Only steps that stop the database on a node concern them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hactl.model.facts import PgbackrestFacts, PostgresqlFacts, PostgresqlRole, Replica
from hactl.model.inventory import PgbackrestService, PostgresqlService, Routing
from hactl.model.observed import Observed, Unknown
from hactl.model.verb import Effect
from hactl.planning.case import Case
from hactl.planning.rules.remark import Remark, listed, refuse, warn
from hactl.planning.touched import leaves, promoted, stopped

_COUNTED = re.compile(r"^\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\(", re.IGNORECASE)
_CONFIRMS = frozenset({"sync", "quorum", "potential"})


def replication(case: Case) -> Iterator[Remark]:
    for service in case.inventory.services.values():
        if not isinstance(service, PostgresqlService):
            continue
        known = _known(case, service)
        stopped = _stopped(case, service)
        for node in dict.fromkeys(_primaries_taken(case, service, known)):
            yield refuse(f"{node} is the primary of {service.name}: nobody could write; switch over first", node=node)
        for facts in known.values():
            if facts.role is PostgresqlRole.PRIMARY:
                yield from _standbys(case, service, facts, stopped)


def _known(case: Case, service: PostgresqlService) -> dict[str, PostgresqlFacts]:
    answers = {node: case.read(node, f"postgresql:{service.name}", PostgresqlFacts) for node in service.nodes}
    return {node: answer.value for node, answer in answers.items() if isinstance(answer, Observed)}


def _stopped(case: Case, service: PostgresqlService) -> tuple[str, ...]:
    """Nodes on which this database stops, if only for a while."""
    return tuple(
        dict.fromkeys(
            step.node for step in case.steps if step.node is not None and service in stopped(step, case.inventory)
        )
    )


def _primaries_taken(case: Case, service: PostgresqlService, known: Mapping[str, PostgresqlFacts]) -> Iterator[str]:
    """Nodes that are stopped, or leave the pool through which writes come, while they are the primary: as is seen now,
    and by the steps before.
    """
    inventory, primaries = case.inventory, {node for node, one in known.items() if one.role is PostgresqlRole.PRIMARY}
    pools = inventory.pools.values()
    writes = {one.name for one in pools if one.service == service.name and one.routing is Routing.ONE}
    for step in case.steps:
        if node := promoted(step, service.name):
            primaries = {node}
        elif step.node is not None and step.node in primaries:
            leaving = step.effect is Effect.TAKES_OUT and not writes.isdisjoint(leaves(step, inventory))
            if leaving or service in stopped(step, inventory):
                yield step.node


def _standbys(
    case: Case, service: PostgresqlService, primary: PostgresqlFacts, gone: tuple[str, ...]
) -> Iterator[Remark]:
    """What the primary loses with them: whoever has to confirm its commits, and whoever could take its place."""
    streaming = [replica for replica in primary.replicas if replica.state == "streaming"]
    needed = wanted(primary.synchronous_standby_names)
    for nodes in _together(case, service, gone):
        lost = [replica for node in nodes if (replica := _replica(case, node, streaming))]
        left = [replica for replica in streaming if replica not in lost]
        confirming = [replica for replica in left if replica.sync_state in _CONFIRMS]
        node = nodes[0] if len(nodes) == 1 else None
        if lost and len(confirming) < needed:
            sentence = (
                f"{service.name} would have {len(confirming)} synchronous standbys without {listed(nodes)}, and its "
                f"commits wait for {needed}"
            )
            yield refuse(sentence, node=node)
        elif lost and not left:
            sentence = f"{service.name} would have no standby that could take over without {listed(nodes)}"
            yield warn(sentence, node=node)


def _together(case: Case, service: PostgresqlService, nodes: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Those of the nodes that are away at the same time: they share a segment of the plan."""
    segments: dict[int, dict[str, None]] = {}
    for step in case.steps:
        if step.node in nodes and step.node is not None and service in stopped(step, case.inventory):
            segments.setdefault(step.segment, {})[step.node] = None
    return tuple(dict.fromkeys(tuple(group) for group in segments.values()))


def _replica(case: Case, node: str, replicas: list[Replica]) -> Replica | None:
    address = case.inventory.nodes[node].address
    return next((one for one in replicas if one.application == node or one.address == address), None)


def wanted(names: str) -> int:
    """How many standbys have to confirm a commit, by synchronous_standby_names."""
    if not names.strip():
        return 0
    counted = _COUNTED.match(names)
    return int(counted[1]) if counted else 1


def backup_running(case: Case) -> Iterator[Remark]:
    for service in case.inventory.services.values():
        if not isinstance(service, PgbackrestService):
            continue
        database = case.inventory.services.get(service.database)
        concerned = {*service.nodes, *(database.nodes if database else ())}
        if not concerned.intersection(case.taken):
            continue
        nodes = listed(node for node in case.taken if node in concerned)
        for host in service.nodes:
            match case.read(host, f"pgbackrest:{service.name}", PgbackrestFacts):
                case Observed(value=facts) if facts.running:
                    yield refuse(
                        f"a backup of stanza {facts.stanza} is being made, and {nodes} may be part of it", node=host
                    )
                case Unknown(reason=reason):
                    yield warn(f"whether a backup is being made is not known: {reason.rstrip('.')}", node=host)
