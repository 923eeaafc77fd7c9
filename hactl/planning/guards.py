"""The guards: which rules are asked of a plan and of each step, and how much each may say there.

A rule says what it sees. The table below says how far that goes: to take something away is judged with everything; to
bring something back must not be held up by rules about taking away; to look needs no leave. docs/guards.md explains
every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.plan import Plan, PlannedStep
from hactl.model.run import RunState
from hactl.model.verb import Effect
from hactl.planning.case import TAKING, Case
from hactl.planning.overrides import NEVER, overridden
from hactl.planning.own import accepted, coming, opens, own, taken_out
from hactl.planning.rules import availability, databases, knowledge, others, room, takeover
from hactl.planning.rules.remark import Remark
from hactl.planning.world import World

_STRENGTH: Mapping[Ruling, int] = MappingProxyType({Ruling.OK: 0, Ruling.WARN: 1, Ruling.REFUSE: 2})
_OK, _WARN, _REFUSE = Ruling.OK, Ruling.WARN, Ruling.REFUSE


class Impact(StrEnum):
    """What the steps at hand are to the cluster, worst first."""

    TAKES = "takes"  # something is taken out, interrupted or moved
    CHANGES = "changes"  # something is changed that no pool or service notices, as far as the verbs say
    BRINGS_BACK = "brings-back"  # nothing but bringing back
    LOOKS = "looks"  # nothing is changed


class Asked(StrEnum):
    """When a guard is asked beside for the whole plan: of steps that change something, right before each."""

    ONCE = "once"  # never again
    OPENING = "opening"  # before the first step of a node: what is begun there is better brought to its end
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Guard:
    """`caps`: the most that the rule may say for TAKES, CHANGES and BRINGS_BACK. `fine`: what it says when content."""

    name: str
    rule: Callable[[Case], Iterator[Remark]]
    caps: tuple[Ruling, Ruling, Ruling]
    asked: Asked
    fine: str

    def cap(self, impact: Impact) -> Ruling:
        return Ruling.OK if impact is Impact.LOOKS else self.caps[list(Impact).index(impact)]


_TAKING_ONLY = (_REFUSE, _OK, _OK)

RULES = (
    Guard("minimum-available", availability.minimum_available, _TAKING_ONLY, Asked.ALWAYS, "enough stay available"),
    Guard(
        "maximum-unavailable",
        availability.maximum_unavailable,
        _TAKING_ONLY,
        Asked.ONCE,
        "no batch is larger than what can be spared",
    ),
    Guard(
        "unknown-data",
        knowledge.unknown_data,
        (_REFUSE, _REFUSE, _REFUSE),
        Asked.OPENING,
        "everything that matters is known",
    ),
    Guard("other-run", others.other_run, (_REFUSE, _REFUSE, _WARN), Asked.ONCE, "no other run is unfinished"),
    Guard("other-drain", others.other_drain, _TAKING_ONLY, Asked.OPENING, "nobody else has taken a member out"),
    Guard("site-loss", availability.site_loss, _TAKING_ONLY, Asked.OPENING, "no site loses its last member"),
    Guard(
        "replication", databases.replication, _TAKING_ONLY, Asked.ALWAYS, "no primary and no needed standby is stopped"
    ),
    Guard(
        "data-loss",
        takeover.data_loss,
        (_REFUSE, _REFUSE, _OK),
        Asked.ONCE,
        "no primary is given up",
    ),
    Guard("backup-running", databases.backup_running, (_REFUSE, _WARN, _OK), Asked.ALWAYS, "no backup is being made"),
    Guard(
        "maintenance-window",
        others.maintenance_window,
        (_REFUSE, _REFUSE, _WARN),
        Asked.OPENING,
        "it is a time at which acting is welcome",
    ),
    Guard("disk-space", room.disk_space, (_REFUSE, _REFUSE, _WARN), Asked.ALWAYS, "the disks have room"),
    Guard(
        "critical-finding",
        knowledge.critical_finding,
        (_REFUSE, _WARN, _WARN),
        Asked.OPENING,
        "nothing that matters is critical",
    ),
    Guard(
        "balancer-unreachable",
        knowledge.balancer_unreachable,
        (_REFUSE, _WARN, _REFUSE),
        Asked.ALWAYS,
        "every balancer concerned can be asked",
    ),
)


def judged(plan: Plan, world: World) -> tuple[GuardVerdict, ...]:
    """What every guard says of the whole plan, all refusals at once, overrides applied."""
    case = Case(plan, world, plan.steps)
    said = [verdict for guard in RULES for verdict in _said(guard, case, impact(plan.steps))]
    return overridden(said, plan.request.overrides)


def before_step(plan: Plan, step: PlannedStep, state: RunState, world: World) -> tuple[GuardVerdict, ...]:
    """What the guards object to in this step, in the world of this moment; empty when nothing.

    Judged together with what the same batch does beside it. What this very run has taken out, works on or has failed
    at is known: it is counted as away, but is nobody else's drain and no news.
    """
    if impact((step,)) in {Impact.LOOKS, Impact.BRINGS_BACK}:
        return ()
    case = Case(
        plan,
        world,
        steps=coming(plan, step, state),
        own=own(plan, step, state),
        taken_out=taken_out(plan, step, state),
        accepted=accepted(plan),
        begun=True,
    )
    wanted = {Asked.ALWAYS, Asked.OPENING} if opens(step, state) else {Asked.ALWAYS}
    said = [
        verdict
        for guard in RULES
        if guard.asked in wanted
        for verdict in _said(guard, case, impact((step,)))
        if verdict.ruling is not Ruling.OK
    ]
    return overridden(said, plan.request.overrides)


def impact(steps: tuple[PlannedStep, ...]) -> Impact:
    mutating = [step for step in steps if step.mutates]
    effects = {step.effect for step in mutating}
    if effects & TAKING:
        return Impact.TAKES
    if not mutating:
        return Impact.LOOKS
    return Impact.BRINGS_BACK if effects == {Effect.BRINGS_BACK} else Impact.CHANGES


def _said(guard: Guard, case: Case, how: Impact) -> Iterator[GuardVerdict]:
    if guard.name in case.plan.guards_off and guard.name not in NEVER:
        yield GuardVerdict(guard.name, Ruling.OK, f"{case.plan.playbook} does not ask for it")
        return
    cap = guard.cap(how)
    remarks = list(guard.rule(case)) if cap is not Ruling.OK else []
    for remark in remarks:
        ruling = min(remark.ruling, cap, key=lambda one: _STRENGTH[one])
        yield GuardVerdict(guard.name, ruling, remark.sentence, remark.node, remark.pool)
    if not remarks and how is not Impact.LOOKS:
        fine = guard.fine if cap is not Ruling.OK else "nothing is taken away"
        yield GuardVerdict(guard.name, Ruling.OK, fine)
