"""Databases and backups in the status document."""

from __future__ import annotations

from hactl.model.assess.backup import good, wal_gap
from hactl.model.assess.database import Pair, receive_lag
from hactl.model.facts import PgbackrestFacts, PostgresqlFacts, PostgresqlRole
from hactl.model.inventory import PgbackrestService, PostgresqlService
from hactl.model.observed import Observed, Unknown
from hactl.model.picture import Picture
from hactl.view import status
from hactl.view.databases import Servers, primary_lsn, servers_of


def databases(picture: Picture) -> list[status.DatabaseStatus]:
    services = [one for one in picture.state.inventory.services.values() if isinstance(one, PostgresqlService)]
    return [_database(picture, service) for service in services]


def _database(picture: Picture, service: PostgresqlService) -> status.DatabaseStatus:
    servers = servers_of(picture, service)
    return status.DatabaseStatus(
        service=service.name,
        primaries=list(servers.primaries),
        servers=[_server(picture, service, servers, node) for node in service.nodes],
    )


def _server(picture: Picture, service: PostgresqlService, servers: Servers, node: str) -> status.DatabaseServer:
    last = picture.state.nodes[node].last_known(f"postgresql:{service.name}", PostgresqlFacts)
    age = round(last.age(picture.now), 3) if last else None
    answer = servers.answers[node]
    if isinstance(answer, Unknown):
        return status.DatabaseServer(node, None, answer.reason, last.value.role.value if last else None, age)
    facts = _postgresql(picture, answer.value, servers.pair(node))
    return status.DatabaseServer(node, facts, None, answer.value.role.value, age)


def _postgresql(picture: Picture, facts: PostgresqlFacts, pair: Pair | None) -> status.PostgresqlStatus:
    standby = facts.role is PostgresqlRole.STANDBY
    behind = receive_lag(picture.state.inventory, pair) if standby and pair else None
    replay = max(0, facts.lsn - facts.replayed) if facts.replayed is not None else None
    return status.PostgresqlStatus(
        role=facts.role.value,
        version=facts.version,
        system_identifier=facts.system_identifier,
        timeline=facts.timeline,
        read_only=facts.read_only,
        streaming=facts.receiver_status == "streaming",
        receive_lag_bytes=behind,
        replay_lag_bytes=replay if standby else None,
        replay_paused=facts.replay_paused,
        connections=facts.connections,
        max_connections=facts.max_connections,
        longest_transaction_seconds=facts.longest_transaction,
        slots=[status.SlotStatus(one.name, one.active, one.retained, one.wal_status) for one in facts.slots],
        archiver=status.ArchiverStatus(
            mode=facts.archiver.mode,
            archived=facts.archiver.archived,
            failed=facts.archiver.failed,
            backlog=facts.archiver.ready,
            since_archived_seconds=facts.archiver.seconds_since_archived,
        ),
    )


def backups(picture: Picture) -> list[status.BackupStatus]:
    services = [one for one in picture.state.inventory.services.values() if isinstance(one, PgbackrestService)]
    return [_backup(picture, service) for service in services]


def _backup(picture: Picture, service: PgbackrestService) -> status.BackupStatus:
    state = picture.state.nodes[service.repository_host]
    answer = state.read(f"pgbackrest:{service.name}", PgbackrestFacts, picture.now)
    if isinstance(answer, Unknown):
        return status.BackupStatus(service.name, service.stanza, None, answer.reason, [])
    lsn = primary_lsn(picture, service)
    repositories = [_repository(picture, answer, number, lsn) for number in service.repositories]
    return status.BackupStatus(service.name, answer.value.stanza, answer.value.running, None, repositories)


def _repository(
    picture: Picture, answer: Observed[PgbackrestFacts], number: int, lsn: int | None
) -> status.RepositoryState:
    facts = answer.value
    made = [backup for backup in good(facts) if backup.repository == number]
    newest = facts.archive_max.get(number)
    own = next(((one.code, one.message) for one in facts.repositories if one.number == number), None)
    code, message = own or (facts.code, facts.message)

    def age(kinds: frozenset[str] | None) -> float | None:
        stopped = [backup.stopped for backup in made if kinds is None or backup.kind in kinds]
        seconds = facts.now - max(stopped) + answer.age(picture.now) if stopped else None
        return None if seconds is None else round(max(0.0, seconds), 1)

    return status.RepositoryState(
        number=number,
        code=code,
        message=message,
        last_full_age_seconds=age(frozenset({"full"})),
        last_any_age_seconds=age(None),
        backups=len(made),
        newest_wal=newest,
        wal_gap_segments=wal_gap(lsn, newest) if lsn is not None and newest else None,
    )
