"""Every screen over hostile words in everything that comes from nodes, journals and playbooks: they stay words.

Once as `transport` lets such words in, and once as if nobody had made them safe: the last look before the terminal
(`tui.only_text`) holds alone. A new place is looked at because it is one.
"""

from __future__ import annotations

import ast
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

import hactl.tui
from hactl.model.text import acts, safe
from hactl.tui.app import HactlApp
from hactl.tui.places import PLACES
from tests.tui.hostile import PIECES, dashboard, everything
from tests.tui.quick import press, settle
from tests.tui.terminal import Terminal
from tests.tui.test_acting import until
from tests.tui.test_hostile import harmless

# What is opened from places, by the keys that lead there; the class of the screen where it is another one.
OPENED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "a node": (("2", "enter"), "NodeScreen"),
    "a node's panels": (("2", "enter", "tab", "tab", "end", "tab", "end"), "NodeScreen"),
    "a node's end": (("2", "enter", "end"), "NodeScreen"),
    "a node that is silent": (("2", "end", "enter"), "NodeScreen"),
    "a node's journal": (("2", "L"), "JournalScreen"),
    "a journal's filter": (("2", "L", "slash", *"owned"), "JournalScreen"),
    "a filter of nodes": (("2", "slash", *"owned"), "NodesScreen"),
    "a place of a pool": (("3", "down", "down"), "BalancersScreen"),
    "a database": (("4", "down", "down"), "DatabaseScreen"),
    "a plan": (("2", "D"), "PlanScreen"),
    "a plan's end": (("2", "D", "end"), "PlanScreen"),
    "a run": (("6", "enter"), "RunScreen"),
    "a run's end": (("6", "enter", "end"), "RunScreen"),
    "an undo": (("6", "enter", "u"), "ConfirmScreen"),
    "a report": (("6", "enter", "t"), "ReportScreen"),
    "a report's end": (("6", "enter", "t", "end"), "ReportScreen"),
    "runs of somebody": (("6", "w"), "RunsScreen"),
    "a form": (("7", "enter"), "FormScreen"),
    "a playbook": (("7", "v"), "PlaybookScreen"),
    "an acknowledgement": (("1", "a"), "AckScreen"),
    "events": (("1", "e"), "OverviewScreen"),
    "help": (("question_mark",), "HelpScreen"),
    "palette": (("ctrl+p", *"own"), "CommandPalette"),
    "a name to go to": (("colon", *"ow"), "OverviewScreen"),
}
SCREENS = {**{place.name: ((place.key,), f"{place.title}Screen") for place in PLACES}, **OPENED}
TYPED = {  # digits do not lead to places there
    *("a journal's filter", "a filter of nodes", "an undo", "a form", "an acknowledgement", "help", "palette"),
    "a name to go to",
}
QUIET = {"help", "a name to go to"}  # nothing there is said by anybody else


def lines(pilot: Pilot[None]) -> Iterator[str]:
    for line in pilot.app.screen._compositor.render_strips():
        yield "".join(segment.text for segment in line)


def wrong(pilot: Pilot[None]) -> Iterator[str]:
    """What is on the screen that is no text, does not fit, or does something when it is clicked."""
    for line in pilot.app.screen._compositor.render_strips():
        text = "".join(segment.text for segment in line)
        if acts(text):
            yield f"acts: {text!r}"
        if cell_len(text) != pilot.app.size.width:
            yield f"{cell_len(text)} cells: {text!r}"
        if any("quit" in str(segment.style.meta) for segment in line if segment.style is not None):
            yield f"clicks: {text!r}"


async def opened(pilot: Pilot[None], keys: Sequence[str], shows: str) -> None:
    app = pilot.app
    assert isinstance(app, HactlApp)
    if app.screen.__class__.__name__ == "CommandPalette":
        await press(pilot, "escape")
    app.go_back(1)
    await settle(pilot)
    await press(pilot, "escape", "1", *keys)
    await until(pilot, lambda: type(app.screen).__name__ == shows, shows)


@pytest.mark.parametrize(("size", "raw"), [((80, 24), False), ((200, 60), True)], ids=["made safe", "not made safe"])
async def test_hostile_words_stay_words(size: tuple[int, int], *, raw: bool) -> None:
    app, problems = dashboard(everything(raw=raw)), dict[str, list[str]]()
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.picture.now, "a picture")
        for name, (keys, shows) in SCREENS.items():
            await opened(pilot, keys, shows)
            if name not in QUIET:
                await until(pilot, lambda: any("owned" in line for line in lines(pilot)), f"{name}: what was said")
            if found := list(wrong(pilot)):
                problems[name] = found
        assert app.is_running
    assert not problems


async def test_markup_is_shown_as_it_was_sent() -> None:
    app = dashboard(safe(PIECES["click"]))
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: app.picture.now, "a picture")
        for keys in (("2", "enter"), ("2", "D"), ("6", "enter")):
            await opened(pilot, keys, SCREENS_BY_KEYS[keys])
            await until(pilot, lambda: any("[@click=app.quit]owned-click[/]" in one for one in lines(pilot)), "it")


SCREENS_BY_KEYS = dict(SCREENS.values())


@pytest.mark.parametrize("piece", PIECES)
async def test_notices_are_text_too(piece: str) -> None:
    app = dashboard("quiet")
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        app.notify(PIECES[piece], title="said", markup=False)
        await until(pilot, lambda: any("owned" in line for line in lines(pilot)), "the notice")
        assert not list(wrong(pilot))


def test_no_byte_of_it_acts_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in a real terminal: every screen is walked through, and every byte that was written is looked at."""
    monkeypatch.chdir(tmp_path)  # some keys write files
    env = {"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)}
    with Terminal([sys.executable, "-m", "tests.tui.hostile", "raw"], size=(160, 50), env=env) as terminal:
        terminal.wait_for("owned", seconds=60)
        for name, (keys, _) in SCREENS.items():
            for key in keys:
                terminal.type(_BYTES.get(key, key))
                still(terminal)
            go_home(terminal, escape=name in TYPED)
        terminal.type("q")
        assert terminal.wait(60) == 0, terminal.text
        harmless(terminal.output)
        assert terminal.output.count(b"owned") > len(SCREENS)
        for piece in PIECES.values():
            for sequence in re.findall(r"[\x1b\x9b\x9d][^ ]*|[\u202e\u200b\ufeff\u2028\u180e]", piece):
                assert sequence.encode() not in terminal.output, sequence


def still(terminal: Terminal) -> None:
    """Until nothing more is drawn."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        drawn = len(terminal.output)
        terminal.read(0.06)
        if len(terminal.output) == drawn:
            return


_BYTES = {
    "enter": "\r",
    "tab": "\t",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "ctrl+p": "\x10",
    "end": "\x1b[F",
    "down": "\x1b[B",
}


def go_home(terminal: Terminal, *, escape: bool) -> None:
    """From whatever was opened. An escape that is read together with the next key would be another key."""
    for _ in range(20):
        if escape:
            terminal.type("\x1b")
            terminal.read(0.25)
            still(terminal)
        terminal.type("1")
        still(terminal)
        if "lab > overview " in terminal.text:
            return
    pytest.fail(terminal.text)


def test_titles_are_never_given_as_markup() -> None:
    """Textual takes a string in a border for markup: `paint.titled` is the one way to write there."""
    for path in Path(hactl.tui.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr.startswith("border_") and path.name != "paint.py":
                pytest.fail(f"{path}:{node.lineno}")
