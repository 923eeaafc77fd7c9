"""The list of runs with its filters; a run's matrix where columns are many; its report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from hactl.model.events import GuardsChecked, Outcome, RunEnded
from hactl.model.journal import RunSummary
from hactl.model.observed import Unknown
from hactl.tui.screens.run import RunScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.matrix import Matrix
from hactl.view.tables import Cell, Column, Row, Table
from tests.tui.acts import ENDED, RUN, STORY, Runs
from tests.tui.test_acting import app_with, shows, until

SUMMARY = Runs().runs()[0]
MANY = [
    replace(SUMMARY, run="r1", playbook="drain", outcome=Outcome.DONE, targets=("app1",), who="anna@laptop"),
    replace(SUMMARY, run="r2", playbook="drain", outcome=Outcome.FAILED, targets=("app2",), who="ben@desk"),
    replace(
        SUMMARY, run="r3", playbook="switchover", outcome=None, alive=False, targets=("db1", "db2"), who="ben@desk"
    ),
    replace(SUMMARY, run="r4", playbook="upgrade", outcome=None, alive=True, targets=("app1", "app2")),
    replace(SUMMARY, run="r5", playbook="upgrade", outcome=None, alive=Unknown("another machine", 0.0)),
]


class Several(Runs):
    def runs(self) -> list[RunSummary]:
        return MANY


@pytest.mark.parametrize(
    ("keys", "left", "title"),
    [
        ("", ["r1", "r2", "r3", "r4", "r5"], "runs"),
        ("p", ["r1", "r2"], "runs: playbook drain (2 of 5); escape shows all"),
        ("ppp", ["r4", "r5"], "runs: playbook upgrade (2 of 5); escape shows all"),
        ("pppp", ["r1", "r2", "r3", "r4", "r5"], "runs"),
        ("o", ["r1"], "runs: outcome done (1 of 5); escape shows all"),
        ("oo", ["r2"], "runs: outcome failed (1 of 5); escape shows all"),
        ("ooo", ["r4"], "runs: outcome going on (1 of 5); escape shows all"),
        ("nn", ["r2", "r4", "r5"], "runs: node app2 (3 of 5); escape shows all"),
        ("ww", ["r2", "r3"], "runs: who ben@desk (2 of 5); escape shows all"),
        ("u", ["r3", "r4", "r5"], "runs: unfinished only (3 of 5); escape shows all"),
        ("uu", ["r1", "r2", "r3", "r4", "r5"], "runs"),
        ("wwu", ["r3"], "runs: who ben@desk, unfinished only (1 of 5); escape shows all"),
    ],
)
async def test_filters(keys: str, left: Sequence[str], title: str) -> None:
    async with app_with(Several()).run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("6")
        await shows(pilot, "r1", "r5")
        await pilot.press(*keys)
        table = pilot.app.screen.query_one("#runs", LineTable)
        await until(pilot, lambda: [row.key for row in table.shown_rows] == left, str(left))
        assert table.border_title == title


async def test_escape_clears_the_text_first_and_then_the_filters() -> None:
    async with app_with(Several()).run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("6")
        await shows(pilot, "r1", "r5")
        table = pilot.app.screen.query_one("#runs", LineTable)
        await pilot.press("u", "slash", *"switch", "enter")
        assert [row.key for row in table.shown_rows] == ["r3"]
        await pilot.press("escape")
        assert [row.key for row in table.shown_rows] == ["r3", "r4", "r5"]
        await pilot.press("escape")
        assert len(table.shown_rows) == 5


class Stage(App[None]):
    def compose(self) -> ComposeResult:
        yield Matrix()


def wide(steps: int, cell: str = "undone 12 s") -> Table:
    columns = (Column("node", "node"), *(Column(f"step{n}", f"step{n}") for n in range(steps)))
    return Table(columns, (Row("app1", (Cell("app1"), *(Cell(cell) for _ in range(steps)))),))


def lines(matrix: Matrix) -> list[str]:
    return [matrix.render_line(y).text.rstrip() for y in (0, 1)]


async def test_no_column_is_cut_and_all_can_be_reached() -> None:
    async with Stage().run_test(notifications=True, size=(80, 6)) as pilot:
        matrix = pilot.app.query_one(Matrix)
        matrix.show(wide(8))
        await pilot.pause()
        seen = set[str]()
        for _ in range(8):
            head, row = lines(matrix)
            assert head.startswith("node")
            assert "…" not in row
            assert row.count("undone 12 s") == len(head.split()) - 1
            seen |= set(head.split())
            matrix.turn(1)
        assert seen == {"node", *(f"step{n}" for n in range(8))}
        assert matrix.hidden == (3, 0)
        assert str(matrix.border_subtitle) == "← 3 more"
        matrix.turn(-1)
        assert matrix.hidden == (2, 1)


async def test_the_step_that_is_done_stays_in_view_until_somebody_turns() -> None:
    async with Stage().run_test(notifications=True, size=(80, 6)) as pilot:
        matrix = pilot.app.query_one(Matrix)
        matrix.show(wide(20))
        await pilot.pause()
        for key in ("step0", "step9", "step19", "step3"):
            matrix.reveal(key)
            assert key in lines(matrix)[0].split()
        matrix.turn(-1)
        matrix.reveal("step19")
        assert "step19" not in lines(matrix)[0]


async def test_a_wider_window_shows_what_was_hidden() -> None:
    async with Stage().run_test(notifications=True, size=(80, 6)) as pilot:
        matrix = pilot.app.query_one(Matrix)
        matrix.show(wide(8))
        await pilot.pause()
        matrix.reveal("step7")
        await pilot.resize_terminal(200, 6)
        await pilot.pause()
        assert matrix.hidden == (0, 0)


async def test_a_step_that_was_left_does_not_run() -> None:
    events = (*STORY[:6], RunEnded(Outcome.STOPPED, "stopped by anna@laptop", 9.0))
    async with app_with(Runs(events=events)).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("6", "enter")
        await shows(pilot, "stopped by anna", "left after")


async def test_what_guards_say_is_on_the_run() -> None:
    async with app_with(Runs(events=(*STORY[:3], GuardsChecked((), 0)))).run_test(
        notifications=True, size=(80, 24)
    ) as pilot:
        await pilot.press("6", "enter")
        await shows(pilot, "guards before 1/4 drain app1: content")


async def test_a_report_is_read_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with app_with(Runs(events=ENDED)).run_test(notifications=True, size=(120, 60)) as pilot:
        await pilot.press("6", "enter")
        await shows(pilot, "app1 and app2 are out")
        await pilot.press("t")
        await shows(pilot, f"report of {RUN}", "1  drain app1: done in 4.2 s: out of shop", "step 1 lb1> set server")
        await pilot.press("w")
        page = tmp_path / f"{RUN}.html"
        await until(pilot, page.exists, "the page")
        await shows(pilot, "written")
        assert "app1 and app2 are out" in page.read_text()
        page.unlink()
        await asyncio.to_thread(page.mkdir)  # in its way
        await pilot.press("w")
        await shows(pilot, "cannot be written")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run again")
