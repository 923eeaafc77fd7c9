"""A replicated database as a whole: exactly one primary, and standbys that stream from it, near it, of its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hactl.model.assess.base import ClusterCase, listed
from hactl.model.assess.spans import span, together
from hactl.model.facts import Facts, PostgresqlFacts, PostgresqlRole, UnitFacts, UnitState
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.inventory import Inventory, PostgresqlService
from hactl.model.observed import Observed
from hactl.model.state import ClusterState
from hactl.model.units import moment

_FENCE = "Stop writes at the balancers, then fence the primary that must not be: two histories cannot be merged."


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary and one of its standbys, each with its own newest answer."""

    primary: str
    leader: Observed[PostgresqlFacts]
    standby: str
    seen: Observed[PostgresqlFacts]


def judge(case: ClusterCase, service: PostgresqlService) -> list[Finding]:
    known = case.known(service.nodes, f"postgresql:{service.name}", PostgresqlFacts)
    if not known:
        return []  # the nodes' own findings say why
    primaries = primaries_of(case.state, service, known)
    findings = list(_primaries(case, service, known, primaries))
    if len(primaries) == 1:
        primary = primaries[0]
        findings += _fenced(case, service, primary)
        for node, seen in known.items():
            if node != primary and seen.value.role is PostgresqlRole.STANDBY:
                findings += _standby(case, service, Pair(primary, known[primary], node, seen))
    return findings


def primaries_of(
    state: ClusterState, service: PostgresqlService, known: Mapping[str, Observed[PostgresqlFacts]]
) -> tuple[str, ...]:
    """Those out of recovery now. Of two answers that were never true together the newer one counts."""
    key = f"postgresql:{service.name}"
    spans = {
        node: span(state.nodes[node].readings[key], _is_primary)
        for node, seen in known.items()
        if _is_primary(seen.value)
    }
    if not spans:
        return ()
    newest = max(spans.values(), key=lambda one: (one.start, one.end))
    return tuple(node for node, one in spans.items() if one is newest or together((one, newest)))


def _is_primary(facts: Facts) -> bool:
    return isinstance(facts, PostgresqlFacts) and facts.role is PostgresqlRole.PRIMARY


def _primaries(
    case: ClusterCase,
    service: PostgresqlService,
    known: Mapping[str, Observed[PostgresqlFacts]],
    primaries: tuple[str, ...],
) -> Iterator[Finding]:
    """Two primaries are the worst that can happen; none means that nobody can write."""
    scope, key = Scope(ScopeKind.SERVICE, service.name), f"primary:{service.name}"
    if len(primaries) > 1:
        writable = [node for node in primaries if not known[node].value.read_only]
        what = "writable primaries" if len(writable) == len(primaries) else "primaries"
        sentence = f"{len(primaries)} {what}: {listed(primaries)}"
        yield case.finding(key, Level.CRIT, scope, sentence, hint=_fence(known, primaries), service=service.name)
    elif not primaries:
        yield _no_primary(case, service, known)


def _fence(known: Mapping[str, Observed[PostgresqlFacts]], primaries: tuple[str, ...]) -> str:
    """With the name of the one that must not be, where their timelines tell: the old primary that came back."""
    newest = max(known[node].value.timeline for node in primaries)
    old = [node for node in primaries if known[node].value.timeline < newest]
    return f"{_FENCE} The old one is {listed(old)}: hactl rejoin {old[0]}" if old else _FENCE


def _fenced(case: ClusterCase, service: PostgresqlService, primary: str) -> Iterator[Finding]:
    """Servers that somebody has kept from starting: an old primary that waits to be brought back."""
    for node in service.nodes:
        match case.read(node, "units", UnitFacts):
            case Observed(value=facts):
                masked = [name for name in service.units if _is_masked(facts.units.get(name))]
                if masked and node != primary:
                    yield case.finding(
                        f"fenced:{node}:{service.name}",
                        Level.WARN,
                        Scope(ScopeKind.SERVICE, service.name),
                        f"is fenced: {listed(masked)} is masked and cannot start",
                        hint=f"Make it a standby of {primary}: hactl rejoin {node}",
                        node=node,
                        service=service.name,
                    )


def _is_masked(unit: UnitState | None) -> bool:
    return unit is not None and (unit.load == "masked" or unit.enabled == "masked") and unit.active != "active"


def _no_primary(
    case: ClusterCase, service: PostgresqlService, known: Mapping[str, Observed[PostgresqlFacts]]
) -> Finding:
    """Critical once every server that could be it is known not to be; until then nobody knows."""
    probe = f"postgresql:{service.name}"
    open_ = [node for node in service.nodes if node not in known and not case.broken(node, service.name)]
    last = {node: case.state.nodes[node].last_known(probe, PostgresqlFacts) for node in service.nodes}
    was = {node: seen for node, seen in last.items() if seen and node not in known and _is_primary(seen.value)}
    sentence = "no primary"
    if was:
        node, seen = max(was.items(), key=lambda item: item[1].at)
        sentence += f": {node} was last seen as primary at {_at(case, seen.at)}"
    if open_:
        streaming = [node for node, seen in known.items() if seen.value.receiver_status == "streaming"]
        hope = f", though {listed(streaming)} still stream" if streaming else ""
        sentence = f"{sentence.replace('no primary', 'no primary seen')}; {listed(open_)} could not be asked{hope}"
    return case.finding(
        f"primary:{service.name}",
        Level.UNKNOWN if open_ else Level.CRIT,
        Scope(ScopeKind.SERVICE, service.name),
        sentence,
        hint="Unreachable is not dead: promote only when the old primary surely takes no writes.",
        service=service.name,
    )


def _at(case: ClusterCase, second: float) -> str:
    return moment(case.state.wall(second), case.state.wall(case.now))


def _standby(case: ClusterCase, service: PostgresqlService, pair: Pair) -> Iterator[Finding]:
    """One standby against the primary. A history of its own makes all other numbers meaningless."""
    facts, leader, primary = pair.seen.value, pair.leader.value, pair.primary
    where, scope = f"{pair.standby}:{service.name}", Scope(ScopeKind.SERVICE, service.name)

    def found(kind: str, sentence: str, hint: str) -> Finding:
        key = f"{kind}:{where}"
        return case.finding(key, Level.CRIT, scope, sentence, hint=hint, node=pair.standby, service=service.name)

    if facts.system_identifier != leader.system_identifier:
        yield found(
            "identifier",
            f"is a copy of another database than {primary}",
            f"Copy it anew: hactl rejoin {pair.standby} --clone",
        )
        return
    if facts.timeline != leader.timeline:
        sentence = f"is on timeline {facts.timeline}, the primary {primary} on {leader.timeline}"
        yield found("timeline", sentence, f"Make it follow the primary: hactl rejoin {pair.standby}")
        return
    if facts.receiver_status != "streaming":
        state = f": its receiver is {facts.receiver_status}" if facts.receiver_status else ""
        hint = "Look at its log and primary_conninfo, the slot on the primary, and the way between them."
        yield found("streaming", f"does not stream from the primary {primary}{state}", hint)
    yield from case.measured(
        "replication_lag_bytes",
        f"lag:{where}",
        receive_lag(case.inventory, pair),
        f"behind the primary {primary} by",
        scope,
        node=pair.standby,
        service=service.name,
        hint="This is what would be lost with the primary: look at the network and the standby's disk.",
    )


def receive_lag(inventory: Inventory, pair: Pair) -> int:
    """Bytes that the primary has written and the standby has not received.

    The primary's own row about the standby is of one moment; without it the two positions are subtracted, which are of
    two moments and so off by what is written in between.
    """
    address = inventory.nodes[pair.standby].address
    rows = [row for row in pair.leader.value.replicas if address == row.address or pair.standby == row.application]
    known = [row.flush_lag for row in rows if row.flush_lag is not None]
    return min(known) if known else max(0, pair.leader.value.lsn - pair.seen.value.lsn)
