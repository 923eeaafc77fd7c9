"""Drills: when one last showed that a service's backups can be restored, and what drills have left behind."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess.base import ClusterCase
from hactl.model.drills import DrillFacts, DrillRecord, Leftover, Verdict, why
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.inventory import PgbackrestService
from hactl.model.observed import Observed
from hactl.model.state import Failure
from hactl.model.units import duration, size

CRITICAL = 2.0
"""An age of so many times the policy is critical."""
_DRILL = "hactl drill run"


def judge(case: ClusterCase, service: PgbackrestService) -> Iterator[Finding]:
    """What the node of this service's drills says of them. Where there are to be none there is nothing to say."""
    node = service.drill_node
    if service.drill_user is None or node is None or node not in case.state.nodes:
        return
    key = f"drill:{service.name}"
    match case.read(node, key, DrillFacts):
        case Observed(value=facts):
            yield from _last(case, service, facts)
            yield from _age(case, service, facts)
            yield from _leftovers(case, service, facts, node)
            yield from _unreadable(case, service, facts, node)
        case _:
            reading = case.state.nodes[node].readings.get(key)
            if reading is not None and reading.failure is not None:
                yield _unknown(case, service, node, reading.failure, since=reading.failing_since)


def _last(case: ClusterCase, service: PgbackrestService, facts: DrillFacts) -> Iterator[Finding]:
    """How the newest one ended. It is about the backups, wherever it was done."""
    last = facts.last
    if last is None or last.verdict is Verdict.PASS:
        return
    failed = last.verdict is Verdict.FAIL
    what = "failed" if failed else "left something open"
    yield case.finding(
        f"drill-last:{service.name}",
        Level.CRIT if failed else Level.WARN,
        Scope(ScopeKind.SERVICE, service.name),
        f"the last drill, {_ago(facts, last)}, {what}: {why(last)}",
        began=case.now - facts.age(last),
        hint=f"See hactl drill show {last.run}" + (f"; when it is mended: {_DRILL}" if failed else ""),
        service=service.name,
    )


def _age(case: ClusterCase, service: PgbackrestService, facts: DrillFacts) -> Iterator[Finding]:
    """The policy is the warning."""
    policy = service.max_age_drill
    if policy is None:
        return
    good = facts.last_good
    level, sentence = _judged_age(facts, good, policy)
    if level is Level.OK:
        return
    yield case.finding(
        f"drill-age:{service.name}",
        level,
        Scope(ScopeKind.SERVICE, service.name),
        f"{sentence} (policy: one every {duration(policy)})",
        began=None if good is None else case.now - facts.age(good) + _times(level) * policy,
        hint=f"{_DRILL}; from now on by a timer: hactl drill --schedule",
        service=service.name,
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


def _leftovers(case: ClusterCase, service: PgbackrestService, facts: DrillFacts, node: str) -> Iterator[Finding]:
    """Scratch space that nobody works in any more."""
    left = [one for one in facts.leftovers if not one.alive]
    if not left:
        return
    yield case.finding(
        f"drill-leftovers:{service.name}",
        Level.WARN,
        Scope(ScopeKind.NODE, node),
        f"a drill was not cleared away: {'; '.join(map(_left, left))}",
        hint="hactl drill clean",
        node=node,
    )


def _left(one: Leftover) -> str:
    taken = "of unknown size" if one.size is None else size(one.size)
    doubt = ", perhaps still at work" if one.alive is None else ""
    return f"run {one.run}, {taken}{doubt}"


def _unreadable(case: ClusterCase, service: PgbackrestService, facts: DrillFacts, node: str) -> Iterator[Finding]:
    if not facts.unreadable:
        return
    lines = f"{facts.unreadable} lines" if facts.unreadable != 1 else "1 line"
    yield case.finding(
        f"drill-history:{service.name}",
        Level.WARN,
        Scope(ScopeKind.NODE, node),
        f"{lines} in the history of drills cannot be read",
        hint=f"Look at {service.drill_directory}/history.jsonl on {node}: one JSON object a line, one line a drill.",
        node=node,
    )


def _unknown(case: ClusterCase, service: PgbackrestService, node: str, failure: Failure, *, since: float) -> Finding:
    reason = failure.reason.removeprefix(f"{node}: ").rstrip(".")
    return case.finding(
        f"drill:{service.name}",
        Level.UNKNOWN,
        Scope(ScopeKind.NODE, node),
        f"could not find out about drills of {service.name}: {reason}",
        began=since,
        hint=failure.remedy,
        node=node,
    )


def _ago(facts: DrillFacts, record: DrillRecord) -> str:
    return f"{duration(round(facts.age(record)))} ago"
