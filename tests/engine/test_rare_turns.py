"""Rare turns of a run: what is decided while something else takes its time, and what a kill at a bad moment leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hactl.engine.clock import FakeClock
from hactl.engine.local import checksum
from hactl.engine.story import Story
from hactl.model.events import (
    Outcome,
    ProbeTick,
    RunEnded,
    RunStarted,
    StepFailed,
    StepStarted,
    UndoFailed,
    UndoStarted,
    WishKind,
)
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.parameters import Value
from hactl.model.playbook import Condition
from hactl.model.verb import Effect
from hactl.planning.basis import file_key
from tests.engine.acting import RUN, Killed, MemoryDiary, Play, plan
from tests.engine.test_runner import FAILS, at, once


def with_arguments(made, name: str, node: str = "app1", **arguments: Value):
    steps = [replace(one, arguments=arguments) if (one.name, one.node) == (name, node) else one for one in made.steps]
    return replace(made, steps=tuple(steps))


async def test_the_runs_name_is_put_into_arguments():
    play = Play(with_arguments(plan(["write"], nodes=["app1"]), "write", word="$run"))
    assert (await play.run()).outcome is Outcome.DONE
    assert play.world.words["app1"]["mark"] == play.diary.events[0].run


async def test_a_condition_is_asked_of_what_its_node_says_now():
    """Whether it wants a reboot may have changed with the step before, though nodes are asked for it once an hour."""
    wants, out = Condition("reboot_required"), Condition("in_pool")
    play = Play(plan(["change", {"verb": "mark", "when": wants}, {"verb": "out", "when": out}], nodes=["app1"]))
    await play.run()
    assert play.watch.rare == [("app1", "packages")]


@pytest.mark.parametrize(("confirmed", "outcome"), [(b"as it is", Outcome.DONE), (b"as it was", Outcome.UNDONE)])
async def test_a_file_is_what_it_was_when_the_plan_was_confirmed(tmp_path: Path, confirmed: bytes, outcome: Outcome):
    source = tmp_path / "source"
    source.write_bytes(b"as it is")
    made = with_arguments(plan(["write"], nodes=["app1"]), "write", word="x", source=str(source))
    play = Play(replace(made, basis={file_key(str(source)): checksum(confirmed)}))
    ended = await play.run()
    assert ended.outcome is outcome
    assert ("has changed since the plan was confirmed" in ended.sentence) is (outcome is not Outcome.DONE)


async def test_no_lane_begins_while_another_one_is_put_back():
    made = plan(["pause", "slow", "healthy"], nodes=["app1", "app2"], batch=2)
    play = Play(with_arguments(made, "pause", "app2", seconds=10.0))
    play.world.words["app1"]["health"] = "dead"
    ended = await play.run()
    assert ended.outcome is Outcome.UNDONE
    assert play.world.all("version") == ["1", "1", "1"]
    assert not [act for act in play.world.acts if act.startswith("app2")]


@pytest.mark.parametrize("later", range(1, 9))
async def test_a_failure_is_still_one_when_its_own_step_was_put_back_and_the_process_died(later: int):
    """Another process puts the rest back; it does not try again what nobody asked it to."""
    play = Play(plan(["out", "change"], nodes=["app1"]))
    play.world.before = once(at("app1", "set", "version", "2", then=FAILS))
    play.diary.written = True

    def kill(recorded) -> None:
        if isinstance(recorded.event, StepFailed):
            play.diary.kill_at = recorded.number + later

    play.diary.heard = kill
    try:
        await play.run()
    except Killed:
        play.diary.heard = lambda recorded: None
        assert (await play.again()).outcome is Outcome.UNDONE
    assert play.world.words["app1"]["version"] == "1"
    assert play.world.words["app1"]["in"] == "yes"
    assert not play.world.acts["app1 set version 2"]


def test_the_budget_of_failed_requests_outlives_a_process_but_not_what_the_operator_began_anew():
    diary = MemoryDiary(FakeClock())
    story = Story(diary, RUN, plan())
    story.write(RunStarted("d", "anna", "laptop", 1))
    for sent, failed in ((4, 4), (5, 2), (5, 1), (5, 3)):
        story.write(ProbeTick("http://shop/", 1.0, sent, failed, 0.1, 0.1))
    story.write(ProbeTick("http://dead/", 1.0, 5, 5, 0.1, 0.1))
    resumed = Story(diary, RUN, plan(), diary.events)
    assert resumed.probed == {"http://shop/": 4}
    resumed.write(RunStarted("d", "anna", "laptop", 2, 2, "resume"))
    assert resumed.probed == {"http://shop/": 4}
    resumed.write(RunEnded(Outcome.FAILED, "4 requests failed", 9.0))
    assert resumed.probed == {}
    resumed.write(RunStarted("d", "anna", "laptop", 3, 3, "resume"))
    assert resumed.probed == {}


async def test_a_lock_that_is_lost_ends_a_wait():
    play = Play(plan(["patient"], nodes=["app1"]))
    play.diary.heard = lambda recorded: (
        play.clock.call_at(play.clock.monotonic() + 5.0, play.lock.lose)
        if isinstance(recorded.event, StepStarted)
        else None
    )
    begun = play.clock.monotonic()
    ended = await play.run()
    assert ended.outcome is Outcome.STOPPED
    assert play.clock.monotonic() - begun < 10
    assert "app1 may be left out of its pools" in ended.sentence


async def test_a_stop_shortens_the_look_at_what_was_done():
    play = Play(plan([{"verb": "out", "deadline": 7200.0}], nodes=["app1"]))

    def come_and_go(node, command):
        if command.argv == ("set", "in", "no"):
            play.world.words[node]["in"] = "almost"

    play.world.after = come_and_go
    play.diary.heard = lambda recorded: (
        play.clock.call_at(play.clock.monotonic() + 5.0, lambda: play.will.take(WishKind.STOP, "anna"))
        if isinstance(recorded.event, StepStarted)
        else None
    )
    begun = play.clock.monotonic()
    await play.run()
    assert play.clock.monotonic() - begun < 60


async def test_an_abort_in_the_middle_of_putting_back_names_what_is_left():
    play = Play(plan(["out", "slow", "healthy"], nodes=["app1"]))
    play.world.words["app1"]["health"] = "dead"
    play.diary.heard = lambda recorded: (
        play.clock.call_at(play.clock.monotonic() + 5.0, lambda: play.will.take(WishKind.ABORT, "anna"))
        if isinstance(recorded.event, UndoStarted)
        else None
    )
    ended = await play.run()
    assert ended.outcome is Outcome.CANCELLED
    assert "app1 is left out of its pools" in ended.sentence
    assert "putting slow app1 back was cut off" in ended.sentence


async def test_what_was_put_back_is_not_told_as_left():
    """A step without a way back, such as a restart, does not make its node one that was left as it is."""
    play = Play(plan(["out", "change", "mark", "healthy"], nodes=["app1"]))
    play.world.words["app1"]["health"] = "dead"
    ended = await play.run()
    assert ended.outcome is Outcome.UNDONE
    assert "left so" not in ended.sentence


async def test_nothing_is_put_back_on_a_node_that_serves_again():
    """Somebody brought it back in: its service would stop under its users."""
    made = plan(["out", {"verb": "change", "effect": Effect.INTERRUPTS}, "healthy"], nodes=["app1"])
    play = Play(made)
    play.world.words["app1"]["health"] = "dead"
    again = GuardVerdict("minimum-available", Ruling.REFUSE, "app1 is in shop again on lb1", "app1", "shop")
    play.guards = lambda step: (again,) if play.diary.of(UndoStarted) else ()
    ended = await play.run()
    assert ended.outcome is Outcome.FAILED
    assert [event.sentence for event in play.diary.of(UndoFailed)] == [again.sentence]
    assert play.world.words["app1"]["version"] == "2"
