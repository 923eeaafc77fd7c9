"""Every screen looks as it did, at three sizes and in two themes: see `tests.tui.snapshots`."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tests.tui.snapshots import FOLDER, SCENES, SIZES, Scene, differences, path_of, styles_of


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
