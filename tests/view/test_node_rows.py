"""Rows of nodes, picture after picture: what is kept is what would be made anew."""

from __future__ import annotations

import pytest

from hactl.model.picture import Picture
from hactl.view.nodes import NodeRows, node_rows
from hactl.view.tables import Table, Widths, fit
from tests.model.builders import NOW, Cluster, disk

PICTURES = {
    "well": Cluster().picture(),
    "a second later": Cluster().picture(NOW + 1),
    "nothing heard any more": Cluster().picture(NOW + 600),
    "one is down": Cluster().down("app1").picture(),
    "a full disk": Cluster().say("app1", "disk", disk("/", 95.0)).picture(),
    "taken out": Cluster().server("*", "be_shop", "shop-a", status="DRAIN").picture(),
}


def texts(table: Table) -> dict[str, list[str]]:
    return {row.key: [cell.text for cell in row.cells] for row in table.rows}


@pytest.mark.parametrize("before", PICTURES)
@pytest.mark.parametrize("after", PICTURES)
def test_a_row_is_the_same_whatever_was_shown_before(before: str, after: str) -> None:
    rows = NodeRows()
    rows.table(PICTURES[before])
    assert rows.table(PICTURES[after]) == node_rows(PICTURES[after])


def test_a_row_of_which_nothing_changed_is_the_same_object() -> None:
    rows, cluster = NodeRows(), Cluster()
    first = {row.key: row for row in rows.table(cluster.picture()).rows}
    for row in rows.table(cluster.say("app1", "disk", disk("/", 95.0)).picture()).rows:
        assert (row is first[row.key]) == (row.key != "app1")


def test_rows_that_nobody_looks_at_may_wait_but_not_for_long() -> None:
    rows, old, new = NodeRows(), PICTURES["well"], PICTURES["nothing heard any more"]
    fresh, stale = texts(node_rows(new)), texts(node_rows(old))
    rows.table(old)
    seen = texts(rows.table(new, {"lb1", "db1"}))
    assert (seen["lb1"], seen["db1"]) == (fresh["lb1"], fresh["db1"])
    assert sum(seen[name] == stale[name] for name in seen) >= len(seen) - 3
    for _ in range(60):
        seen = texts(rows.table(new, {"lb1"}))
    assert seen == fresh
    assert texts(rows.table(old)) == stale


def test_widths_are_those_of_the_table_whatever_was_measured_before() -> None:
    rows, widths = NodeRows(), Widths()
    for picture in PICTURES.values():
        table = rows.table(picture)
        for width in (40, 80, 120, 200):
            assert fit(table, width, widths=widths.of(table)) == fit(table, width)


def test_a_table_without_rows_has_the_widths_of_its_headings() -> None:
    table = Table(node_rows(PICTURES["well"]).columns, ())
    assert list(Widths().of(table)) == [max(len(one.title), one.minimum) for one in table.columns]


def test_another_inventory_has_other_rows() -> None:
    rows = NodeRows()
    rows.table(PICTURES["well"])
    other: Picture = Cluster().picture()
    assert rows.table(other) == node_rows(other)
