"""Putting back: which steps, in which order, and when it is better not to."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from hactl.engine.ledger import Halt, Ledger
from hactl.engine.remains import kept, remains
from hactl.engine.undoing import Undoing
from hactl.model.errors import ConnectionLostError, UnreachableError
from hactl.model.events import Outcome, StepDone, StepFailed, StepStarted, StepUnknown, UndoFailed, UndoStarted
from hactl.model.playbook import Budget, OnFailure
from hactl.model.run import StepPhase, begun, folded
from tests.engine.acting import RUN, Play, plan
from tests.engine.test_runner import at, once

LOST = ConnectionLostError("app1", "the connection was lost")


async def undone(play: Play):
    assert (await play.run()).outcome is Outcome.DONE
    return play


async def test_what_was_so_before_is_left_alone():
    play = Play(plan(["out", "change", "back"], nodes=["app1"]))
    play.world.words["app1"]["version"] = "2"
    await undone(play)
    assert (await play.again("undo")).outcome is Outcome.UNDONE
    assert play.world.words["app1"]["version"] == "2"
    assert [event.step for event in play.diary.of(UndoStarted)] == [2, 0]


async def test_a_step_may_ask_to_be_left_as_it_is():
    play = await undone(Play(plan(["out", {"verb": "change", "undo": False}, "back"], nodes=["app1"])))
    assert (await play.again("undo")).outcome is Outcome.UNDONE
    assert play.world.words["app1"]["version"] == "2"


async def test_an_undo_that_nobody_heard_of_is_done_once_more():
    play = await undone(Play(plan(["change"], nodes=["app1"])))
    play.world.before = once(at("app1", "set", "version", "1", then=LOST))
    assert (await play.again("undo")).outcome is Outcome.UNDONE
    assert play.world.words["app1"]["version"] == "1"


@pytest.mark.parametrize("how", [LOST, UnreachableError("app1", "no route")])
async def test_an_undo_that_cannot_be_done_is_named(how):
    play = await undone(Play(plan(nodes=["app1"])))
    play.world.before = at("app1", "set", "version", "1", then=how)
    ended = await play.again("undo")
    assert ended.outcome is Outcome.FAILED
    assert ended.sentence.startswith("not everything could be put back; ")
    assert len(play.diary.of(UndoFailed)) == 1
    play.world.before = lambda node, command: None
    assert (await play.again("undo")).outcome is Outcome.UNDONE
    assert play.world.words["app1"]["version"] == "1"
    assert play.world.words["app1"]["in"] == "yes"


async def test_where_an_undo_stops_a_run_can_go_on_without_doing_again_what_stands():
    play = await undone(Play(plan(["out", "pause", "change", "back"], nodes=["app1"])))
    play.world.before = at("app1", "set", "version", "1", then=UnreachableError("app1", "no route"))
    assert (await play.again("undo")).outcome is Outcome.FAILED
    play.world.before = lambda node, command: None
    before = len(play.diary.of(StepStarted))
    assert (await play.again("resume")).outcome is Outcome.DONE
    assert [event.step for event in play.diary.of(StepStarted)[before:]] == [3]
    assert play.world.words["app1"]["version"] == "2"


# available, minimum, drained already, overridden -> refused
SPARE = [(3, 2, (), False, False), (2, 2, (), False, True), (2, 2, ("app1",), False, False), (2, 2, (), True, False)]


@pytest.mark.parametrize(("available", "minimum", "drained", "overridden", "refused"), SPARE)
def test_putting_back_what_brought_a_node_back_takes_it_out_again(available, minimum, drained, overridden, refused):
    """Where its pool cannot spare it, it stays in."""
    whole = plan(["out", "back"], nodes=["app1"])
    overrides = frozenset({"minimum-available"} if overridden else ())
    whole = replace(whole, request=replace(whole.request, overrides=overrides))
    pools = {"shop": SimpleNamespace(servers={"app1": "a"})}
    crew = SimpleNamespace(inventory=SimpleNamespace(pools=pools), story=SimpleNamespace(plan=whole))
    verdict = SimpleNamespace(available=available, minimum=minimum, drained=drained)
    picture = SimpleNamespace(assessment=SimpleNamespace(pools={"shop": verdict}))
    out, back = whole.steps
    assert bool(Undoing(crew)._refused(back, picture)) is refused
    assert Undoing(crew)._refused(out, picture) == ""


# --- what is left, in words ---------------------------------------------------------------------------------------

TOLD = [
    ([], ()),
    ([StepStarted(0), StepDone(0, "out", 1.0)], ("app1 is left out of its pools",)),
    ([StepStarted(0)], ("app1 may be left out of its pools", "out app1 was cut off")),
    (
        [StepStarted(0), StepDone(0, "out", 1.0), StepStarted(1), StepUnknown(1, "lost", 1.0)],
        ("app1 is left out of its pools", "whether change app1 was done is unknown"),
    ),
    ([StepStarted(0), StepDone(0, "out", 1.0), StepStarted(3), StepDone(3, "back", 1.0)], ()),
    ([StepDone(0, "out already", 1.0, skipped=True)], ()),
    (
        [StepStarted(1), StepFailed(1, "broke", 1.0), UndoStarted(1, "x"), UndoFailed(1, "broke too", 1.0)],
        ("change app1 could not be put back: broke too",),
    ),
]


@pytest.mark.parametrize(("events", "told"), TOLD)
def test_what_is_left_as_it_should_not_be(events, told):
    play = Play(plan(nodes=["app1"]))
    for event in events:
        play.diary.append(RUN, event)
    assert remains(folded(RUN, play.plan, play.diary.events)) == told


def test_what_is_kept_is_what_was_changed():
    state = begun(RUN, plan())
    done = replace(state.steps[0], phase=StepPhase.DONE)
    assert kept(replace(state, steps=(done, *state.steps[1:]))) == ("app1",)
    assert kept(state) == ()


# halt, failed, put back, an unknown step -> outcome
ENDS = [
    (None, {}, {}, False, Outcome.DONE),
    (Halt("x"), {"app1": "x"}, {"app1": True}, False, Outcome.UNDONE),
    (Halt("x"), {"app1": "x"}, {"app1": False}, False, Outcome.FAILED),
    (Halt("x"), {"app1": "x", "app2": "y"}, {"app1": True}, False, Outcome.FAILED),
    (Halt("x"), {"app1": "x"}, {}, True, Outcome.UNKNOWN),
    (None, {"app1": "x"}, {}, False, Outcome.FAILED),
    (Halt("x", Outcome.STOPPED), {"app1": "x"}, {"app1": True}, True, Outcome.STOPPED),
    (Halt("x", Outcome.CANCELLED), {}, {}, False, Outcome.CANCELLED),
]


@pytest.mark.parametrize(("halt", "failed", "put_back", "unknown", "outcome"), ENDS)
def test_how_a_run_ends(halt, failed, put_back, unknown, outcome):
    state = begun(RUN, plan())
    if unknown:
        state = replace(state, steps=(replace(state.steps[0], phase=StepPhase.UNKNOWN), *state.steps[1:]))
    assert Ledger(halt, dict(failed), dict(put_back)).ended(state, 1.0).outcome is outcome


# --- what cannot be taken back ------------------------------------------------------------------------------------


def crossed(*after: str, belongs: str = "pause") -> Play:
    """For the whole run a change, what cannot be taken back, and what belongs to it; then steps for a node."""
    made = plan(["change", "promote", belongs, *after], nodes=["app1"])
    own = tuple(replace(step, lane="", batch=0, segment=step.index) for step in made.steps[:3])
    later = tuple(replace(step, segment=3) for step in made.steps[3:])
    return Play(replace(made, steps=(*own, *later)))


async def test_what_cannot_be_taken_back_stays_and_what_came_after_it_is_put_back():
    play = await undone(crossed("out"))
    ended = await play.again("undo")
    assert ended.outcome is Outcome.UNDONE
    assert ended.sentence == "everything that can be was put back; promote app1 stays: mark set to 2"
    assert [event.step for event in play.diary.of(UndoStarted)] == [3]
    words = play.world.words["app1"]
    assert (words["version"], words["mark"], words["in"]) == ("2", "2", "yes")


async def test_where_nothing_came_after_it_its_own_undo_says_why_not():
    play = await undone(crossed())
    ended = await play.again("undo")
    assert ended.outcome is Outcome.FAILED
    assert "promote app1 could not be put back: app1 is promoted" in ended.sentence


async def test_where_what_belongs_to_it_is_not_complete_its_own_undo_says_why_not():
    play = crossed("out", belongs="healthy")
    steps = tuple(replace(step, on_failure=OnFailure.CONTINUE) if step.index == 2 else step for step in play.plan.steps)
    play.plan = replace(play.plan, steps=steps, budget=Budget(failed_nodes=1))
    play.world.words["app1"]["health"] = "dead"
    assert (await play.run()).outcome is Outcome.FAILED
    ended = await play.again("undo")
    assert ended.outcome is Outcome.FAILED
    assert "promote app1 could not be put back: app1 is promoted" in ended.sentence
    assert play.world.words["app1"]["in"] == "yes"
