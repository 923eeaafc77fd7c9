"""Every key of every screen, one after the other: nothing but the confirmation of a plan starts a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hactl.model.dashboard import Settings
from hactl.tui.app import HactlApp
from hactl.tui.keys import NamedKeys
from hactl.tui.names import key_helps
from hactl.tui.places import PLACES
from hactl.tui.screens.base import BaseScreen
from hactl.tui.screens.plan import PlanScreen
from hactl.tui.screens.run import RunScreen
from tests.tui.acts import Runs
from tests.tui.pictures import Reel, down, picture, up
from tests.tui.quick import press, settle
from tests.tui.test_acting import until

# They end the dashboard; so does the key that copies, where there is nothing to copy.
_LEAVES = {"quit", "help_quit", "suspend_process", "copy"}
_CONFIRMS = {"carry_out", "answer(True)"}  # what would be done has been read
_ROOMS = {
    "OverviewScreen",
    "NodeScreen",
}  # a place, and what is opened from one: the application's keys are pressed there


@dataclass(frozen=True)
class Way:
    """To a screen: the key of a place, then what opens the screen from there."""

    keys: tuple[str, ...]
    shows: str  # name of the screen's class
    acts: bool = False  # it is not opened where the dashboard only looks

    def __str__(self) -> str:
        return " ".join(self.keys)


WAYS = (
    *(Way((place.key,), f"{place.title}Screen") for place in PLACES),
    Way(("2", "enter"), "NodeScreen"),
    Way(("2", "L"), "JournalScreen"),
    Way(("2", "D"), "PlanScreen", acts=True),
    Way(("1", "a"), "AckScreen", acts=True),
    Way(("6", "enter"), "RunScreen"),
    Way(("6", "enter", "t"), "ReportScreen"),
    Way(("6", "enter", "u"), "ConfirmScreen", acts=True),
    Way(("7", "v"), "PlaybookScreen"),
    Way(("colon", *"playbook drain", "enter"), "FormScreen"),
    Way(("question_mark",), "HelpScreen"),
    Way(("ctrl+p",), "CommandPalette"),
)
LOOKS = tuple(way for way in WAYS if not way.acts)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some keys write files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def app_with(runs: Runs, *, read_only: bool) -> HactlApp:
    app = HactlApp(
        picture(now=0.0),
        lambda: Reel([picture(*up(), *down("db2", "gone"))]),
        lambda: runs,
        settings=Settings(read_only=read_only, bell=False),
    )
    app.launch = _nothing  # no real ssh
    return app


async def _nothing(_argv: Sequence[str]) -> int:
    return 0


async def go(pilot: Pilot[None], way: Way) -> None:
    app = pilot.app
    assert isinstance(app, HactlApp)
    app.go_back(1)
    await settle(pilot)
    await press(pilot, *way.keys)
    await until(pilot, lambda: type(app.screen).__name__ == way.shows, way.shows)


@dataclass(frozen=True)
class Key:
    key: str
    action: str
    focus: str  # id of the widget that has the focus when the key does this; "" for none


def keys(app: HactlApp, *, everywhere: bool) -> Iterator[Key]:
    """Every key that does something here, whatever on the screen has the focus; those of the application on demand."""
    done: set[tuple[type, str]] = set()
    for widget in (None, *app.screen.focus_chain):
        app.screen.set_focus(widget)
        for key, active in app.screen.active_bindings.items():
            what = type(active.node), active.binding.action
            leaves = active.binding.action.rpartition(".")[2] in _LEAVES
            if not leaves and what not in done and (everywhere or active.node is not app):
                done.add(what)
                yield Key(key, active.binding.action, (widget.id or "") if widget is not None else "")


async def press_all(pilot: Pilot[None], way: Way, harmless: Callable[[], bool], skip: Collection[str] = ()) -> None:
    """Each on the screen that the way leads to, which is opened anew when a key has led elsewhere."""
    app = pilot.app
    assert isinstance(app, HactlApp)
    await go(pilot, way)
    screen = app.screen
    for one in list(keys(app, everywhere=way.shows in _ROOMS)):
        if one.action in skip:
            continue
        if app.screen is not screen:
            await go(pilot, way)
            screen = app.screen
        if isinstance(screen, BaseScreen):
            screen.answered()
        screen.set_focus(screen.query_one(f"#{one.focus}") if one.focus else None)
        await press(pilot, one.key)
        assert app.is_running, one
        assert harmless(), f"{one} on {way.shows}"
    await pilot.pause()
    assert harmless(), f"a key on {way.shows}"


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_no_key_starts_anything_but_the_confirmation_of_a_plan(way: Way) -> None:
    runs = Runs()

    def harmless() -> bool:
        return not runs.started and not any(one.startswith("undo") for one in runs.again)

    async with app_with(runs, read_only=False).run_test(notifications=True, size=(100, 30)) as pilot:
        await press_all(pilot, way, harmless, _CONFIRMS)


@pytest.mark.parametrize("way", LOOKS, ids=str)
async def test_where_it_only_looks_no_key_does_anything(way: Way) -> None:
    runs = Runs()
    async with app_with(runs, read_only=True).run_test(notifications=True, size=(100, 30)) as pilot:
        await press_all(pilot, way, lambda: not (runs.asked or runs.started or runs.wishes or runs.again))


@pytest.mark.parametrize(("way", "key"), [(("2",), "D"), (("2", "enter"), "U"), (("6", "enter"), "x")])
async def test_a_key_that_acts_says_that_nothing_is_done(way: tuple[str, ...], key: str) -> None:
    runs = Runs()
    async with app_with(runs, read_only=True).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press(*way)
        await until(pilot, lambda: key in pilot.app.screen.active_bindings, "the key")
        assert not pilot.app.screen.active_bindings[key].enabled
        await pilot.press(key)
        await until(pilot, lambda: any("read-only" in one.message for one in pilot.app._notifications), "the notice")
        assert not runs.asked
        assert not runs.wishes


async def test_a_run_is_watched_where_it_only_looks() -> None:
    runs = Runs()
    async with app_with(runs, read_only=True).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("6", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")
        story = pilot.app.screen.query_one("#story")
        await until(pilot, lambda: "out of shop" in story.text, "its story")  # type: ignore[attr-defined]


async def test_the_door_refuses_whatever_the_keys_do() -> None:
    from hactl.model.errors import HactlError
    from hactl.model.events import WishKind
    from hactl.model.plan import Request

    runs = Runs()
    app = app_with(runs, read_only=True)
    assert app.runs.runs()
    with pytest.raises(HactlError, match="read-only"):
        await app.runs.plan(Request("drain"))
    for act in (
        lambda: app.runs.resume("x"),
        lambda: app.runs.undo("x"),
        lambda: app.runs.wish("x", WishKind.STOP),
        lambda: app.runs.anything_new("x"),  # type: ignore[attr-defined] # not known to be harmless
    ):
        with pytest.raises(HactlError, match="read-only"):
            act()
    assert not runs.asked
    assert not runs.again
    assert not runs.wishes


async def test_a_plan_that_slips_through_cannot_be_carried_out() -> None:
    """Should some screen open one all the same."""
    from hactl.model.plan import Request

    runs = Runs()
    async with app_with(runs, read_only=True).run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.app.push_screen(PlanScreen(runs, Request("drain")))
        await until(pilot, lambda: runs.asked, "planned")
        await pilot.press("y")
        await pilot.pause()
        assert not runs.started


# --- names ---


def test_every_key_has_a_name_of_its_own_and_says_what_it_does() -> None:
    helps = key_helps()
    assert "" not in helps
    for name, one in helps.items():
        assert one.does, name
        assert name == name.lower()
        assert one.keys


def test_every_screen_names_its_keys() -> None:
    """What is not mixed with NamedKeys cannot be bound to other keys."""
    key_helps()  # loads all screens
    pending: list[type] = list(BaseScreen.__subclasses__())
    while pending:
        one = pending.pop()
        assert issubclass(one, NamedKeys)
        pending += one.__subclasses__()
        for binding in one.__dict__.get("BINDINGS", ()):
            assert binding.id, (one, binding)
