"""What the dashboard has everywhere: the way, names, filter, help, themes, screenshots, news, small terminals."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from hactl.model.dashboard import ColumnChoice, Settings
from hactl.model.picture import Picture
from hactl.tui import screenshot
from hactl.tui.app import HactlApp
from hactl.tui.screens.form import FormScreen
from hactl.tui.screens.help import HelpScreen
from hactl.tui.screens.node import NodeScreen
from hactl.tui.themes import ALL, Memory
from hactl.tui.widgets.key_line import KeyLine
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.status_line import StatusLine
from tests.tui.acts import Runs
from tests.tui.pictures import INVENTORY, Reel, down, picture, up
from tests.tui.quick import press
from tests.tui.test_screens import screen_text

BLANK = picture(now=0.0)


def dashboard(
    *pictures: Picture, settings: Settings | None = None, memory: Memory | None = None, runs: Runs | None = None
) -> HactlApp:
    held = runs or Runs()
    shown = list(pictures) or [picture(*up())]
    return HactlApp(BLANK, lambda: Reel(shown), lambda: held, settings=settings, memory=memory)


async def until(pilot: Pilot[None], true: Callable[[], object], what: str) -> None:
    """Until it is so; the machine may be busy with other things."""
    deadline = time.monotonic() + 20
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"not on the screen: {what}\n{screen_text(pilot.app)}")  # type: ignore[arg-type] # it is ours
        await pilot.pause(0.05)


async def shows(pilot: Pilot[None], *texts: str) -> None:
    await until(pilot, lambda: all(text in screen_text(pilot.app) for text in texts), f"{texts}")  # type: ignore[arg-type]


async def at(pilot: Pilot[None], key: str, table: str) -> LineTable:
    """The table of a place, once it has the keys."""
    await pilot.press(key)
    await until(pilot, lambda: pilot.app.screen.query(f"#{table}"), table)
    found = pilot.app.screen.query_one(f"#{table}", LineTable)
    found.focus()
    await until(pilot, lambda: found.has_focus and found.shown_rows, "its rows")
    return found


def line(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(StatusLine).text


def burst(pilot: Pilot[None], keys: str) -> None:
    """Keys that come faster than anything is drawn, as from a paste or a slow line."""
    names = {"/": "slash", ":": "colon", "\r": "enter", "\x1b": "escape", "!": "exclamation_mark"}
    for key in keys:
        pilot.app.post_message(events.Key(names.get(key, key), key if key.isprintable() else None))


# --- the way ---


async def test_the_way_here_is_told_and_clicks_lead_back() -> None:
    async with dashboard().run_test(notifications=True, size=(100, 30)) as pilot:
        await pilot.press("2", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, NodeScreen), "a node")
        await pilot.press("D")
        await shows(pilot, "lab > nodes > lb1 > plan drain", "plan 3f2a9c")
        await pilot.click("#status", offset=(line(pilot).index("lb1") + 1, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, NodeScreen), "the node again")
        await pilot.click("#status", offset=(line(pilot).index("nodes") + 1, 0))
        await until(pilot, lambda: len(pilot.app.screen_stack) == 1, "the nodes again")


async def test_the_way_keeps_its_end_where_there_is_little_room() -> None:
    async with dashboard(settings=Settings(read_only=True)).run_test(notifications=True, size=(30, 12)) as pilot:
        shown = pilot.app.screen.query_one(StatusLine)
        shown.show_way(["a-long-cluster", "nodes", "db1", "plan drain"], "READ-ONLY")
        assert "… " in shown.text
        assert "plan drain" in shown.text
        assert shown.text.rstrip().endswith("READ-ONLY")


# --- the filter ---


async def test_keys_right_after_the_slash_go_to_the_filter() -> None:
    """`D` would drain and `s` would sort, had the table got them."""
    runs = Runs()
    async with dashboard(runs=runs).run_test(notifications=True, size=(100, 30)) as pilot:
        nodes = await at(pilot, "2", "nodes")
        burst(pilot, "/dbs")
        await until(pilot, lambda: nodes.needle == "dbs", "the filter")
        assert nodes.sorted_by == (None, False)
        await pilot.press("escape")
        burst(pilot, "/D")
        await until(pilot, lambda: line(pilot).startswith(" /D"), "the filter")
        assert not runs.asked


async def test_keys_right_after_the_filter_go_to_what_it_leaves() -> None:
    async with dashboard().run_test(notifications=True, size=(100, 30)) as pilot:
        await at(pilot, "2", "nodes")
        burst(pilot, "/app3\r\r")
        await until(pilot, lambda: isinstance(pilot.app.screen, NodeScreen), "a node")
        assert getattr(pilot.app.screen, "node", "") == "app3"


@pytest.mark.parametrize(
    ("keys", "left"),
    [("db", ["db1", "db2", "db3"]), ("!app", ["lb1", "lb2", "db1", "db2", "db3", "backup1", "backup2"])],
)
async def test_the_filter_and_its_inverse(keys: str, left: list[str]) -> None:
    async with dashboard().run_test(notifications=True, size=(100, 30)) as pilot:
        nodes = await at(pilot, "2", "nodes")
        await pilot.press("slash", *keys, "enter")
        assert [row.key for row in nodes.shown_rows] == left
        await shows(pilot, f"/{keys}: {len(left)} of 10")  # rows that are hidden are told of
        await pilot.press("escape")
        assert len(nodes.shown_rows) == len(INVENTORY.nodes)
        assert nodes.has_focus


async def test_escape_while_typing_gives_the_filter_up() -> None:
    async with dashboard().run_test(notifications=True, size=(100, 30)) as pilot:
        nodes = await at(pilot, "2", "nodes")
        await pilot.press("slash", "x", "x", "backspace", "escape")
        assert len(nodes.shown_rows) == len(INVENTORY.nodes)
        assert nodes.has_focus


@pytest.mark.parametrize(("place", "table"), [("1", "findings"), ("6", "runs"), ("7", "playbooks")])
async def test_every_table_has_a_filter(place: str, table: str) -> None:
    async with dashboard(picture(*up(), *down("db2", "gone"))).run_test(notifications=True, size=(100, 30)) as pilot:
        shown = await at(pilot, place, table)
        await pilot.press("slash", *"zzz")
        await until(pilot, lambda: not shown.shown_rows, "none")


# --- names ---


@pytest.mark.parametrize(
    ("typed", "way"),
    [
        ("nodes", "lab > nodes"),
        ("NODES", "lab > nodes"),
        ("db1", "lab > overview > db1"),
        ("node db1", "lab > overview > db1"),
        ("node  db1 ", "lab > overview > db1"),
        ("backup1", "lab > overview > backup1"),
        ("playbook drain", "lab > overview > drain"),
    ],
)
async def test_a_name_leads_there(typed: str, way: str) -> None:
    async with dashboard().run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.pause()
        burst(pilot, f":{typed.replace(' ', '␠')}".replace("␠", " "))
        await pilot.press("enter")
        await shows(pilot, way)


async def test_a_service_is_looked_at_in_the_overview() -> None:
    async with dashboard().run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("2", "colon", *"shop", "enter")
        services = pilot.app.query_one("#services", LineTable)
        await until(pilot, lambda: services.has_focus, "the services")
        assert services.cursor_key == "shop"


async def test_a_playbook_opens_its_form() -> None:
    async with dashboard().run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("colon", *"playbook dr", "tab", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen), "the form")


@pytest.mark.parametrize(
    ("typed", "says"),
    [("nodse", 'did you mean "nodes"?'), ("xyzzy", 'Nothing here is called "xyzzy".'), ("db", "may be node db1")],
)
async def test_a_name_that_leads_nowhere_says_so_and_can_be_changed(typed: str, says: str) -> None:
    async with dashboard().run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("colon", *typed, "enter")
        await shows(pilot, says)
        await pilot.press("ctrl+u", *"nodes", "enter")
        await shows(pilot, "lab > nodes")


async def test_names_are_completed() -> None:
    async with dashboard().run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("colon")
        await shows(pilot, "a screen, a node")
        await pilot.press("n", "o")
        await shows(pilot, ":nodes")
        await pilot.press("tab")
        assert pilot.app.screen.query_one(StatusLine).typed == "nodes"
        await pilot.press("ctrl+w", "d", "b", "down", "tab", "enter")
        await shows(pilot, "lab > overview > db2")


async def test_leaving_the_names_gives_the_keys_back() -> None:
    async with dashboard().run_test(notifications=True, size=(120, 30)) as pilot:
        nodes = await at(pilot, "2", "nodes")
        await pilot.press("colon", "q", "escape", "j")
        assert nodes.has_focus
        assert nodes.cursor == 1


# --- help ---


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 10)])
async def test_help_is_made_from_the_bindings(size: tuple[int, int]) -> None:
    async with dashboard().run_test(notifications=True, size=size) as pilot:
        await pilot.press("2")
        active = pilot.app.screen.active_bindings
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen), "help")
        await pilot.pause()
        page = pilot.app.screen.query_one("#keys")
        told = page.text  # type: ignore[attr-defined] # what it shows, also what is scrolled away
        for binding in (one.binding for one in active.values() if not one.binding.system):
            assert binding.description in told
            assert pilot.app.get_key_display(binding) in told
        assert "what" in screen_text(pilot.app) or size == (40, 10)
        await pilot.press("end", "question_mark")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen), "no help")


# --- looks ---


async def test_themes_are_turned_through_and_remembered(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state" / "dashboard.json")
    async with dashboard(memory=memory).run_test(notifications=True) as pilot:
        assert pilot.app.theme == "dark"
        await pilot.press("T")
        assert pilot.app.theme == "light"
        await shows(pilot, "theme: light")
    assert memory.recall() == "light"
    async with dashboard(memory=memory).run_test(notifications=True) as pilot:
        assert pilot.app.theme == "light"
        await pilot.press("T", "T")
        assert pilot.app.theme == "dark"


async def test_a_theme_that_cannot_be_kept_is_shown_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with dashboard(memory=Memory(tmp_path / "file" / "dashboard.json")).run_test(
        notifications=True, size=(100, 30)
    ) as pilot:
        await pilot.press("T")
        assert pilot.app.theme == "light"
        await shows(pilot, "it is not remembered")


@pytest.mark.parametrize("kept", ["", "[", '"dark"', '{"theme": "neon"}', '{"theme": 1}', "[" * 5000])
def test_what_was_kept_may_be_anything(tmp_path: Path, kept: str) -> None:
    memory = Memory(tmp_path / "dashboard.json")
    memory.file.write_text(kept)
    assert memory.recall() is None


async def test_the_settings_theme_stands_at_every_start(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "dashboard.json")
    memory.keep("light")
    settings = Settings(theme="high-contrast", file="/home/anna/dashboard.toml")
    async with dashboard(memory=memory, settings=settings).run_test(notifications=True, size=(120, 30)) as pilot:
        assert pilot.app.theme == "high-contrast"
        await pilot.press("T")
        await shows(pilot, "/home/anna/dashboard.toml")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("theme", "least"), [("dark", 4.5), ("light", 4.5), ("high-contrast", 7.0)])
def test_levels_can_be_read_in_every_theme(theme: str, least: float) -> None:
    """The contrast that WCAG asks of text: 4.5, and 7 where high contrast was asked for."""
    colours = next(one for one in ALL if one.name == theme).to_color_system().generate()
    for name in ("text-success", "text-warning", "text-error", "text-accent", "foreground", "foreground-darken-3"):
        for behind in ("background", "surface", "panel"):
            light, dark = sorted((luminance(colours[name]), luminance(colours[behind])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, (name, behind)


async def test_a_screenshot_is_written_and_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_PICTURES_DIR", str(tmp_path / "pictures"))
    async with dashboard().run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("2", "ctrl+s", "ctrl+s", *":screenshot", "enter")
        await shows(pilot, "written to")
        await until(pilot, lambda: len(list((tmp_path / "pictures").iterdir())) == 3, "the third")
    written = sorted((tmp_path / "pictures").iterdir())  # within a second, none written over
    assert all(re.fullmatch(r"hactl-lab-\d{8}-\d{6}(-\d)?\.svg", path.name) for path in written)
    assert "app1" in written[0].read_text(encoding="utf-8")


async def test_a_screenshot_that_cannot_be_written_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_PICTURES_DIR", str(tmp_path / "file"))
    async with dashboard().run_test(notifications=True, size=(120, 30)) as pilot:
        await pilot.press("ctrl+s")
        await shows(pilot, "no screenshot")


@pytest.mark.parametrize(
    ("env", "there", "place"),
    [
        ({"XDG_PICTURES_DIR": "/p"}, False, "/p"),
        ({}, True, "{home}/Pictures"),
        ({}, False, "{home}/.local/state/hactl/screenshots"),
        ({"XDG_PICTURES_DIR": "relative"}, False, "{home}/.local/state/hactl/screenshots"),
    ],
)
def test_where_screenshots_go(tmp_path: Path, env: dict[str, str], *, there: bool, place: str) -> None:
    if there:
        (tmp_path / "Pictures").mkdir()
    assert str(screenshot.folder({"HOME": str(tmp_path), **env})) == place.format(home=tmp_path)


# --- columns and keys ---


async def test_columns_are_hidden_and_added() -> None:
    chosen = Settings(columns={"nodes": ColumnChoice(hide=("site", "roles"), show=("services",))})
    for settings, gone in ((None, False), (chosen, True)):
        async with dashboard(settings=settings).run_test(notifications=True, size=(80, 30)) as pilot:
            heading = (await at(pilot, "2", "nodes")).render_line(0).text.split()
            assert ("site" in heading) != gone
            assert ("services" in heading) == gone  # which has no room at this width otherwise


async def test_keys_can_be_others() -> None:
    runs = Runs()
    settings = Settings(keys={"nodes.drain": "x", "help": "f1"})
    async with dashboard(settings=settings, runs=runs).run_test(notifications=True, size=(100, 30)) as pilot:
        await at(pilot, "2", "nodes")
        await pilot.press("D")
        assert not runs.asked
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen), "help")
        await pilot.press("escape", "x")
        await until(pilot, lambda: runs.asked, "planned")


# --- news ---


async def test_a_new_crit_rings_once_and_stands_out(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [*up(), *down("db2", "no answer within 5 s")]
    quiet = [picture(*up(), *down("app1", "was so before"), now=now) for now in (2.0, 5.0, 30.0)]
    both = [picture(*bad, *down("app1", "was so before"), now=now) for now in (31.0, 32.0, 33.0)]
    rung: list[float] = []
    app = dashboard(quiet[0])
    monkeypatch.setattr(app, "bell", lambda: rung.append(1.0))
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        for one in (*quiet, *both):  # each is drawn; queued ones would be one
            app.post_message(message(one))
            await pilot.pause()
        await shows(pilot, "new", "db2: unreachable", "! crit")
        assert len(rung) == 1
        await pilot.press("2")
        await shows(pilot, "! db2")


async def test_the_bell_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[float] = []
    app = dashboard(picture(*up()), settings=Settings(bell=False))
    monkeypatch.setattr(app, "bell", lambda: rung.append(1.0))
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        for one in (picture(*up(), now=2.0), picture(*up(), *down("db2", "gone"), now=40.0)):
            app.post_message(message(one))
            await pilot.pause()
        await shows(pilot, "new", "db2: unreachable")
        assert not rung


def message(one: Picture) -> events.Event:
    from hactl.tui.messages import PictureArrived

    return PictureArrived(one)  # type: ignore[return-value] # any message will do


# --- the mouse ---


async def test_rows_keys_and_places_take_clicks() -> None:
    async with dashboard(picture(*up())).run_test(notifications=True, size=(120, 30)) as pilot:
        await shows(pilot, "1 2 3")
        keys = pilot.app.screen.query_one(KeyLine)
        await pilot.click(keys, offset=(keys.text.index("2 3"), 0))
        await shows(pilot, "lab > nodes")
        await pilot.click("#nodes", offset=(4, 3))
        assert pilot.app.screen.query_one("#nodes", LineTable).cursor_key == list(INVENTORY.nodes)[2]
        await pilot.click("#nodes", offset=(4, 3), times=2)
        await until(pilot, lambda: isinstance(pilot.app.screen, NodeScreen), "the node")


# --- small terminals ---


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (10, 3), (300, 80)])
async def test_every_place_can_be_looked_at_at_any_size(size: tuple[int, int]) -> None:
    from hactl.tui.places import PLACES

    async with dashboard(picture(*up(), *down("db2", "gone"))).run_test(notifications=True, size=size) as pilot:
        for place in PLACES:
            await press(pilot, place.key, "down", "slash", "x", "escape", "question_mark", "escape", "colon", "escape")
            assert pilot.app.is_running
        await press(pilot, "2", "enter", "escape")
        await pilot.pause()
        assert pilot.app.is_running
