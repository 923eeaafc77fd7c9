"""What `hactl drill list -o json` and `... show -o json` print: a document with a version, whose fields stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hactl.model.assess.base import because
from hactl.model.drilled import Drilled, befores, change, newest_first
from hactl.model.drills import DrillRecord, Leftover, why
from hactl.model.observed import Unknown
from hactl.model.picture import Picture
from hactl.view.document import Json

SCHEMA = "hactl.drills/1"


@dataclass(frozen=True, slots=True)
class DrillCheck:
    """`outcome` is ok, fail or skipped."""

    name: str
    outcome: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DrillLeftover:
    """Scratch space of a run. `alive`: somebody still works in it; null: could not be told."""

    run: str
    bytes: int | None
    since: float
    alive: bool | None


@dataclass(frozen=True, slots=True)
class DrillEntry:
    """`verdict` is pass, partial or fail; `why` says what kept it from passing. `started` and `reached` are epoch
    seconds; `reached`: up to when the copy has everything. `target` is "latest", the label of a backup, or a moment.
    `rto_seconds` is restore and start together, of files the restore alone; null where the copy never answered.
    `rpo_seconds`: how much older the copy's newest row was than the primary's, `rpo_wal_bytes` the WAL between them; of
    files how much newer than the snapshot their newest change. `*_change`: against the good drill before, of the same
    repository, on the same node and as far; 0.1 is a tenth more.
    """

    run: str
    service: str
    repository: int
    backup: str | None
    type: str | None
    target: str
    node: str
    who: str
    started: float
    age_seconds: float
    verdict: str
    why: str | None
    phases_seconds: dict[str, float]
    rto_seconds: float | None
    target_rto_seconds: float | None
    rpo_seconds: float | None
    rpo_wal_bytes: int | None
    target_rpo_seconds: float | None
    bytes: int | None
    reached: float | None
    rto_change: float | None
    rpo_change: float | None
    bytes_change: float | None
    checks: list[DrillCheck]
    query: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class DrilledService:
    """`unknown`: why nobody can say; then what follows `max_age_seconds` is null or empty. `unreadable`: lines of the
    history that are no drills. `free_bytes`: room for the next one.
    """

    service: str
    node: str
    unknown: str | None
    max_age_seconds: float | None
    last_good: str | None
    last_good_age_seconds: float | None
    unreadable: int | None
    free_bytes: int | None
    leftovers: list[DrillLeftover]


@dataclass(frozen=True, slots=True)
class DrillsDocument:
    """The drills of a cluster, newest first. `at` is epoch seconds."""

    schema: str
    cluster: str
    at: float
    services: list[DrilledService]
    drills: list[DrillEntry]


def drills_document(
    picture: Picture, found: Sequence[Drilled], only: Sequence[DrillRecord] | None = None
) -> dict[str, Json]:
    """Of all drills, or of those in `only`."""
    wall = picture.state.wall(picture.now)
    past = {key: record for one in found for key, record in befores(one.records).items()}
    drills = [_entry(one, past.get(one.key), wall) for one in (newest_first(found) if only is None else only)]
    return asdict(
        DrillsDocument(SCHEMA, picture.state.inventory.name, round(wall, 3), [_service(one) for one in found], drills)
    )


def _service(one: Drilled) -> DrilledService:
    known = one.known
    good = known.last_good if known is not None else None
    return DrilledService(
        service=one.service.name,
        node=one.node,
        unknown=because(one.facts, one.node) if isinstance(one.facts, Unknown) else None,
        max_age_seconds=one.service.max_age_drill,
        last_good=good.run if good is not None else None,
        last_good_age_seconds=round(known.age(good), 1) if known is not None and good is not None else None,
        unreadable=known.unreadable if known is not None else None,
        free_bytes=known.free if known is not None else None,
        leftovers=[_leftover(left) for left in known.leftovers] if known is not None else [],
    )


def _leftover(left: Leftover) -> DrillLeftover:
    return DrillLeftover(left.run, left.size, left.since, left.alive)


def _entry(record: DrillRecord, past: DrillRecord | None, wall: float) -> DrillEntry:
    return DrillEntry(
        run=record.run,
        service=record.service,
        repository=record.repository,
        backup=record.label or None,
        type=record.kind or None,
        target=record.target,
        node=record.node,
        who=record.who,
        started=record.started,
        age_seconds=round(max(0.0, wall - record.started), 1),
        verdict=record.verdict.value,
        why=why(record) or None,
        phases_seconds=dict(record.phases),
        rto_seconds=record.rto,
        target_rto_seconds=record.target_rto,
        rpo_seconds=record.rpo,
        rpo_wal_bytes=record.rpo_bytes,
        target_rpo_seconds=record.target_rpo,
        bytes=record.size,
        reached=record.reached,
        rto_change=_rounded(change(record.rto, past.rto if past is not None else None)),
        rpo_change=_rounded(change(record.rpo, past.rpo if past is not None else None)),
        bytes_change=_rounded(change(record.size, past.size if past is not None else None)),
        checks=[DrillCheck(one.name, one.outcome.value, one.sentence) for one in record.checks],
        query=record.query or None,
        answer=record.answer if record.query else None,
    )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
