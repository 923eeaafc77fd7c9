"""Rows of findings, picture after picture: what is kept is what would be made anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.ack import Ack
from hactl.model.picture import Picture
from hactl.view.findings import FindingRows, finding_rows
from hactl.view.tables import Table
from tests.model.builders import EPOCH, NOW, Cluster, disk

FULL = Cluster().say("app1", "disk", disk("/", 95.0)).down("db3")


def acknowledged(picture: Picture) -> Picture:
    found = picture.assessment.findings[0]
    ack = Ack(found, "known", "anna@laptop", EPOCH, EPOCH + NOW + 600)
    return replace(picture, acks={found.key: ack})


PICTURES = {
    "well": Cluster().picture(),
    "two findings": FULL.picture(),
    "a second later": FULL.picture(NOW + 1),
    "nothing heard any more": Cluster().picture(NOW + 600),
    "acknowledged": acknowledged(FULL.picture()),
    "fuller": Cluster().say("app1", "disk", disk("/", 96.0)).down("db3").picture(),
}


def texts(table: Table) -> dict[str, list[str]]:
    return {row.key: [cell.text for cell in row.cells] for row in table.rows}


@pytest.mark.parametrize("hints", [False, True])
@pytest.mark.parametrize("before", PICTURES)
@pytest.mark.parametrize("after", PICTURES)
def test_a_row_is_the_same_whatever_was_shown_before(before: str, after: str, *, hints: bool) -> None:
    rows = FindingRows()
    rows.table(PICTURES[before], hints=not hints)
    assert rows.table(PICTURES[after], hints=hints) == finding_rows(PICTURES[after], hints=hints)


def test_a_row_of_which_nothing_changed_is_the_same_object() -> None:
    rows = FindingRows()
    first = {row.key: row for row in rows.table(PICTURES["two findings"]).rows}
    for row in rows.table(PICTURES["fuller"]).rows:
        assert (row is first[row.key]) == ("app1" not in row.key)


def test_rows_that_nobody_looks_at_may_wait_but_not_for_long() -> None:
    rows, old, new = FindingRows(), PICTURES["two findings"], PICTURES["a second later"]
    fresh, stale = texts(finding_rows(new)), texts(finding_rows(old))
    assert fresh["link:db3"] != stale["link:db3"]
    rows.table(old)
    assert texts(rows.table(new, {"link:db3"})) == fresh
    assert texts(rows.table(old, {"disk:app1:/"})) == fresh  # nobody looks at the other
    for _ in range(30):
        found = texts(rows.table(old, {"disk:app1:/"}))
    assert found == stale


def test_what_comes_into_sight_because_another_has_gone_is_as_new_as_the_picture() -> None:
    rows, old, new = FindingRows(), PICTURES["two findings"], FULL.picture(NOW + 90)
    gone, *left = new.assessment.findings
    rows.table(old)
    fewer = replace(new, assessment=replace(new.assessment, findings=tuple(left)))
    assert rows.table(fewer, {gone.key}) == finding_rows(fewer)
