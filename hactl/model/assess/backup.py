"""Backups: the repository's own word, how old the newest ones are, and whether the archive keeps up."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess import failed
from hactl.model.assess.base import ClusterCase, NodeCase
from hactl.model.assess.database import primaries_of
from hactl.model.facts import Backup, PgbackrestFacts, PostgresqlFacts
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.inventory import PgbackrestService, PostgresqlService, Threshold
from hactl.model.metrics import METRICS
from hactl.model.observed import Observed

HOUR = 3600.0
SEGMENT = 16 * 1024 * 1024  # PostgreSQL's default; another size makes the gap wrong by a constant factor
_SAME_MOMENT = 5.0
_PER_LOG = 0x1_0000_0000 // SEGMENT


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
                yield from _ages(case, service, facts)


def good(facts: PgbackrestFacts) -> list[Backup]:
    """Backups without errors, oldest first."""
    return [backup for backup in facts.backups if not backup.error]


def _status(case: NodeCase, service: PgbackrestService, facts: PgbackrestFacts, key: str) -> Iterator[Finding]:
    hint = f"pgbackrest --stanza={facts.stanza} check"
    if facts.code != 0:
        sentence = f"stanza {facts.stanza}: {facts.message} (code {facts.code})"
        yield case.finding(key, Level.CRIT, sentence, hint=hint, service=service)
    for repository in facts.repositories:
        if repository.code != 0 and facts.code == 0:
            sentence = f"repository {repository.number}: {repository.message} (code {repository.code})"
            yield case.finding(f"{key}:{repository.number}", Level.CRIT, sentence, hint=hint, service=service)
    if facts.backups and facts.backups[-1].error:
        label = facts.backups[-1].label
        sentence = f"the newest backup {label} has errors"
        yield case.finding(f"{key}:errors", Level.CRIT, sentence, hint=hint, service=service)


def _ages(case: NodeCase, service: PgbackrestService, facts: PgbackrestFacts) -> Iterator[Finding]:
    """The service's own limits are the warnings, unless thresholds say otherwise."""
    key = f"backup-age:{case.node.name}:{service.name}"
    backups = good(facts)
    fulls = [backup for backup in backups if backup.kind == "full"]
    if not fulls:
        if facts.code == 0:
            sentence = "there is no good full backup"
            hint = f"pgbackrest --stanza={facts.stanza} --type=full backup"
            yield case.finding(f"{key}:full", Level.CRIT, sentence, hint=hint, service=service)
        return
    running = ", one is being made now" if facts.running else ""
    newest = (
        ("full", "backup_age_full_hours", max(one.stopped for one in fulls), service.max_age_full, "last full backup"),
        ("any", "backup_age_any_hours", max(one.stopped for one in backups), service.max_age_any, "last backup"),
    )
    for kind, metric, stopped, most, what in newest:
        yield from case.measured(
            metric,
            f"{key}:{kind}",
            max(0.0, facts.now - stopped) / HOUR,
            what,
            limit=_age_limit(case, metric, most),
            after=f" ago{running}",
            hint="Look at the schedule and the log of the backups.",
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


def wal_gap(lsn: int, newest: str) -> int | None:
    """Finished segments before `lsn` that come after the archived file `newest`; None when that is not a WAL file."""
    try:
        archived = int(newest[8:16], 16) * _PER_LOG + int(newest[16:24], 16)
    except ValueError:
        return None
    return max(0, lsn // SEGMENT - 1 - archived)
