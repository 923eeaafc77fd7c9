"""The answers to what a step's `when` asks: the facts of `model.conditions`, told from a picture.

What nobody knows does not hold, and the sentence says that it is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hactl.model.facts import PackageFacts
from hactl.model.observed import Unknown
from hactl.model.playbook import Condition, Ref
from hactl.model.verb import Scene

Answer = tuple[bool | None, str]
"""Whether it is so (None: nobody knows), and the sentence."""


def holds(condition: Condition, scene: Scene) -> tuple[bool, str]:
    """Whether the step is to be done, and why or why not. Unknown is never a reason to act."""
    so, sentence = answer(condition, scene)
    return so is True, sentence


def answer(condition: Condition, scene: Scene) -> Answer:
    """Whether the condition holds, as far as it is known. Its argument is a value by now, not a reference."""
    argument = condition.argument
    if isinstance(argument, Ref):
        raise TypeError(f"the argument of {condition.fact} is still a reference")
    name = "" if argument is None else str(argument)
    so, sentence = _ANSWERS[condition.fact](scene, name)
    return (None if so is None else so is not condition.negated), sentence


def _reboot_required(scene: Scene, _: str) -> Answer:
    match _packages(scene):
        case Unknown(reason=reason):
            return None, f"whether {scene.target.name} wants a reboot is not known: {reason}"
        case facts:
            wants = facts.reboot_required
    return wants, f"{scene.target.name} {'wants a' if wants else 'needs no'} reboot"


def _holds_vip(scene: Scene, name: str) -> Answer:
    node = scene.target.name
    verdicts = [vip for vip in scene.picture.assessment.vips.values() if name in {"", vip.name}]
    held = [vip.name for vip in verdicts if node in vip.holders]
    if held:
        return True, f"{node} has {' and '.join(held)}"
    what = name or "any VIP"
    if doubtful := [vip.name for vip in verdicts if node in vip.unknown]:
        return None, f"whether {node} has {' or '.join(doubtful)} is not known"
    return False, f"{node} does not have {what}"


def _may_hold_vip(scene: Scene, name: str) -> Answer:
    node, services = scene.target.name, scene.inventory.services
    found = [
        vip.name
        for vip in scene.inventory.vips.values()
        if name in {"", vip.name} and node in services[vip.service].nodes
    ]
    if found:
        return True, f"{node} may hold {' and '.join(found)}"
    return False, f"{node} may not hold {name or 'any VIP'}"


def _in_pool(scene: Scene, name: str) -> Answer:
    node = scene.target.name
    found = [pool.name for pool in scene.inventory.pools_of(node) if name in {"", pool.name}]
    if found:
        return True, f"{node} is in {' and '.join(found)}"
    return False, f"{node} is not in {name or 'any pool'}"


def _service_here(scene: Scene, name: str) -> Answer:
    here = any(service.name == name for service in scene.inventory.services_on(scene.target.name))
    return here, f"{scene.target.name} {'provides' if here else 'does not provide'} {name}"


def _has_role(scene: Scene, name: str) -> Answer:
    has = name in scene.target.roles
    return has, f"{scene.target.name} {'has' if has else 'does not have'} the role {name}"


def _package_pending(scene: Scene, name: str) -> Answer:
    node = scene.target.name
    match _packages(scene):
        case Unknown(reason=reason):
            return None, f"what is on offer for {node} is not known: {reason}"
        case facts if name:
            found = facts.offered.get(name, "")
            return bool(found), f"{name} {found} is on offer" if found else f"nothing newer than {node}'s {name}"
        case facts if facts.pending is None:
            return None, f"what is on offer for {node} is not known: it has no package lists"
        case facts:
            return bool(facts.pending), f"newer versions on offer for {node}: {facts.pending}"


def _packages(scene: Scene) -> PackageFacts | Unknown:
    read = scene.picture.state.nodes[scene.target.name].read("packages", PackageFacts, scene.picture.now)
    return read if isinstance(read, Unknown) else read.value


_ANSWERS: Mapping[str, Callable[[Scene, str], Answer]] = MappingProxyType(
    {
        "reboot_required": _reboot_required,
        "holds_vip": _holds_vip,
        "may_hold_vip": _may_hold_vip,
        "in_pool": _in_pool,
        "package_pending": _package_pending,
        "service_here": _service_here,
        "has_role": _has_role,
    }
)
