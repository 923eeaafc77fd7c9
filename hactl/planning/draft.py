"""The first half of a plan: the playbook made concrete, before any node is looked at for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from hactl.model.errors import InputError
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Inventory
from hactl.model.parameters import Value
from hactl.model.plan import History, Plan, PlannedStep, Request
from hactl.model.playbook import Playbook, Ref
from hactl.model.verb import Verbs
from hactl.planning.cautions import cautions
from hactl.planning.given import given
from hactl.planning.overrides import checked_overrides
from hactl.planning.parameters import told
from hactl.planning.resolve import names, resolved
from hactl.planning.rules.takeover import managed
from hactl.planning.steps import Expansion, with_steps
from hactl.planning.targets import Chosen, chosen, narrowed
from hactl.planning.world import World


def draft(
    playbook: Playbook, request: Request, world: World, verbs: Verbs, idle: Mapping[str, str] = MappingProxyType({})
) -> Plan:
    """Every step on every node, with its first commands, and what its verbs object to; no guards yet, no digest.

    `idle`: targets that need nothing, and why. Raises InputError for a request that makes no sense.
    """
    checked_overrides(request.overrides)
    found = told(playbook, request.parameters, world.inventory, world.picture)
    meant = _meant(playbook, request, found.values, world, idle)
    bound = _bound(playbook, request, found.values)
    done, left_out = given(playbook, found)
    work = Expansion(done, bound, found.values, world, verbs)
    steps = work.steps(meant.batches)
    if bare := work.bare(meant.nodes):
        return draft(playbook, request, world, verbs, {**idle, **bare})
    return replace(
        with_steps(_wanted(playbook, bound, found.values, meant, world.inventory), steps, world.inventory),
        verdicts=(*_nobody_left(playbook, meant), *work.objections, *managed(steps, world.inventory)),
        notes=(*playbook.notes, *left_out, *cautions(steps, world.inventory)),
        irreversible=any(verbs[step.verb].irreversible for step in steps),
        estimated_from=_source(steps, world.history),
    )


def _meant(
    playbook: Playbook, request: Request, parameters: Mapping[str, Value], world: World, idle: Mapping[str, str]
) -> Chosen:
    """The targets; nobody where the playbook has none. Raises InputError."""
    if playbook.targets is None:
        if request.limit:
            raise InputError(f"{playbook.name} has no targets that a limit could narrow.")
        return Chosen((), {}, (), 0.0)
    return narrowed(chosen(playbook.targets, names(parameters, world.inventory), request.limit, world), idle)


def _wanted(
    playbook: Playbook, request: Request, parameters: Mapping[str, Value], meant: Chosen, inventory: Inventory
) -> Plan:
    """What the playbook and the request say, before there are steps."""
    return Plan(
        cluster=inventory.name,
        playbook=playbook.name,
        title=playbook.title,
        request=request,
        parameters=parameters,
        targets=meant.nodes,
        untouched=meant.untouched,
        batches=meant.batches,
        steps=(),
        verdicts=(),
        weakest=(),
        basis={},
        budget=playbook.budget,
        pause=meant.pause,
        guards_off=frozenset(name for name, on in playbook.guards.items() if not on),
        needed=playbook.targets.needed if playbook.targets else (),
        confirm=_word(playbook.confirm, names(parameters, inventory)),
    )


def _bound(playbook: Playbook, request: Request, parameters: Mapping[str, Value]) -> Request:
    """With what was taken from the picture: whoever makes the plan again means the same nodes."""
    taken = {name: parameters[name] for name, one in playbook.parameters.items() if one.taken and parameters[name]}
    return replace(request, parameters={**taken, **request.parameters}) if taken else request


def _nobody_left(playbook: Playbook, meant: Chosen) -> tuple[GuardVerdict, ...]:
    if playbook.targets is None or meant.nodes:
        return ()
    why = "; ".join(f"{node}: {reason}" for node, reason in meant.untouched.items())
    return (GuardVerdict("targets", Ruling.REFUSE, f"nobody is left to act on: {why}", can_override=False),)


def _source(steps: tuple[PlannedStep, ...], history: History) -> str:
    """Where the steps' seconds are from."""
    if not any({step.verb, f"{step.verb} {step.node}"} & history.durations.keys() for step in steps):
        return "the verbs' own figures"
    if not history.runs:
        return "what its verbs took in runs of other playbooks"
    return "1 earlier run" if history.runs == 1 else f"{history.runs} earlier runs"


def _word(confirm: str, known: Mapping[str, Value]) -> str:
    """What has to be typed: as written, or what "$name" stands for."""
    return str(resolved(Ref(confirm[1:]), known)) if confirm.startswith("$") else confirm
