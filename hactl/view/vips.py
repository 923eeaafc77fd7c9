"""Who has which address, as rows and as a document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from hactl.model.assess.base import because
from hactl.model.findings import Level
from hactl.model.observed import Observed, Unknown
from hactl.model.vips import Holding
from hactl.view.document import Json
from hactl.view.tables import Cell, Column, Row, Table

SCHEMA = "hactl.vips/1"

HOLDING_COLUMNS = (
    Column("vip", "vip", minimum=3),
    Column("address", "address", minimum=7),
    Column("node", "node", minimum=4),
    Column("has", "has it", minimum=6),
    Column("hold", "may take it", minimum=11, grow=True),
)


@dataclass(frozen=True, slots=True)
class VipCandidate:
    """`has` null: it could not be asked, for the reason `unknown`. `held`: its track_file keeps it from taking one."""

    node: str
    has: bool | None
    held: bool | None
    unknown: str | None


@dataclass(frozen=True, slots=True)
class VipHolding:
    """`right`: exactly one holder, and everybody could be asked."""

    name: str
    address: str
    right: bool
    holders: list[str]
    candidates: list[VipCandidate]


@dataclass(frozen=True, slots=True)
class VipsDocument:
    """What `hactl vip status -o json` prints."""

    schema: str
    cluster: str
    vips: list[VipHolding]


def vip_holding_rows(found: Iterable[Holding]) -> Table:
    """One row a node that may hold an address, keyed "VIP/NODE"."""
    return Table(HOLDING_COLUMNS, tuple(_row(one, node) for one in found for node in one.candidates))


def _row(one: Holding, node: str) -> Row:
    answer = one.candidates[node]
    head = Cell(one.vip.name), Cell(one.vip.address), Cell(node)
    if isinstance(answer, Unknown):
        why = Cell(f"? {because(answer, node)}", Level.UNKNOWN, unknown=True)
        return Row(f"{one.vip.name}/{node}", (*head, Cell("?", Level.UNKNOWN, unknown=True), why), Level.UNKNOWN)
    wrong = answer.value.has and len(one.holders) > 1
    nobody = not one.holders
    level = Level.CRIT if wrong or nobody else None
    has = Cell(
        "yes" if answer.value.has else "no", level if wrong or nobody else Level.OK if answer.value.has else None
    )
    held = answer.value.hold
    hold = Cell(f"no: its track_file says {held}", Level.WARN) if held else Cell("yes")
    return Row(f"{one.vip.name}/{node}", (*head, has, hold), level or (Level.WARN if held else None))


def vips_document(cluster: str, found: Iterable[Holding]) -> dict[str, Json]:
    return asdict(VipsDocument(SCHEMA, cluster, [_holding(one) for one in found]))


def _holding(one: Holding) -> VipHolding:
    candidates = [
        VipCandidate(node, answer.value.has, bool(answer.value.hold), None)
        if isinstance(answer, Observed)
        else VipCandidate(node, None, None, answer.reason)
        for node, answer in one.candidates.items()
    ]
    return VipHolding(one.vip.name, one.vip.address, one.right, list(one.holders), candidates)
