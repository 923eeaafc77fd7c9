"""Services, pools and addresses as rows: how many serve, and how many must."""

from __future__ import annotations

from hactl.model.findings import ServiceVerdict, VipVerdict
from hactl.model.inventory import Standing
from hactl.model.picture import Picture
from hactl.view.cells import age_cell, level_cell
from hactl.view.severity import severity
from hactl.view.tables import Cell, Column, Row, Table

_READABLE = 16  # members
SERVICE_COLUMNS = (
    Column("service", "service", minimum=6),
    Column("level", "level", minimum=7),
    Column("available", "available", "right"),
    Column("minimum", "min", "right", priority=2),
    Column("members", "members", priority=5),
    Column("kind", "kind", priority=6),
    Column("says", "says", minimum=34, priority=4, grow=True),
    Column("age", "age", "right", minimum=3, priority=1),
)
POOL_COLUMNS = (
    Column("pool", "pool", minimum=6),
    Column("level", "level", minimum=7),
    Column("available", "available", "right"),
    Column("minimum", "min", "right", priority=2),
    Column("says", "says", minimum=16, priority=4, grow=True),
    Column("drained", "drained", minimum=4, priority=3),
    Column("age", "age", "right", minimum=3, priority=1),
)
VIP_COLUMNS = (
    Column("vip", "vip", minimum=4),
    Column("level", "level", minimum=7),
    Column("address", "address"),
    Column("holder", "holder", minimum=6),
    Column("says", "says", minimum=16, priority=4, grow=True),
    Column("age", "age", "right", minimum=3, priority=1),
)


def service_rows(picture: Picture) -> Table:
    """One row a service in inventory order, keyed by its name. Available counts active nodes: "2/3"."""
    kinds = picture.state.inventory.services
    rows = (
        Row(
            one.name,
            (
                Cell(one.name),
                level_cell(one.verdict.level),
                available_cell(one.available, one.unknown, one.total),
                Cell(str(one.minimum), None, one.minimum),
                _members_cell(picture, one),
                Cell(kinds[one.name].kind),
                Cell(one.verdict.sentence),
                age_cell(picture.now - one.verdict.since),
            ),
            one.verdict.level,
        )
        for one in picture.assessment.services.values()
    )
    return Table(SERVICE_COLUMNS, tuple(rows))


def pool_rows(picture: Picture) -> Table:
    """One row a balancer pool, keyed by its name."""
    rows = (
        Row(
            one.name,
            (
                Cell(one.name),
                level_cell(one.verdict.level),
                available_cell(one.available, one.unknown, one.total),
                Cell(str(one.minimum), None, one.minimum),
                Cell(one.verdict.sentence),
                Cell(" ".join(one.drained)),
                age_cell(picture.now - one.verdict.since),
            ),
            one.verdict.level,
        )
        for one in picture.assessment.pools.values()
    )
    return Table(POOL_COLUMNS, tuple(rows))


def vip_rows(picture: Picture) -> Table:
    """One row an address that moves, keyed by its name."""
    rows = (
        Row(
            one.name,
            (
                Cell(one.name),
                level_cell(one.verdict.level),
                Cell(one.address),
                Cell(holder(one), one.verdict.level),
                Cell(one.verdict.sentence),
                age_cell(picture.now - one.verdict.since),
            ),
            one.verdict.level,
        )
        for one in picture.assessment.vips.values()
    )
    return Table(VIP_COLUMNS, tuple(rows))


def _members_cell(picture: Picture, service: ServiceVerdict) -> Cell:
    """A sign for each of its nodes in inventory order, a spare in brackets; nothing where they are too many to read."""
    if len(service.members) > _READABLE:
        return Cell("")
    nodes = picture.state.inventory.nodes
    signs = (
        (severity(one.level).symbol, nodes[name].standing is Standing.SPARE) for name, one in service.members.items()
    )
    return Cell("".join(f"({sign})" if spare else sign for sign, spare in signs))


def holder(vip: VipVerdict) -> str:
    """Who holds it: "lb1", "lb1 lb2" when two do, "none" when surely nobody does, "?" when nobody knows."""
    if vip.holders:
        return " ".join(vip.holders)
    return "?" if vip.unknown else "none"


def available_cell(available: int, unknown: int, total: int) -> Cell:
    doubt = f" {unknown}?" if unknown else ""
    return Cell(f"{available}/{total}{doubt}", None, available / total if total else 1.0)
