"""Backups: the repository's own word, how old the newest ones are, and whether the archive keeps up."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess import failed
from hactl.model.assess.base import ClusterCase, NodeCase
from hactl.model.assess.database import primaries_of
from hactl.model.facts import PgbackrestFacts, PostgresqlFacts
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.holdings import Holdings, wal_gap
from hactl.model.inventory import PgbackrestService, PostgresqlService, Threshold
from hactl.model.metrics import METRICS
from hactl.model.observed import Observed

HOUR = 3600.0
_SAME_MOMENT = 5.0


def judge(case: NodeCase) -> Iterator[Finding]:
    """What the repository host says of itself."""
    for service in case.services:
        if not isinstance(service, PgbackrestService):
            continue
        key = f"pgbackrest:{case.node.name}:{service.name}"
        yield from failed.judge(case, service, key, decisive=False)
        match case.read(f"pgbackrest:{service.name}", PgbackrestFacts):
            case Observed(value=facts):
                yield from _status(case, service, facts, key)
                for number in service.repositories:
                    yield from _backups(case, service, facts, number)


def _status(case: NodeCase, service: PgbackrestService, facts: PgbackrestFacts, key: str) -> Iterator[Finding]:
    hint = f"pgbackrest --stanza={facts.stanza} check"
    if facts.code != 0:
        sentence = f"stanza {facts.stanza}: {facts.message} (code {facts.code})"
        yield case.finding(key, Level.CRIT, sentence, hint=hint, service=service)
    for repository in facts.repositories:
        if repository.code != 0 and facts.code == 0:
            sentence = f"repository {repository.number}: {repository.message} (code {repository.code})"
            yield case.finding(f"{key}:{repository.number}", Level.CRIT, sentence, hint=hint, service=service)


def _backups(case: NodeCase, service: PgbackrestService, facts: PgbackrestFacts, number: int) -> Iterator[Finding]:
    """One repository's: errors, chains with a hole, ages. Where there are several, each has to be new enough."""
    holdings = Holdings(number, facts, facts.now)
    several = len(service.repositories) > 1
    key, where = (f":{number}", f"repository {number}: ") if several else ("", "")
    node = case.node.name
    if holdings.backups and holdings.backups[-1].error:
        sentence = f"{where}the newest backup {holdings.backups[-1].label} has errors"
        hint = f"hactl backup run --type full{f' --repository {number}' if several else ''}"
        yield case.finding(
            f"pgbackrest:{node}:{service.name}{key}:errors", Level.CRIT, sentence, hint=hint, service=service
        )
    for label, needed in holdings.broken.items():
        sentence = f"{where}backup {label} cannot be restored: it needs {needed}, which is not there or has errors"
        yield case.finding(
            f"pgbackrest:{node}:{service.name}{key}:broken:{label}",
            Level.CRIT,
            sentence,
            hint="Take a full backup now: hactl backup run --type full",
            service=service,
        )
    for label, segment in holdings.lacking.items():
        sentence = f"{where}backup {label} cannot be restored: WAL segment {segment} is not in the archive"
        yield case.finding(
            f"pgbackrest:{node}:{service.name}{key}:lacking:{label}",
            Level.CRIT,
            sentence,
            hint="Take a full backup now: hactl backup run --type full",
            service=service,
        )
    yield from _ages(case, service, holdings, f"backup-age:{node}:{service.name}{key}", where)


def _ages(case: NodeCase, service: PgbackrestService, holdings: Holdings, key: str, where: str) -> Iterator[Finding]:
    """The service's own limits are the warnings, unless thresholds say otherwise."""
    if not holdings.fulls:
        if holdings.facts.code == 0 and holdings.status[0] == 0:
            sentence = f"{where}there is no good full backup"
            hint = "hactl backup run --type full"
            yield case.finding(f"{key}:full", Level.CRIT, sentence, hint=hint, service=service)
        return
    running = ", one is being made now" if holdings.facts.running else ""
    newest = (
        ("full", "backup_age_full_hours", holdings.fulls, service.max_age_full, "last full backup"),
        ("any", "backup_age_any_hours", holdings.good, service.max_age_any, "last backup"),
    )
    for kind, metric, backups, most, what in newest:
        yield from case.measured(
            metric,
            f"{key}:{kind}",
            min(map(holdings.age, backups)) / HOUR,
            f"{where}{what}",
            limit=_age_limit(case, metric, most),
            after=f" ago{running}",
            hint="Take one now: hactl backup run; then look why the schedule did not.",
            service=service,
        )


def _age_limit(case: NodeCase, metric: str, most: float) -> Threshold:
    """`most` (seconds) warns and twice as much is critical, where no threshold is set for the metric."""
    default = METRICS[metric].default
    limit = case.limit(metric)
    return limit if limit != default else Threshold(most / HOUR, max(2 * most / HOUR, default.crit or 0.0))


def judge_archive(case: ClusterCase, service: PgbackrestService) -> Iterator[Finding]:
    """The repository against the database that it keeps: is it of this database, and how much WAL is not in it yet?"""
    database = case.inventory.services[service.database]
    answer = case.read(service.repository_host, f"pgbackrest:{service.name}", PgbackrestFacts)
    if not isinstance(database, PostgresqlService) or not isinstance(answer, Observed):
        return
    known = case.known(database.nodes, f"postgresql:{database.name}", PostgresqlFacts)
    primaries = primaries_of(case.state, database, known)
    if len(primaries) != 1:
        return
    facts, primary = answer.value, known[primaries[0]]
    scope, host = Scope(ScopeKind.SERVICE, service.name), service.repository_host
    if facts.system_identifier and facts.system_identifier != primary.value.system_identifier:
        yield case.finding(
            f"backup-identifier:{service.name}",
            Level.CRIT,
            scope,
            f"stanza {facts.stanza} is of another database than {primaries[0]}",
            hint="After a database was made anew: pgbackrest stanza-upgrade",
            node=host,
            service=service.name,
        )
        return
    for repository, newest in facts.archive_max.items():
        gap = wal_gap(primary.value.lsn, newest)
        key = f"wal-gap:{service.name}:{repository}"
        # Only answers of about the same moment can be compared; the repository is asked rarely.
        if abs(primary.at - answer.at) > _SAME_MOMENT:
            if key in case.past.findings:
                yield case.past.findings[key]
        elif gap is not None:
            yield from case.measured(
                "archive_backlog",
                key,
                gap,
                f"WAL segments of {primaries[0]} that repository {repository} lacks:",
                scope,
                node=host,
                service=service.name,
                hint="Look at archiving on the primary.",
            )
