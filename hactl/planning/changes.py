"""Why a plan no longer holds: what differs between the one that was confirmed and the one that would be made now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.plan import Plan
from hactl.planning.basis import digest

_GONE = "not there"


def changes(confirmed: Plan, now: Plan) -> tuple[str, ...]:
    """A sentence for each difference that matters; empty when the digests are equal, and when all that differs is that
    a guard refuses no longer what the operator had set aside.
    """
    if confirmed.digest == now.digest:
        return ()
    found = (*_state(confirmed, now), *_targets(confirmed, now), *_rulings(confirmed, now), *_acts(confirmed, now))
    if not found and digest(replace(confirmed, verdicts=now.verdicts)) == now.digest:
        return ()
    return found or ("the plan was made by another version of hactl or of its playbook or inventory",)


def _state(confirmed: Plan, now: Plan) -> Iterator[str]:
    for key in sorted({*confirmed.basis, *now.basis}):
        was, is_now = confirmed.basis.get(key, _GONE), now.basis.get(key, _GONE)
        if was != is_now:
            yield f"{_subject(key)} was {was} and is {is_now}"


def _subject(key: str) -> str:
    """A key of the basis as people say it."""
    match key.split("/"):
        case ["pool", pool, node, balancer]:
            return f"{node} in {pool} on {balancer}"
        case ["vip", vip]:
            return f"the holder of {vip}"
        case ["package", package, node]:
            return f"{package} on {node}"
        case ["primary", service]:
            return f"the primary of {service}"
        case ["run", run]:
            return f"run {run}"
    return key.removeprefix("file/")


def _targets(confirmed: Plan, now: Plan) -> Iterator[str]:
    for node in confirmed.targets:
        if node not in now.targets:
            yield f"{node} was to be worked on and is not: {now.untouched.get(node, 'it is no target')}"
    for node in now.targets:
        if node not in confirmed.targets:
            yield f"{node} would be worked on and was not: {confirmed.untouched.get(node, 'it was no target')}"


def _rulings(confirmed: Plan, now: Plan) -> Iterator[str]:
    before = {_refusal(one) for one in confirmed.verdicts}
    for verdict in now.verdicts:
        if verdict.ruling is Ruling.REFUSE and _refusal(verdict) not in before:
            said = "set aside" if verdict.overridden else f"says {verdict.ruling}"
            yield f"{verdict.guard} now {said}: {verdict.sentence}"


def _refusal(verdict: GuardVerdict) -> tuple[str, str | None, str | None, bool] | None:
    """By what it is told apart; None for one that is none."""
    if verdict.ruling is not Ruling.REFUSE:
        return None
    return verdict.guard, verdict.node, verdict.pool, verdict.overridden


def _acts(confirmed: Plan, now: Plan) -> Iterator[str]:
    if confirmed.parameters != now.parameters:
        yield "the parameters differ"
    if confirmed.batches != now.batches and set(confirmed.targets) == set(now.targets):
        yield "the nodes would be worked on in another order"
    acts = [
        [(one.name, one.verb, one.node, dict(one.arguments), one.first) for one in plan.steps]
        for plan in (confirmed, now)
    ]
    if acts[0] != acts[1] and set(confirmed.targets) == set(now.targets):
        yield "the steps or their commands differ"
