"""Files that restic keeps: whether their repository can be used, and how old the newest snapshot is."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess import failed
from hactl.model.assess.backup import HOUR
from hactl.model.assess.base import NodeCase
from hactl.model.facts import RepositoryTrouble, ResticFacts
from hactl.model.findings import Finding, Level
from hactl.model.inventory import ResticService, Threshold
from hactl.model.metrics import METRICS
from hactl.model.observed import Observed
from hactl.model.snapshots import Kept

_METRIC = "backup_age_any_hours"
_LOOK = "Look on the node: restic, the repository, and the way to it."
_TROUBLES = {
    RepositoryTrouble.ABSENT: (
        Level.CRIT,
        "there is no repository",
        "Make it: restic init, as the user of the backups.",
    ),
    RepositoryTrouble.PASSWORD: (Level.CRIT, "the repository's password is not the one on the node", _LOOK),
    RepositoryTrouble.UNREACHABLE: (Level.WARN, "the repository cannot be reached", _LOOK),
    RepositoryTrouble.LOCKED: (
        Level.WARN,
        "the repository is locked",
        "restic unlock ends locks of those who are gone.",
    ),
    RepositoryTrouble.DAMAGED: (Level.CRIT, "the repository is damaged", "hactl backup verify tells how far."),
}


def judge(case: NodeCase) -> Iterator[Finding]:
    """What the node says of the copies of its own files."""
    for service in case.services:
        if isinstance(service, ResticService):
            yield from failed.judge(case, service, _key(case, service), decisive=False)
            match case.read(f"restic:{service.name}", ResticFacts):
                case Observed(value=facts):
                    yield from _judged(case, service, facts)


def _key(case: NodeCase, service: ResticService) -> str:
    return f"restic:{case.node.name}:{service.name}"


def _judged(case: NodeCase, service: ResticService, facts: ResticFacts) -> Iterator[Finding]:
    key = _key(case, service)
    if facts.trouble is not None:
        level, what, hint = _TROUBLES[facts.trouble]
        yield case.finding(key, level, f"{what}: {facts.message}", hint=hint, service=service)
        return
    kept = Kept(case.node.name, facts, facts.now)
    if facts.unreadable:
        yield case.finding(f"{key}:unreadable", Level.CRIT, kept.status[1], hint=_take(service), service=service)
    if not kept.snapshots:
        yield case.finding(
            f"{key}:none", Level.CRIT, "there is no snapshot of its files", hint=_take(service), service=service
        )
        return
    yield from case.measured(
        _METRIC,
        f"backup-age:{case.node.name}:{service.name}",
        kept.age(kept.snapshots[-1]) / HOUR,
        "newest snapshot of its files",
        limit=_limit(case, service),
        after=" ago",
        hint=f"{_take(service)}; then look why the schedule did not.",
        service=service,
    )


def _take(service: ResticService) -> str:
    return f"Take one now: hactl backup run --service {service.name}"


def _limit(case: NodeCase, service: ResticService) -> Threshold:
    """`max_age` warns and twice as much is critical, where no threshold is set for the metric."""
    limit, most = case.limit(_METRIC), service.max_age / HOUR
    return limit if limit != METRICS[_METRIC].default else Threshold(most, 2 * most)
