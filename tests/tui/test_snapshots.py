"""Every screen looks as it did, at three sizes and in two themes: see `tests.tui.snapshots`."""

from __future__ import annotations

import asyncio

import pytest
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tests.tui.snapshots import FOLDER, SCENES, SIZES, Scene, differences, looks, path_of, still_clock, styles_of


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_it_looks_as_it_did(scene: Scene) -> None:
    if found := differences(scene):
        pytest.fail(f"if this is meant: python -m tests.tui.snapshots --accept {scene.name}\n{found}", pytrace=False)


def test_nothing_is_kept_that_nobody_looks_at() -> None:
    assert set(FOLDER.glob("*")) == {path_of(scene, size) for scene in SCENES for size in SIZES}


def test_styles_tell_every_character() -> None:
    red, bold = Style.parse("#ff0000 on #000000"), Style.parse("bold #ff0000 on #000000")
    lines = [Strip([Segment("ab", red), Segment("c", red), Segment("d", bold)]), Strip([Segment("x" * 4, None)])]
    assert styles_of([*lines, lines[0]]) == [
        "3a 1b",
        "4c",
        "=1",
        "a: #ff0000 on #000000",
        "b: #ff0000 on #000000 bold",
        "c: plain",
    ]


@pytest.mark.parametrize("name", ["overview", "nodes"])
def test_every_word_can_be_read_in_every_theme(name: str) -> None:
    scene = next(one for one in SCENES if one.name == name)
    with still_clock():
        found = asyncio.run(looks(scene))
    for themes in found.values():
        for theme, strips in themes.items():
            for segment in (one for strip in strips for one in strip if any(map(str.isalnum, one.text))):
                assert contrast(segment.style) > 3, (theme, segment)


def contrast(style: Style | None) -> float:
    """As the guidelines for accessible web pages reckon it: 1 is none, 3 the least for what is bold or large."""
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None
    bright, dark = sorted(map(_luminance, (style.color, style.bgcolor)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour.get_truecolor())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
