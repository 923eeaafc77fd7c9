"""A plan as lines to be read before it is confirmed: every step, node and first command; then what decides about it.

The end is what the operator sees above the question, so guards, weakest moment and duration stand there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hactl.model.findings import Level
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.parameters import Value
from hactl.model.plan import Plan, PlannedStep, WeakestMoment
from hactl.model.playbook import OnFailure
from hactl.model.text import one_line
from hactl.view import units
from hactl.view.lines import Line

_ON_FAILURE = {
    OnFailure.UNDO: "a failure undoes what was done on that node, then the run stops",
    OnFailure.STOP: "a failure stops the run and leaves the node as it is",
    OnFailure.CONTINUE: "a failure is counted and the run goes on",
}
_DRAWN = 20  # members at most
_FAILURE_WORD = {
    OnFailure.UNDO: "undone on failure",
    OnFailure.STOP: "stops on failure",
    OnFailure.CONTINUE: "may fail",
}


def plan_lines(plan: Plan, *, commands: bool = True) -> tuple[Line, ...]:
    """The whole plan. `commands` False leaves the first commands out."""
    return (*page_lines(plan, commands=commands), Line(), *decision_lines(plan))


def page_lines(plan: Plan, *, commands: bool = True) -> Iterator[Line]:
    """What would be done, without what decides about it."""
    yield from _head(plan)
    yield from step_lines(plan, commands=commands)


def short_digest(plan: Plan) -> str:
    """What people call a plan by."""
    return plan.digest[:6] or "?"


def step_lines(plan: Plan, *, commands: bool = True) -> Iterator[Line]:
    """The steps in their order, under the batch that they belong to."""
    usual = _usual_failure(plan)
    batch: int | None = None
    changed: set[str] = set()  # lanes in which something is done: what was found there says little about later steps
    for step in plan.steps:
        if step.batch != batch:
            batch = step.batch
            yield Line()
            yield Line(_batch(plan, batch), strong=True)
        yield Line(_step(step, usual, told=step.lane not in changed), indent=1, hang=5)
        if not step.skip:
            changed.add(step.lane)
        if step.note:
            yield Line(f"note: {one_line(step.note)}", indent=6)
        if commands:
            for shown in step.first:
                where = f"{shown.node} admin socket" if shown.socket else shown.node
                yield Line(f"{where}> {one_line(shown.text, 2000)}", indent=6, hang=4, faint=True)


def decision_lines(plan: Plan, *, drawn: bool = False) -> Iterator[Line]:
    """What is to be known when deciding: guards, weakest moment, what a failure does, duration.

    `drawn`: with each weakest moment as a bar of the members, for a screen that has the signs.
    """
    yield from guard_lines(plan.verdicts)
    for weakest in plan.weakest:
        level = Level.CRIT if weakest.available < weakest.minimum else None
        yield Line(f"weakest moment: {weakest_words(weakest)}", level)
        if drawn and (bar := weakest_bar(weakest)):
            yield Line(bar, level, indent=2)
    if plan.steps:
        yield Line(_ON_FAILURE[_usual_failure(plan)].capitalize() + budget_words(plan) + ".")
        basis = f" ({plan.estimated_from})" if plan.estimated_from else ""
        count = f"{len(plan.steps)} step{'s' * (len(plan.steps) != 1)}"
        yield Line(
            f"plan {short_digest(plan)}: {count}, about {units.duration(round(plan.seconds))}{basis}", strong=True
        )
    else:
        yield Line(f"plan {short_digest(plan)}: nothing has to be done", strong=True)


def guard_lines(verdicts: tuple[GuardVerdict, ...]) -> Iterator[Line]:
    """Refusals first, each guard's with what sets it aside; then what was set aside, warnings, and who is content."""
    blocking = {verdict.guard: verdict for verdict in verdicts if verdict.blocks}
    for guard, verdict in blocking.items():
        for one in verdicts:
            if one.guard == guard and one.blocks:
                yield _verdict(one, Level.CRIT, "refused")
        aside = f"--override {guard} --reason WHY sets it aside" if verdict.can_override else way_out(verdict)
        yield Line(f"> {aside}", indent=9)
    for verdict in sorted(verdicts, key=lambda one: not one.overridden):
        if verdict.ruling is not Ruling.OK and not verdict.blocks:
            yield _verdict(verdict, Level.WARN, "waived" if verdict.overridden else "warn")
    loud = {verdict.guard for verdict in verdicts if verdict.ruling is not Ruling.OK}
    content = dict.fromkeys(verdict.guard for verdict in verdicts if verdict.guard not in loud)
    if content:
        yield Line(", ".join(content), Level.OK, hang=9, mark="ok")


def refusal(verdict: GuardVerdict) -> str:
    """A refusal in one line, with its way out."""
    return f"{verdict.guard}: {one_line(verdict.sentence, 400)} ({way_out(verdict)})"


def way_out(verdict: GuardVerdict) -> str:
    return f"--override {verdict.guard}" if verdict.can_override else "cannot be overridden"


def value_text(value: Value) -> str:
    """A parameter's value as people read it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return units.number(value)
        case tuple():
            return " ".join(value)
    return one_line(str(value))


def budget_words(plan: Plan) -> str:
    """What else ends the run, as the end of a sentence."""
    failed = plan.budget.failed_requests
    if not plan.endpoints:
        return ""
    return f"; so does {'any failed request' if not failed else f'more than {failed} failed requests'}"


def weakest_words(weakest: WeakestMoment) -> str:
    """How few, and when: a plan that only brings back is weakest before it begins."""
    when = {"": "", "now": ", as it is now"}.get(weakest.during, f", during {weakest.during}")
    return f"{weakest.sentence}{when}"


def weakest_bar(weakest: WeakestMoment) -> str:
    """Members that are left, those that are away, and the line that may not be crossed: "■ ■ ┃ □  2 left, 1 away".

    "" where they are too many to be counted by eye.
    """
    if not 0 < weakest.total <= _DRAWN:
        return ""
    away = max(0, weakest.total - weakest.available)
    signs = ["■"] * weakest.available + ["□"] * away
    signs.insert(min(weakest.minimum, len(signs)), "┃")
    return f"{' '.join(signs)}  {weakest.available} left, {away} away; ┃ is the minimum"


def _head(plan: Plan) -> Iterator[Line]:
    yield Line(f"{plan.title or plan.playbook} ({plan.playbook}) on {plan.cluster}", strong=True)
    if plan.targets:
        yield Line(f"targets: {', '.join(plan.targets)}{_batches(plan)}", indent=2)
    for node, why in plan.untouched.items():
        yield Line(f"{node} is left alone: {one_line(why)}", indent=2)
    if plan.parameters and plan.steps:
        shown = (f"{name} = {value_text(value)}" for name, value in plan.parameters.items() if value not in ("", ()))
        yield Line(f"with {', '.join(shown)}", indent=2)
    if plan.request.reason:
        yield Line(f"reason: {one_line(plan.request.reason)}", indent=2)
    if plan.endpoints and plan.steps:
        watched = ", ".join(one_line(endpoint.url) for endpoint in plan.endpoints)
        yield Line(f"requests are sent all the while to {watched}", indent=2)
    for note in plan.notes if plan.steps else ():
        yield Line(f"note: {one_line(note, 1000)}", indent=2)


def _batches(plan: Plan) -> str:
    if len(plan.batches) < 2:
        return ""
    pause = f", {units.duration(plan.pause)} between them" if plan.pause else ""
    return f", in {len(plan.batches)} batches{pause}"


def _batch(plan: Plan, batch: int) -> str:
    if not 0 < batch <= len(plan.batches):
        return "once"
    nodes = plan.batches[batch - 1]
    return f"batch {batch}: {', '.join(nodes)}{', side by side' if len(nodes) > 1 else ''}"


def _step(step: PlannedStep, usual: OnFailure, *, told: bool) -> str:
    """One step in a line. `told`: whether it is worth telling why it is probably not needed."""
    takes = f", about {units.duration(round(step.seconds))}" if step.seconds >= 1 else ""
    unusual = f", {_FAILURE_WORD[step.on_failure]}" if step.on_failure is not usual else ""
    skip = f"; probably not needed: {one_line(step.skip)}" if step.skip and told else ""
    return f"{step.index + 1:>3}  {step.label}: {step.verb}{takes}{unusual}{skip}"


def _usual_failure(plan: Plan) -> OnFailure:
    """What most steps do when they fail, and a step that mutates in doubt: the first one wins a tie."""
    return Counter(step.on_failure for step in plan.steps).most_common(1)[0][0] if plan.steps else OnFailure.STOP


def _verdict(verdict: GuardVerdict, level: Level, mark: str) -> Line:
    return Line(f"{verdict.guard}: {one_line(verdict.sentence, 400)}", level, hang=9, mark=mark)
