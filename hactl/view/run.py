"""A run as people follow it: each event in a sentence, its numbers, and the proof at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hactl.model.events import Outcome, Recorded, StepDone, StepFailed, StepStarted, StepUnknown, UndoStarted
from hactl.model.findings import Level
from hactl.model.guard import Ruling
from hactl.model.plan import Plan, PlannedStep
from hactl.model.run import ProbeTotals, RunState, StepPhase
from hactl.model.text import one_line
from hactl.view import units
from hactl.view.events import event_sentence
from hactl.view.lines import Line
from hactl.view.outcomes import OUTCOME_LEVELS, OUTCOME_WORDS, PHASE_LEVELS, pool_words, proof_words, range_level
from hactl.view.run_document import commands

__all__ = [
    "began",
    "command_lines",
    "doubt_lines",
    "event_sentence",
    "head_lines",
    "next_lines",
    "outcome_level",
    "outcome_word",
    "pool_words",
    "pools_line",
    "probe_words",
    "prober_line",
    "progress_words",
    "proof_lines",
    "to_put_back",
    "unfinished",
]

# Phases that leave something behind: all but what never began, was so already, or was put back.
_LEFT = set(StepPhase) - {StepPhase.PENDING, StepPhase.SKIPPED, StepPhase.UNDONE}
# What settles a doubt, or begins anew.
_SETTLING = (StepDone, StepFailed, StepUnknown, StepStarted, UndoStarted)


# --- numbers ---


def prober_line(state: RunState) -> str:
    """What the prober saw so far, over all endpoints; "" when nothing is probed."""
    totals = [total for total in state.probes.values() if total.sent]
    if not totals:
        return ""
    if len(totals) == 1:
        return probe_words(totals[0])
    sent, failed = sum(t.sent for t in totals), sum(t.failed for t in totals)
    slowest, gap = max(t.slowest for t in totals), max(t.gap for t in totals)
    return probe_words(ProbeTotals("", sent, failed, slowest, gap))


def probe_words(total: ProbeTotals) -> str:
    return (
        f"{total.sent} requests, {total.failed} failed, slowest {units.duration(total.slowest)},"
        f" longest gap {units.duration(total.gap)}"
    )


def pools_line(state: RunState) -> str:
    """The pools of the run as they are now: "shop 2/3"."""
    return ", ".join(
        f"{count.pool} {count.available}/{count.total}" + (f" ({count.unknown} unknown)" if count.unknown else "")
        for count in state.pools.values()
    )


def progress_words(state: RunState) -> str:
    """How far it is: "7 of 27 steps"."""
    ended = {StepPhase.DONE, StepPhase.SKIPPED, StepPhase.FAILED}
    return f"{sum(step.phase in ended for step in state.steps)} of {len(state.steps)} steps"


# --- the end ---


def outcome_word(state: RunState, *, alive: bool) -> str:
    """How the run stands in a word or two."""
    if state.outcome is not None:
        return OUTCOME_WORDS[state.outcome]
    if alive:
        return "paused" if state.paused else "going on"
    return "unfinished"


def outcome_level(outcome: Outcome | None, *, alive: bool) -> Level | None:
    """None for a run that goes on; one that lost its runner is not known to be well."""
    if outcome is None:
        return None if alive else Level.UNKNOWN
    return OUTCOME_LEVELS[outcome]


def head_lines(state: RunState, now: float) -> Iterator[Line]:
    """What the run is, who started it, when and why, and what was set aside for it. `now` is epoch seconds."""
    plan = state.plan
    yield Line(f"run {state.run}: {plan.title or plan.playbook} ({plan.playbook}) on {plan.cluster}", strong=True)
    began = units.moment(state.began_at, now) if state.began_at is not None else "not begun"
    again = f", {state.attempt} attempts" if state.attempt > 1 else ""
    on = f" on {one_line(state.host)}" if state.host else ""
    yield Line(f"{one_line(state.who or plan.request.who)}{on}, {began}{again}; plan {plan.digest[:6]}", indent=2)
    if plan.targets:
        yield Line(f"targets: {', '.join(plan.targets)}", indent=2)
    if plan.request.reason:
        yield Line(f"reason: {one_line(plan.request.reason)}", indent=2)
    for verdict in plan.verdicts:
        if verdict.ruling is not Ruling.OK:
            word = "waived" if verdict.overridden else "warn"
            yield Line(f"{verdict.guard}: {one_line(verdict.sentence, 400)}", Level.WARN, 2, 11, mark=word)


def proof_lines(state: RunState, *, alive: bool = False) -> Iterator[Line]:
    """What the run leaves behind: outcome, what went wrong, requests, lowest availability, and what to do next."""
    level = outcome_level(state.outcome, alive=alive)
    word = outcome_word(state, alive=alive)
    sentence = one_line(state.sentence, 1000)
    if state.outcome is None and not alive:
        sentence = "nobody works on it any more"
    yield Line(f"{word}{_took(state)}{': ' if sentence else ''}{sentence}", level, strong=True)
    for planned, step in zip(state.plan.steps, state.steps, strict=True):
        if step.phase in {StepPhase.FAILED, StepPhase.UNKNOWN, StepPhase.UNDO_FAILED}:
            yield Line(f"{planned.label}: {one_line(step.sentence, 1000)}", PHASE_LEVELS[step.phase], 2)
    for total in state.probes.values():
        yield Line(f"{total.endpoint}: {probe_words(total)}", Level.CRIT if total.failed else Level.OK, 2)
    for proof in state.lowest.values():
        yield Line(proof_words(proof), range_level(proof.surely, proof.at_most, proof.minimum), 2)
    if (state.lowest or state.probes) and state.unwatched >= 1:
        away = units.duration(round(state.unwatched))
        yield Line(f"between its {state.attempt} attempts nobody watched: of {away} nothing is known", Level.UNKNOWN, 2)
    yield from next_lines(state, alive=alive)


def next_lines(state: RunState, *, alive: bool) -> Iterator[Line]:
    """What can be done with the run now."""
    if state.outcome is None and alive:
        yield Line(f"hactl runs attach {state.run}  follows it", indent=2, faint=True)
    elif unfinished(state.outcome) and began(state):
        yield Line(f"hactl runs resume {state.run}  goes on", indent=2)
        yield Line(f"hactl runs undo {state.run}  takes it back", indent=2)
    yield Line(f"hactl runs report {state.run}  writes the whole story", indent=2, faint=True)


def began(state: RunState) -> bool:
    """Whether any step did anything."""
    return any(step.phase not in {StepPhase.PENDING, StepPhase.SKIPPED} for step in state.steps)


def to_put_back(state: RunState) -> tuple[PlannedStep, ...]:
    """The steps that an undo of the whole run takes back where their verbs can, in its order: the last one first."""
    steps = zip(state.plan.steps, state.steps, strict=True)
    left = [
        planned
        for planned, step in steps
        if planned.mutates and planned.undo and step.memory is not None and step.phase in _LEFT
    ]
    return tuple(sorted(left, key=lambda step: (step.segment, step.index), reverse=True))


def unfinished(outcome: Outcome | None) -> bool:
    """Whether something may be left half done, for `resume` or `undo`."""
    return outcome not in {Outcome.DONE, Outcome.UNDONE}


def doubt_lines(plan: Plan, story: Sequence[Recorded]) -> Iterator[Line]:
    """Every time that a step's outcome was not learned, and what looking again, or the next attempt, has shown."""
    told = set[int]()
    for place, recorded in enumerate(story):
        if not isinstance(recorded.event, StepUnknown) or recorded.number in told:
            continue
        yield _told(recorded, plan)
        later = (one for one in story[place + 1 :] if isinstance(one.event, _SETTLING))
        shown = next((one for one in later if getattr(one.event, "step", None) == recorded.event.step), None)
        told |= {shown.number} if shown is not None else set()
        if shown is None:
            yield Line("nothing has been seen of it since", Level.UNKNOWN, 4)
        else:
            yield replace(_told(shown, plan), indent=4)


def _told(recorded: Recorded, plan: Plan) -> Line:
    level, text = event_sentence(recorded, plan) or (Level.UNKNOWN, "")
    clock = datetime.fromtimestamp(recorded.at, UTC)
    return Line(f"{clock:%H:%M:%S}  {text}", level, hang=10)


def command_lines(story: Sequence[Recorded]) -> Iterator[Line]:
    """Every command with its exit status and what it said."""
    for command in commands(story):
        exit_words = "outcome unknown" if command.exit is None else f"exit {command.exit}"
        took = "" if command.seconds is None else f" after {units.duration(command.seconds)}"
        level = Level.UNKNOWN if command.exit is None else None if command.exit == 0 else Level.WARN
        yield Line(f"step {command.step} {command.node}> {one_line(command.text, 4000)}", strong=True)
        for line in (*command.stdout.splitlines(), *command.stderr.splitlines()):
            yield Line(one_line(line, 4000), indent=4, faint=True)
        yield Line(f"{exit_words}{took}", level, 4)


def _took(state: RunState) -> str:
    if state.began_at is None or state.ended_at is None:
        return ""
    return f" in {units.duration(state.ended_at - state.began_at)}"
