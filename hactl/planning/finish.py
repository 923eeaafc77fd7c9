"""The second half of a plan: what looking at its steps has shown, what the guards say, and its digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hactl.model.guard import GuardVerdict
from hactl.model.inventory import Inventory
from hactl.model.plan import Looked, Plan, PlannedStep
from hactl.model.verb import Effect
from hactl.planning.basis import basis, digest
from hactl.planning.case import Case
from hactl.planning.guards import judged
from hactl.planning.overrides import checked_overrides, overridden
from hactl.planning.steps import with_steps
from hactl.planning.weakest import moments
from hactl.planning.world import World


def finished(draft: Plan, looked: tuple[Looked, ...], world: World) -> Plan:
    """The plan, ready to be confirmed. `looked` may leave out steps that were not looked at. What the draft's basis has
    already stays there.

    Raises InputError for an override that names no guard.
    """
    checked_overrides(draft.request.overrides)
    found = {one.step: one for one in looked}
    steps = tuple(_looked_at(step, found) for step in draft.steps)
    idle = _idle(draft, steps)
    kept = _kept(draft, steps, idle)
    plan = _narrowed(draft, _as_they_will_be(kept, found), idle, world.inventory)
    said = [one for one in draft.verdicts if one.node not in idle]
    said += [verdict for step in kept if step.index in found for verdict in found[step.index].verdicts]
    case = Case(plan, world, plan.steps)
    verdicts = dict.fromkeys((*overridden(said, draft.request.overrides), *judged(plan, world)))
    plan = replace(
        plan,
        verdicts=tuple(sorted(verdicts, key=_order)),
        weakest=tuple(moment.weakest for moment in moments(case)),
        basis={**plan.basis, **basis(case)},
        made_at=world.wall,
    )
    return replace(plan, digest=digest(plan))


def needless(draft: Plan, looked: tuple[Looked, ...]) -> Mapping[str, str]:
    """Targets that need nothing, and why; none where that is so of all of them. A draft without them has the batches
    that are wanted: the first node that is acted on is the canary.
    """
    found = {one.step: one for one in looked}
    idle = _idle(draft, tuple(_looked_at(step, found) for step in draft.steps))
    return idle if idle.keys() < set(draft.targets) else {}


def carried_over(looked: tuple[Looked, ...], before: Plan, after: Plan) -> tuple[Looked, ...]:
    """What was found of the steps of one draft, for the same steps of another one."""
    found = {one.step: one for one in looked}
    of = {_same(step): found[step.index] for step in reversed(before.steps) if step.index in found}
    return tuple(replace(of[_same(step)], step=step.index) for step in after.steps if _same(step) in of)


def _same(step: PlannedStep) -> tuple[str, str | None, str]:
    return step.name, step.node, step.lane


def _looked_at(step: PlannedStep, found: Mapping[int, Looked]) -> PlannedStep:
    one = found.get(step.index)
    return replace(step, skip=one.sentence) if one is not None and one.done else step


def _as_they_will_be(steps: tuple[PlannedStep, ...], found: Mapping[int, Looked]) -> tuple[PlannedStep, ...]:
    """What was found on a node says nothing of a step that comes after a change to it: a drained node is not in."""
    changed = set[str | None]()
    made = []
    for step in steps:
        seen = found.get(step.index)
        stale = step.node in changed and seen is not None and seen.done
        made.append(replace(step, skip="") if stale else step)
        if step.mutates and not made[-1].skip:
            changed.add(step.node)
    return tuple(made)


def _idle(draft: Plan, steps: tuple[PlannedStep, ...]) -> Mapping[str, str]:
    """Targets that need nothing, and the sentence that says so.

    The playbook says which steps decide; else all do that change something, but for taking out what is brought back.
    """
    idle = {}
    for node in draft.targets:
        mine = [step for step in steps if step.lane == node]
        deciding = [step for step in mine if step.name in draft.needed] or _deciding(mine)
        if deciding and all(step.skip for step in deciding):
            idle[node] = "; ".join(dict.fromkeys(step.skip for step in deciding))
    return idle


def _deciding(steps: list[PlannedStep]) -> list[PlannedStep]:
    back = max((step.index for step in steps if step.effect is Effect.BRINGS_BACK), default=-1)
    return [step for step in steps if step.mutates and not (step.effect is Effect.TAKES_OUT and step.index < back)]


def _kept(draft: Plan, steps: tuple[PlannedStep, ...], idle: Mapping[str, str]) -> tuple[PlannedStep, ...]:
    """Without the idle targets; when nobody is left, without what is done for a batch, or is done already."""
    batches = {number for number, nodes in enumerate(draft.batches, start=1) if not set(nodes) <= idle.keys()}
    kept = [step for step in steps if step.lane not in idle and (step.batch == 0 or step.batch in batches)]
    if draft.targets and not batches and not any(step.mutates and not step.skip for step in kept):
        return ()
    return tuple(kept)


def _narrowed(draft: Plan, kept: tuple[PlannedStep, ...], idle: Mapping[str, str], inventory: Inventory) -> Plan:
    """The draft with these steps, counted anew: indices, segments and batches have no gaps."""
    batches = tuple(left for nodes in draft.batches if (left := tuple(node for node in nodes if node not in idle)))
    segments = _numbers(step.segment for step in kept)
    numbers = {0: 0, **_numbers((step.batch for step in kept if step.batch), start=1)}
    steps = tuple(
        replace(step, index=index, segment=segments[step.segment], batch=numbers[step.batch])
        for index, step in enumerate(kept)
    )
    targets = tuple(node for node in draft.targets if node not in idle)
    narrowed = replace(draft, targets=targets, untouched={**draft.untouched, **idle}, batches=batches)
    return with_steps(narrowed, steps, inventory)


def _numbers(values: Iterable[int], start: int = 0) -> dict[int, int]:
    return {value: number for number, value in enumerate(sorted(set(values)), start)}


_RANK = {"refuse": 0, "warn": 1, "ok": 2}


def _order(verdict: GuardVerdict) -> int:
    return _RANK[verdict.ruling]
