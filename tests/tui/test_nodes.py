"""Nodes, a node's page, balancers and journals, every key of them, over pictures that the real judgement made."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from textual.app import SuspendNotSupported
from textual.pilot import Pilot

from hactl.model.dashboard import Settings
from hactl.model.errors import UnsupportedError
from hactl.model.picture import Picture
from hactl.tui import away
from hactl.tui.app import HactlApp
from hactl.tui.screens.balancers import BalancersScreen
from hactl.tui.screens.journal import JournalScreen
from hactl.tui.screens.node import NodeScreen
from hactl.tui.screens.nodes import NodesScreen
from hactl.tui.screens.plan import PlanScreen
from hactl.tui.screens.run import RunScreen
from hactl.tui.widgets.facts import Facts
from hactl.tui.widgets.graph import Graphs
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.prose import Prose
from hactl.tui.widgets.tail import Tail
from tests.model.builders import DRAINED, Cluster, note
from tests.tui.acts import RUN, Runs
from tests.tui.pictures import INVENTORY, Reel, picture
from tests.tui.test_screens import screen_text

SIZE = (140, 40)


@dataclass
class Live(Reel):
    """A source that has journals, too. `said` is what they say; a denied one says why."""

    said: list[tuple[str, ...]] = field(default_factory=lambda: [("first", "second"), ("third [b]bold[/b]",)])
    denied: bool = False
    ends: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    closed_journals: int = 0
    more: asyncio.Queue[tuple[str, ...]] = field(default_factory=asyncio.Queue)

    async def journal(self, node: str, unit: str = "") -> AsyncIterator[tuple[str, ...]]:
        self.asked.append((node, unit))
        if self.denied:
            raise UnsupportedError(node, "may not be read by anna.", remedy="As root: usermod -aG systemd-journal anna")
        try:
            for lines in self.said:
                yield lines
            while not self.ends:
                yield await self.more.get()
        finally:
            self.closed_journals += 1


def drained() -> Picture:
    """app1 is out of shop, and anna has said why, by a run that there is."""
    return Cluster().server("*", "be_shop", "shop-a", **DRAINED).say("app1", "note", note(run=RUN)).picture()


def app_with(
    source: Reel | None = None, runs: Runs | None = None, *, shown: Picture | None = None, read_only: bool = False
) -> HactlApp:
    source = source or Reel([])
    source.pictures = [shown or drained()]
    doors = runs or Runs()
    return HactlApp(picture(now=0.0), lambda: source, lambda: doors, settings=Settings(read_only=read_only))


async def until(pilot: Pilot[None], true: Callable[[], object], what: str) -> None:
    """Patient: what is seldom late on a quiet machine may be so on a busy one."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"not on the screen: {what}\n{screen_text(pilot.app)}"  # type: ignore[arg-type]
        await pilot.pause(0.02)


async def at(pilot: Pilot[None], kind: type) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind), kind.__name__)
    await pilot.pause()


async def has(pilot: Pilot[None], *texts: str) -> None:
    app = pilot.app
    assert isinstance(app, HactlApp)
    await until(pilot, lambda: all(text in screen_text(app) for text in texts), f"{texts}")


async def go(pilot: Pilot[None], place: str, *keys: str) -> None:
    """To the place with this key, and on when its rows are there."""
    await pilot.press(place)
    kind, name = {"2": (NodesScreen, "nodes"), "3": (BalancersScreen, "balancers")}[place]
    await at(pilot, kind)
    await until(pilot, lambda: len(table(pilot, name).shown_rows) > 5 and table(pilot, name).has_focus, name)
    await until(pilot, lambda: "UNKNOWN" not in screen_text(pilot.app), "the picture")  # type: ignore[arg-type]
    if "enter" in keys and kind is NodesScreen:
        page = keys.index("enter") + 1
        await pilot.press(*keys[:page])
        await at(pilot, NodeScreen)
        keys = keys[page:]
    if keys:
        await pilot.press(*keys)


def table(pilot: Pilot[None], name: str) -> LineTable:
    return pilot.app.screen.query_one(f"#{name}", LineTable)


# --- a shell --------------------------------------------------------------------------------------------------


class Suspending(HactlApp):
    """Can be suspended, and notes what was run meanwhile instead of running it."""

    CSS_PATH = Path(inspect.getfile(HactlApp)).with_name("hactl.tcss")
    suspended = 0

    @contextmanager
    def suspend(self) -> Iterator[None]:
        self.suspended += 1
        yield
        self.suspended -= 1


@pytest.mark.parametrize("keys", [("2", "down", "down", "S"), ("2", "down", "down", "enter", "S")])
async def test_a_shell_is_ssh_with_the_inventorys_own_settings(keys: tuple[str, ...]) -> None:
    app = Suspending(picture(now=0.0), lambda: Reel([drained()]), Runs)
    ran: list[tuple[int, Sequence[str]]] = []

    async def launch(argv: Sequence[str]) -> int:
        ran.append((app.suspended, argv))
        return 0

    app.launch = launch
    async with app.run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, *keys)
        await until(pilot, lambda: ran, "the shell")
        ((suspended, argv),) = ran
        ssh = INVENTORY.nodes["app1"].ssh
        assert suspended == 1  # the terminal was the shell's
        assert (argv[0], argv[-1]) == ("ssh", "app1")
        given = dict(word.split("=", 1) for word in argv if "=" in word)
        assert given["HostName"] == INVENTORY.nodes["app1"].address
        assert given["User"] == ssh.user
        assert given["IdentityFile"] == ssh.identity[0]
        assert given["UserKnownHostsFile"] == ssh.known_hosts[0]
        assert given["StrictHostKeyChecking"] == "yes"
        assert given["ProxyCommand"].endswith(f" {ssh.socket}")
        await until(pilot, lambda: not app.suspended, "the dashboard again")


async def test_where_there_is_no_terminal_it_says_so() -> None:
    async with app_with().run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "S")
        await has(pilot, "There is no terminal here to hand over")


async def test_a_dashboard_that_only_looks_opens_no_shell() -> None:
    app = app_with(read_only=True)
    ran: list[object] = []

    async def launch(argv: Sequence[str]) -> int:
        ran.append(argv)
        return 0

    app.launch = launch
    async with app.run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "S")
        await has(pilot, "read-only")
        assert not ran


async def test_a_program_that_fails_shows_why_before_the_screen_comes_back(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"PATH": "/usr/bin:/bin"})
    assert await away.launched(["sh", "-c", "echo no route >&2; exit 255"]) == 255
    assert await away.launched(["sh", "-c", "exit 3"]) == 3
    said = capfd.readouterr()
    assert "no route" in said.err
    assert said.out.count("Press enter") == 1  # only for what ssh itself has failed in
    with pytest.raises(SuspendNotSupported):
        async with app_with().run_test(notifications=True) as pilot:
            await away.leave(pilot.app, ["true"], away.launched)


# --- the table ------------------------------------------------------------------------------------------------


async def test_marked_nodes_are_drained_together() -> None:
    runs = Runs()
    async with app_with(runs=runs).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2")
        await pilot.press("down", "down", "space", "space")
        assert "2 marked" in str(table(pilot, "nodes").border_title)
        await pilot.press("D")
        await at(pilot, PlanScreen)
        assert [(one.playbook, one.limit) for one in runs.asked] == [("drain", "app1,app2")]
        await pilot.press("escape", "escape")
        await at(pilot, NodesScreen)
        assert table(pilot, "nodes").marked == ()
        await pilot.press("home", "U")
        await at(pilot, PlanScreen)
        assert (runs.asked[1].playbook, runs.asked[1].limit) == ("undrain", "lb1")


async def test_columns_appear_by_width_and_sort() -> None:
    for width, seen, unseen in ((80, "disk", "upgrades"), (200, "upgrades", "kernel")):
        async with app_with().run_test(notifications=True, size=(width, 24)) as pilot:
            await go(pilot, "2")
            head = screen_text(pilot.app).splitlines()[3]  # type: ignore[arg-type] # it is ours
            assert seen in head
            assert unseen not in head
            await pilot.press("s", "I")
            assert table(pilot, "nodes").sorted_by == ("node", True)


# --- a node's page --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_a_nodes_page_has_graphs_pools_units_and_runs(size: tuple[int, int]) -> None:
    async with app_with().run_test(notifications=True, size=size) as pilot:
        await go(pilot, "2", "down", "down", "enter")
        graphs = pilot.app.screen.query_one(Graphs)
        for wanted in ("cpu", "memory", "fullest disk", "network in", "network out", "ssh round trip"):
            assert wanted in graphs.text
        assert "10 %" in graphs.text
        seen = ""
        for panel in ("pools", "units", "touched", "facts"):
            await pilot.press("tab")
            await until(pilot, lambda panel=panel: getattr(pilot.app.focused, "id", "") == panel, panel)  # type: ignore[misc]
            await pilot.pause()
            seen += screen_text(pilot.app)  # type: ignore[arg-type] # it is ours
        for wanted in ("taken out by anna@laptop", "drained", "shop.service", "active (running)", "going on"):
            assert wanted in seen, wanted
        await pilot.press("shift+tab")
        assert getattr(pilot.app.focused, "id", "") == "touched"


async def test_the_way_from_a_nodes_page() -> None:
    runs = Runs()
    async with app_with(runs=runs).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "down", "down", "enter")
        await pilot.press("right")
        assert "node app2" in screen_text(pilot.app)  # type: ignore[arg-type] # it is ours
        await pilot.press("left", "D")
        await at(pilot, PlanScreen)
        assert (runs.asked[0].playbook, runs.asked[0].limit) == ("drain", "app1")
        await pilot.press("escape")
        await at(pilot, NodeScreen)
        await pilot.press("U")
        await at(pilot, PlanScreen)
        assert runs.asked[1].playbook == "undrain"
        await pilot.press("escape")
        await at(pilot, NodeScreen)
        await pilot.press("shift+tab")
        await until(pilot, lambda: table(pilot, "touched").shown_rows, "its runs")
        await pilot.press("enter")
        await at(pilot, RunScreen)
        await pilot.press("escape")
        await at(pilot, NodeScreen)


async def test_enter_on_its_place_in_a_pool_leads_to_the_balancers() -> None:
    async with app_with().run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "down", "down", "down", "enter", "tab")
        await at(pilot, NodeScreen)
        await pilot.press("enter")
        await at(pilot, BalancersScreen)
        await until(pilot, lambda: table(pilot, "balancers").cursor_key == "shop/app2", "the row")


async def test_long_facts_are_wrapped_not_cut() -> None:
    async with app_with().run_test(notifications=True, size=(80, 24)) as pilot:
        await go(pilot, "2", "down", "down", "enter")
        text = pilot.app.screen.query_one(Facts).text
        assert all(len(line) <= 78 for line in text.splitlines())
        assert "6 sessions left" in text or "sessions left" in " ".join(text.split())


# --- balancers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_matrix_and_what_is_said_below(size: tuple[int, int]) -> None:
    async with app_with().run_test(notifications=True, size=size) as pilot:
        await go(pilot, "3")
        await has(pilot, "drained", "app1 in shop", "by anna@laptop", "pool shop, last 15 minutes", "requests")
        await pilot.press("end")
        await has(pilot, "db3 in database-primary", "pool database-primary, last 15 minutes", "connections")


@pytest.mark.parametrize(
    ("key", "playbook", "parameters"),
    [
        ("D", "drain", {}),
        ("U", "undrain", {}),
        ("d", "drain", {"pool": "shop"}),
        ("u", "undrain", {"pool": "shop"}),
    ],
)
async def test_a_server_is_acted_on_in_one_pool_or_in_all(key: str, playbook: str, parameters: object) -> None:
    runs = Runs()
    async with app_with(runs=runs).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "3")
        await pilot.press("down", key)
        await at(pilot, PlanScreen)
        ((asked),) = runs.asked
        assert (asked.playbook, asked.limit, asked.parameters) == (playbook, "app2", parameters)


async def test_servers_of_several_pools_are_not_drained_from_one() -> None:
    runs = Runs()
    async with app_with(runs=runs).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "3")
        await pilot.press("space", "end", "space", "d")
        await has(pilot, "stand in several pools", "2 marked")
        assert not runs.asked
        await pilot.press("D")
        await at(pilot, PlanScreen)
        assert runs.asked[0].limit == "app1,db3"
        await pilot.press("escape", "escape")
        await at(pilot, BalancersScreen)
        assert table(pilot, "balancers").marked == ()


async def test_the_run_that_has_taken_a_server_out() -> None:
    async with app_with().run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "3")
        await pilot.press("down", "o")
        await has(pilot, "No note names a run")
        await pilot.press("up", "o")
        await at(pilot, RunScreen)


async def test_enter_on_a_server_opens_its_node() -> None:
    async with app_with().run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "3")
        await pilot.press("slash", *"app3", "enter", "enter")
        await at(pilot, NodeScreen)
        screen = pilot.app.screen
        assert isinstance(screen, NodeScreen)
        assert screen.node == "app3"


# --- journals -------------------------------------------------------------------------------------------------


async def test_a_journal_is_followed_filtered_and_held() -> None:
    source = Live([])
    async with app_with(source).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "L")
        await at(pilot, JournalScreen)
        await has(pilot, "lb1: all units, live", "second", "third [b]bold[/b]")  # never markup
        tail = pilot.app.screen.query_one(Tail)
        await pilot.press("slash", *"FIRST")
        await has(pilot, "1 of 3 lines: FIRST")
        assert tail.shown_lines == ("first",)
        source.more.put_nowait(("another first", "fourth"))
        await until(pilot, lambda: tail.shown_lines == ("first", "another first"), "what fits")
        await pilot.press("enter", "escape")
        assert len(tail.shown_lines) == 5
        await pilot.press("slash", "exclamation_mark", *"first", "enter")
        assert tail.shown_lines == ("second", "third [b]bold[/b]", "fourth")
        await pilot.press("slash", "escape", "p")
        source.more.put_nowait(("while it is held",))
        await has(pilot, "paused, 1 new")
        assert "while it is held" not in tail.shown_lines
        await pilot.press("p")
        await has(pilot, "while it is held")
        await pilot.press("c")
        assert tail.counts == (0, 0)
        await pilot.press("escape")
        await at(pilot, NodesScreen)
        await until(pilot, lambda: source.closed_journals, "the far side's end")


async def test_units_in_turn_and_the_unit_under_the_cursor() -> None:
    source = Live([])
    async with app_with(source).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "down", "down", "enter")
        await pilot.press("L")
        await at(pilot, JournalScreen)
        await pilot.press("u")
        await has(pilot, "app1: shop.service, live")
        await pilot.press("u")
        await has(pilot, "app1: all units, live")
        await pilot.press("escape", "tab", "tab", "L")
        await at(pilot, JournalScreen)
        await has(pilot, "app1: shop.service, live")
        assert source.asked == [("app1", ""), ("app1", "shop.service"), ("app1", ""), ("app1", "shop.service")]
        assert source.closed_journals == 3


async def test_a_journal_that_may_not_be_read_says_what_to_do() -> None:
    async with app_with(Live([], denied=True)).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "L")
        await has(pilot, "may not be read by anna", "usermod -aG systemd-journal anna", "ended")


async def test_a_journal_that_ends_and_one_that_there_is_none_of() -> None:
    async with app_with(Live([], ends=True)).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "L")
        await has(pilot, "The node has ended it", "second")
    async with app_with().run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "L")
        await has(pilot, "There is no journal here")


async def test_a_tail_is_bounded_and_stays_where_one_reads() -> None:
    source = Live([], said=[tuple(f"line {number}" for number in range(6000))])
    async with app_with(source).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "L")
        await at(pilot, JournalScreen)
        tail = pilot.app.screen.query_one(Tail)
        await has(pilot, "line 5999")
        assert tail.counts == (5000, 5000)
        await pilot.press("home")
        await has(pilot, "line 1000 ")
        source.more.put_nowait(tuple(f"new {number}" for number in range(100)))
        await until(pilot, lambda: tail.shown_lines[-1] == "new 99", "the new ones")
        assert "new 99" not in screen_text(pilot.app)  # type: ignore[arg-type] # it is ours
        await pilot.press("end")
        await has(pilot, "new 99")
        await pilot.press("right")
        assert "new 99" not in screen_text(pilot.app)  # type: ignore[arg-type] # it is ours
        await pilot.press("left")
        await has(pilot, "new 99")


async def test_what_is_said_of_no_trouble_takes_no_room() -> None:
    async with app_with(Live([])).run_test(notifications=True, size=SIZE) as pilot:
        await go(pilot, "2", "L")
        await at(pilot, JournalScreen)
        await has(pilot, "live")
        assert not pilot.app.screen.query_one("#trouble", Prose).display
