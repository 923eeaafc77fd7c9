"""One PostgreSQL server by what it says of itself: replay, slots, archiving, connections, transactions."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess import failed
from hactl.model.assess.base import NodeCase
from hactl.model.assess.hysteresis import level_of
from hactl.model.facts import ArchiverFacts, PostgresqlFacts, PostgresqlRole, Slot
from hactl.model.findings import Finding, Level
from hactl.model.inventory import PostgresqlService
from hactl.model.metrics import METRICS
from hactl.model.observed import Observed
from hactl.model.units import duration, size

_GRANT = "GRANT pg_monitor TO the role that hactl logs in with."


def judge(case: NodeCase) -> Iterator[Finding]:
    for service in case.services:
        if not isinstance(service, PostgresqlService):
            continue
        key = f"postgresql:{case.node.name}:{service.name}"
        yield from failed.judge(case, service, key)
        match case.read(f"postgresql:{service.name}", PostgresqlFacts):
            case Observed(value=facts):
                yield from _load(case, service, facts)
                yield from _replay(case, service, facts)
                for slot in facts.slots:
                    yield from _slot(case, service, slot)
                if facts.role is PostgresqlRole.PRIMARY or facts.archiver.mode == "always":
                    yield from _archiver(case, service, facts.archiver)


def _load(case: NodeCase, service: PostgresqlService, facts: PostgresqlFacts) -> Iterator[Finding]:
    where = f"{case.node.name}:{service.name}"
    usable = max(1, facts.max_connections - facts.reserved_connections)
    yield from case.measured(
        "connections_percent",
        f"connections:{where}",
        100.0 * facts.connections / usable,
        "connections",
        after=f" used, {facts.connections} of {usable}",
        hint="Look for idle sessions in pg_stat_activity.",
        service=service,
    )
    if not facts.complete:
        sentence = "does not show hactl everything: its role lacks pg_monitor"
        yield case.finding(f"grant:{where}", Level.WARN, sentence, hint=_GRANT, service=service)
    ages = (
        ("transaction_seconds", "transaction", facts.longest_transaction, "pg_stat_activity: xact_start"),
        ("prepared_transaction_seconds", "prepared transaction", facts.longest_prepared, "pg_prepared_xacts"),
    )
    for metric, what, seconds, look in ages:
        yield from case.measured(
            metric, f"{metric}:{where}", seconds, f"oldest {what} is open for", hint=f"See {look}.", service=service
        )


def _replay(case: NodeCase, service: PostgresqlService, facts: PostgresqlFacts) -> Iterator[Finding]:
    """Bytes that have arrived and are not yet replayed. Seconds say nothing: they grow while the primary is idle."""
    if facts.role is not PostgresqlRole.STANDBY or facts.replayed is None:
        return
    where = f"{case.node.name}:{service.name}"
    if facts.replay_paused:
        waiting = size(max(0, facts.lsn - facts.replayed))
        yield case.finding(
            f"replay-paused:{where}",
            Level.WARN,
            f"replay is paused, {waiting} wait to be replayed",
            hint="SELECT pg_wal_replay_resume();",
            service=service,
        )
    yield from case.measured(
        "replay_lag_bytes",
        f"replay:{where}",
        max(0, facts.lsn - facts.replayed),
        "replay lag",
        hint="A long query on the standby may hold replay up, or its disk is slower than the primary writes.",
        service=service,
    )


def _slot(case: NodeCase, service: PostgresqlService, slot: Slot) -> Iterator[Finding]:
    """A slot keeps WAL for its consumer; without one it fills the disk."""
    key = f"slot:{case.node.name}:{service.name}:{slot.name}"
    kept = slot.retained or 0
    limit = case.limit("slot_retained_bytes")
    level = level_of(kept, limit, case.past.level(key))
    state = "" if slot.active else ", and nobody reads it"
    if slot.wal_status == "lost":
        level, sentence = Level.CRIT, f"slot {slot.name} has lost WAL that its reader still needed"
    elif slot.wal_status == "unreserved":
        level, sentence = max(level, Level.WARN), f"slot {slot.name} is about to lose WAL{state}"
    else:
        sentence = f"slot {slot.name} holds {size(kept)} of WAL{state}"
        if not slot.active and slot.retained is not None:
            level = max(level, Level.WARN)
    if level is not Level.OK:
        yield case.finding(
            key,
            level,
            sentence,
            hint=f"Bring its reader back; if there is none any more: SELECT pg_drop_replication_slot('{slot.name}');",
            service=service,
            metric="slot_retained_bytes",
            value=kept,
        )


def _archiver(case: NodeCase, service: PostgresqlService, archiver: ArchiverFacts) -> Iterator[Finding]:
    where = f"{case.node.name}:{service.name}"
    if archiver.mode == "off":
        return
    if archiver.ready is not None:
        yield from case.measured(
            "archive_backlog",
            f"archive-backlog:{where}",
            archiver.ready,
            "WAL segments that wait to be archived:",
            hint="A primary does not stop before all of them are archived.",
            service=service,
        )
    failing = archiver.seconds_since_failed
    archived = archiver.seconds_since_archived
    if failing is None or (archived is not None and archived <= failing):
        return
    # When it began to fail nobody tells; the last success is the earliest that it can have been.
    level = level_of(archived or 0.0, case.limit("archive_failing_seconds"))
    backlog = f", {archiver.ready} segments wait" if archiver.ready is not None else ""
    success = f"last success {duration(archived)} ago" if archived is not None else "it never succeeded"
    yield case.finding(
        f"archiving:{where}",
        max(level, Level.WARN),
        f"archiving fails: {archiver.failed} failures, {success}{backlog}",
        hint="The reason is in PostgreSQL's log, beside archive_command.",
        service=service,
        metric=METRICS["archive_failing_seconds"].name,
        value=archived,
    )
