"""Moving a VIP from one balancer to another, by the track_file that makes keepalived give its addresses up.

The truth is `ip addr` on every node that may hold the address: right is exactly one holder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs.vip_holders import CLEAR, awaited, files, holders, vips, write, written
from hactl.drivers.verbs.vip_takers import MARK, content, keeper, nobody
from hactl.model.command import command
from hactl.model.errors import TransportError
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Node, Vip
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

_STAYS = 5.0  # seconds after which a keepalived that preempts would have taken it back


@dataclass(frozen=True, slots=True)
class MoveArguments:
    vip: Annotated[str, About("the address to give up; empty: every one the node holds", ParameterKind.VIP)] = ""
    to: Annotated[str, About("who has to have it then; empty: whoever takes it", ParameterKind.NODE)] = ""
    back: Annotated[bool, About("whether its undo moves it back, which cuts connections a second time")] = True


class Move(Verb[MoveArguments]):
    """The step's node gives the address up. With three balancers or more keepalived chooses who takes it."""

    name = "vip.move"
    summary = "Let the node give its VIP up to another balancer; it stays ready to take it again."
    arguments = MoveArguments
    has_undo = True
    effect = Effect.MOVES_VIP
    deadline = 60.0
    usual = 2.0 + _STAYS

    def problem(self, scene: Scene, args: MoveArguments) -> str:
        node = scene.target.name
        found = vips(scene, args.vip)
        if not found:
            return f"{node} is no candidate for {args.vip or 'any VIP'}"
        for vip in found:
            service = keeper(scene, vip)
            if len(service.nodes) < 2:
                return f"nobody else may hold {vip.name}"
            if service.track_file is None:
                return (
                    f"the inventory names no track_file of {service.name}, so nothing makes a node give {vip.name} up"
                )
            if args.to and (args.to == node or args.to not in service.nodes):
                return f"{args.to} cannot take {vip.name} from {node}"
        return ""

    def first(self, scene: Scene, args: MoveArguments) -> tuple[Shown, ...]:
        node = scene.target.name
        return tuple(
            Shown(node, f"echo {MARK} | {written(path, text=MARK).shown()}") for path in files(scene, args.vip)
        )

    def preflight(self, scene: Scene, args: MoveArguments) -> Doing[tuple[GuardVerdict, ...]]:
        """Whether the files may be written, for which sudo is not needed, and whether somebody would take over."""
        found = []
        for path in files(scene, args.vip):
            done = yield from run(command("test", "-w", path))
            if not done.ok:
                user = scene.target.ssh.user or "the login user"
                said = (
                    f"{path} may not be written by {user} on {scene.target.name}: give it a group of theirs, mode 664"
                )
                found.append(GuardVerdict("sudo", Ruling.REFUSE, said, scene.target.name, can_override=False))
        node = scene.target.name
        for vip in vips(scene, args.vip):
            held = yield from holders(scene, vip)
            why = (yield from nobody(scene, vip, node, args.to)) if node in held.names else ""
            if why:
                found.append(GuardVerdict("minimum-available", Ruling.REFUSE, why, node, can_override=False))
        return tuple(found)

    def check(self, scene: Scene, args: MoveArguments) -> Doing[Standing]:
        node, facts, wrong, asked = scene.target.name, {}, [], True
        for vip in vips(scene, args.vip):
            found = yield from holders(scene, vip)
            facts[vip.name] = str(found)
            asked = asked and node not in found.silent
            if not found.moved(node, args.to):
                wrong.append(f"{vip.name} ({vip.address}): {found}")
        for path in files(scene, args.vip) if asked else ():
            said = yield from content(path, node)
            if said == MARK:
                wrong.append(f"{path} on {node} is still set, by a move that was cut off")
            elif said:
                facts[path] = f"set on {node}: it takes no address"
        said = "; ".join(wrong or (f"{name}: {held}" for name, held in facts.items()))
        return Standing(done=not wrong, sentence=said, facts=facts)

    def remember(self, scene: Scene, args: MoveArguments) -> Doing[Memory]:
        memory = {}
        for vip in vips(scene, args.vip):
            found = yield from holders(scene, vip)
            memory[vip.name] = found.one
        for path in files(scene, args.vip):
            said = yield from content(path, scene.target.name)
            memory[path] = "clear" if said in {"", MARK} else "set"
        return memory

    def do(self, scene: Scene, args: MoveArguments, memory: Memory) -> Doing[str]:
        node = scene.target
        mine = [vip for vip in vips(scene, args.vip) if memory.get(vip.name, node.name) == node.name]
        for vip in mine:
            if why := (yield from nobody(scene, vip, node.name, args.to)):
                raise VerbError(f"{why}; {node.name} keeps it")
        yield from _given_up(scene, node, mine, args.to)
        yield from _cleared(scene, args)
        return f"{node.name} gave up {', '.join(vip.name for vip in mine) or 'nothing'}"

    def undo(self, scene: Scene, args: MoveArguments, memory: Memory) -> Doing[str]:
        """Whoever has it now gives it back; a file that was left set, because all ended in the middle, is cleared."""
        node, back = scene.target, []
        yield from _cleared(scene, args)
        for vip in vips(scene, args.vip) if args.back else ():
            found = yield from holders(scene, vip)
            if memory.get(vip.name) != node.name or found.one in {node.name, ""}:
                continue
            yield from _given_up(scene, scene.inventory.nodes[found.one], [vip], node.name)
            back.append(vip.name)
        if back:
            return f"{node.name} has {', '.join(back)} again"
        return "nothing had moved" if args.back else "it stays where it is"


VERBS: tuple[AnyVerb, ...] = (Move(),)


# --- giving it up ---------------------------------------------------------------------------------------------


def _given_up(scene: Scene, node: Node, vips: Iterable[Vip], to: str) -> Doing[None]:
    """The file is set until another node has the address alone, then cleared, whatever came of it."""
    for vip in vips:
        path = keeper(scene, vip).track_file or ""
        try:
            yield from write(node, path, text=MARK)
            found = yield from awaited(scene, vip, node.name, to)
        except (VerbError, TransportError):
            yield from write(node, path, text=CLEAR)
            raise
        yield from write(node, path, text=CLEAR)
        began = yield from now()
        while (yield from now()) - began < _STAYS:
            yield from wait(1.0, f"{found.one} to keep {vip.name}")
            again = yield from holders(scene, vip)
            if node.name in again.names:
                raise VerbError(
                    f"{node.name} took {vip.name} back as soon as it could: it preempts",
                    remedy=f"`hactl vip release {node.name}` keeps it away; or set `nopreempt` in keepalived.conf.",
                )


def _cleared(scene: Scene, args: MoveArguments) -> Doing[None]:
    """What a move that was cut off has left set; what an operator has set stays."""
    node = scene.target
    for path in files(scene, args.vip):
        if (yield from content(path, node.name)) == MARK:
            yield from write(node, path, text=CLEAR)
