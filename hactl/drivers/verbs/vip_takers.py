"""Who would take an address over: asked before anybody gives it up, because in between nobody has it."""

from __future__ import annotations

from hactl.model.command import command
from hactl.model.errors import TransportError
from hactl.model.inventory import HaproxyService, KeepalivedService, Vip
from hactl.model.verb import Doing, Scene, run

MARK = "254"
"""What a track_file holds while hactl moves an address: anything but 0 gives it up, and operators write 1."""


def keeper(scene: Scene, vip: Vip) -> KeepalivedService:
    service = scene.inventory.services[vip.service]
    if not isinstance(service, KeepalivedService):
        raise TypeError(f"{vip.name} belongs to {service.name}, which is no keepalived")
    return service


def content(path: str, node: str) -> Doing[str]:
    """Of a track_file; "" where it says nothing against taking an address."""
    done = yield from run(command("cat", "--", path), node)
    said = done.stdout.strip() if done.ok else ""
    return "" if said == "0" else said


def nobody(scene: Scene, vip: Vip, away: str, to: str) -> Doing[str]:
    """Why nobody but `away` would take the address (or `to`, where it is named); "" where somebody would."""
    reasons = []
    for name in keeper(scene, vip).nodes:
        if name == away or to not in {"", name}:
            continue
        why = yield from _unwilling(scene, vip, name)
        if not why:
            return ""
        reasons.append(why)
    return f"nobody would take {vip.name}: {'; '.join(reasons)}"


def _unwilling(scene: Scene, vip: Vip, taker: str) -> Doing[str]:
    """A keepalived without a balancer beside it takes nothing, or what it takes serves nobody."""
    service = keeper(scene, vip)
    beside = (one for one in scene.inventory.services_on(taker) if isinstance(one, HaproxyService))
    units = tuple(dict.fromkeys((*service.units, *(unit for one in beside for unit in one.units))))
    try:
        if service.track_file and (yield from content(service.track_file, taker)):
            return f"{taker} takes no address, its {service.track_file} is set (echo 0 there ends that)"
        done = yield from run(command("systemctl", "is-active", *units), taker)
    except TransportError as error:
        return error.message.rstrip(".")
    states = done.stdout.split()
    dead = [f"{unit} is {state}" for unit, state in zip(units, states, strict=False) if state != "active"]
    if dead or len(states) != len(units):
        return f"{taker} takes no address, {' and '.join(dead) or 'its units do not tell their state'} there"
    return ""
