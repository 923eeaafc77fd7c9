"""An event of a run in one sentence, with how bad it is: the same in the terminal, the dashboard and a report."""

from __future__ import annotations

from hactl.model.events import (
    Availability,
    CommandDone,
    CommandStarted,
    Event,
    GuardsChecked,
    LockLost,
    LockTaken,
    ProbeTick,
    Recorded,
    RunEnded,
    RunStarted,
    Said,
    StepDone,
    StepFailed,
    StepProgress,
    StepStarted,
    StepUnknown,
    UndoDone,
    UndoFailed,
    UndoStarted,
    Waiting,
    Wished,
    WishKind,
)
from hactl.model.findings import Level
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.plan import Plan
from hactl.model.text import one_line
from hactl.view import units
from hactl.view.lines import Line
from hactl.view.outcomes import OUTCOME_LEVELS, OUTCOME_WORDS, pool_words, range_level

Sentence = tuple[Level, str]

_WISHES = {
    WishKind.PAUSE: "pause at the next safe point",
    WishKind.GO_ON: "go on",
    WishKind.STOP: "stop at the next safe point",
    WishKind.ABORT: "abort now",
    WishKind.UNDO: "stop at the next safe point and undo everything",
}
_PURPOSES = {"run": "begins", "resume": "is resumed", "undo": "is being undone"}


def event_sentence(recorded: Recorded, plan: Plan, *, verbose: bool = False) -> tuple[Level, str] | None:
    """The sentence; None for what is not worth a line. `verbose` tells of commands as well."""
    event = recorded.event
    found = _of_step(event, plan) or _of_run(event) or _of_measure(event)
    if found is None and verbose:
        found = _of_command(event)
    if found is None:
        return None
    level, text = found
    return level, one_line(text, 1000)


def guards_line(checked: GuardsChecked, plan: Plan) -> Line:
    """What guards said when they were last asked: what they object to, else who is content."""
    when = "at the beginning" if checked.step is None else f"before {step_words(plan, checked.step)}"
    loud = sorted((one for one in checked.verdicts if one.ruling is not Ruling.OK), key=lambda one: not one.blocks)
    if not loud:
        names = ", ".join(dict.fromkeys(one.guard for one in checked.verdicts)) or "none apply"
        return Line(f"guards {when}: content ({names})")
    said = "; ".join(f"{one.guard} {_word(one)}: {one_line(one.sentence, 300)}" for one in loud)
    return Line(f"guards {when}: {said}", Level.CRIT if loud[0].blocks else Level.WARN)


def _word(verdict: GuardVerdict) -> str:
    return "refuses" if verdict.blocks else "is set aside" if verdict.overridden else "warns"


def step_words(plan: Plan, index: int) -> str:
    """A step by its number and name: "3/27 drain app1"."""
    return f"{index + 1}/{len(plan.steps)} {plan.steps[index].label}"


def _of_step(event: Event, plan: Plan) -> Sentence | None:  # noqa: PLR0911 - one line an event
    match event:
        case StepStarted(step=index, attempt=attempt):
            again = f", attempt {attempt}" if attempt > 1 else ""
            return Level.OK, f"{step_words(plan, index)} begins{again}"
        case StepProgress(step=index, sentence=sentence):
            return Level.OK, f"{step_words(plan, index)}: {sentence}"
        case StepDone(step=index, sentence=sentence, skipped=True):
            return Level.OK, f"{step_words(plan, index)}: nothing to do: {sentence}"
        case StepDone(step=index, sentence=sentence, seconds=seconds):
            return Level.OK, f"{step_words(plan, index)} done in {units.duration(seconds)}: {sentence}"
        case StepFailed(step=index, sentence=sentence, seconds=seconds, remedy=remedy):
            failed = f"{step_words(plan, index)} failed after {units.duration(seconds)}: {sentence}"
            return Level.CRIT, f"{failed} {remedy}".rstrip()
        case StepUnknown(step=index, sentence=sentence):
            return Level.UNKNOWN, f"{step_words(plan, index)}: it is not known whether it happened: {sentence}"
        case UndoStarted(step=index, why=why):
            return Level.WARN, f"undoing {step_words(plan, index)}: {why}"
        case UndoDone(step=index, sentence=sentence, seconds=seconds):
            return Level.WARN, f"{step_words(plan, index)} undone in {units.duration(seconds)}: {sentence}"
        case UndoFailed(step=index, sentence=sentence, remedy=remedy):
            return Level.CRIT, f"{step_words(plan, index)} could not be undone: {sentence} {remedy}".rstrip()
    return None


def _of_run(event: Event) -> Sentence | None:  # noqa: PLR0911 - likewise
    match event:
        case RunStarted(purpose=purpose, who=who, host=host, attempt=attempt):
            nth = f", attempt {attempt}" if attempt > 1 else ""
            return Level.OK, f"the run {_PURPOSES.get(purpose, purpose)}, by {who} on {host}{nth}"
        case LockTaken(nodes=nodes, missing=missing):
            taken = f"the cluster is locked on {len(nodes)} node{'s' * (len(nodes) != 1)}"
            return (Level.WARN, f"{taken}, not on {', '.join(missing)}") if missing else (Level.OK, taken)
        case LockLost(sentence=sentence):
            return Level.CRIT, f"the cluster's lock is lost: {sentence}"
        case GuardsChecked(verdicts=verdicts):
            return _of_guards(verdicts)
        case Waiting(why=why, seconds=seconds):
            return Level.OK, f"waiting {units.duration(seconds)}: {why}"
        case Wished(wish=wish, who=who):
            return Level.WARN, f"{who} asks to {_WISHES[wish]}"
        case Said(sentence=sentence, level=level):
            return Level.WARN if level == "warn" else Level.OK, sentence
        case RunEnded(outcome=outcome, sentence=sentence):
            return OUTCOME_LEVELS[outcome], f"{OUTCOME_WORDS[outcome]}: {sentence}" if sentence else OUTCOME_WORDS[
                outcome
            ]
    return None


def _of_measure(event: Event) -> Sentence | None:
    match event:
        case Availability(pools=pools) if pools:
            level = max(range_level(count.available, count.at_most, count.minimum) for count in pools)
            return level, "; ".join(map(pool_words, pools))
        case ProbeTick(failed=failed) if failed:
            return Level.CRIT, f"{failed} of {event.sent} requests to {event.endpoint} failed: {event.error}"
    return None


def _of_guards(verdicts: tuple[GuardVerdict, ...]) -> Sentence | None:
    """Guards are asked before every step: only what they object to is worth telling."""
    blocking = [verdict for verdict in verdicts if verdict.blocks]
    if blocking:
        return Level.CRIT, "refused: " + "; ".join(f"{verdict.guard}: {verdict.sentence}" for verdict in blocking)
    return None


def _of_command(event: Event) -> Sentence | None:
    match event:
        case CommandStarted(node=node, text=text):
            return Level.OK, f"{node}> {text}"
        case CommandDone(node=node, exit=None, stderr=stderr):
            return Level.UNKNOWN, f"{node}: it was not learned how the command ended: {stderr}"
        case CommandDone(node=node, exit=status, seconds=seconds):
            return Level.OK, f"{node}: exit {status} after {units.duration(seconds)}"
    return None
