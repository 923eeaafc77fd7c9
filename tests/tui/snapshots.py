"""What every screen of the dashboard looks like, held as text: characters, and below them the style of every one.

    python -m tests.tui.snapshots             say what has changed
    python -m tests.tui.snapshots --accept    keep how it looks now
    python -m tests.tui.snapshots --svg DIR   write it as SVG pictures, to look at

Names of scenes after that: only those.

One file holds a scene at one size in both themes. A style line stands for a line of the screen: how many characters,
then the letter of their style; what the letters mean stands at the end of a theme. "=NUMBER": as that line.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import unified_diff
from itertools import groupby
from pathlib import Path
from string import ascii_letters

from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Input

from hactl.model.dashboard import Settings
from hactl.model.drills import Check, CheckOutcome, DrillRecord, Verdict
from hactl.model.events import GuardsChecked
from hactl.tui.app import HactlApp
from tests.model.builders import EPOCH, GIB, MIB, NOW, Cluster, drill, drills
from tests.tui.acts import STORY, Runs
from tests.tui.exercises import PATH, exercising, seen_at
from tests.tui.pictures import INVENTORY, Reel, picture

FOLDER = Path(__file__).parent / "snapshots"
SIZES = ((80, 24), (120, 36), (200, 60))
THEMES = ("dark", "light")
WALL = EPOCH + NOW  # what the clock on the wall says all the while
_TRIES = 400
_SAME = 3  # looks in a row at which nothing has changed: it is all drawn
_BETWEEN = 0.01  # seconds between two looks, besides what it takes to handle all that is under way


@dataclass(frozen=True, slots=True)
class Scene:
    """Keys, one after the other, and what has to be on the screen before the next one is pressed."""

    name: str
    steps: Sequence[tuple[str, str]] = ()
    runs: Callable[[], Runs] = Runs
    lab: bool = False  # over a lab that runs


SCENES = (
    Scene("overview", [("", "app2")]),
    Scene("nodes", [("2", "app2")]),
    Scene("node", [("2", "app2"), ("down", ""), ("down", ""), ("enter", "node app1")]),
    Scene("balancers", [("3", "shop")]),
    Scene("database", [("4", "db3")]),
    Scene("backups", [("5", "2025-full")]),
    Scene("drill", [("5", "2025-full"), ("tab", "2025-full"), ("tab", "2025-full"), ("enter", "esc Back")]),
    Scene("runs", [("6", "20261121")]),
    Scene("playbooks", [("7", "Take a node out")]),
    Scene("playbook", [("7", "Take a node out"), ("v", "parameters")]),
    Scene("form", [("7", "Take a node out"), ("enter", "timeout")]),
    Scene("plan", [("2", "app2"), ("D", "y carries it out")]),
    Scene("refused", [("2", "app2"), ("D", "Refused")], lambda: Runs(refused=True)),
    Scene("run", [("6", "20261121"), ("enter", "1 of 4 steps")], lambda: Runs(events=(*STORY, GuardsChecked((), 1)))),
    Scene("training", [("8", "It happens on the primary.")], lab=True),
    Scene("help", [("2", "app2"), ("question_mark", "escape closes")]),
    Scene("palette", [("2", "app2"), ("ctrl+p", "Search")]),
)


def scene_cluster() -> Cluster:
    """A node that is gone, one that is slow, one that is out of its pool; drills since months."""
    return (
        Cluster()
        .say("backup1", "drill:backup", drills(*scene_drills()))
        .down("db2", code="timeout", reason="no answer within 5 s")
        .change("app2", "host", load1=7.5)
        .server("lb1", "be_shop", "shop-c", status="DRAIN", sessions=4)
    )


def scene_drills() -> Iterator[DrillRecord]:
    """One a week: the database grows and takes longer and longer; one could not be restored, one lost too much."""
    for week in range(12):
        rto = 150.0 + 10 * week
        restored = drill(79.0 - 7 * week, rto=rto, rpo=2.0 + week % 3, size=GIB + 90 * MIB * week)
        if week == 4:
            found = (
                Check("consistent", CheckOutcome.FAIL, "the server ended: requested WAL segment has not been archived"),
            )
            yield replace(restored, verdict=Verdict.FAIL, rto=None, rpo=None, rpo_bytes=None, checks=found)
        else:
            yield replace(restored, verdict=Verdict.PARTIAL, rpo=400.0) if week == 8 else restored


@contextmanager
def still_clock() -> Iterator[None]:
    """It is always the same moment, in UTC."""
    real, zone = time.time, os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    time.time = lambda: WALL
    try:
        yield
    finally:
        time.time = real
        os.environ.pop("TZ")
        if zone is not None:
            os.environ["TZ"] = zone
        time.tzset()


async def looks(scene: Scene, svgs: Path | None = None) -> dict[tuple[int, int], dict[str, list[Strip]]]:
    """The screen's lines at the end of the scene, at every size and in every theme; drawn into `svgs`, if given."""
    runs, path = scene.runs(), PATH if scene.lab else INVENTORY.path
    first, shown = seen_at(picture(now=0.0), path), seen_at(scene_cluster().picture(), path)
    settings = Settings(theme=THEMES[0], bell=False)
    app = HactlApp(first, lambda: Reel([shown]), lambda: runs, settings=settings)
    app.animation_level = "none"
    found: dict[tuple[int, int], dict[str, list[Strip]]] = {}
    with exercising():
        async with app.run_test(size=SIZES[0]) as pilot:
            for key, text in scene.steps:
                await pilot.press(*[key] if key else [])
                await _until(pilot, text, scene.name)
            for line in app.screen.query(Input):
                line.cursor_blink = False
            for size in SIZES:
                await pilot.resize_terminal(*size)
                found[size] = {}
                for theme in THEMES:
                    app.theme = theme
                    found[size][theme] = await _settled(pilot)
                    if svgs is not None:
                        drawing = svgs / f"{scene.name}-{size[0]}x{size[1]}-{theme}.svg"
                        drawing.write_text(app.export_screenshot(simplify=True), encoding="utf-8")
    return found


async def _until(pilot: Pilot[None], text: str, scene: str) -> None:
    seen = ""
    for _ in range(_TRIES):
        await pilot.pause()
        seen = "\n".join(strip.text for strip in _strips(pilot))
        if text in seen:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{scene}: not on the screen: {text}\n{seen}")


async def _settled(pilot: Pilot[None]) -> list[Strip]:
    before, same = list[Strip](), 0
    for _ in range(_TRIES):
        await pilot.pause(_BETWEEN)
        now = _strips(pilot)
        same = same + 1 if now == before else 0
        before = now
        if same == _SAME:
            return now
    raise AssertionError("it never stands still")


def _strips(pilot: Pilot[None]) -> list[Strip]:
    return [Strip(list(line)).simplify() for line in pilot.app.screen._compositor.render_strips()]


def text_of(strips: Sequence[Strip]) -> list[str]:
    return [strip.text.rstrip() for strip in strips]


def styles_of(strips: Sequence[Strip]) -> list[str]:
    """A line for each line, then the legend."""
    letters: dict[str, str] = {}
    places: dict[str, int] = {}
    lines = []
    for number, strip in enumerate(strips, 1):
        cells = [(_style(segment.style), len(segment.text)) for segment in strip]
        runs = [(style, sum(n for _, n in same)) for style, same in groupby(cells, key=lambda one: one[0])]
        for style, _ in runs:
            letters.setdefault(style, ascii_letters[len(letters)])
        line = " ".join(f"{count}{letters[style]}" for style, count in runs)
        first = places.setdefault(line, number)
        lines.append(line if first == number else f"={first}")
    return [*lines, *(f"{letter}: {style}" for style, letter in letters.items())]


def _style(style: Style | None) -> str:
    """Colours as they are sent, and what else distinguishes it."""
    if style is None:
        return "plain"
    colours = [colour.get_truecolor().hex if colour is not None else "-" for colour in (style.color, style.bgcolor)]
    names = ("bold", "dim", "italic", "underline", "reverse")
    return " ".join([f"{colours[0]} on {colours[1]}", *(name for name in names if getattr(style, name))])


def written(themes: dict[str, list[Strip]]) -> str:
    """What stands in a file. The theme changes colours, never a character: else that is told."""
    first = text_of(themes[THEMES[0]])
    parts = [*first]
    for theme, strips in themes.items():
        text = text_of(strips)
        differs = [] if text == first else ["its text differs:", *text]
        parts += [f"--- {theme}", *differs, *styles_of(strips)]
    return "\n".join(parts) + "\n"


def path_of(scene: Scene, size: tuple[int, int]) -> Path:
    return FOLDER / f"{scene.name}-{size[0]}x{size[1]}.txt"


def snapshots(scene: Scene) -> dict[Path, str]:
    """The scene's files as they would be now."""
    with still_clock():
        found = asyncio.run(looks(scene))
    return {path_of(scene, size): written(themes) for size, themes in found.items()}


def differences(scene: Scene) -> str:
    """How the screen differs from what is kept of it, as unified diffs; "" when it does not."""
    found = []
    for path, now in snapshots(scene).items():
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        found += unified_diff(kept.splitlines(), now.splitlines(), f"{path.name} (kept)", "now", lineterm="", n=1)
    return "\n".join(found)


def main() -> None:
    parser = ArgumentParser(prog="python -m tests.tui.snapshots", description="What every screen looks like.")
    parser.add_argument("--accept", action="store_true", help="keep how it looks now")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="write it as SVG pictures")
    names = [scene.name for scene in SCENES]
    parser.add_argument("scene", nargs="*", default=names, help=f"only these, of {', '.join(names)}")
    given = parser.parse_args()
    if strangers := set(given.scene) - set(names):
        parser.error(f"no such scene: {', '.join(sorted(strangers))}")
    scenes = [scene for scene in SCENES if scene.name in given.scene]
    if given.svg is not None:
        draw(scenes, given.svg)
    elif given.accept:
        accept(scenes)
    else:
        found = [text for scene in scenes if (text := differences(scene))]
        print("\n\n".join(found) or "Everything looks as it did.")
        sys.exit(1 if found else 0)


def accept(scenes: Sequence[Scene]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for stale in set(FOLDER.glob("*.txt")) - {path_of(scene, size) for scene in SCENES for size in SIZES}:
        stale.unlink()
    for scene in scenes:
        for path, text in snapshots(scene).items():
            path.write_text(text, encoding="utf-8")
        print(scene.name, flush=True)


def draw(scenes: Sequence[Scene], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        with still_clock():
            asyncio.run(looks(scene, folder))
        print(scene.name, flush=True)


if __name__ == "__main__":
    main()
