"""Every key of every screen, one after the other: nothing but the confirmation of a plan starts a run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

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
from tests.tui.test_acting import until

_LEAVES = {"quit", "help_quit", "suspend_process", "copy_text"}  # with nothing to copy its key leaves, too


@dataclass(frozen=True)
class Way:
    """To a screen: the key of a place, then what opens the screen from there."""

    keys: tuple[str, ...]
    shows: str  # name of the screen's class


WAYS = (
    *(Way((place.key,), "") for place in PLACES),
    Way(("2", "enter"), "NodeScreen"),
    Way(("2", "D"), "PlanScreen"),
    Way(("6", "enter"), "RunScreen"),
    Way(("6", "enter", "u"), "ConfirmScreen"),
    Way(("colon", *"playbook drain", "enter"), "FormScreen"),
    Way(("question_mark",), "HelpScreen"),
)


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
    await pilot.pause()
    for key in way.keys:
        await pilot.press(key)
    if way.shows:
        await until(pilot, lambda: type(app.screen).__name__ == way.shows, way.shows)


def keys(app: HactlApp) -> Iterator[tuple[Widget | None, str]]:
    """Every key that works here, whatever on the screen has the focus."""
    told: set[str] = set()
    for widget in (None, *app.screen.focus_chain):
        app.screen.set_focus(widget)
        for key, active in app.screen.active_bindings.items():
            action = active.binding.action
            if action.rpartition(".")[2] not in _LEAVES and action not in told:
                told.add(action)
                yield widget, key


async def press_all(
    pilot: Pilot[None], way: Way, harmless: Callable[[], bool], skip: Callable[[str], bool]
) -> Awaitable[None] | None:
    app = pilot.app
    assert isinstance(app, HactlApp)
    await go(pilot, way)
    for widget, key in list(keys(app)):
        if skip(key):
            continue
        await go(pilot, way)
        if widget is not None and widget.id and (found := list(app.screen.query(f"#{widget.id}"))):
            app.screen.set_focus(found[0])
        await pilot.press(key)
        await pilot.pause()
        assert app.is_running, key
        assert harmless(), f"{key} on {type(app.screen).__name__}"
    return None


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(way.keys))
@pytest.mark.timeout(600)
@pytest.mark.story
async def test_no_key_starts_anything_but_the_confirmation_of_a_plan(way: Way) -> None:
    runs = Runs()

    def harmless() -> bool:
        return not runs.started and not any(one.startswith("undo") for one in runs.again)

    confirms = {"PlanScreen": {"y"}, "ConfirmScreen": {"y"}}.get(way.shows, set())
    async with app_with(runs, read_only=False).run_test(notifications=True, size=(100, 30)) as pilot:
        await press_all(pilot, way, harmless, lambda key: key in confirms)


@pytest.mark.parametrize("way", [way for way in WAYS if way.shows not in {"PlanScreen", "ConfirmScreen"}], ids=str)
@pytest.mark.timeout(600)
@pytest.mark.story
async def test_where_it_only_looks_no_key_does_anything(way: Way) -> None:
    runs = Runs()
    async with app_with(runs, read_only=True).run_test(notifications=True, size=(100, 30)) as pilot:
        await press_all(
            pilot,
            way,
            lambda: not (runs.asked or runs.started or runs.wishes or runs.again),
            lambda _key: False,
        )


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
