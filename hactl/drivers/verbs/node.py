"""Verbs for a whole node: its reboot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs.command_lines import answered, as_root, shown
from hactl.drivers.verbs.service_units import show
from hactl.model.command import Command, command
from hactl.model.errors import BecomeDeniedError, TransportError
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
    exit_sentence,
    now,
    run,
    tell,
    wait,
)

_BOOT = "/proc/sys/kernel/random/boot_id"
_BETWEEN = 2.0  # seconds between two looks
_UP = frozenset({"running", "degraded"})


@dataclass(frozen=True, slots=True)
class RebootArguments:
    within: Annotated[
        float, About("how long it may take until the node and its services are up again", ParameterKind.DURATION)
    ] = 300.0


class Reboot(Verb[RebootArguments]):
    """Every answer and every silence while the node is away is data; only its end, or the deadline, counts."""

    name = "node.reboot"
    summary = "Reboot the node and wait until it and its services are up again."
    arguments = RebootArguments
    reads_back = False
    effect = Effect.INTERRUPTS
    deadline = 330.0
    usual = 60.0

    def first(self, scene: Scene, args: RebootArguments) -> tuple[Shown, ...]:  # noqa: ARG002 - the same for all
        return (shown(scene, _reboot()),)

    def rights(self, scene: Scene, args: RebootArguments) -> tuple[Command, ...]:  # noqa: ARG002 - the same for all
        return (_reboot(),)

    def check(self, scene: Scene, args: RebootArguments) -> Doing[Standing]:  # noqa: ARG002 - asked of its node
        boot = yield from _boot_id()
        return Standing(done=False, sentence=f"runs since boot {boot[:8]}", facts={"boot": boot})

    def remember(self, scene: Scene, args: RebootArguments) -> Doing[Memory]:  # noqa: ARG002 - asked of its node
        return {"boot": (yield from _boot_id())}

    def do(self, scene: Scene, args: RebootArguments, memory: Memory) -> Doing[str]:
        before = memory["boot"]
        began = yield from now()
        if (yield from _boot_id()) == before:
            yield from _ask_for_it()
        waiting = ""
        while True:
            waiting = yield from _not_up_yet(scene, before)
            took = (yield from now()) - began
            if not waiting:
                return f"{scene.target.name} is up again after {took:.0f} s"
            if took >= args.within:
                raise VerbError(f"{scene.target.name} is not up again after {took:.0f} s: {waiting}")
            yield from tell(waiting, seconds=took)
            yield from wait(_BETWEEN, "the node to come back")


def _reboot() -> Command:
    return as_root("systemctl", "reboot", timeout=15.0)


def _boot_id() -> Doing[str]:
    done = yield from run(command("cat", _BOOT))
    return answered(done, f"reading {_BOOT}").stdout.strip()


def _ask_for_it() -> Doing[None]:
    """The connection may die before the answer comes: whether it worked is then seen by the boot id."""
    try:
        done = yield from run(_reboot())
    except BecomeDeniedError:
        raise
    except TransportError:
        return
    if isinstance(done.exit, int) and done.exit not in {0, 128 + 15, 255}:  # ended by the shutdown itself
        raise VerbError(exit_sentence(done, "systemctl reboot"))


def _not_up_yet(scene: Scene, before: str) -> Doing[str]:
    """What is still missing; "" when the node and the units of all its services are up."""
    try:
        if (yield from _boot_id()) == before:
            return "still going down"
        state = (yield from run(command("systemctl", "is-system-running"))).stdout.strip()
        if state not in _UP:
            return f"the system is {state or 'not telling its state'}"
        units = dict.fromkeys(unit for one in scene.inventory.services_on(scene.target.name) for unit in one.units)
        states = yield from show(units)
    except TransportError as error:
        return error.message
    except VerbError as error:
        return error.sentence
    return next((one.sentence for one in states.values() if not one.runs), "")


VERBS: tuple[AnyVerb, ...] = (Reboot(),)
