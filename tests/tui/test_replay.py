"""The dashboard over a recording, by its keys: time moves, every screen says what it is, and nothing can be done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hactl.control.replay import Replay
from hactl.model.errors import RecordingError
from hactl.tui.past import Past
from hactl.tui.places import PLACES
from hactl.tui.replay import ReplayApp
from hactl.tui.screens.run import RunScreen
from hactl.tui.widgets.timeline import Timeline
from hactl.view.recording import Sign, time_line
from tests.engine.taping import LOST, RUN_AT, RUN_OVER, documents, record, write
from tests.tui.test_screens import screen_text


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "lab.jsonl.gz"
    record(path, note="a drain")
    return path


@pytest.fixture
def replay(path: Path) -> Iterator[Replay]:
    one = Replay(path)
    yield one
    one.close()


async def settled(pilot: Pilot[None], replay: Replay) -> None:
    """Until the picture of where it stands is on the screen."""
    app = pilot.app
    assert isinstance(app, ReplayApp)
    for _ in range(200):
        await pilot.pause(0.02)
        if app.picture == replay.picture(replay.stands.at):
            return
    raise AssertionError(f"{app.picture.now} is shown, not {replay.stands.at}")


async def shows(pilot: Pilot[None], *texts: str, gone: str = "") -> None:
    """Until all of the texts are on the screen, and `gone` is not."""
    for _ in range(200):
        await pilot.pause(0.05)
        seen = screen_text(pilot.app)
        if all(text in seen for text in texts) and not (gone and gone in seen):
            return
    raise AssertionError(f"{texts} {gone}\n{seen}")


MOVES = [
    (50.0, ["full_stop"], 50.75),
    (50.0, ["comma"], 48.75),
    (50.0, ["right_square_bracket"], 60.0),
    (50.0, ["left_square_bracket"], 40.0),
    (20.0, ["right_curly_bracket"], 80.0),
    (80.0, ["left_curly_bracket"], 20.0),
    (95.0, ["right_curly_bracket"], 100.75),
    (5.0, ["left_square_bracket"], 0.0),
    (LOST, ["right_parenthesis"], LOST + 0.75),
    (60.0, ["left_parenthesis"], RUN_OVER + 0.75),
    (50.0, ["at", *"+1:05", "enter"], 65.0),
    (50.0, ["at", *"-0.75s", "enter"], 100.0),
    (50.0, ["at", *"end", "enter"], 100.75),
    (50.0, ["at", *"08:53:30", "enter"], 10.0),
    (50.0, ["at", *"yesterday", "enter"], 50.0),
    (50.0, ["at", *"+5s", "escape"], 50.0),
]


@pytest.mark.parametrize(("begin", "keys", "end"), MOVES)
async def test_each_key_goes_where_it_says(replay: Replay, begin: float, keys: list[str], end: float) -> None:
    replay.go_to(begin)
    async with ReplayApp(replay).run_test(size=(100, 30)) as pilot:
        await pilot.press(*keys)
        assert replay.stands.at == end
        assert not replay.stands.playing
        await settled(pilot, replay)


async def test_a_time_that_is_none_is_told_and_can_be_put_right(replay: Replay) -> None:
    async with ReplayApp(replay).run_test(size=(200, 30)) as pilot:
        await pilot.press("at", *"+9:00", "enter")
        await pilot.pause()
        assert "is not in the recording" in screen_text(pilot.app)
        await pilot.press(*["backspace"] * 5, *"+0:30", "enter")
        assert replay.stands.at == 30.0


async def test_play_pause_and_speed(replay: Replay) -> None:
    async with ReplayApp(replay).run_test(size=(100, 30)) as pilot:
        assert "paused 1x" in screen_text(pilot.app)
        await pilot.press("plus", "plus", "plus", "minus")
        assert replay.stands.speed == 5.0
        await pilot.press("equals_sign")
        assert replay.stands.speed == 10.0
        await pilot.press("space")
        assert replay.stands.playing
        await shows(pilot, "plays 10x")
        await pilot.press("space")
        assert not replay.stands.playing
        assert replay.stands.at > 1.0
        await settled(pilot, replay)


async def test_keys_of_time_are_letters_where_somebody_types(replay: Replay) -> None:
    async with ReplayApp(replay).run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "slash", *"a.b")
        await pilot.press("space", "minus", "right_square_bracket")
        assert replay.stands.at == 0.0
        assert not replay.stands.playing
        assert "a.b -]" in screen_text(pilot.app)


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (60, 11)])
async def test_every_screen_says_that_it_is_a_recording_and_of_when(replay: Replay, size: tuple[int, int]) -> None:
    replay.go_to(45.0)
    async with ReplayApp(replay).run_test(size=size) as pilot:
        for place in PLACES:
            await pilot.press(place.key)
            await pilot.pause()
            text = screen_text(pilot.app)
            assert "RECORDING of lab" in text, place
            assert "2025-10-09 08:54:05" in text, place


async def test_a_run_is_shown_as_it_was(replay: Replay) -> None:
    replay.go_to(RUN_AT + 4.0)
    async with ReplayApp(replay).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "▶ drain")  # the banner tells of it
        await pilot.press("6")
        await shows(pilot, "going on")
        await pilot.press("enter")
        await shows(pilot, "RECORDING of lab", "drain app1", "going on", gone="7 sessions left")
        assert isinstance(pilot.app.screen, RunScreen)
        await pilot.press("at", *"+1:00", "enter")
        await shows(pilot, "app1 and app2 are out")
        await pilot.press("at", *"+0:24", "enter")  # back: what came later has not happened
        await shows(pilot, "going on", gone="app1 and app2 are out")
        await pilot.press("at", *"+0:10", "enter")  # before it began
        await pilot.pause()
        assert not isinstance(pilot.app.screen, RunScreen)


@pytest.mark.parametrize(
    ("begin", "keys"),
    [(0.0, ["at", *"+1:20", "enter"]), (0.0, ["right_curly_bracket"]), (95.0, ["left_square_bracket"])],
)
async def test_after_a_jump_it_knows_what_whoever_had_watched_would_know(
    replay: Replay, begin: float, keys: list[str]
) -> None:
    replay.go_to(begin)
    app = ReplayApp(replay)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press(*keys)
        await settled(pilot, replay)
        watched = Past()
        for picture in replay.past(replay.stands.at, 900.0):
            watched.take(picture)
        node = "node/app1/cpu"
        assert len(watched.trends.points(node)) > 20
        for _ in range(100):
            await pilot.pause(0.05)
            if app.trends.points(node) == watched.trends.points(node):
                break
        assert app.trends.points(node) == watched.trends.points(node)
        assert app.beside is not None
        told = [one.sentence for one in app.beside.recent.happenings]
        assert [one.sentence for one in watched.recent.happenings if one.sentence not in told] == []
        assert not [one for one in app._notifications if one.title == "new"]


async def test_runs_of_a_recording_are_events_and_none_that_lie_ahead(replay: Replay) -> None:
    async with ReplayApp(replay).run_test(size=(120, 40)) as pilot:
        await pilot.press("at", *"+1:00", "enter")
        await shows(pilot, "the run begins", "the run is over")
        await pilot.press("at", *"+0:30", "enter")
        await shows(pilot, "the run begins", gone="the run is over")
        await pilot.press("at", *"+0:10", "enter")
        await shows(pilot, "RECORDING", gone="the run begins")


async def test_a_key_that_means_something_else_here_is_not_told_of(replay: Replay) -> None:
    async with ReplayApp(replay).run_test(size=(160, 30)) as pilot:
        await pilot.press("2")
        await shows(pilot, "space Play/pause", "m Mark", gone="space Mark")
        await pilot.press("m")
        await shows(pilot, "1 marked")


async def test_it_may_begin_in_the_middle(replay: Replay) -> None:
    replay.go_to(60.0)
    app = ReplayApp(replay)
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "the run is over", "no route to")
        assert app.trends.points("node/app1/cpu")


@pytest.mark.parametrize("keys", [["2", "D"], ["2", "U"]])
async def test_nothing_can_be_done(replay: Replay, keys: list[str]) -> None:
    async with ReplayApp(replay).run_test(size=(120, 40)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert [note.message[:19] for note in pilot.app._notifications] == ["This is a recording"]
        assert "READ-ONLY" in screen_text(pilot.app)
        assert len(pilot.app.screen_stack) == 1


async def test_a_click_on_the_line_goes_there(replay: Replay) -> None:
    async with ReplayApp(replay).run_test(size=(101, 30)) as pilot:
        await pilot.pause()
        await pilot.click(Timeline, offset=(50, 1))
        assert replay.stands.at == pytest.approx(50, abs=1.1)


async def test_damage_on_the_way_ends_it_with_the_line(path: Path, tmp_path: Path) -> None:
    lines = documents(path)
    number = next(index for index, line in enumerate(lines) if "frame" in line and float(str(line["frame"])) > 5)
    broken = write(tmp_path / "broken.gz", *lines[:number], {"link": "nobody"}, *lines[number:])
    replay = Replay(broken)
    app = ReplayApp(replay)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("right_square_bracket")
        for _ in range(100):
            await pilot.pause(0.05)
            if app.broken is not None:
                break
    replay.close()
    assert isinstance(app.broken, RecordingError)
    assert f"broken.gz:{number + 1}: " in app.broken.message
    assert app.return_code == 2


def test_the_line_of_time_has_runs_and_what_was_critical(replay: Replay) -> None:
    line = time_line(replay.marks, replay.length, 50.0, 101)
    assert line.here == 50
    assert line.signs[RUN_AT] is Sign.BEGAN
    assert line.signs[RUN_AT + 2] is Sign.RUN
    assert line.signs[RUN_OVER] is Sign.ENDED
    assert line.signs[int(LOST)] is Sign.CRIT
    assert line.signs[-1] is Sign.NOTHING
