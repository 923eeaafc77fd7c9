"""The report of a drill: one HTML page that needs nothing else, safe to open whatever a node has said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hactl.model.drilled import before, change
from hactl.model.drills import FILES, PHASES, DrillRecord, why
from hactl.view import drill_charts, units
from hactl.view import report_parts as parts
from hactl.view.drills import (
    CHECK_LEVELS,
    VERDICT_LEVELS,
    change_words,
    checks_words,
    repository_words,
    stamp,
    target_words,
)
from hactl.view.plan_document import iso
from hactl.view.report_text import shown


def drill_page(record: DrillRecord, history: Sequence[DrillRecord]) -> str:
    """The whole page. `history`: all drills that are known, of any service, in any order."""
    own = (one for one in history if _whose(one) == _whose(record))
    until = sorted((one for one in own if one.started <= record.started), key=lambda one: one.started)
    past = before(until, record)
    body = (*_head(record, past), *_phases(record, past), *_checks(record), *_asked(record), *_trends(until), *_foot())
    return parts.page(f"Restore drill {record.run} of {record.service}", body)


def _whose(record: DrillRecord) -> tuple[str, int, str]:
    return record.service, record.repository, record.node if record.kind == FILES else ""


def _head(record: DrillRecord, past: DrillRecord | None) -> Iterator[str]:
    yield f"<h1>Restore drill of {shown(record.service)}</h1>"
    level = VERDICT_LEVELS[record.verdict]
    said = why(record) or "the backup was restored, and everything that was asked of it was right"
    yield f"<p>{parts.badge(record.verdict.value, level.word)} {shown(said)}</p>"
    yield f'<div class="tiles">{"".join(_tiles(record, past))}</div>'
    yield parts.facts({
        "run": record.run,
        "cluster": record.cluster,
        "backup": f"{record.label} ({record.kind})" if record.label else "none could be chosen",
        "repository": f"{repository_words(record)} ({record.service})",
        "restored to": target_words(record),
        "holds everything until": stamp(record.reached) if record.reached is not None else "",
        "on": record.node,
        "who": record.who,
        "began": iso(record.started),
    })  # fmt: skip


def _tiles(record: DrillRecord, past: DrillRecord | None) -> Iterator[str]:
    rto = "never answered" if record.rto is None else units.duration(record.rto)
    share = change(record.rto, past.rto if past is not None else None)
    words = _words(f"RTO: {' and '.join(record.rto_phases)}", record.target_rto, share)
    yield parts.tile(rto, words, bad=record.rto is None or record.late)
    if record.rpo is not None:
        share = change(record.rpo, past.rpo if past is not None else None)
        yield parts.tile(units.duration(record.rpo), _words("RPO", record.target_rpo, share), bad=record.stale)
    if record.rpo_bytes is not None:
        yield parts.tile(units.size(record.rpo_bytes), "of WAL would have been lost")
    if record.size is not None:
        yield parts.tile(units.size(record.size), f"size of the {'files' if record.kind == FILES else 'database'}")
    text, level = checks_words(record)
    yield parts.tile(text, "checks", bad=level is not None)


def _words(name: str, target: float | None, share: float | None) -> str:
    aimed = "" if target is None else f"target {units.duration(target)}"
    moved = "" if share is None else f"{change_words(share)} against the good drill before"
    return ", ".join(filter(None, (name, aimed, moved)))


def _phases(record: DrillRecord, past: DrillRecord | None) -> Iterator[str]:
    if not record.phases:
        return
    yield "<h2>Phases</h2>"
    yield parts.figure(drill_charts.phases(record, past))
    rows = [(shown(name), units.duration(record.phases[name])) for name in PHASES if name in record.phases]
    if record.rto is not None:
        rows.append((f"<b>RTO</b>, {' and '.join(record.rto_phases)}", f"<b>{units.duration(record.rto)}</b>"))
    yield parts.table(("phase", "took"), rows)


def _checks(record: DrillRecord) -> Iterator[str]:
    yield "<h2>Checks</h2>"
    if not record.checks:
        yield '<p class="soft">Nothing was checked.</p>'
        return
    yield parts.table(
        ("check", "outcome", "says"),
        [
            (shown(one.name), parts.word(one.outcome.value, CHECK_LEVELS[one.outcome]), shown(one.sentence))
            for one in record.checks
        ],
    )


def _asked(record: DrillRecord) -> Iterator[str]:
    if record.query:
        yield "<h2>Asked of the copy</h2>"
        yield f"<pre>{shown(record.query)}</pre>"
        yield f"<pre>{shown(record.answer)}</pre>" if record.answer else '<p class="soft">no answer</p>'


def _trends(records: Sequence[DrillRecord]) -> Iterator[str]:
    if len(records) < 2:
        return
    yield "<h2>From drill to drill</h2>"
    yield f'<p class="soft">{len(records)} drills of this repository until this one, oldest first.</p>'
    for name, chart in drill_charts.trends(records):
        yield f"<h3>{shown(name)}</h3>\n{parts.figure(chart)}"


def _foot() -> Iterator[str]:
    yield "<footer>Made by hactl from the history of drills. Times are UTC.</footer>"
