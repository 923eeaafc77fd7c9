"""A drill as JUnit XML, which build servers and their like can read: a suite for the drill, a case for each check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from hactl.model.drills import CheckOutcome, DrillRecord
from hactl.model.text import safe
from hactl.view import units
from hactl.view.plan_document import iso

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_NO_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
"""What `safe` leaves in a text and XML cannot say."""


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    seconds: float = 0.0
    outcome: CheckOutcome = CheckOutcome.OK
    sentence: str = ""


def junit(record: DrillRecord) -> str:
    """The document. A missed target is a failure of its own case: what else reads it knows no half."""
    cases = list(_cases(record))
    failures = sum(one.outcome is CheckOutcome.FAIL for one in cases)
    skipped = sum(one.outcome is CheckOutcome.SKIPPED for one in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    took = {"time": f"{record.seconds:.3f}"}
    suites = ET.Element("testsuites", {"name": "hactl drill", **counts, **took})
    named = {"name": f"drill of {record.service}", "timestamp": iso(record.started), "hostname": _text(record.node)}
    suite = ET.SubElement(suites, "testsuite", {**named, **counts, **took})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(record):
        ET.SubElement(properties, "property", {"name": name, "value": _text(value)})
    for case in cases:
        _add(suite, record, case)
    ET.indent(suites)
    return f"{_DECLARATION}\n{ET.tostring(suites, encoding='unicode')}\n"


def _cases(record: DrillRecord) -> Iterator[_Case]:
    """What the drill itself has to achieve, then its checks."""
    restored = record.rto is not None
    took = record.rto if record.rto is not None else record.phases.get("restore", 0.0)
    yield _Case("restored", took, _ok(holds=restored), "" if restored else "the copy never answered")
    if record.target_rto is not None and record.rto is not None:
        yield _Case("rto", record.rto, _ok(holds=not record.late), _over("RTO", record.rto, record.target_rto))
    if record.target_rpo is not None and restored:
        if record.rpo is None:
            yield _Case("rpo", 0.0, CheckOutcome.SKIPPED, "it could not be measured")
        else:
            yield _Case("rpo", 0.0, _ok(holds=not record.stale), _over("RPO", record.rpo, record.target_rpo))
    for one in record.checks:
        yield _Case(one.name, 0.0, one.outcome, one.sentence)


def _ok(*, holds: bool) -> CheckOutcome:
    return CheckOutcome.OK if holds else CheckOutcome.FAIL


def _over(name: str, value: float, target: float) -> str:
    return f"{name} is {units.duration(value)}, the target is {units.duration(target)}"


def _add(suite: ET.Element, record: DrillRecord, case: _Case) -> None:
    known = {"classname": f"drill.{record.service}", "name": _text(case.name), "time": f"{case.seconds:.3f}"}
    element = ET.SubElement(suite, "testcase", known)
    if case.outcome is CheckOutcome.FAIL:
        ET.SubElement(element, "failure", {"message": _text(case.sentence)})
    elif case.outcome is CheckOutcome.SKIPPED:
        ET.SubElement(element, "skipped", {"message": _text(case.sentence)})
    elif case.sentence:
        ET.SubElement(element, "system-out").text = _text(case.sentence)


def _properties(record: DrillRecord) -> Iterator[tuple[str, str]]:
    numbers = {"rto_seconds": record.rto, "rpo_seconds": record.rpo, "rpo_wal_bytes": record.rpo_bytes}
    texts = {
        "run": record.run,
        "verdict": record.verdict.value,
        "repository": str(record.repository),
        "backup": record.label,
        "target": record.target,
        "who": record.who,
    }
    yield from texts.items()
    yield from ((name, f"{value:g}") for name, value in numbers.items() if value is not None)
    yield from ((f"{name}_seconds", f"{seconds:g}") for name, seconds in record.phases.items())
    if record.size is not None:
        yield "bytes", str(record.size)


def _text(text: str) -> str:
    return _NO_XML.sub("?", safe(text))
