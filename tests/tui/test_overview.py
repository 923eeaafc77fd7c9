"""The overview, key by key: what it shows at which size, where enter leads, how a finding is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from hactl.model.ack import Ack, acknowledge
from hactl.model.acks import Ended, Ending
from hactl.model.dashboard import Settings
from hactl.model.errors import InputError, JournalError, StateError, UnreachableError
from hactl.model.findings import Finding
from hactl.model.lock import Holder, LockPicture, NodeLock
from hactl.model.picture import Picture
from hactl.model.state import StateEvent
from hactl.tui.app import HactlApp
from hactl.tui.beside import Doors
from hactl.tui.screens.ack import AckScreen
from hactl.tui.screens.node import NodeScreen
from hactl.tui.screens.overview import OverviewScreen
from hactl.tui.screens.run import RunScreen
from hactl.tui.widgets.banner import Banner
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.site_map import SiteMap
from hactl.tui.widgets.spark import Sparks
from tests.tui.acts import Runs
from tests.tui.pictures import INVENTORY, Reel, down, picture, up
from tests.tui.test_screens import screen_text

WALL = 1_700_000_000.0
DEAD = down("db2", "no answer within 5 s")


@dataclass
class Book:
    """Acknowledgements in memory. `broken`: what any use of them raises."""

    held: list[Ack] = field(default_factory=list)
    settled: list[Ended] = field(default_factory=list)
    broken: Exception | None = None

    def look(self) -> tuple[Ack, ...]:
        if self.broken is not None:
            raise self.broken
        return tuple(self.held)

    def add(self, finding: Finding, *, reason: str, who: str, until: float) -> Ack:
        if self.broken is not None:
            raise self.broken
        ack = acknowledge(finding, reason=reason, who=who, at=until - 3600, until=until)
        self.held = [*(one for one in self.held if one.key != ack.key), ack]
        return ack

    def remove(self, key: str, who: str) -> Ack:
        found = next((one for one in self.held if one.key == key), None)
        if found is None:
            raise InputError(f"{key} is not acknowledged.")
        self.held.remove(found)
        return found

    def settle(self, ended: Sequence[Ended], who: str) -> None:
        self.settled += ended
        self.held = [one for one in self.held if one not in [over.ack for over in ended]]


def app_with(*pictures: Picture, doors: Doors | None = None, settings: Settings | None = None) -> HactlApp:
    return HactlApp(
        picture(now=0.0),
        lambda: Reel(list(pictures)),
        Runs,
        settings=settings,
        open_beside=lambda: doors or Doors(),
    )


def ack_of(found: Picture, key: str, *, until: float = WALL + 9e9) -> Ack:
    finding = next(one for one in found.assessment.findings if one.key == key)
    return Ack(replace(finding, since=0.0), "is being moved", "bert@desk", WALL, until)


async def until(pilot: Pilot[None], *texts: str, gone: str = "") -> None:
    app = pilot.app
    assert isinstance(app, HactlApp)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        await pilot.pause()
        text = screen_text(app)
        if all(one in text for one in texts) and not (gone and gone in text):
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"not on the screen: {texts} (or still there: {gone})\n{screen_text(app)}")


async def becomes(pilot: Pilot[None], true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, what
        await pilot.pause(0.02)


def table(pilot: Pilot[None], name: str) -> LineTable:
    return pilot.app.screen.query_one(f"#{name}", LineTable)


async def on(pilot: Pilot[None], name: str, key: str) -> None:
    """The cursor on a row of a panel that has the focus."""
    found = table(pilot, name)
    found.focus()
    await pilot.pause()
    assert found.select(key), [row.key for row in found.shown_rows]


# --- what is shown at which size ---


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((80, 24), {"map", "services", "findings"}),
        ((80, 40), {"map", "services", "findings", "trends", "recent"}),
        ((120, 24), {"map", "services", "findings", "trends", "recent"}),
        ((120, 36), {"map", "services", "findings", "trends", "recent"}),
        ((200, 60), {"map", "services", "findings", "trends", "recent"}),
        ((80, 18), {"map", "findings"}),
        ((120, 18), {"map", "services", "findings"}),
        ((60, 11), {"findings"}),
    ],
)
async def test_the_least_important_panels_go_first(size: tuple[int, int], seen: set[str]) -> None:
    async with app_with(picture(*up(), *DEAD)).run_test(notifications=True, size=size) as pilot:
        await until(pilot, "db2")
        panels = {
            name: pilot.app.screen.query_one(f"#{name}") for name in ("map", "services", "findings", "trends", "recent")
        }
        shown = {name for name, panel in panels.items() if panel.region.height and panel.region.width}
        assert shown == seen
        height = size[1]
        if height >= 18:
            assert all(panel.region.bottom <= height - 2 for name, panel in panels.items() if name in shown)
            assert table(pilot, "findings").region.height >= 5  # border, heading, three rows


@pytest.mark.parametrize("size", [(80, 24), (120, 18)])
@pytest.mark.parametrize(("key", "panel", "title"), [("e", "recent", "recent events"), ("t", "trends", "requests")])
async def test_at_80x24_events_and_trends_take_the_findings_place(
    size: tuple[int, int], key: str, panel: str, title: str
) -> None:
    async with app_with(picture(*up(), *DEAD)).run_test(notifications=True, size=size) as pilot:
        await until(pilot, "no answer within 5 s")
        assert title not in screen_text(pilot.app)
        await pilot.press(key)
        await until(pilot, title, gone="─findings")
        assert pilot.app.screen.query_one(f"#{panel}").region.height >= 5
        await pilot.press(key)
        await until(pilot, "─findings", gone=title)
        await pilot.press("down")
        assert table(pilot, "findings").has_focus


async def test_from_one_to_the_other_and_back_at_80x24() -> None:
    async with app_with(picture(*up(), *DEAD)).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("e")
        await until(pilot, "recent events")
        await pilot.press("t")
        await until(pilot, "requests, last", gone="recent events")
        await pilot.press("t")
        await until(pilot, "─findings")


async def test_where_everything_is_in_view_e_goes_to_the_events_and_back() -> None:
    async with app_with(picture(*up(), *DEAD)).run_test(notifications=True, size=(120, 36)) as pilot:
        await until(pilot, "recent events")
        await pilot.press("e")
        assert table(pilot, "recent").has_focus
        assert "t Trends" not in screen_text(pilot.app)
        await pilot.press("e")
        assert table(pilot, "findings").has_focus


async def test_every_panel_can_be_reached_by_tab() -> None:
    async with app_with(picture(*up(), *DEAD)).run_test(notifications=True, size=(120, 36)) as pilot:
        await until(pilot, "findings")
        seen = set()
        for _ in range(6):
            seen.add(pilot.app.focused.id if pilot.app.focused else None)
            await pilot.press("tab")
        assert {"map", "services", "findings", "recent"} <= seen


async def test_trends_are_drawn_with_their_numbers() -> None:
    app = app_with(picture(*up(), now=100.0))
    for at in range(20, 101, 2):
        app.trends._put("pool/shop/rate", float(at), 12.0, 2.0)
        app.trends._put("pool/shop/errors", float(at), 0.0, 2.0)
    async with app.run_test(notifications=True, size=(120, 36)) as pilot:
        await until(pilot, "shop requests")
        lines = pilot.app.screen.query_one(Sparks).text.splitlines()
        rate = next(line for line in lines if line.startswith("shop requests"))
        assert "█" in rate
        assert "12/s" in rate
        assert any(line.startswith("latency") and line.split()[-1] == "?" for line in lines)


# --- the map ---


async def test_the_map_is_walked_by_keys() -> None:
    async with app_with(picture(*up())).run_test(notifications=True, size=(100, 30)) as pilot:
        await until(pilot, "app1")
        seen = pilot.app.screen.query_one(SiteMap)
        seen.focus()
        await pilot.pause()
        walked = [seen.cursor]
        for key in ("down", "right", "down", "right", "left", "up", "up", "left", "left"):
            await pilot.press(key)
            walked.append(seen.cursor)
        assert walked[:3] == ["lb1", "lb2", "app2"]
        assert walked[-1].startswith("lb")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, NodeScreen)
        assert pilot.app.screen.node == walked[-1]


@pytest.mark.parametrize("node", ["lb1", "app3", "backup1"])
async def test_a_click_on_a_node_opens_it(node: str) -> None:
    async with app_with(picture(*up())).run_test(notifications=True, size=(100, 30)) as pilot:
        await until(pilot, "app1")
        seen = pilot.app.screen.query_one(SiteMap)
        line, text = next(
            (index, line) for index, line in enumerate(seen.text.splitlines()) if f" {node} " in f"{line} "
        )
        inside = seen.content_region.offset - seen.region.offset
        await pilot.click(SiteMap, offset=(inside.x + text.index(node), inside.y + line))
        await pilot.pause()
        assert isinstance(pilot.app.screen, NodeScreen)
        assert pilot.app.screen.node == node


async def test_a_click_beside_the_nodes_opens_nothing() -> None:
    async with app_with(picture(*up())).run_test(notifications=True, size=(100, 30)) as pilot:
        await until(pilot, "app1")
        await pilot.click(SiteMap, offset=(1, 1))
        assert isinstance(pilot.app.screen, OverviewScreen)


# --- where enter leads ---


async def test_enter_on_a_finding_opens_its_node() -> None:
    async with app_with(picture(*up(), *DEAD)).run_test(notifications=True, size=(100, 30)) as pilot:
        await until(pilot, "no answer within 5 s")
        await on(pilot, "findings", "link:db2")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, NodeScreen)
        assert pilot.app.screen.node == "db2"


async def test_enter_on_a_pools_finding_leads_to_the_balancers() -> None:
    async with app_with(picture(*up())).run_test(notifications=True, size=(100, 30)) as pilot:
        await until(pilot, "app1")
        found = next(one for one in picture(*up()).assessment.findings if one.scope.kind.value == "pool")
        await on(pilot, "findings", found.key)
        await pilot.press("enter")
        await becomes(pilot, lambda: pilot.app.current_mode == "balancers", "the balancers")
        pool = f"{found.scope.name}/"
        await becomes(pilot, lambda: (table(pilot, "balancers").cursor_key or "").startswith(pool), "a row of the pool")


async def test_enter_on_a_service_leads_to_where_it_is_shown() -> None:
    async with app_with(picture(*up())).run_test(notifications=True, size=(100, 30)) as pilot:
        await until(pilot, "app1")
        await on(pilot, "services", "shop")
        await pilot.press("enter")
        await becomes(pilot, lambda: pilot.app.current_mode == "balancers", "the balancers")


async def test_what_changed_is_told_and_enter_leads_there() -> None:
    later = picture(*up(), *down("app3", "no route to host", at=30.0), now=31.0)
    async with app_with().run_test(notifications=True, size=(120, 36)) as pilot:
        await feed(pilot, picture(*up(), now=2.0), picture(*up(at=25.0), now=26.0), later)
        await until(pilot, "unreachable since")
        key = next(row.key for row in table(pilot, "recent").shown_rows if row.cells[2].text == "app3")
        await on(pilot, "recent", key)
        await pilot.press("enter")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, NodeScreen), "the node")
        assert isinstance(pilot.app.screen, NodeScreen)
        assert pilot.app.screen.node == "app3"


async def feed(pilot: Pilot[None], *pictures: Picture) -> None:
    """One after the other: of those that arrive together only the newest counts."""
    from hactl.tui.messages import PictureArrived

    for one in pictures:
        pilot.app.post_message(PictureArrived(one))
        await pilot.pause()


async def test_a_run_that_ended_is_told_and_enter_opens_it() -> None:
    summary = replace(Runs().runs()[0], began_at=WALL - 50, ended_at=WALL - 20)
    async with app_with(picture(*up()), doors=Doors(newest_runs=lambda: [summary])).run_test(
        notifications=True, size=(120, 36)
    ) as pilot:
        await until(pilot, "the run begins, by")
        await on(pilot, "recent", f"{summary.run}:begin")
        await pilot.press("enter")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")


async def test_runs_that_cannot_be_read_hide_nothing_else() -> None:
    def broken() -> Sequence[object]:
        raise JournalError("damaged")

    async with app_with(picture(*up(), *DEAD), doors=Doors(newest_runs=broken)).run_test(
        notifications=True, size=(120, 36)
    ) as pilot:  # type: ignore[arg-type] # it gives nothing
        await until(pilot, "no answer within 5 s", "nothing has changed")


# --- acknowledging ---


async def test_a_finding_is_acknowledged_with_a_reason_and_an_end() -> None:
    book = Book()
    async with app_with(picture(*up(), *DEAD), doors=Doors(book)).run_test(notifications=True, size=(200, 60)) as pilot:
        await until(pilot, "no answer within 5 s")
        await on(pilot, "findings", "link:db2")
        await pilot.press("a")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, AckScreen), "the form")
        await until(pilot, "db2: unreachable", "until ")
        await pilot.press(*"is being moved", "enter")
        assert pilot.app.screen.query_one("#until", Input).has_focus
        await pilot.press("backspace", "backspace", "2", "d", "enter")
        await until(pilot, "(crit)", "is being moved")
        (ack,) = book.held
        assert ack.key == "link:db2"
        assert table(pilot, "findings").shown_rows[-1].key == "link:db2"  # below what nobody knows of
        assert "1 acknowledged" in pilot.app.screen.query_one(Banner).text


async def test_it_hides_no_level_and_does_not_count() -> None:
    seen = picture(*up(), *DEAD)
    book = Book([ack_of(seen, one.key) for one in seen.assessment.findings if one.level.word == "crit"])
    async with app_with(seen, doors=Doors(book)).run_test(notifications=True, size=(120, 36)) as pilot:
        await until(pilot, "acknowledged", gone=" crit ")
        words = pilot.app.screen.query_one(Banner).text
        assert "lab CRIT" in words
        assert "✖" not in words.splitlines()[1]


async def test_what_is_wrong_is_said_in_the_form() -> None:
    book = Book()
    async with app_with(picture(*up(), *DEAD), doors=Doors(book)).run_test(notifications=True, size=(80, 24)) as pilot:
        await until(pilot, "no answer within 5 s")
        await pilot.press("a", "ctrl+g")
        await until(pilot, "needs a reason")
        await pilot.press("x", "down", "end", "z", "ctrl+g")
        await until(pilot, "neither a time span nor a moment")
        assert isinstance(pilot.app.screen, AckScreen)
        await pilot.press("up", "escape")
        await until(pilot, "─findings")
        assert book.held == []


async def test_one_is_given_anew_and_taken_back() -> None:
    seen = picture(*up(), *DEAD)
    book = Book([ack_of(seen, "link:db2")])
    async with app_with(seen, doors=Doors(book)).run_test(notifications=True, size=(200, 60)) as pilot:
        await until(pilot, "(crit)")
        await on(pilot, "findings", "link:db2")
        await pilot.press("a")
        await until(pilot, "is being moved")  # what was said before
        await pilot.press(*" on", "ctrl+g")
        await until(pilot, "is being moved on")
        await pilot.press("A")
        await until(pilot, "no longer acknowledged", gone="(crit)")
        assert book.held == []


async def test_a_bell_where_there_is_nothing_to_acknowledge_or_take_back() -> None:
    book = Book()
    app = app_with(picture(*up(), *DEAD), doors=Doors(book))
    rung = []
    app.bell = lambda: rung.append(1)  # type: ignore[method-assign] # only to hear it
    async with app.run_test(notifications=True, size=(120, 36)) as pilot:
        await until(pilot, "no answer within 5 s")
        before = len(rung)
        await pilot.press("A")
        assert len(rung) == before + 1
        table(pilot, "findings").filter("no such finding")
        await pilot.press("a")
        assert len(rung) == before + 2
        assert isinstance(app.screen, OverviewScreen)


async def test_looking_only_refuses_both() -> None:
    seen = picture(*up(), *DEAD)
    book = Book([ack_of(seen, "link:db2")])
    async with app_with(seen, doors=Doors(book), settings=Settings(read_only=True)).run_test(
        notifications=True, size=(120, 36)
    ) as pilot:
        await until(pilot, "(crit)")
        await on(pilot, "findings", "link:db2")
        await pilot.press("A", "a")
        await pilot.pause(0.1)
        assert isinstance(pilot.app.screen, OverviewScreen)
        assert len(book.held) == 1


@pytest.mark.parametrize("error", [StateError("acks.json cannot be read."), JournalError("the disk is full.")])
async def test_what_cannot_be_kept_is_told(error: Exception) -> None:
    book = Book(broken=error)
    async with app_with(picture(*up(), *DEAD), doors=Doors(book)).run_test(notifications=True, size=(120, 36)) as pilot:
        await until(pilot, "no answer within 5 s")
        await pilot.press("a", "x", "ctrl+g")
        await until(pilot, str(error))


async def test_acknowledgements_that_cannot_be_read_are_told_and_hide_nothing() -> None:
    book = Book(broken=StateError("acks.json cannot be read."))
    async with app_with(picture(*up(), *DEAD), doors=Doors(book)).run_test(notifications=True, size=(120, 36)) as pilot:
        await until(pilot, "no answer within 5 s", "acks.json cannot be read.")


async def test_those_that_are_over_are_taken_out() -> None:
    seen = picture(*up(), *DEAD)
    book = Book([ack_of(seen, "link:db2", until=WALL + 1)])
    async with app_with(seen, doors=Doors(book)).run_test(notifications=True, size=(120, 36)) as pilot:
        await becomes(pilot, lambda: book.settled, "it is taken out")
        assert [one.why for one in book.settled] == [Ending.EXPIRED]
        assert book.held == []


# --- the lock ---


def lock(who: str = "", *, known: int = 9) -> LockPicture:
    holder = Holder("5f3a", who, "desk", 9, "", "drain", WALL, 1) if who else None
    nodes = [NodeLock(name, held=bool(who), holder=holder) for name in INVENTORY.nodes]
    return LockPicture(
        "lab", tuple(one if at < known else NodeLock(one.node, problem="?") for at, one in enumerate(nodes))
    )


@pytest.mark.parametrize(
    ("seen", "words"), [(lock(), "lock free"), (lock("bert@desk"), "lock bert@desk drain"), (lock(known=2), "lock ?")]
)
async def test_the_banner_tells_who_has_the_lock(seen: LockPicture, words: str) -> None:
    asked: list[Collection[str]] = []

    async def look(connected: Collection[str]) -> LockPicture:
        asked.append(connected)
        return seen

    async with app_with(picture(*up(), *DEAD), doors=Doors(look_at_lock=look)).run_test(
        notifications=True, size=(120, 36)
    ) as pilot:
        await until(pilot, words)
        assert len(asked) == 1  # seldom
        assert "db2" not in asked[0]


async def test_a_lock_that_cannot_be_looked_at_is_not_known() -> None:
    async def look(_connected: Collection[str]) -> LockPicture:
        raise UnreachableError("lb1", "gone")

    async with app_with(picture(*up()), doors=Doors(look_at_lock=look)).run_test(
        notifications=True, size=(120, 36)
    ) as pilot:
        await until(pilot, "lock ?")


async def test_nobody_is_asked_for_the_lock_while_few_are_connected() -> None:
    async def look(_connected: Collection[str]) -> LockPicture:
        raise AssertionError("asked")

    silent: list[StateEvent] = [event for name in list(INVENTORY.nodes)[1:] for event in down(name, "off")]
    async with app_with(picture(*up("lb1"), *silent), doors=Doors(look_at_lock=look)).run_test(
        notifications=True, size=(120, 36)
    ) as pilot:
        await until(pilot, "unreachable", "lock ?")
