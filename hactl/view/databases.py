"""Databases as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hactl.model.assess.database import Pair, primaries_of, receive_lag
from hactl.model.facts import PostgresqlFacts, PostgresqlRole
from hactl.model.findings import Level
from hactl.model.inventory import PostgresqlService
from hactl.model.observed import Maybe, Observed
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.cells import NOTHING, UNKNOWN, level_cell, size_cell
from hactl.view.tables import Cell, Column, Row, Table

DATABASE_COLUMNS = (
    Column("node", "node", minimum=4),
    Column("level", "level", minimum=7),
    Column("role", "role", minimum=7),
    Column("timeline", "tl", "right", priority=3),
    Column("streaming", "streaming", minimum=6, priority=1),
    Column("received", "behind", "right", minimum=5),
    Column("replayed", "to replay", "right", minimum=5),
    Column("connections", "conns", "right", priority=4),
    Column("slots", "slots hold", "right", priority=5),
    Column("site", "site", priority=6),
    Column("service", "service", priority=7),
)


def database_rows(picture: Picture) -> Table:
    """One row a server of every PostgreSQL service, keyed "SERVICE/NODE".

    `behind`: bytes that the primary has written and this standby not received; `to replay`: received and not replayed.
    A server that cannot be asked now says when and as what it was last seen.
    """
    services = [one for one in picture.state.inventory.services.values() if isinstance(one, PostgresqlService)]
    return Table(DATABASE_COLUMNS, tuple(row for service in services for row in _servers(picture, service)))


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of one database: what each answers now, and which are primaries."""

    answers: Mapping[str, Maybe[PostgresqlFacts]]
    known: Mapping[str, Observed[PostgresqlFacts]]
    primaries: tuple[str, ...]

    def pair(self, node: str) -> Pair | None:
        """`node` beside the primary, where there is exactly one and it is another node."""
        if len(self.primaries) != 1 or node in self.primaries or node not in self.known:
            return None
        primary = self.primaries[0]
        return Pair(primary, self.known[primary], node, self.known[node])


def servers_of(picture: Picture, service: PostgresqlService) -> Servers:
    key = f"postgresql:{service.name}"
    answers = {node: picture.state.nodes[node].read(key, PostgresqlFacts, picture.now) for node in service.nodes}
    known = {node: answer for node, answer in answers.items() if isinstance(answer, Observed)}
    return Servers(answers, known, primaries_of(picture.state, service, known))


def _servers(picture: Picture, service: PostgresqlService) -> list[Row]:
    servers = servers_of(picture, service)
    return [_server(picture, service, servers, node) for node in service.nodes]


def _server(picture: Picture, service: PostgresqlService, servers: Servers, node: str) -> Row:
    level = picture.assessment.services[service.name].members[node].level
    site = picture.state.inventory.nodes[node].site
    seen = servers.known.get(node)
    if seen is None:
        cells = (_last_seen(picture, service, node), *(UNKNOWN for _ in range(6)))
    else:
        cells = _known(picture, seen.value, servers.pair(node))
    return Row(f"{service.name}/{node}", (Cell(node), level_cell(level), *cells, Cell(site), Cell(service.name)), level)


def _known(picture: Picture, facts: PostgresqlFacts, pair: Pair | None) -> tuple[Cell, ...]:
    standby = facts.role is PostgresqlRole.STANDBY
    behind = NOTHING
    if standby:
        behind = size_cell(receive_lag(picture.state.inventory, pair)) if pair else UNKNOWN
    replay = size_cell(max(0, facts.lsn - facts.replayed)) if facts.replayed is not None else NOTHING
    if facts.replay_paused:
        replay = Cell(f"{replay.text} paused", Level.WARN, replay.sort)
    streaming = Cell(facts.receiver_status or "no", None if facts.receiver_status == "streaming" else Level.CRIT)
    if not standby:
        count = sum(replica.state == "streaming" for replica in facts.replicas)
        streaming = Cell(f"to {count}", None, f"to {count}")
    held = max((slot.retained or 0 for slot in facts.slots), default=None)
    return (
        Cell(facts.role.value + (" (read only)" if facts.read_only else "")),
        Cell(str(facts.timeline), None, facts.timeline),
        streaming,
        behind,
        replay,
        Cell(f"{facts.connections}/{facts.max_connections}", None, facts.connections / max(1, facts.max_connections)),
        size_cell(held) if held is not None else NOTHING,
    )


def _last_seen(picture: Picture, service: PostgresqlService, node: str) -> Cell:
    last = picture.state.nodes[node].last_known(f"postgresql:{service.name}", PostgresqlFacts)
    if last is None:
        return UNKNOWN
    return Cell(f"? was {last.value.role.value} {units.age(last.age(picture.now))} ago", Level.UNKNOWN, unknown=True)
