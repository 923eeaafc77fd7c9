"""The first half of a plan: the playbook made concrete, before any node is looked at for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from hactl.model.errors import InputError
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Inventory
from hactl.model.parameters import Value
from hactl.model.picture import Picture
from hactl.model.plan import History, Plan, Request
from hactl.model.playbook import Playbook, Ref
from hactl.model.verb import Verbs
from hactl.planning.cautions import cautions
from hactl.planning.given import given
from hactl.planning.overrides import checked_overrides
from hactl.planning.parameters import told
from hactl.planning.resolve import names, resolved
from hactl.planning.rules.takeover import managed
from hactl.planning.steps import Expansion, total
from hactl.planning.targets import Chosen, chosen, narrowed
from hactl.planning.touched import endpoints_of, nodes_of, pools_of, services_of


def draft(  # noqa: PLR0917 - the signature that its callers agreed on
    playbook: Playbook,
    request: Request,
    inventory: Inventory,
    picture: Picture,
    verbs: Verbs,
    history: History,
    wall: float,
    idle: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Every step on every node, with its first commands, and what its verbs object to; no guards yet, no digest.

    `wall` is epoch seconds. `idle`: targets that need nothing, and why. Raises InputError for a request that makes no
    sense.
    """
    checked_overrides(request.overrides)
    found = told(playbook, request.parameters, inventory, picture)
    parameters = found.values
    done, left_out = given(playbook, found)
    bound = _bound(playbook, request, parameters)
    known = names(parameters, inventory)
    meant = Chosen((), {}, (), 0.0)
    if playbook.targets is not None:
        meant = narrowed(chosen(playbook.targets, known, request.limit, inventory, picture), idle)
    elif request.limit:
        raise InputError(f"{playbook.name} has no targets that a limit could narrow.")
    work = Expansion(done, bound, inventory, picture, verbs, history, parameters)
    steps = work.steps(meant.batches)
    if bare := work.bare(meant.nodes):
        return draft(playbook, request, inventory, picture, verbs, history, wall, {**idle, **bare})
    nodes = tuple(dict.fromkeys((*meant.nodes, *nodes_of(steps))))
    services = services_of(nodes, inventory)
    learned = any({step.verb, f"{step.verb} {step.node}"} & history.durations.keys() for step in steps)
    return Plan(
        cluster=inventory.name,
        playbook=playbook.name,
        title=playbook.title,
        request=bound,
        parameters=parameters,
        targets=meant.nodes,
        untouched=meant.untouched,
        batches=meant.batches,
        steps=steps,
        verdicts=(*_nobody_left(playbook, meant), *work.objections, *managed(steps, inventory)),
        weakest=(),
        basis={},
        budget=playbook.budget,
        pause=meant.pause,
        endpoints=endpoints_of(services, inventory),
        services=services,
        pools=pools_of(nodes, inventory),
        guards_off=frozenset(name for name, on in playbook.guards.items() if not on),
        needed=playbook.targets.needed if playbook.targets else (),
        notes=(*playbook.notes, *left_out, *cautions(steps, inventory)),
        confirm=_word(playbook.confirm, known),
        irreversible=any(verbs[step.verb].irreversible for step in steps),
        seconds=total(steps, len(meant.batches), meant.pause),
        estimated_from=_source(history) if learned else "the verbs' own figures",
        made_at=wall,
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


def _source(history: History) -> str:
    if not history.runs:
        return "what its verbs took in runs of other playbooks"
    return "1 earlier run" if history.runs == 1 else f"{history.runs} earlier runs"


def _word(confirm: str, known: Mapping[str, Value]) -> str:
    """What has to be typed: as written, or what "$name" stands for."""
    return str(resolved(Ref(confirm[1:]), known)) if confirm.startswith("$") else confirm
