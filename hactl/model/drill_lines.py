"""Records of drills as lines of JSON and back: one line a drill, added at the end of a file on the drills' node.

Whoever has a login there may have written into it: whatever is read is checked, and made safe for a terminal.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from hactl.model.codec import plain, restored
from hactl.model.drills import PHASES, Check, DrillHistory, DrillRecord
from hactl.model.recording_checks import cleaned
from hactl.model.text import one_line
from hactl.model.values import NAME

MOST = 200
"""Records that are kept of a history, the newest: of four years, where there is one a week."""
_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-z]{3}")
_LABEL = re.compile(r"[0-9A-Za-z._-]{0,80}")
_EPOCHS = 1e11  # seconds beyond which no calendar goes
_LONG = 2000  # characters of an answer
_CHECKS = 100


def written(record: DrillRecord) -> str:
    """Its line, with the newline. Raises ValueError for what could not be read again."""
    line = json.dumps(plain(record), separators=(",", ":"), allow_nan=False)
    read_record(line)
    return f"{line}\n"


def read_records(text: str) -> DrillHistory:
    """The records of a history, oldest first, and how many of its lines are none: cut off, or written by a stranger.

    Where a run stands there twice, its last line is the one.
    """
    records, unreadable = dict[str, DrillRecord](), 0
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            record = read_record(line)
        except ValueError:
            unreadable += 1
        else:
            records[record.run] = record
    found = sorted(records.values(), key=lambda one: (one.started, one.run))
    return DrillHistory(tuple(found[-MOST:]), unreadable)


def read_record(line: str) -> DrillRecord:
    """Raises ValueError when the line is no record."""
    try:
        document = cleaned(json.loads(line), lines=True)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(document, dict) or document.get("type") != DrillRecord.__name__:
        raise ValueError("it is no record of a drill")
    return _checked(restored(DrillRecord, document))


def _checked(record: DrillRecord) -> DrillRecord:
    """The record with texts of one line each. Raises ValueError where a name is none or a number cannot be."""
    _require("run", _RUN.fullmatch(record.run))
    _require("backup", _LABEL.fullmatch(record.label))
    for name in (record.cluster, record.service, record.node):
        _require("name", NAME.fullmatch(name))
    _require("repository", 1 <= record.repository <= 256)
    _require("moment", all(0 <= at < _EPOCHS for at in (record.started, record.reached or 0.0)))
    _require("phase", set(record.phases) <= set(PHASES))
    spans = (*record.phases.values(), record.rto, record.rpo, record.target_rto, record.target_rpo)
    _require("duration", all(0 <= one < _EPOCHS for one in spans if one is not None))
    _require("size", all(one >= 0 for one in (record.size, record.rpo_bytes) if one is not None))
    _require("number of checks", len(record.checks) <= _CHECKS)
    return replace(
        record,
        kind=one_line(record.kind, 20),
        target=one_line(record.target, 80),
        who=one_line(record.who, 100),
        checks=tuple(Check(one_line(one.name, 60), one.outcome, one_line(one.sentence, 300)) for one in record.checks),
        query=one_line(record.query, _LONG),
        answer=record.answer if len(record.answer) <= _LONG else f"{record.answer[: _LONG - 1]}…",
    )


def _require(what: str, holds: object) -> None:
    if not holds:
        raise ValueError(f"its {what} cannot be")
