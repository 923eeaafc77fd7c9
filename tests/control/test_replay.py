"""A recording that plays: where it stands, how it goes on, and what is known of runs at each moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.control.replay import SPEEDS, Replay
from hactl.engine.clock import FakeClock
from hactl.model.errors import HactlError, RunNotFoundError
from hactl.model.events import Outcome, WishKind
from hactl.model.plan import Request
from tests.engine.taping import BACK, LOST, RUN_AT, RUN_OVER, WALL, record
from tests.tui.acts import RUN, STORY, plan_for


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "lab.jsonl.gz"
    record(path, note="a drain")
    return path


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def replay(path: Path, clock: FakeClock) -> Iterator[Replay]:
    one = Replay(path, clock=clock)
    yield one
    one.close()


def test_it_begins_paused_at_its_begin(replay: Replay) -> None:
    assert (replay.stands.at, replay.stands.speed, replay.stands.playing) == (0.0, 1.0, False)
    assert replay.length == 100.75
    assert replay.now == WALL
    assert replay.header.note == "a drain"
    assert replay.cut == ""


async def test_it_plays_at_its_speed_and_stops_at_its_end(replay: Replay, clock: FakeClock) -> None:
    replay.toggle()
    await clock.advance(10.0)
    assert replay.stands.at == pytest.approx(10.0)
    replay.accelerate(1)
    await clock.advance(10.0)
    assert replay.stands.at == pytest.approx(30.0)
    replay.accelerate(-2)
    await clock.advance(10.0)
    assert (replay.stands.at, replay.stands.speed) == (pytest.approx(35.0), 0.5)
    replay.toggle()
    await clock.advance(10.0)
    assert replay.stands.at == pytest.approx(35.0)
    replay.toggle()
    await clock.advance(1000.0)
    assert (replay.stands.at, replay.stands.playing) == (replay.length, False)
    replay.toggle()  # again from its begin
    await clock.advance(2.0)
    assert replay.stands.at == pytest.approx(1.0)


def test_speed_has_bounds(replay: Replay) -> None:
    replay.accelerate(100)
    assert replay.stands.speed == SPEEDS[-1]
    replay.accelerate(-100)
    assert replay.stands.speed == SPEEDS[0]


def test_steps_jumps_and_marks(replay: Replay) -> None:
    replay.step(1)
    assert replay.stands.at == 1.75
    replay.step(2)
    assert replay.stands.at == 3.75
    replay.step(-1)
    assert replay.stands.at == 2.75
    replay.jump(60.0)
    assert replay.stands.at == 62.75
    replay.jump(-1000.0)
    assert replay.stands.at == 0.0
    assert replay.to_mark(-1) is None
    replay.go_to(LOST)
    mark = replay.to_mark(1)
    assert mark is not None
    assert replay.stands.at == mark.at == LOST + 0.75
    replay.jump(1000.0)
    assert replay.stands.at == replay.length
    assert replay.to_mark(1) is None
    before = replay.to_mark(-1)
    assert before is not None
    assert before.at >= BACK


async def test_pictures_follow_the_position(replay: Replay, clock: FakeClock) -> None:
    pictures = replay.watch()
    assert (await anext(pictures)).now == 0.0
    replay.toggle()
    replay.accelerate(3)  # ten times
    seen: list[float] = []

    async def look() -> None:
        async for picture in pictures:
            seen.append(picture.now)  # noqa: PERF401 - looked at while it goes on

    async def until_it_shows(second: float) -> None:
        async with asyncio.timeout(30):  # pictures are made in a thread, and machines are busy
            while not seen or seen[-1] != second:
                await asyncio.sleep(0.01)

    looking = asyncio.create_task(look())
    for _ in range(40):
        await clock.advance(0.1)
        await asyncio.sleep(0.01)
    replay.toggle()
    await until_it_shows(39.75)
    assert seen == sorted(seen)
    replay.go_to(5.0)
    await until_it_shows(4.75)  # back at once
    looking.cancel()


async def test_going_back_is_counted(replay: Replay) -> None:
    replay.go_to(50.0)
    assert replay.backwards == 0
    replay.step(-1)
    replay.jump(-10.0)
    assert replay.backwards == 2


async def test_runs_are_known_as_far_as_they_had_come(replay: Replay) -> None:
    runs = replay.runs
    assert runs.runs() == []
    with pytest.raises(RunNotFoundError):
        runs.state(RUN)
    replay.go_to(RUN_AT + 3.0)
    [summary] = runs.runs()
    assert (summary.run, summary.playbook, summary.alive, summary.outcome) == (RUN, "drain", True, None)
    assert runs.going() == (summary,)
    assert len(runs.story(RUN)) == 3
    replay.go_to(RUN_OVER + 1.0)
    assert runs.state(RUN).outcome is Outcome.DONE
    assert runs.going() == ()
    assert [one.number async for one in runs.follow(RUN, 5)] == list(range(6, len(STORY) + 2))
    replay.go_to(RUN_AT + 3.0)
    assert runs.state(RUN).outcome is None
    assert runs.state(RUN).last == 3


async def test_following_waits_for_what_comes(replay: Replay) -> None:
    replay.go_to(RUN_AT + 1.0)
    numbers: list[int] = []

    async def look() -> None:
        async for one in replay.runs.follow(RUN):
            numbers.append(one.number)  # noqa: PERF401 - likewise

    looking = asyncio.create_task(look())
    await asyncio.sleep(0.02)
    assert numbers == [1]
    replay.go_to(RUN_OVER + 1.0)
    await asyncio.wait_for(looking, 2.0)
    assert numbers == list(range(1, len(STORY) + 2))


async def test_nothing_can_be_done(replay: Replay) -> None:
    replay.go_to(RUN_AT + 3.0)
    runs = replay.runs
    with pytest.raises(HactlError, match="recording"):
        await runs.plan(Request("drain"))
    for act in (
        lambda: runs.start(plan_for(Request("drain"))),
        lambda: runs.resume(RUN),
        lambda: runs.undo(RUN),
        lambda: runs.wish(RUN, WishKind.STOP),
    ):
        with pytest.raises(HactlError, match="recording"):
            act()
    assert runs.playbooks() == ()


# --- the time before ---


def test_the_past_is_every_frame_of_it(replay: Replay) -> None:
    times = [picture.now for picture in replay.past(50.0, 10.0)]
    assert len(times) == 11
    assert times == sorted(times)
    assert replay.picture(50.0).now == times[-1]
    assert [one.now for one in replay.past(0.0, 900.0)] == [replay.picture(0.0).now]


def test_of_what_lies_far_back_there_is_one_frame_a_block(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(replay.past(100.0, 900.0))
    monkeypatch.setattr("hactl.control.replay._WHOLE", 20)
    bounded = list(replay.past(100.0, 900.0))
    assert bounded[-20:] == whole[-20:]
    assert 20 < len(bounded) < 26  # blocks of thirty seconds
    assert all(one in whole for one in bounded)


async def test_a_leap_is_no_playing(replay: Replay, clock: FakeClock) -> None:
    replay.toggle()
    await clock.advance(10.0)
    replay.accelerate(1)
    replay.toggle()
    assert replay.leaps == 0
    replay.jump(10.0)
    replay.step(-1)
    assert replay.leaps == 2
