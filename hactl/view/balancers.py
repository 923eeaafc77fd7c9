"""Servers down, balancers across: what each balancer says of each member, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hactl.model.assess.members import Member, difference, is_out, members, word
from hactl.model.assess.notes import by_whom, note_of
from hactl.model.facts import AdminState, DrainNote, HaproxyFacts, HaproxyServer, ServerState
from hactl.model.findings import Finding, Level
from hactl.model.inventory import Pool, Routing
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.cells import NOTHING, UNKNOWN, level_cell
from hactl.view.lines import Line
from hactl.view.tables import Cell, Column, Row, Table

_BEFORE = (
    Column("pool", "pool", minimum=4),
    Column("node", "node", minimum=4),
    Column("level", "level", minimum=4, priority=2),
    Column("server", "server", minimum=4, priority=7),
)
_AFTER = (
    Column("same", "agree", priority=1),
    Column("admin", "admin", minimum=5, priority=3),
    Column("sessions", "sess", "right", minimum=4, priority=3),
    Column("queue", "queue", "right", priority=5),
    Column("rate", "rate/s", "right", minimum=6, priority=6),
    Column("errors", "errors", "right", priority=4),
    Column("check", "last check", minimum=10, priority=8),
    Column("since", "since", "right", priority=9),
    Column("note", "taken out", minimum=9, priority=10, grow=True),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One member of one pool, and what is known of it. `asked`: the balancers that could be."""

    pool: Pool
    member: Member
    before: Mapping[str, HaproxyServer]  # the row before the newest, where a balancer has one
    balancers: tuple[str, ...]
    note: DrainNote | None  # only of a member that is out

    @property
    def key(self) -> str:
        return f"{self.pool.name}/{self.member.node}"

    @property
    def rows(self) -> tuple[HaproxyServer, ...]:
        return tuple(row for row in self.member.seen.values() if row is not None)


def places(picture: Picture, balancer: str | None = None, node: str | None = None) -> tuple[Place, ...]:
    """Every member of every pool, of one balancer service or one node where those are named."""
    found: list[Place] = []
    for pool in picture.state.inventory.pools.values():
        if balancer in (None, pool.balancer) and (node is None or node in pool.servers):
            found += [one for one in _places(picture, pool) if node in (None, one.member.node)]
    return tuple(found)


def _places(picture: Picture, pool: Pool) -> list[Place]:
    state, now, key = picture.state, picture.now, f"haproxy:{pool.balancer}"
    nodes = state.inventory.services[pool.balancer].nodes
    asked: dict[str, Observed[HaproxyFacts]] = {}
    before: dict[str, HaproxyFacts] = {}
    for name in nodes:
        answer = state.nodes[name].read(key, HaproxyFacts, now)
        if isinstance(answer, Observed):
            asked[name] = answer
            older = state.nodes[name].readings[key].before
            if older is not None and isinstance(older.value, HaproxyFacts) and older.value.pid == answer.value.pid:
                before[name] = older.value
    found = []
    for member in members(pool, asked):
        old = {
            name: row
            for name, facts in before.items()
            if (backend := facts.backends.get(pool.backend)) and (row := backend.servers.get(member.server))
        }
        note = note_of(state, pool, member.node, now) if member.drained_on else None
        found.append(Place(pool, member, old, nodes, note))
    return found


def balancer_matrix(picture: Picture, balancer: str | None = None, node: str | None = None) -> Table:
    """One row a server of every pool of the haproxy service `balancer` (None: of all), keyed "POOL/NODE".

    A column for each balancer node tells the operational state there: "up", "drained", "down L4CON"; "?" where that
    balancer could not be asked. Numbers are of all balancers in the order of their columns: "4+3". `same` says whether
    they agree; `note` who took the server out, why and when.
    """
    found = places(picture, balancer, node)
    nodes = tuple(dict.fromkeys(name for one in found for name in one.balancers))
    columns = (*_BEFORE, *(Column(f"on:{name}", name, minimum=6) for name in nodes), *_AFTER)
    wall = picture.state.wall(picture.now)
    return Table(columns, tuple(_row(one, nodes, wall) for one in found))


def _row(place: Place, nodes: tuple[str, ...], wall: float) -> Row:
    pool, member = place.pool, place.member
    on = [_state(place, name) for name in nodes]
    differs = difference(member)
    agree = Cell("no", Level.WARN) if differs else Cell("yes") if len(member.seen) > 1 else UNKNOWN
    level = max([cell.level or Level.OK for cell in (*on, agree)], default=Level.OK)
    if not member.seen:
        level = Level.UNKNOWN
    cells = (
        *(Cell(pool.name), Cell(member.node), level_cell(level), Cell(member.server), *on, agree),
        _admin(member),
        _sum(place, lambda row: row.sessions),
        _sum(place, lambda row: row.queue, bad=lambda row: row.queue > 0),
        _sum(place, lambda row: row.rate),
        _errors(place),
        _check(place.rows),
        Cell(units.age(member.changed), None, member.changed) if place.rows else UNKNOWN,
        _taken_out(place, wall),
    )
    return Row(place.key, cells, level)


def _state(place: Place, balancer: str) -> Cell:
    """A server that is down in a pool of which one member is routed to is as it should be: a standby."""
    if balancer not in place.member.seen:
        return UNKNOWN if balancer in place.balancers else NOTHING
    row = place.member.seen[balancer]
    said = word(row)
    if row is None:
        return Cell(said, Level.WARN)
    if is_out(row):
        down = "down, " if row.state is ServerState.DOWN else ""
        return Cell(f"{down}{said}", Level.WARN, said)
    if said == "up":
        return Cell(row.status.lower() if row.state is ServerState.GOING_DOWN else said, None, said)
    if said.startswith("down"):
        check = f" {row.check_status}" if row.check_status else ""
        return Cell(f"{said}{check}", None if place.pool.routing is Routing.ONE else Level.CRIT, said)
    return Cell(said, Level.WARN, said)


def _admin(member: Member) -> Cell:
    """What was ordered of it, on each balancer where they differ."""
    orders = [_order(row) for row in member.seen.values() if row is not None]
    if not orders:
        return UNKNOWN
    same = len(set(orders)) == 1
    return Cell(orders[0] if same else "/".join(orders), None if set(orders) == {"ready"} else Level.WARN)


def _order(row: HaproxyServer) -> str:
    bits = row.admin or AdminState.READY
    return "maint" if bits.maintained else "drain" if bits.drained else "ready"


def _sum(
    place: Place, count: Callable[[HaproxyServer], int], *, bad: Callable[[HaproxyServer], bool] | None = None
) -> Cell:
    seen = [place.member.seen.get(name) for name in place.balancers]
    known = [row for row in seen if row is not None]
    if not known:
        return UNKNOWN
    total = sum(map(count, known))
    level = Level.WARN if bad is not None and any(map(bad, known)) else None
    return Cell("+".join("?" if row is None else str(count(row)) for row in seen), level, total)


def _errors(place: Place) -> Cell:
    """Since HAProxy began; a warning while there are new ones."""

    def grows(name: str) -> bool:
        row, old = place.member.seen.get(name), place.before.get(name)
        return row is not None and old is not None and _failed(row) > _failed(old)

    cell = _sum(place, _failed)
    return Cell(cell.text, Level.WARN, cell.sort) if any(map(grows, place.balancers)) else cell


def _failed(row: HaproxyServer) -> int:
    return row.errors_connection + row.errors_response + (row.http_5xx or 0)


def _check(rows: Sequence[HaproxyServer]) -> Cell:
    """The newest check on each balancer, once where they say the same; how long it took, of the slowest."""
    said = list(dict.fromkeys(_checked(row) for row in rows))
    took = max((row.check_ms for row in rows if row.check_ms is not None), default=None)
    if not rows:
        return UNKNOWN
    if said == [""]:
        return NOTHING
    return Cell(" / ".join(one or "none" for one in said) + ("" if took is None else f" {took} ms"))


def _checked(row: HaproxyServer) -> str:
    return f"{row.check_status} {row.check_code}" if row.check_code else row.check_status


def _taken_out(place: Place, wall: float) -> Cell:
    if not place.member.drained_on:
        return NOTHING
    return Cell("nobody says" if place.note is None else by_whom(place.note, wall), Level.WARN)


# --- one server in words --------------------------------------------------------------------------------------


def place_lines(picture: Picture, key: str) -> tuple[Line, ...]:
    """What is to be said about the member `key` ("POOL/NODE"): its findings with what to do, and the note about it."""
    place = next((one for one in places(picture) if one.key == key), None)
    if place is None:
        return ()
    lines = [line for finding in _about(picture, place) for line in _said(finding)]
    if place.note is not None:
        why = f": {place.note.why}" if place.note.why else ", without a reason"
        when = units.moment(place.note.when, picture.state.wall(picture.now))
        run = f" (run {place.note.run})" if place.note.run else ""
        lines.append(Line(f"Taken out by {place.note.who} at {when}{why}{run}.", faint=True))
    if not lines:
        seen = ", ".join(f"{word(row)} on {name}" for name, row in place.member.seen.items())
        lines.append(Line(f"{place.member.server}: {seen or 'no balancer can be asked'}.", faint=True))
    return tuple(lines)


def run_of(picture: Picture, key: str) -> str:
    """The run that took the member `key` out, as the note about it says; "" where none does."""
    return next((one.note.run for one in places(picture) if one.key == key and one.note is not None), "")


def _about(picture: Picture, place: Place) -> list[Finding]:
    return [
        finding
        for finding in picture.assessment.findings
        if finding.scope.name == place.pool.name and finding.node in (None, place.member.node)
    ]


def _said(finding: Finding) -> list[Line]:
    hint = [Line(finding.hint, indent=2, faint=True)] if finding.hint else []
    return [Line(finding.sentence, finding.level, mark=finding.level.word), *hint]
