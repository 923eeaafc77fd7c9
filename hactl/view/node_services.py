"""What the probe of one service said on one node, as labelled facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from hactl.model.assess.members import word
from hactl.model.facts import HaproxyFacts, HttpFacts, PgbackrestFacts, PostgresqlFacts, PostgresqlRole, ResticFacts
from hactl.model.findings import Level
from hactl.model.observed import Maybe, Observed
from hactl.model.state import NodeState
from hactl.view import units
from hactl.view.cluster import Fact

ServiceFacts: TypeAlias = HttpFacts | HaproxyFacts | PostgresqlFacts | PgbackrestFacts | ResticFacts


def read(state: NodeState, key: str, now: float) -> Maybe[ServiceFacts]:
    """The answer of a service's probe, of whatever kind it is."""
    last = state.readings[key].last
    value = last.value if last is not None else None
    kind = type(value) if isinstance(value, ServiceFacts) else HttpFacts
    answer = state.read(key, kind, now)
    return Observed(answer.value, answer.at) if isinstance(answer, Observed) else answer


def facts(answer: ServiceFacts) -> Iterator[Fact]:
    match answer:
        case HttpFacts():
            yield from _http(answer)
        case HaproxyFacts():
            yield from _haproxy(answer)
        case PostgresqlFacts():
            yield from _postgresql(answer)
        case PgbackrestFacts():
            yield from _pgbackrest(answer)
        case ResticFacts():
            yield from _restic(answer)


def _http(answer: HttpFacts) -> Iterator[Fact]:
    said = f"{answer.status} in {answer.latency_ms:.0f} ms" if answer.status else answer.error or "no answer"
    yield Fact("health", said, None if answer.healthy else Level.CRIT)
    if answer.body:
        yield Fact("says", answer.body)


def _haproxy(answer: HaproxyFacts) -> Iterator[Fact]:
    yield Fact("version", f"{answer.version}, up {units.duration(answer.uptime)}, pid {answer.pid}")
    for front in answer.frontends.values():
        yield Fact(front.name, f"{front.status.lower()}, {front.sessions} sessions, {front.rate}/s")
    for backend in answer.backends.values():
        queue = f", {backend.queue} wait" if backend.queue else ""
        yield Fact(backend.name, f"{backend.status.lower()}, {backend.sessions} sessions, {backend.rate}/s{queue}")
        for server in backend.servers.values():
            check = f", {server.check_status}" if server.check_status else ""
            since = units.age(server.last_change)
            yield Fact(f"  {server.name}", f"{word(server)} for {since}{check}, {server.sessions} sessions")


def _postgresql(answer: PostgresqlFacts) -> Iterator[Fact]:
    yield Fact("role", f"{answer.role}{', read only' if answer.read_only else ''}, timeline {answer.timeline}")
    yield Fact("version", f"{answer.version}, up {units.duration(answer.started)}")
    if answer.role is PostgresqlRole.STANDBY:
        streams = answer.receiver_status or "no receiver"
        yield Fact("receives", f"{streams}{f' from {answer.primary_host}' if answer.primary_host else ''}")
        if answer.replayed is not None:
            paused = ", replay is paused" if answer.replay_paused else ""
            waiting = units.size(max(0, answer.lsn - answer.replayed))
            yield Fact("to replay", f"{waiting}{paused}", Level.WARN if answer.replay_paused else None)
    for replica in answer.replicas:
        lags = (replica.sent_lag, replica.flush_lag, replica.replay_lag)
        sent, flushed, replayed = ("?" if lag is None else units.size(lag) for lag in lags)
        who = replica.application or replica.address
        text = f"{replica.state}, {replica.sync_state}, behind: sent {sent}, flushed {flushed}, replayed {replayed}"
        yield Fact(f"to {who}", text)
    for slot in answer.slots:
        state = "active" if slot.active else "nobody reads it"
        held = "?" if slot.retained is None else units.size(slot.retained)
        yield Fact(
            f"slot {slot.name}", f"{state}, holds {held}", None if slot.active or slot.retained is None else Level.WARN
        )
    yield Fact("connections", f"{answer.connections} of {answer.max_connections}")
    yield Fact("oldest transaction", units.duration(answer.longest_transaction))
    archiver = answer.archiver
    waiting = "?" if archiver.ready is None else str(archiver.ready)
    yield Fact("archiving", f"{archiver.mode}, {archiver.archived} done, {archiver.failed} failures, {waiting} wait")


def _pgbackrest(answer: PgbackrestFacts) -> Iterator[Fact]:
    yield Fact("stanza", f"{answer.stanza}: {answer.message}", Level.CRIT if answer.code else None)
    for repository in answer.repositories:
        newest = answer.archive_max.get(repository.number, "none")
        text = f"{repository.message}, newest WAL {newest}"
        yield Fact(f"repository {repository.number}", text, Level.CRIT if repository.code else None)
    for backup in reversed(answer.backups[-5:]):
        ago = units.age(max(0.0, answer.now - backup.stopped))
        errors = ", with errors" if backup.error else ""
        text = f"{backup.kind}, {ago} ago, {units.size(backup.size)}{errors}"
        yield Fact(backup.label, text, Level.CRIT if backup.error else None)
    if answer.running:
        yield Fact("now", "a backup is being made")


def _restic(answer: ResticFacts) -> Iterator[Fact]:
    if answer.trouble is not None:
        yield Fact("repository", answer.message, Level.CRIT)
    for one in reversed(answer.snapshots[-5:]):
        took = f", {units.size(one.size)}" if one.size is not None else ""
        yield Fact(one.id[:8], f"{units.age(max(0.0, answer.now - one.taken))} ago{took}")
    if answer.unreadable:
        yield Fact("unreadable", f"{answer.unreadable} snapshots", Level.CRIT)
