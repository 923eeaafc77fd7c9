"""Keeping a balancer from taking addresses, and letting it again: its track_file, for as long as an operator wants.

Unlike a move, a hold stays: over reloads, restarts and reboots, and under a keepalived that preempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs.vip_holders import CLEAR, HOLD, Holders, awaited, files, holders, vips, write, written
from hactl.drivers.verbs.vip_takers import MARK, content, keeper, nobody
from hactl.model.command import command
from hactl.model.errors import TransportError
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Vip
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Effect,
    Memory,
    Scene,
    Shown,
    Standing,
    Verb,
    VerbError,
    now,
    run,
    wait,
)

_SETTLES = 6.0  # seconds in which a keepalived that preempts takes an address back, and everybody agrees


@dataclass(frozen=True, slots=True)
class HoldArguments:
    vip: Annotated[str, About("the address; empty: every one that the node may hold", ParameterKind.VIP)] = ""


class _Held(Verb[HoldArguments]):
    """What holding and ending a hold share: the same files, written with another word."""

    arguments = HoldArguments
    has_undo = True
    deadline = 60.0
    text: str  # what it writes

    def problem(self, scene: Scene, args: HoldArguments) -> str:
        node, found = scene.target.name, vips(scene, args.vip)
        if not found:
            return f"{node} is no candidate for {args.vip or 'any VIP'}"
        bare = [keeper(scene, vip).name for vip in found if keeper(scene, vip).track_file is None]
        return (
            f"the inventory names no track_file of {bare[0]}, so nothing keeps a node from an address" if bare else ""
        )

    def first(self, scene: Scene, args: HoldArguments) -> tuple[Shown, ...]:
        return tuple(
            Shown(scene.target.name, f"echo {self.text} | {written(path, text=self.text).shown()}")
            for path in files(scene, args.vip)
        )

    def preflight(self, scene: Scene, args: HoldArguments) -> Doing[tuple[GuardVerdict, ...]]:
        found = []
        for path in files(scene, args.vip):
            done = yield from run(command("test", "-w", path))
            if not done.ok:
                user = scene.target.ssh.user or "the login user"
                said = f"{path} may not be written by {user} on {scene.target.name}"
                found.append(GuardVerdict("sudo", Ruling.REFUSE, said, scene.target.name, can_override=False))
        return tuple(found)

    def remember(self, scene: Scene, args: HoldArguments) -> Doing[Memory]:
        memory = {}
        for path in files(scene, args.vip):
            said = yield from content(path, scene.target.name)
            memory[path] = CLEAR if said in {"", MARK} else said
        return memory

    def undo(self, scene: Scene, args: HoldArguments, memory: Memory) -> Doing[str]:
        for path in files(scene, args.vip):
            yield from write(scene.target, path, text=memory.get(path, CLEAR))
        return f"{scene.target.name} may take addresses as before"


class Hold(_Held):
    """The node gives the address up, and takes it no more until the hold is ended."""

    name = "vip.hold"
    summary = "Let the node give its VIP up and keep it from taking it again, until vip.unhold."
    effect = Effect.MOVES_VIP
    text = HOLD

    def preflight(self, scene: Scene, args: HoldArguments) -> Doing[tuple[GuardVerdict, ...]]:
        found = yield from super().preflight(scene, args)
        node, more = scene.target.name, []
        for vip in vips(scene, args.vip):
            held = yield from holders(scene, vip)
            why = (yield from nobody(scene, vip, node, "")) if node in held.names else ""
            if why:
                more.append(GuardVerdict("minimum-available", Ruling.REFUSE, why, node, can_override=False))
        return (*found, *more)

    def check(self, scene: Scene, args: HoldArguments) -> Doing[Standing]:
        node, facts, wrong = scene.target.name, {}, []
        for path in files(scene, args.vip):
            said = yield from content(path, node)
            if said in {"", MARK}:
                wrong.append(f"nothing in {path} keeps {node} from taking an address")
        for vip in vips(scene, args.vip):
            found = yield from holders(scene, vip)
            facts[vip.name] = str(found)
            if not found.moved(node, ""):
                wrong.append(f"{vip.name} ({vip.address}): {found}")
        said = "; ".join(wrong or (f"{name}: {held}, {node} takes it no more" for name, held in facts.items()))
        return Standing(done=not wrong, sentence=said, facts=facts)

    def do(self, scene: Scene, args: HoldArguments, memory: Memory) -> Doing[str]:
        node, moved = scene.target, []
        for vip in vips(scene, args.vip):
            path = keeper(scene, vip).track_file or ""
            before = yield from holders(scene, vip)
            if node.name in before.names and (why := (yield from nobody(scene, vip, node.name, ""))):
                raise VerbError(f"{why}; {node.name} keeps it")
            try:
                yield from write(node, path, text=HOLD)
                found = yield from awaited(scene, vip, node.name, "")
            except (VerbError, TransportError):
                yield from write(node, path, text=memory.get(path, CLEAR))
                raise
            moved.append(f"{vip.name} is {found}")
        return f"{'; '.join(moved)}; {node.name} takes it no more"


class Unhold(_Held):
    """The node may take the address again. Under a keepalived that preempts it may do so at once."""

    name = "vip.unhold"
    summary = "End a hold: the node may take its VIP again."
    effect = Effect.NONE
    text = CLEAR

    def check(self, scene: Scene, args: HoldArguments) -> Doing[Standing]:
        node, held, facts = scene.target.name, [], {}
        for path in files(scene, args.vip):
            said = yield from content(path, node)
            if said:
                held.append(f"{path} on {node} says {said}: it takes no address")
        for vip in vips(scene, args.vip):
            found = yield from holders(scene, vip)
            facts[vip.name] = str(found)
            if not found.one or found.silent:
                held.append(f"{vip.name} ({vip.address}): {found}")
        said = "; ".join(held or (f"{name}: {holder}, {node} may take it" for name, holder in facts.items()))
        return Standing(done=not held, sentence=said, facts=facts)

    def do(self, scene: Scene, args: HoldArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - the signature of all
        node = scene.target
        for path in files(scene, args.vip):
            yield from write(node, path, text=CLEAR)
        said = []
        for vip in vips(scene, args.vip):
            found = yield from _settled(scene, vip)
            said.append(f"{vip.name} is {found}")
        return f"{node.name} may take addresses again; {'; '.join(said)}"


VERBS: tuple[AnyVerb, ...] = (Hold(), Unhold())


def _settled(scene: Scene, vip: Vip) -> Doing[Holders]:
    """Who has it once nobody takes it from anybody any more."""
    began = yield from now()
    found = yield from holders(scene, vip)
    while (yield from now()) - began < _SETTLES:
        yield from wait(1.0, f"{vip.name} to stay where it is")
        found = yield from holders(scene, vip)
    if not found.one:
        raise VerbError(f"{vip.name} ({vip.address}) is {found}")
    return found
