"""Drills as rows, sentences and traces: what each has shown, how it went, and how that has changed over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from hactl.model.assess.base import because
from hactl.model.drilled import Drilled, befores, change, in_time
from hactl.model.drills import FILES, LATEST, PHASES, CheckOutcome, DrillFacts, DrillRecord, Verdict, why
from hactl.model.findings import Level
from hactl.model.observed import Unknown
from hactl.view import units
from hactl.view.cells import NOTHING, age_cell, size_cell
from hactl.view.lines import Line
from hactl.view.tables import Cell, Column, Row, Table
from hactl.view.trace import Trace

VERDICT_LEVELS: Mapping[Verdict, Level] = {
    Verdict.PASS: Level.OK,
    Verdict.PARTIAL: Level.WARN,
    Verdict.FAIL: Level.CRIT,
}
CHECK_LEVELS: Mapping[CheckOutcome, Level] = {
    CheckOutcome.OK: Level.OK,
    CheckOutcome.FAIL: Level.CRIT,
    CheckOutcome.SKIPPED: Level.WARN,
}
COLUMNS = (
    Column("run", "drill", minimum=19),
    Column("verdict", "verdict", minimum=7),
    Column("age", "age", "right", minimum=3),
    Column("rto", "rto", "right", minimum=3),
    Column("rto_change", "change", "right", priority=3),
    Column("rpo", "rpo", "right", minimum=3),
    Column("size", "database", "right", priority=2),
    Column("checks", "checks", priority=1),
    Column("backup", "backup", priority=5),
    Column("target", "restored to", priority=6),
    Column("took", "took", "right", priority=7),
    Column("repository", "repo", "right", priority=8),
    Column("service", "service", priority=4),
    Column("node", "on", priority=10),
    Column("who", "who", priority=9),
)
CHECK_COLUMNS = (
    Column("check", "check", minimum=6),
    Column("outcome", "outcome", minimum=7),
    Column("says", "says", minimum=12, grow=True),
)
_SMALL = 0.005  # a change of less than this is none that anybody would see


def drill_rows(found: Sequence[Drilled]) -> Table:
    """Every drill, newest first, by the record's key."""
    rows = []
    for one in found:
        past = befores(one.records)
        rows += [(in_time(record), _row(one, record, past.get(record.key))) for record in one.records]
    return Table(COLUMNS, tuple(row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True)))


def _row(one: Drilled, record: DrillRecord, past: DrillRecord | None) -> Row:
    known, level = one.known, VERDICT_LEVELS[record.verdict]
    cells = (
        Cell(record.run),
        Cell(record.verdict.value, level, -float(level)),
        age_cell(known.age(record) if known is not None else 0.0),
        span_cell(record.rto, late=record.late),
        change_cell(change(record.rto, past.rto if past is not None else None)),
        _lost_cell(record),
        NOTHING if record.size is None else size_cell(record.size),
        Cell(*checks_words(record)),
        Cell(record.label) if record.label else NOTHING,
        Cell(target_words(record)),
        span_cell(record.seconds or None),
        NOTHING if record.kind == FILES else Cell(str(record.repository), None, record.repository),
        Cell(record.service),
        Cell(record.node),
        Cell(record.who),
    )
    return Row(record.key, cells, level)


def span_cell(seconds: float | None, *, late: bool = False) -> Cell:
    """A duration that was measured, or not; one over its target stands out."""
    if seconds is None:
        return NOTHING
    return Cell(units.duration(seconds), Level.WARN if late else None, seconds)


def _lost_cell(record: DrillRecord) -> Cell:
    """What would have been lost: in seconds where that was measured, else in bytes of WAL."""
    if record.rpo is None and record.rpo_bytes is not None:
        return Cell(units.size(record.rpo_bytes), None, None)
    return span_cell(record.rpo, late=record.stale)


def change_cell(share: float | None) -> Cell:
    return NOTHING if share is None else Cell(change_words(share), None, share)


def change_words(share: float) -> str:
    """As in "+12 %"."""
    return f"{share * 100:+.0f} %" if abs(share) >= _SMALL else "0 %"


def checks_words(record: DrillRecord) -> tuple[str, Level | None]:
    """As in "5 ok" or "1 of 5 failed", and how bad that is."""
    total = len(record.checks)
    if record.failed:
        return f"{len(record.failed)} of {total} failed", Level.CRIT
    if record.skipped:
        return f"{len(record.skipped)} of {total} skipped", Level.WARN
    return (f"{total} ok", None) if total else ("none", Level.WARN)


def target_words(record: DrillRecord) -> str:
    if record.target == LATEST:
        return "newest snapshot" if record.kind == FILES else "end of archive"
    return record.target


# --- in sentences ---------------------------------------------------------------------------------------------------


def heading(service: str, one: Drilled | None) -> str:
    """What stands over a service's drills: where they are made, or why there are none to be seen."""
    if one is None:
        return f"drills of {service}: the inventory names nobody to make them"
    if isinstance(one.facts, Unknown):
        return f"drills of {service}, on {one.node}: not known: {because(one.facts, one.node)}"
    return f"drills of {service}, on {one.node}"


def history_lines(one: Drilled) -> list[Line]:
    """What the drills of a service come to: how many, the last good one, policy, targets."""
    head = Line(f"drills of {one.service.name}, on {one.node}", strong=True)
    if isinstance(one.facts, Unknown):
        return [head, Line(f"nobody can say: {because(one.facts, one.node)}", Level.UNKNOWN, indent=2)]
    told = _history(one, one.facts.value)
    return [head, *(Line(text, level, indent=2, hang=4) for text, level in told)]


def _history(one: Drilled, facts: DrillFacts) -> Iterator[tuple[str, Level | None]]:
    yield last_good_words(one), None if facts.last_good is not None else Level.WARN
    if facts.last is not None and facts.last is not facts.last_good:
        yield f"the last one, {units.age(facts.age(facts.last))} ago, failed: {why(facts.last)}", Level.CRIT
    if facts.records:
        counts = ((verdict, sum(each.verdict is verdict for each in facts.records)) for verdict in Verdict)
        yield f"all: {', '.join(f'{count} {verdict.value}' for verdict, count in counts if count)}", None
    yield policy_words(one), None
    if facts.free is not None:
        yield f"room for the next one: {units.size(facts.free)}", None


def last_good_words(one: Drilled) -> str:
    """When it was last seen that the backups can be restored, in one sentence."""
    if isinstance(one.facts, Unknown):
        return f"last good drill: not known: {because(one.facts, one.node)}"
    facts = one.facts.value
    good = facts.last_good
    if good is None:
        return "last good drill: none"
    return ", ".join(
        filter(None, (f"last good drill: {units.age(facts.age(good))} ago", f"of {good.label}", *_measures(good)))
    )


def policy_words(one: Drilled) -> str:
    service = one.service
    targets = (("RTO", service.target_rto), ("RPO", service.target_rpo))
    set_ = [f"{name} of at most {units.duration(value)}" for name, value in targets if value is not None]
    age = service.max_age_drill
    policy = f"a good drill every {units.duration(age)}" if age is not None else "none for their age"
    return f"policy: {', '.join([policy, *set_])}"


def _measures(record: DrillRecord) -> tuple[str, ...]:
    rto = f"RTO {units.duration(record.rto)}" if record.rto is not None else ""
    return rto, lost_words(record)


def lost_words(record: DrillRecord) -> str:
    """As in "RPO 2.5 s (8 KiB of WAL)"; nothing where nothing was measured."""
    wal = f"{units.size(record.rpo_bytes)} of WAL" if record.rpo_bytes is not None else ""
    if record.rpo is None:
        return f"RPO {wal}" if wal else ""
    return f"RPO {units.duration(record.rpo)}" + (f" ({wal})" if wal else "")


def record_lines(record: DrillRecord, past: DrillRecord | None, wall: float) -> list[Line]:
    """One drill: its verdict, what was restored, its phases against the target, what would have been lost. The checks
    are a table of their own.
    """
    level = VERDICT_LEVELS[record.verdict]
    said = "" if record.verdict is Verdict.PASS else f": {why(record)}"
    whose = f"{record.service} on {record.node}" if record.kind == FILES else record.service
    lines = [
        Line(f"drill {record.run} of {whose}", strong=True),
        Line(f"{record.verdict.value}{said}", level, indent=2, hang=4),
    ]
    lines += [Line(text, indent=2, hang=4) for text in _told(record, wall)]
    lines += [Line(text, warned, indent=2, hang=4) for text, warned in measure_lines(record, past)]
    if record.query:
        lines += [Line(f"asked of the copy: {record.query}", indent=2, hang=4)]
        lines += [Line(row, indent=4, hang=4) for row in (record.answer.splitlines() or ["nothing"])]
    return lines


def repository_words(record: DrillRecord) -> str:
    return f"repository of {record.node}" if record.kind == FILES else f"repository {record.repository}"


def _told(record: DrillRecord, wall: float) -> Iterator[str]:
    backup = f"{record.label} ({record.kind})" if record.label else "no backup could be chosen"
    yield f"backup: {backup}, {repository_words(record)}, restored to {target_words(record)}"
    if record.reached is not None:
        yield f"the copy holds everything until {stamp(record.reached)}"
    yield f"began {units.moment(record.started, wall)}, on {record.node}, by {record.who}"
    if record.size is not None:
        yield f"size of the {'files' if record.kind == FILES else 'database'}: {units.size(record.size)}"


def measure_lines(record: DrillRecord, past: DrillRecord | None) -> Iterator[tuple[str, Level | None]]:
    """Phases, RTO and RPO, each against its target and the drill before."""
    if record.phases:
        parts = (f"{name} {units.duration(record.phases[name])}" for name in PHASES if name in record.phases)
        yield f"phases: {', '.join(parts)}", None
    if record.rto is None:
        yield "RTO: the copy never answered", Level.CRIT
    else:
        compared = _compared(record.target_rto, change(record.rto, past.rto if past is not None else None))
        words = f"RTO: {units.duration(record.rto)} ({' and '.join(record.rto_phases)}){compared}"
        yield words, Level.WARN if record.late else None
    lost = lost_words(record)
    compared = _compared(record.target_rpo, change(record.rpo, past.rpo if past is not None else None))
    unmeasured = not lost and record.target_rpo is not None
    text = f"{lost.replace('RPO', 'RPO:', 1) if lost else 'RPO: not measured'}{compared}"
    yield text, Level.WARN if record.stale or unmeasured else None


def _compared(target: float | None, share: float | None) -> str:
    parts = (
        "" if target is None else f"target {units.duration(target)}",
        "" if share is None else f"{change_words(share)} against the good drill before",
    )
    said = ", ".join(filter(None, parts))
    return f", {said}" if said else ""


def check_rows(record: DrillRecord) -> Table:
    """Every question to the copy, in its order."""
    return Table(
        CHECK_COLUMNS,
        tuple(
            Row(
                f"{place}/{one.name}",
                (Cell(one.name), Cell(one.outcome.value, CHECK_LEVELS[one.outcome]), Cell(one.sentence)),
                CHECK_LEVELS[one.outcome],
            )
            for place, one in enumerate(record.checks)
        ),
    )


def check_lines(record: DrillRecord) -> list[Line]:
    """The same in sentences."""
    lines = [Line(), Line("checks" if record.checks else "nothing was checked", strong=True)]
    for one in record.checks:
        said = f"{one.name}: {one.outcome.value}" + (f": {one.sentence}" if one.sentence else "")
        level = CHECK_LEVELS[one.outcome]
        lines.append(Line(said, level if level is not Level.OK else None, indent=2, hang=4))
    return lines


def stamp(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


# --- over time ------------------------------------------------------------------------------------------------------


def traces(records: Sequence[DrillRecord]) -> tuple[Trace, ...]:
    """RTO, RPO and size of the database from drill to drill, oldest first: as much room for each, however far apart."""
    measured: tuple[tuple[str, Callable[[DrillRecord], float | None], Callable[[float], str]], ...] = (
        ("RTO", lambda one: one.rto, units.duration),
        ("RPO", lambda one: one.rpo, units.duration),
        ("database", lambda one: one.size, units.size),
    )
    return tuple(_trace(name, [of(one) for one in records], words) for name, of, words in measured)


def _trace(name: str, values: Sequence[float | None], words: Callable[[float], str]) -> Trace:
    return Trace(name, lambda count: spread(values, count), values[-1] if values else None, words)


def spread(values: Sequence[float | None], count: int) -> list[float | None]:
    """`count` slots for the newest of `values`, the newest last; each has as many as any other, or one more."""
    kept = values[-count:] if count > 0 else ()
    return [kept[slot * len(kept) // count] for slot in range(count)] if kept else [None] * count
