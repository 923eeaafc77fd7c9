"""Drills: when one last showed that a service's backups can be restored, and what drills have left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hactl.model.assess.base import ClusterCase
from hactl.model.drilled import DrilledService, drill_nodes
from hactl.model.drills import DrillFacts, DrillRecord, Leftover, Verdict, why
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.inventory import PgbackrestService, ResticService, Service
from hactl.model.observed import Observed
from hactl.model.state import Failure
from hactl.model.units import duration, size

CRITICAL = 2.0
"""An age of so many times the policy is critical."""


def judge(case: ClusterCase, service: Service) -> Iterator[Finding]:
    """What the nodes of this service's drills say of them. Where there are to be none there is nothing to say."""
    if not isinstance(service, PgbackrestService | ResticService):
        return
    for node in drill_nodes(service):
        if node in case.state.nodes:
            yield from _judged(case, service, node)


def _judged(case: ClusterCase, service: DrilledService, node: str) -> Iterator[Finding]:
    key = f"drill:{service.name}"
    match case.read(node, key, DrillFacts):
        case Observed(value=facts):
            where = _Where(case, service, node)
            yield from _last(where, facts)
            yield from _age(where, facts)
            yield from _leftovers(where, facts)
            yield from _unreadable(where, facts)
        case _:
            reading = case.state.nodes[node].readings.get(key)
            if reading is not None and reading.failure is not None:
                yield _unknown(_Where(case, service, node), reading.failure, since=reading.failing_since)


@dataclass(frozen=True, slots=True)
class _Where:
    """A node where drills of a service are made."""

    case: ClusterCase
    service: DrilledService
    node: str

    def key(self, what: str) -> str:
        """Of files each node has drills of its own."""
        own = f":{self.node}" if isinstance(self.service, ResticService) else ""
        return f"{what}:{self.service.name}{own}"

    @property
    def whose(self) -> str | None:
        """The node that a finding about the backups is of: a database's are everybody's."""
        return self.node if isinstance(self.service, ResticService) else None

    def hint(self, command: str) -> str:
        return f"hactl drill {command} --service {self.service.name}"


def _last(where: _Where, facts: DrillFacts) -> Iterator[Finding]:
    """How the newest one ended. It is about the backups, wherever it was done."""
    last = facts.last
    if last is None or last.verdict is Verdict.PASS:
        return
    failed = last.verdict is Verdict.FAIL
    what = "failed" if failed else "left something open"
    yield where.case.finding(
        where.key("drill-last"),
        Level.CRIT if failed else Level.WARN,
        Scope(ScopeKind.SERVICE, where.service.name),
        f"the last drill, {_ago(facts, last)}, {what}: {why(last)}",
        began=where.case.now - facts.age(last),
        hint=f"See hactl drill show {last.run}" + (f"; when it is mended: {where.hint('run')}" if failed else ""),
        node=where.whose,
        service=where.service.name,
    )


def _age(where: _Where, facts: DrillFacts) -> Iterator[Finding]:
    """The policy is the warning."""
    policy = where.service.max_age_drill
    if policy is None:
        return
    good = facts.last_good
    level, sentence = _judged_age(facts, good, policy)
    if level is Level.OK:
        return
    yield where.case.finding(
        where.key("drill-age"),
        level,
        Scope(ScopeKind.SERVICE, where.service.name),
        f"{sentence} (policy: one every {duration(policy)})",
        began=None if good is None else where.case.now - facts.age(good) + _times(level) * policy,
        hint=f"{where.hint('run')}; from now on by a timer: {where.hint('schedule')}",
        node=where.whose,
        service=where.service.name,
    )


def _judged_age(facts: DrillFacts, good: DrillRecord | None, policy: float) -> tuple[Level, str]:
    if good is None:
        tried = f"none of {len(facts.records)} drills was good" if facts.records else "there was no drill yet"
        return Level.WARN, f"nobody has seen that these backups can be restored: {tried}"
    age = facts.age(good)
    level = next((level for level in (Level.CRIT, Level.WARN) if age > _times(level) * policy), Level.OK)
    return level, f"last good drill {_ago(facts, good)}"


def _times(level: Level) -> float:
    """The policies old that a drill is when it has this level."""
    return CRITICAL if level is Level.CRIT else 1.0


def _leftovers(where: _Where, facts: DrillFacts) -> Iterator[Finding]:
    """Scratch space that nobody works in any more."""
    left = [one for one in facts.leftovers if not one.alive]
    if not left:
        return
    yield where.case.finding(
        where.key("drill-leftovers"),
        Level.WARN,
        Scope(ScopeKind.NODE, where.node),
        f"a drill was not cleared away: {'; '.join(map(_left, left))}",
        hint=where.hint("clean"),
        node=where.node,
    )


def _left(one: Leftover) -> str:
    taken = "of unknown size" if one.size is None else size(one.size)
    doubt = ", perhaps still at work" if one.alive is None else ""
    return f"run {one.run}, {taken}{doubt}"


def _unreadable(where: _Where, facts: DrillFacts) -> Iterator[Finding]:
    if not facts.unreadable:
        return
    lines = f"{facts.unreadable} lines" if facts.unreadable != 1 else "1 line"
    path = f"{where.service.drill_directory}/history.jsonl"
    yield where.case.finding(
        where.key("drill-history"),
        Level.WARN,
        Scope(ScopeKind.NODE, where.node),
        f"{lines} in the history of drills cannot be read",
        hint=f"Look at {path} on {where.node}: one JSON object a line, one line a drill.",
        node=where.node,
    )


def _unknown(where: _Where, failure: Failure, *, since: float) -> Finding:
    reason = failure.reason.removeprefix(f"{where.node}: ").rstrip(".")
    return where.case.finding(
        where.key("drill"),
        Level.UNKNOWN,
        Scope(ScopeKind.NODE, where.node),
        f"could not find out about drills of {where.service.name}: {reason}",
        began=since,
        hint=failure.remedy,
        node=where.node,
    )


def _ago(facts: DrillFacts, record: DrillRecord) -> str:
    return f"{duration(round(facts.age(record)))} ago"
