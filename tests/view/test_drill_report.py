"""A drill as a page and as XML: whole, safe whatever a node has said, and with what was measured in it."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from hactl.model.drills import Check, CheckOutcome, DrillRecord, Verdict
from hactl.view import drill_charts
from hactl.view.drill_junit import junit
from hactl.view.drill_report import drill_page
from tests.model.builders import GIB, drill
from tests.view.test_report import Page

HOSTILE = "</title><script>alert(1)</script>\x1b[2J\u202e&<b>\uffff"
CHECKS = (
    Check("orders", CheckOutcome.FAIL, "0 is not > 0"),
    Check("amcheck", CheckOutcome.SKIPPED, "not there"),
    Check("consistent", CheckOutcome.OK, "after 3 s"),
)
FAILED = drill(1, verdict=Verdict.FAIL, checks=CHECKS)
NOTHING = replace(
    FAILED, label="", kind="", rto=None, rpo=None, rpo_bytes=None, size=None, checks=(), phases={}, reached=None
)
HISTORY = (drill(9, rto=50.0), drill(5, repository=2), replace(NOTHING, run="20251005-010101-bad"), FAILED)


def page(record: DrillRecord, *history: DrillRecord) -> Page:
    return Page(drill_page(record, history or HISTORY))


@pytest.mark.parametrize(
    "record",
    [drill(1), FAILED, NOTHING, replace(FAILED, who=HOSTILE, query=HOSTILE, answer=HOSTILE, target=HOSTILE)],
    ids=["passed", "failed", "nothing", "hostile"],
)
def test_a_page_is_whole_and_loads_nothing(record: DrillRecord) -> None:
    hostile = tuple(replace(one, name=HOSTILE, sentence=HOSTILE) for one in record.checks) if record.query else ()
    text = drill_page(replace(record, checks=hostile or record.checks), HISTORY)
    found = Page(text)
    assert found.balanced
    assert found.stack == []
    assert not {tag for tag, _ in found.elements} & {"script", "link", "img", "iframe", "object", "form", "a"}
    assert not {key for _, attributes in found.elements for key in attributes} & {"src", "href", "style", "onclick"}
    assert not set(text) & {"\x1b", "\u202e"}


def test_a_page_says_what_was_measured() -> None:
    said = " ".join(page(FAILED).texts)
    for text in ("fail", "orders: 0 is not > 0", "1 m 6 s", "target 5 m", "+31 % against the good drill before"):
        assert text in said
    for text in ("8 KiB", "of WAL would have been lost", "amcheck", "not there", "1 of 3 failed"):
        assert text in said


def test_phases_are_drawn_to_scale_with_the_target() -> None:
    found = Page(drill_charts.phases(drill(1, target_rto=60.0), drill(9)))
    restores = [float(one["width"] or 0) for one in found.of("rect", "restore")]
    (start, _) = (float(one["width"] or 0) for one in found.of("rect", "start"))
    assert restores[0] == restores[1]
    assert (restores[0] + 1) / (start + 1) == pytest.approx(61.5 / 4.0, rel=0.01)
    (target,) = found.of("line", "minimum")
    left = float(found.of("rect", "restore")[0]["x"] or 0)
    assert float(target["x1"] or 0) - left == pytest.approx((restores[0] + 1) * 60.0 / 61.5, rel=0.01)


def test_a_trend_has_a_bar_a_drill_and_a_mark_where_nothing_was_measured() -> None:
    charts = dict(drill_charts.trends(HISTORY))
    assert list(charts) == ["RTO", "RPO", "size"]
    found = Page(charts["RTO"])
    assert (len(found.of("rect", "restore")), len(found.of("rect", "start"))) == (3, 3)
    assert len(found.of("rect", "failed")) == 1
    assert any("RTO was not measured" in text for text in found.texts)
    assert dict(drill_charts.trends((NOTHING,))) == {}


@pytest.mark.parametrize(("target", "lines"), [(60.0, 1), (250.0, 1), (300.0, 0), (None, 0)])
def test_a_target_far_above_does_not_flatten_the_bars(target: float | None, lines: int) -> None:
    charts = dict(drill_charts.trends((drill(9), drill(1, target_rto=target))))
    found = Page(charts["RTO"])
    assert len(found.of("line", "minimum")) == lines
    assert max(float(one["height"] or 0) for one in found.of("rect", "restore")) > 20


def test_only_drills_of_the_same_repository_until_then_are_in_its_trend() -> None:
    later = drill(0.5)
    said = " ".join(page(FAILED, *HISTORY, later).texts)
    assert "3 drills of this repository until this one" in said
    assert "From drill to drill" not in " ".join(page(drill(20), *HISTORY).texts)


def suite(record: DrillRecord) -> tuple[ET.Element, dict[str, ET.Element]]:
    root = ET.fromstring(junit(record))
    (found,) = root.findall("testsuite")
    return found, {one.get("name", ""): one for one in found.findall("testcase")}


def test_every_check_is_a_case() -> None:
    found, cases = suite(FAILED)
    assert list(cases) == ["restored", "rto", "rpo", "orders", "amcheck", "consistent"]
    assert [found.get(key) for key in ("name", "tests", "failures", "skipped", "hostname")] == [
        "drill of backup",
        "6",
        "1",
        "1",
        "backup1",
    ]
    assert [(child.tag, child.get("message")) for child in cases["orders"]] == [("failure", "0 is not > 0")]
    assert [(child.tag, child.get("message")) for child in cases["amcheck"]] == [("skipped", "not there")]
    assert [(child.tag, child.text) for child in cases["consistent"]] == [("system-out", "after 3 s")]
    assert (cases["restored"].get("time"), cases["restored"].get("classname")) == ("65.500", "drill.backup")
    properties = {one.get("name"): one.get("value") for one in found.iter("property")}
    assert (properties["verdict"], properties["restore_seconds"], properties["bytes"]) == ("fail", "61.5", str(GIB))


def test_a_missed_target_is_a_failure() -> None:
    found, cases = suite(drill(1, verdict=Verdict.PARTIAL, target_rto=60.0, target_rpo=None))
    assert found.get("failures") == "1"
    (failure,) = cases["rto"]
    assert failure.get("message") == "RTO is 1 m 6 s, the target is 1 m"
    assert "rpo" not in cases


def test_what_never_answered_is_one_failure() -> None:
    found, cases = suite(NOTHING)
    assert (list(cases), found.get("failures")) == (["restored"], "1")


def test_what_could_not_be_measured_is_skipped() -> None:
    _, cases = suite(drill(1, verdict=Verdict.PARTIAL, rpo=None))
    assert [child.tag for child in cases["rpo"]] == ["skipped"]


def test_no_text_breaks_the_xml() -> None:
    found, cases = suite(replace(FAILED, who=HOSTILE, checks=(Check(HOSTILE, CheckOutcome.FAIL, HOSTILE),)))
    (name,) = (name for name in cases if name not in {"restored", "rto", "rpo"})
    assert name.startswith("</title><script>alert(1)</script>")
    assert "\x1b" not in name
    assert found.find("script") is None
