"""Balancer pools: what all balancers that can be asked say about each member, and whether enough are available."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hactl.model.assess import routing
from hactl.model.assess.base import ClusterCase, listed
from hactl.model.assess.counts import Counts
from hactl.model.assess.members import Member, difference, members, word
from hactl.model.assess.notes import by_whom, note_of
from hactl.model.assess.rollup import verdict
from hactl.model.facts import HaproxyFacts
from hactl.model.findings import Finding, Level, PoolVerdict, Scope, ScopeKind, Verdict
from hactl.model.inventory import Pool, Routing
from hactl.model.observed import Observed
from hactl.model.state import LinkPhase

_SHUT = frozenset({"PAUSED", "STOP"})


def judge(case: ClusterCase, pool: Pool, before: Verdict | None) -> tuple[PoolVerdict, list[Finding]]:
    balancers = case.inventory.services[pool.balancer].nodes
    asked = case.known(balancers, f"haproxy:{pool.balancer}", HaproxyFacts)
    inside = members(pool, asked)
    findings = list(_balancers(case, pool, asked))
    if pool.routing is Routing.ONE:
        counts, sentence, wrong = routing.judge(case, pool, inside)
        findings += wrong
    else:
        counts = _counts(case, pool, inside)
        sentence = str(counts)
        findings += [found for member in inside for found in _down(case, pool, member)]
    findings += [found for member in inside for found in _differently(case, pool, member)]
    findings += _held(case, pool, asked)
    silent = [name for name in balancers if name not in asked]
    if silent and asked:
        sentence += f"; {listed(silent)} could not be asked"
    if counts.level is not Level.OK:
        scope = Scope(ScopeKind.POOL, pool.name)
        findings.append(case.finding(f"pool:{pool.name}", counts.level, scope, sentence, service=pool.service))
    return _verdict(case, pool, inside, counts, verdict_of(case, counts, sentence, findings, before)), findings


def _held(case: ClusterCase, pool: Pool, asked: Mapping[str, Observed[HaproxyFacts]]) -> Iterator[Finding]:
    """Balancers on which the way to the pool is shut, as a switchover does for a moment."""
    if pool.frontend is None:
        return
    seen = {name: one.value.frontends.get(pool.frontend) for name, one in asked.items()}
    shut = [name for name, frontend in seen.items() if frontend is not None and frontend.status in _SHUT]
    if shut:
        yield case.finding(
            f"held:{pool.name}",
            Level.CRIT,
            Scope(ScopeKind.POOL, pool.name),
            f"{pool.frontend} takes no connections on {listed(shut)}: who wants to write waits or is refused",
            hint="Where no run is under way that holds it (hactl runs list): enable frontend "
            f"{pool.frontend}, on the admin socket of {listed(shut)}.",
            service=pool.service,
        )


def verdict_of(
    case: ClusterCase, counts: Counts, sentence: str, findings: list[Finding], before: Verdict | None
) -> Verdict:
    """A member that is broken is a warning for its pool as long as enough others are there."""
    level = max(
        counts.level,
        *(found.level if found.node is None else min(found.level, Level.WARN) for found in findings),
        Level.OK,
    )
    began = min((found.since for found in findings if found.level >= level), default=case.now)
    return verdict(level, sentence, before, began)


def _verdict(case: ClusterCase, pool: Pool, inside: tuple[Member, ...], counts: Counts, shown: Verdict) -> PoolVerdict:
    return PoolVerdict(
        name=pool.name,
        verdict=shown,
        available=counts.available,
        unknown=counts.unknown,
        total=counts.total,
        minimum=pool.minimum,
        disagreements=tuple(f"{member.node}: {text}" for member in inside if (text := difference(member))),
        drained=tuple(member.node for member in inside if member.drained_on and case.active(member.node)),
    )


def _counts(case: ClusterCase, pool: Pool, inside: tuple[Member, ...]) -> Counts:
    counting = [member for member in inside if case.active(member.node) and not member.reserve]
    available = sum(member.available for member in counting)
    unknown = sum(not member.seen for member in counting)
    return Counts(available, unknown, len(counting), pool.minimum)


def _balancers(case: ClusterCase, pool: Pool, asked: Mapping[str, Observed[HaproxyFacts]]) -> Iterator[Finding]:
    """Balancers that do not know the backend or one of its servers, and queues."""
    scope = Scope(ScopeKind.POOL, pool.name)
    for name, seen in asked.items():
        backend = seen.value.backends.get(pool.backend)
        if backend is None:
            yield case.finding(
                f"backend:{pool.name}:{name}",
                Level.CRIT,
                scope,
                f"{name} has no backend {pool.backend}",
                hint=f"Compare haproxy.cfg on {name} with the pool's backend in the inventory.",
                node=name,
                service=pool.service,
            )
            continue
        for node, server in pool.servers.items():
            if server not in backend.servers:
                yield case.finding(
                    f"server:{pool.name}:{node}:{name}",
                    Level.WARN,
                    scope,
                    f"{name} has no server {server} in {pool.backend}",
                    hint="Correct haproxy.cfg, or the pool's servers in the inventory.",
                    node=node,
                    service=pool.service,
                )
        yield from case.measured(
            "haproxy_queue",
            f"queue:{pool.name}:{name}",
            backend.queue,
            f"requests that wait for a free server on {name}:",
            scope,
            node=name,
            service=pool.service,
        )


def _down(case: ClusterCase, pool: Pool, member: Member) -> Iterator[Finding]:
    """A member that no balancer can use though nobody took it out, unless it is already said why."""
    unusable = member.seen and not any(row is None or row.available for row in member.seen.values())
    if not unusable or member.drained_on or member.reserve or _explained(case, pool, member.node):
        return
    rows = [(name, row) for name, row in member.seen.items() if row is not None]
    checks = sorted({row.check_status for _, row in rows if row.check_status})
    checked = f", last check {listed(checks)}" if checks else ""
    yield case.finding(
        f"member:{pool.name}:{member.node}",
        Level.CRIT,
        Scope(ScopeKind.POOL, pool.name),
        f"{member.server} is {word(rows[0][1])} on {listed([name for name, _ in rows])}{checked}",
        began=case.now - member.changed,
        hint="If the service answers on its own node, look at the network between it and the balancers.",
        node=member.node,
        service=pool.service,
    )


def _explained(case: ClusterCase, pool: Pool, node: str) -> bool:
    """The node is not reachable, or itself says that the service there is broken."""
    if case.state.nodes[node].link.phase is LinkPhase.DOWN:
        return True
    return case.broken(node, pool.service)


def _differently(case: ClusterCase, pool: Pool, member: Member) -> Iterator[Finding]:
    """Taken out on all balancers and left so, or seen differently by them."""
    scope = Scope(ScopeKind.POOL, pool.name)
    note = note_of(case.state, pool, member.node, case.now) if member.drained_on else None
    back = f"When its work is done: hactl undrain {member.node}."
    if note is None:
        back += " hactl runs list may tell who took it out and why."
    whom = by_whom(note, case.state.wall(case.now)) if note is not None else ""
    if text := difference(member):
        yield case.finding(
            f"disagree:{pool.name}:{member.node}",
            Level.WARN,
            scope,
            f"balancers disagree about {member.server}: {text}" + (f"; taken out {whom}" if whom else ""),
            hint=back if member.drained_on else "Compare the balancers' checks and their way to the member.",
            node=member.node,
            service=pool.service,
        )
    elif member.drained_on:
        rows = [row for row in member.seen.values() if row is not None]
        sessions = sum(row.sessions for row in rows)
        yield case.finding(
            f"drained:{pool.name}:{member.node}",
            Level.WARN,
            scope,
            f"{member.server} is {word(rows[0])} on {listed(member.drained_on)}{f', {whom}' if whom else ''}, "
            f"{sessions} sessions left",
            began=case.now - member.changed,
            hint=back,
            node=member.node,
            service=pool.service,
        )
