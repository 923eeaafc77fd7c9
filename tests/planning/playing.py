"""Verbs that do nothing, playbooks made of them, and plans of both on the lab's inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from hactl.model.command import Command
from hactl.model.inventory import Inventory
from hactl.model.parameters import About, Parameter, ParameterKind, Value
from hactl.model.picture import Picture
from hactl.model.plan import History, Looked, Plan, Request
from hactl.model.playbook import Playbook, Ref, Step, Targets
from hactl.model.verb import AnyVerb, Doing, Effect, Memory, Scene, Shown, Standing, Verb
from hactl.planning.draft import draft
from hactl.planning.finish import finished
from hactl.planning.world import World
from tests.model.builders import EPOCH, NOW, Cluster

WALL = EPOCH + NOW


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


@dataclass(frozen=True, slots=True)
class Package:
    package: Annotated[str, About("which", ParameterKind.PACKAGE)]
    version: Annotated[str, About("which version", ParameterKind.VERSION)] = ""


@dataclass(frozen=True, slots=True)
class Unit:
    unit: Annotated[str, About("which", ParameterKind.UNIT)] = ""


@dataclass(frozen=True, slots=True)
class Words:
    argv: Annotated[tuple[str, ...], About("what to run")] = ("true",)
    changes: Annotated[bool, About("whether it changes anything")] = True


@dataclass(frozen=True, slots=True)
class Seconds:
    seconds: Annotated[float, About("how long", ParameterKind.DURATION)] = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    service: Annotated[str, About("which", ParameterKind.SERVICE)] = "database"


class Still(Verb[object]):
    """Says what it would do, and does nothing."""

    arguments = Nothing

    def first(self, scene: Scene, args: object) -> tuple[Shown, ...]:
        return (Shown(scene.node.name if scene.node else "", f"{self.name} {args}"),)

    def check(self, scene: Scene, args: object) -> Doing[Standing]:
        yield from ()
        return Standing(done=False, sentence="")

    def do(self, scene: Scene, args: object, memory: Memory) -> Doing[str]:
        yield from ()
        return ""

    def rights(self, scene: Scene, args: object) -> tuple[Command, ...]:
        return ()


class Drain(Still):
    name = "balancer.drain"
    effect = Effect.TAKES_OUT
    has_undo = True

    def problem(self, scene: Scene, args: object) -> str:
        return "" if scene.inventory.pools_of(scene.target.name) else f"{scene.target.name} is in no pool"


class Undrain(Still):
    name = "balancer.undrain"
    effect = Effect.BRINGS_BACK
    has_undo = True


class Upgrade(Still):
    name = "package.upgrade"
    arguments = Package
    effect = Effect.INTERRUPTS
    has_undo = True


class Restart(Still):
    name = "service.restart"
    arguments = Unit
    effect = Effect.INTERRUPTS


class Reboot(Still):
    name = "node.reboot"
    effect = Effect.INTERRUPTS
    irreversible = True


class Run(Still):
    name = "command"
    arguments = Words


class Healthy(Still):
    name = "check.healthy"
    mutates = False


class Pause(Still):
    name = "pause"
    arguments = Seconds
    per_node = False
    mutates = False

    def seconds(self, args: object) -> float:
        return args.seconds


class MoveVip(Still):
    name = "vip.move"
    per_node = True
    effect = Effect.MOVES_VIP


class Fence(Still):
    name = "postgresql.fence"
    arguments = Service
    effect = Effect.INTERRUPTS


class Promote(Still):
    name = "postgresql.promote"
    arguments = Service


VERBS: Mapping[str, AnyVerb] = {
    verb.name: verb
    for verb in (
        Drain(),
        Undrain(),
        Upgrade(),
        Restart(),
        Reboot(),
        Run(),
        Healthy(),
        Pause(),
        MoveVip(),
        Fence(),
        Promote(),
    )
}

SHOP = Targets(service="shop")


def step(verb: str, name: str = "", **fields: object) -> Step:
    arguments = fields.pop("arguments", {})
    return Step(name or verb.rpartition(".")[2], verb, arguments, **fields)


def playbook(*steps: Step, targets: Targets | None = SHOP, name: str = "test", **fields: object) -> Playbook:
    parameters = {one.name: one for one in fields.pop("parameters", ())}
    return Playbook(name, name.title(), "", parameters, targets, steps, **fields)


def upgrade(**targets: object) -> Playbook:
    """As the rolling upgrade that ships: out, upgraded, well, in again."""
    return playbook(
        step("balancer.drain"),
        step("package.upgrade", "upgrade", arguments={"package": "shop", "version": Ref("to")}),
        step("check.healthy", "health"),
        step("balancer.undrain"),
        targets=replace(Targets(service="shop", needed=("upgrade",)), **targets),
        parameters=(Parameter("to", ParameterKind.VERSION, "the version", default=""),),
        name="rolling-upgrade",
    )


def drain(limit: str = "app1") -> Playbook:
    return playbook(step("balancer.drain"), targets=Targets(limit=limit), name="drain")


def undrain(limit: str = "app1") -> Playbook:
    return playbook(step("balancer.undrain"), targets=Targets(limit=limit), name="undrain")


def reboot(limit: str) -> Playbook:
    return playbook(step("node.reboot"), targets=Targets(limit=limit), name="reboot")


def restart(limit: str, unit: str = "") -> Playbook:
    steps = step("service.restart", arguments={"unit": unit})
    return playbook(steps, targets=Targets(limit=limit), name="restart")


def run_command(limit: str = "app1") -> Playbook:
    return playbook(step("command", arguments={"argv": ("uptime",)}), targets=Targets(limit=limit), name="run-command")


def look(limit: str = "app1") -> Playbook:
    return playbook(step("check.healthy"), targets=Targets(limit=limit), name="look")


def drafted(
    book: Playbook,
    picture: Picture | Cluster | None = None,
    *,
    history: History | None = None,
    inventory: Inventory | None = None,
    parameters: Mapping[str, Value] | None = None,
    idle: Mapping[str, str] | None = None,
    **request: object,
) -> Plan:
    shown = _picture(picture)
    wanted = Request(book.name, parameters or {}, **request)
    return draft(book, wanted, world(shown, inventory, history), VERBS, idle or {})


def planned(
    book: Playbook,
    picture: Picture | Cluster | None = None,
    *,
    looked: tuple[Looked, ...] = (),
    history: History | None = None,
    inventory: Inventory | None = None,
    wall: float = WALL,
    **request: object,
) -> Plan:
    shown = _picture(picture)
    first = drafted(book, shown, history=history, inventory=inventory, **request)
    return finished(first, looked, world(shown, inventory, history, wall))


def world(
    picture: Picture, inventory: Inventory | None = None, history: History | None = None, wall: float = WALL
) -> World:
    return World(inventory or picture.state.inventory, picture, wall, history or History())


def refused(plan: Plan) -> set[str]:
    return {verdict.guard for verdict in plan.refusals}


def warned(plan: Plan) -> set[str]:
    return {verdict.guard for verdict in plan.verdicts if verdict.ruling == "warn"}


def said(plan: Plan, guard: str) -> list[str]:
    return [verdict.sentence for verdict in plan.verdicts if verdict.guard == guard]


def _picture(picture: Picture | Cluster | None) -> Picture:
    if picture is None:
        picture = Cluster()
    return picture.picture() if isinstance(picture, Cluster) else picture
