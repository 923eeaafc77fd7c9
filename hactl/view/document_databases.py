"""Databases and backups in the status document."""

from __future__ import annotations

from hactl.model.assess.database import Pair, receive_lag
from hactl.model.backups import backup_services, primary_lsn, repositories
from hactl.model.facts import Backup, PostgresqlFacts, PostgresqlRole
from hactl.model.holdings import Holdings
from hactl.model.inventory import PgbackrestService, PostgresqlService
from hactl.model.observed import Unknown
from hactl.model.picture import Picture
from hactl.view import status
from hactl.view.databases import Servers, servers_of


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
    return [_backup(picture, service) for service in backup_services(picture.state.inventory)]


def _backup(picture: Picture, service: PgbackrestService) -> status.BackupStatus:
    found = repositories(service, picture)
    known = [one.known for one in found if one.known is not None]
    reason = next((one.holdings.reason for one in found if isinstance(one.holdings, Unknown)), None)
    lsn = primary_lsn(service, picture)
    return status.BackupStatus(
        service.name,
        known[0].facts.stanza if known else service.stanza,
        known[0].facts.running if known else None,
        reason,
        [_repository(one, lsn) for one in known],
    )


def _repository(holdings: Holdings, lsn: int | None) -> status.RepositoryState:
    code, message = holdings.status

    def age(backups: tuple[Backup, ...]) -> float | None:
        return round(min(map(holdings.age, backups)), 1) if backups else None

    return status.RepositoryState(
        number=holdings.number,
        code=code,
        message=message,
        last_full_age_seconds=age(holdings.fulls),
        last_any_age_seconds=age(holdings.good),
        backups=len(holdings.good),
        newest_wal=holdings.newest_wal or None,
        wal_gap_segments=holdings.gap(lsn),
    )
