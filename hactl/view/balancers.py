"""Servers down, balancers across: what each balancer says of each member, and where they differ."""

from __future__ import annotations

from hactl.model.assess.members import Member, difference, members, word
from hactl.model.facts import HaproxyFacts, HaproxyServer
from hactl.model.findings import Level
from hactl.model.inventory import Pool, Routing
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.view import units
from hactl.view.cells import UNKNOWN
from hactl.view.tables import Cell, Column, Row, Table


def balancer_matrix(picture: Picture, balancer: str | None = None) -> Table:
    """One row a server of every pool of the haproxy service `balancer` (None: of all), keyed "POOL/NODE".

    After pool, node and server comes a column for each balancer node: "up", "drained", "down" with its last check and
    its sessions; "?" where that balancer could not be asked. `same` says whether they agree.
    """
    inventory, now = picture.state.inventory, picture.now
    pools = [pool for pool in inventory.pools.values() if balancer in (None, pool.balancer)]
    nodes = tuple(dict.fromkeys(node for pool in pools for node in inventory.services[pool.balancer].nodes))
    columns = (
        Column("pool", "pool", minimum=4, priority=3),
        Column("node", "node", minimum=4),
        Column("server", "server", minimum=4, priority=4),
        *(Column(f"on:{node}", node, minimum=6) for node in nodes),
        Column("same", "agree", priority=1),
    )
    rows: list[Row] = []
    for pool in pools:
        asked: dict[str, Observed[HaproxyFacts]] = {}
        for node in inventory.services[pool.balancer].nodes:
            answer = picture.state.nodes[node].read(f"haproxy:{pool.balancer}", HaproxyFacts, now)
            if isinstance(answer, Observed):
                asked[node] = answer
        rows += [_row(pool, member, nodes) for member in members(pool, asked)]
    return Table(columns, tuple(rows))


def _row(pool: Pool, member: Member, nodes: tuple[str, ...]) -> Row:
    seen = [_cell(pool, member.seen[node]) if node in member.seen else UNKNOWN for node in nodes]
    differs = difference(member)
    agree = Cell("no", Level.WARN) if differs else Cell("yes") if len(member.seen) > 1 else UNKNOWN
    level = max([cell.level or Level.OK for cell in (*seen, agree)], default=Level.OK)
    return Row(
        f"{pool.name}/{member.node}", (Cell(pool.name), Cell(member.node), Cell(member.server), *seen, agree), level
    )


def _cell(pool: Pool, row: HaproxyServer | None) -> Cell:
    """A server that is down in a pool of which one member is routed to is as it should be: a standby."""
    if row is None:
        return Cell("absent", Level.WARN)
    said = word(row)
    if said == "up":
        return Cell(f"up {row.sessions}s", None, said)
    if said.startswith("down"):
        check = f" {row.check_status}" if row.check_status else ""
        return Cell(f"{said}{check}", None if pool.routing is Routing.ONE else Level.CRIT, said)
    return Cell(f"{said} {row.sessions}s, {units.age(row.last_change)}", Level.WARN, said)
