"""A replicated database as rows and sentences: the tree, the lags and how they move, slots, archiving, candidates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from hactl.model.assess.base import because, listed
from hactl.model.facts import ArchiverFacts, PostgresqlFacts, Slot
from hactl.model.findings import Level
from hactl.model.inventory import PostgresqlService
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.replication import Replication, Server, Standby, replication, why_no_primary
from hactl.model.succession import Candidate, candidates
from hactl.view import units
from hactl.view.cells import NOTHING, UNKNOWN, from_answer, size_cell
from hactl.view.findings import about_lines
from hactl.view.lines import Line
from hactl.view.tables import Cell, Column, Row, Table

TREE_COLUMNS = (
    Column("node", "server", minimum=6),
    Column("role", "role", minimum=7),
    Column("timeline", "tl", "right"),
    Column("state", "state", minimum=9),
    Column("behind", "behind", "right", minimum=5),
    Column("behind_by", "moves", "right", priority=2),
    Column("replay", "to replay", "right", minimum=5),
    Column("replay_by", "moves", "right", priority=3),
    Column("sync", "sync", priority=4),
    Column("slot", "slot", priority=5),
    Column("site", "site", priority=6),
)
CANDIDATE_COLUMNS = (
    Column("rank", "rank", "right"),
    Column("node", "candidate", minimum=4),
    Column("timeline", "tl", "right", priority=2),
    Column("received", "received", "right", priority=1),
    Column("verdict", "can it take over", minimum=12, grow=True),
)
SLOT_COLUMNS = (
    Column("node", "on", minimum=2),
    Column("slot", "slot", minimum=4),
    Column("reader", "reader", minimum=6),
    Column("held", "holds", "right", minimum=5),
    Column("status", "wal", minimum=4),
    Column("type", "type", priority=1),
)
_BAR_FROM, _BAR_TO = 10, 30  # powers of two: a bar is empty at 1 KiB and full at 1 GiB
_STEADY = 512.0  # bytes a second; a lag that moves by less stays


def summary(found: Replication) -> Line:
    """The database in one sentence."""
    name = found.service.name
    if not found.primary:
        level = Level.CRIT if found.primaries or not found.unknown else Level.UNKNOWN
        return Line(why_no_primary(found), level, strong=True)
    facts = found.servers[found.primary].known
    streaming = sum(one.streaming for one in found.standbys)
    parts = [f"{name}: primary {found.primary}"]
    if facts is not None:
        parts += [f"timeline {facts.timeline}", f"PostgreSQL {facts.version}"]
    parts.append(f"{streaming} of {len(found.servers) - 1} standbys stream")
    if found.unknown:
        parts.append(f"{listed(found.unknown)} cannot be asked")
    read_only = facts is not None and facts.read_only
    return Line(", ".join(parts) + (", READ ONLY" if read_only else ""), Level.WARN if read_only else None, strong=True)


def tree_rows(found: Replication, *, bars: int = 0) -> Table:
    """Primaries, below each who follows it, then who follows nobody here; keyed by node. `bars`: cells that the bar of
    a lag takes, 0 for none.
    """
    return Table(TREE_COLUMNS, tuple(_row(found, node, depth, bars) for node, depth in _placed(found)))


def _placed(found: Replication) -> Iterator[tuple[str, int]]:
    """Each node once, with its depth below a primary; one that follows in a circle stands at the edge."""
    below: dict[str, list[str]] = {}
    for one in found.standbys:
        below.setdefault(one.upstream, []).append(one.node)
    shown: set[str] = set()

    def walk(node: str, depth: int) -> Iterator[tuple[str, int]]:
        if node in shown:
            return
        shown.add(node)
        yield node, depth
        for follower in below.get(node, ()):
            yield from walk(follower, depth + 1)

    for node in found.primaries:
        yield from walk(node, 0)
    roots = (node for node in found.servers if node not in {one.node for one in found.standbys})
    for node in (*roots, *found.servers):
        yield from walk(node, 0)


def _row(found: Replication, node: str, depth: int, bars: int) -> Row:
    server = found.servers[node]
    name = Cell(("  " * (depth - 1) + "└ " if depth else "") + node, None, node)
    standby = next((one for one in found.standbys if one.node == node), None)
    if standby is not None:
        cells = _standby_cells(standby, bars)
    elif server.known is not None:
        cells = _primary_cells(found, server.known)
    else:
        cells = _silent_cells(found, server)
    return Row(node, (name, *cells, Cell(server.site)), cells[2].level)


def _primary_cells(found: Replication, facts: PostgresqlFacts) -> tuple[Cell, ...]:
    twice = len(found.primaries) > 1
    state = "read only" if facts.read_only else "takes writes"
    level = Level.CRIT if twice else Level.WARN if facts.read_only else None
    on = Cell("on") if facts.synchronous_standby_names.strip() else NOTHING
    return (
        Cell("primary", level),
        Cell(str(facts.timeline), None, facts.timeline),
        Cell(state, level),
        *((NOTHING,) * 4),
        on,
        NOTHING,
    )


def _standby_cells(one: Standby, bars: int) -> tuple[Cell, ...]:
    if one.paused:
        state = Cell("replay paused", Level.WARN)
    elif one.streaming:
        state = Cell("streaming")
    else:
        state = Cell(f"follows {one.upstream}, no stream" if one.upstream else "no stream", Level.CRIT)
    slot = NOTHING if one.slot is None else Cell(one.slot.name, None if one.slot.active else Level.WARN)
    return (
        Cell("standby"),
        Cell(str(one.timeline), None, one.timeline),
        state,
        from_answer(one.behind, lambda count: lag_cell(count, bars)),
        _moves(one.behind_by),
        lag_cell(one.to_replay, bars),
        _moves(one.to_replay_by),
        Cell(one.sync) if one.sync else UNKNOWN,
        slot,
    )


def _silent_cells(found: Replication, server: Server) -> tuple[Cell, ...]:
    was = f"? was {server.last.value.role}" if server.last is not None else "?"
    age = f" {units.age(server.last.age(found.at))} ago" if server.last is not None else ""
    seen = Cell(was + age, Level.UNKNOWN, unknown=True)
    reason = because(server.facts, server.node) if isinstance(server.facts, Unknown) else ""
    return (seen, UNKNOWN, Cell(reason or "?", Level.UNKNOWN, unknown=True), *((UNKNOWN,) * 6))


def lag_cell(count: int, bars: int) -> Cell:
    text = units.size(count)
    return Cell(f"{lag_bar(count, bars)} {text:>8}" if bars else text, None, float(count))


def lag_bar(count: int, width: int) -> str:
    """A bar whose length grows with the logarithm of the bytes: what matters is whether it is nothing, some or much."""
    if count <= 0 or width <= 0:
        return "·" * width
    share = (math.log2(count) - _BAR_FROM) / (_BAR_TO - _BAR_FROM)
    filled = min(width, max(1, round(share * width)))
    return "█" * filled + "·" * (width - filled)


def _moves(rate: float | None) -> Cell:
    if rate is None:
        return UNKNOWN
    if abs(rate) < _STEADY:
        return Cell("steady", None, 0.0)
    return Cell(f"{'+' if rate > 0 else '-'}{units.rate(abs(rate))}", None, rate)


# --- who could take over ----------------------------------------------------------------------------------------


def candidate_rows(found: Replication) -> Table:
    """Keyed by node, best first."""
    return Table(CANDIDATE_COLUMNS, tuple(_candidate(one) for one in candidates(found)))


def _candidate(one: Candidate) -> Row:
    verdict = Cell("yes", Level.OK) if one.eligible else Cell(f"no: {'; '.join(one.reasons)}", Level.WARN)
    cells = (
        Cell(str(one.rank), None, one.rank),
        Cell(one.node),
        _number(one.timeline),
        from_answer(one.received, lambda lsn: Cell(lsn_text(lsn), None, lsn)),
        verdict,
    )
    return Row(one.node, cells, None if one.eligible else Level.WARN)


def lsn_text(lsn: int) -> str:
    """A position as PostgreSQL writes it: "0/3000148"."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def _number(value: Maybe[int]) -> Cell:
    return from_answer(value, lambda count: Cell(str(count), None, count))


def lost_lines(found: Replication) -> list[Line]:
    """With the primary gone: when and how it was last seen, and what each survivor lacks of that."""
    if found.primaries or found.lost is None:
        return []
    lost = found.lost
    if lost.seen is None:
        return [
            Line(f"{lost.node} was the primary, as far as its standbys know; nobody here has seen it", Level.UNKNOWN)
        ]
    ago = units.duration(round(lost.seen.age(found.at)))
    lines = [Line(f"{lost.node} was last seen as primary {ago} ago, at {lsn_text(lost.seen.value.lsn)}", Level.UNKNOWN)]
    for one in candidates(found):
        match found.loss(one.node):
            case Observed(value=count) if one.eligible:
                lines.append(Line(f"{one.node} had {units.size(count)} less then", indent=2))
    return lines


# --- slots and the archive --------------------------------------------------------------------------------------


def slot_rows(found: Replication) -> Table:
    """Every slot on every server that answers, keyed "NODE/SLOT"."""
    rows = []
    for node, server in found.servers.items():
        for slot in server.known.slots if server.known is not None else ():
            level = Level.CRIT if slot.wal_status == "lost" else None if slot.active else Level.WARN
            reader = Cell("reads" if slot.active else "nobody reads it", level)
            held = UNKNOWN if slot.retained is None else size_cell(slot.retained)
            cells = (Cell(node), Cell(slot.name), reader, held, Cell(slot.wal_status or "?"), Cell(slot.slot_type))
            rows.append(Row(f"{node}/{slot.name}", cells, level))
    return Table(SLOT_COLUMNS, tuple(rows))


def archive_lines(found: Replication) -> list[Line]:
    """Whether each primary archives, in a sentence."""
    known = [(node, facts) for node in found.primaries if (facts := found.servers[node].known) is not None]
    return [_archive(node, facts.archiver) for node, facts in known]


def _archive(node: str, archiver: ArchiverFacts) -> Line:
    if archiver.mode == "off":
        return Line(f"archiving on {node}: off", Level.WARN)
    last, failed = archiver.seconds_since_archived, archiver.seconds_since_failed
    parts = [f"archiving on {node}: {archiver.mode}"]
    parts.append(f"last segment {units.duration(round(last))} ago" if last is not None else "nothing archived yet")
    if archiver.ready is not None:
        parts.append(f"{archiver.ready} wait" if archiver.ready else "none waits")
    failing = failed is not None and (last is None or failed < last)
    if failing:
        parts.append(f"fails: {archiver.failed} failures, the last one {units.duration(round(failed or 0))} ago")
    return Line(", ".join(parts), Level.CRIT if failing else None)


# --- what is wrong with it --------------------------------------------------------------------------------------


def finding_lines(picture: Picture, found: Replication) -> list[Line]:
    """What is to be said about the database and its pools, worst first, each with what to do about it."""
    pools = {pool.name for pool in found.inventory.pools.values() if pool.service == found.service.name}
    return about_lines(picture, {found.service.name}, pools)


# --- both front ends' page --------------------------------------------------------------------------------------


def all_of(picture: Picture) -> tuple[Replication, ...]:
    """Every database of the inventory as it stands now."""
    services = picture.state.inventory.services.values()
    return tuple(replication(one, picture) for one in services if isinstance(one, PostgresqlService))


def forest(picture: Picture, *, bars: int = 0) -> Table:
    """The trees of all databases, one below the other, keyed "SERVICE/NODE"."""
    rows = []
    for found in all_of(picture):
        rows += [replace(row, key=f"{found.service.name}/{row.key}") for row in tree_rows(found, bars=bars).rows]
    return Table(TREE_COLUMNS, tuple(rows))


def server_of(picture: Picture, key: str) -> tuple[Replication, str]:
    """The database and the node of a row of `forest`."""
    service, _, node = key.partition("/")
    return next(one for one in all_of(picture) if one.service.name == service), node


def below_lines(picture: Picture, found: Replication) -> list[Line]:
    """What stands below the tree: the sentence, what may be lost, candidates, the archive, slots, what is wrong."""
    lines = [summary(found), *lost_lines(found), Line(), Line("who could take over", strong=True)]
    for one in candidates(found):
        said = "yes" if one.eligible else f"no: {'; '.join(one.reasons)}"
        lines.append(Line(f"{one.rank}  {one.node} ({one.site}): {said}", None if one.eligible else Level.WARN, hang=3))
    lines += [Line(), *archive_lines(found)]
    slots = [(node, slot) for node, one in found.servers.items() for slot in (one.known.slots if one.known else ())]
    if slots:
        lines.append(Line("slots: " + "; ".join(_slot_words(node, slot) for node, slot in slots), hang=7))
    if wrong := finding_lines(picture, found):
        lines += [Line(), *wrong]
    return lines


def _slot_words(node: str, slot: Slot) -> str:
    held = "holds ?" if slot.retained is None else f"holds {units.size(slot.retained)}"
    return f"{slot.name} on {node} {held}" + ("" if slot.active else ", nobody reads it")
