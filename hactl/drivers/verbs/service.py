"""Verbs for systemd units: restart, reload, stop, start. Each proves by systemd's own word that it came true."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar

from hactl.drivers.verbs.command_lines import as_root, known, shown
from hactl.drivers.verbs.service_units import STEADY, UnitStatus, show, steady
from hactl.model.command import Command, command
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
    run,
)

_WORK = 90.0  # seconds that systemctl may take; systemd's own default for a start or a stop
_SETTLE = 30.0  # seconds within which a unit has to be steady once systemctl has returned

_Unit = Annotated[str, About("the systemd unit; empty: the units of `service`", ParameterKind.UNIT)]
_Service = Annotated[str, About("the service of the inventory whose units are meant", ParameterKind.SERVICE)]


@dataclass(frozen=True, slots=True)
class UnitArguments:
    unit: _Unit = ""
    service: _Service = ""


@dataclass(frozen=True, slots=True)
class RestartArguments:
    unit: _Unit = ""
    service: _Service = ""
    after_package: Annotated[
        str,
        About("not needed when the unit has started since this package was last unpacked", ParameterKind.PACKAGE),
    ] = ""


Arguments = UnitArguments | RestartArguments


def units_of(scene: Scene, args: Arguments) -> tuple[str, ...]:
    """The units that are meant; none where the arguments name none."""
    if args.unit:
        return (args.unit,)
    service = scene.inventory.services.get(args.service)
    return service.units if service is not None else ()


class _OfUnits(Verb[Arguments]):
    """What the verbs have in common: whom they are about, and the command, which is `systemctl ACTION UNIT`."""

    arguments: ClassVar[type] = UnitArguments
    action: ClassVar[str]
    undone_by: ClassVar[str] = ""  # the action that takes it back
    usual = STEADY + 2.0

    def problem(self, scene: Scene, args: Arguments) -> str:
        if bool(args.unit) == bool(args.service):
            return "give either `unit` or `service`"
        if args.unit.startswith("-"):
            return f'"{args.unit}" begins like an option'
        if args.unit:
            return ""
        service = scene.inventory.services.get(args.service)
        if service is None:
            return f"there is no service {args.service}"
        if scene.node is not None and scene.node.name not in service.nodes:
            return f"{scene.node.name} does not provide {args.service}"
        return "" if service.units else f"{args.service} has no units"

    def first(self, scene: Scene, args: Arguments) -> tuple[Shown, ...]:
        return tuple(shown(scene, systemctl(self.action, unit)) for unit in units_of(scene, args))

    def rights(self, scene: Scene, args: Arguments) -> tuple[Command, ...]:
        actions = [self.action, *([self.undone_by] if self.undone_by else [])]
        return tuple(systemctl(action, unit) for action in actions for unit in units_of(scene, args))

    def remember(self, scene: Scene, args: Arguments) -> Doing[Memory]:
        states = yield from show(units_of(scene, args))
        return {unit: state.active for unit, state in states.items()}

    def _each(self, scene: Scene, units: tuple[str, ...], action: str) -> Doing[None]:
        for unit in units:
            yield from act(scene, action, unit)


def systemctl(action: str, unit: str) -> Command:
    return as_root("systemctl", action, unit, timeout=_WORK)


def act(scene: Scene, action: str, unit: str) -> Doing[None]:
    """`systemctl ACTION UNIT`, waited for. Raises VerbError when it says that it failed."""
    done = yield from run(systemctl(action, unit))
    if known(scene, done, f"systemctl {action} {unit}") != 0:
        raise VerbError(exit_sentence(done, f"systemctl {action} {unit}"), remedy=f"Look at journalctl -u {unit}.")


def restart_rights(units: tuple[str, ...]) -> tuple[Command, ...]:
    return tuple(systemctl(action, unit) for action in ("restart", "reset-failed") for unit in units)


def restart(scene: Scene, state: UnitStatus) -> Doing[None]:
    # Whoever failed may have failed too often, which its result does not tell: it is that of its first failure.
    if state.result not in {"", "success"}:
        yield from act(scene, "reset-failed", state.name)
    yield from act(scene, "restart", state.name)


class _Renewing(_OfUnits):
    """Restart and reload leave the world as it was, so `do` itself proves them against what it remembers."""

    reads_back = False
    deadline = _WORK + _SETTLE + 30.0

    def remember(self, scene: Scene, args: Arguments) -> Doing[Memory]:
        states = yield from show(units_of(scene, args))
        return {unit: self.mark(state) for unit, state in states.items()}

    @abstractmethod
    def mark(self, state: UnitStatus) -> str:
        """What differs once it has been done."""


class Restart(_Renewing):
    name = "service.restart"
    summary = "Restart a unit, and see that it stays up."
    arguments = RestartArguments
    effect = Effect.INTERRUPTS
    action = "restart"

    def mark(self, state: UnitStatus) -> str:
        return state.life

    def rights(self, scene: Scene, args: Arguments) -> tuple[Command, ...]:
        return restart_rights(units_of(scene, args))

    def check(self, scene: Scene, args: Arguments) -> Doing[Standing]:
        """Done already only where `after_package` says what it is for, and the start is newer than that."""
        states = yield from show(units_of(scene, args))
        sentence = "; ".join(state.sentence for state in states.values())
        package = args.after_package if isinstance(args, RestartArguments) else ""
        if not package or not all(state.runs for state in states.values()):
            return Standing(done=False, sentence=sentence)
        since = yield from unpacked(package)
        done = all(state.started / 1e6 > since for state in states.values())
        return Standing(done, f"{sentence}, started {'after' if done else 'before'} {package} was unpacked")

    def do(self, scene: Scene, args: Arguments, memory: Memory) -> Doing[str]:
        units = units_of(scene, args)
        states = yield from show(units)
        for unit, state in states.items():
            if memory.get(unit) == state.life:
                yield from restart(scene, state)
        after = yield from show(units)
        same = [unit for unit, state in after.items() if memory.get(unit) == state.life]
        if same:
            raise VerbError(f"{', '.join(same)} runs as before: it has not been restarted")
        return "restarted: " + (yield from steady(units, _SETTLE))


class Reload(_Renewing):
    name = "service.reload"
    summary = "Let a unit read its configuration again."
    action = "reload"

    def mark(self, state: UnitStatus) -> str:
        return state.active

    def check(self, scene: Scene, args: Arguments) -> Doing[Standing]:
        states = yield from show(units_of(scene, args))
        return Standing(done=False, sentence="; ".join(state.sentence for state in states.values()))

    def do(self, scene: Scene, args: Arguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - no harm in a second
        units = units_of(scene, args)
        yield from self._each(scene, units, "reload")
        return "reloaded: " + (yield from steady(units, _SETTLE))


class Stop(_OfUnits):
    name = "service.stop"
    summary = "Stop a unit; its undo starts it again where it ran."
    effect = Effect.TAKES_OUT
    has_undo = True
    deadline = _WORK + 10.0
    action = "stop"
    undone_by = "start"

    def check(self, scene: Scene, args: Arguments) -> Doing[Standing]:
        states = yield from show(units_of(scene, args))
        done = all(state.active in {"inactive", "failed"} for state in states.values())
        return Standing(done, "; ".join(state.sentence for state in states.values()))

    def do(self, scene: Scene, args: Arguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - the undo's
        yield from self._each(scene, units_of(scene, args), "stop")
        return f"stopped {', '.join(units_of(scene, args))}"

    def undo(self, scene: Scene, args: Arguments, memory: Memory) -> Doing[str]:
        ran = tuple(unit for unit in units_of(scene, args) if memory.get(unit) == "active")
        if not ran:
            return "nothing ran before"
        yield from self._each(scene, ran, "start")
        return "started again: " + (yield from steady(ran, _SETTLE))


class Start(_OfUnits):
    name = "service.start"
    summary = "Start a unit and see that it stays up; its undo stops it again where it did not run."
    effect = Effect.BRINGS_BACK
    has_undo = True
    deadline = _WORK + _SETTLE + 10.0
    action = "start"
    undone_by = "stop"

    def check(self, scene: Scene, args: Arguments) -> Doing[Standing]:
        states = yield from show(units_of(scene, args))
        return Standing(
            all(state.runs for state in states.values()),
            "; ".join(state.sentence for state in states.values()),
            hopeless=any(state.load == "masked" for state in states.values()),
        )

    def do(self, scene: Scene, args: Arguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - the undo's
        units = units_of(scene, args)
        yield from self._each(scene, units, "start")
        return "started: " + (yield from steady(units, _SETTLE))

    def undo(self, scene: Scene, args: Arguments, memory: Memory) -> Doing[str]:
        still = tuple(unit for unit in units_of(scene, args) if memory.get(unit, "active") != "active")
        yield from self._each(scene, still, "stop")
        return f"stopped {', '.join(still)}" if still else "all of it ran before"


# When a package was last unpacked, on the clock that systemd counts a unit's start by (CLOCK_MONOTONIC, seconds): the
# file's age, taken from the node's uptime. All are the node's own, so its wall clock may be wrong if it runs evenly.
_UNPACKED = """
set -- /var/lib/dpkg/info/"$1".list /var/lib/dpkg/info/"$1":*.list
for file do [ ! -e "$file" ] || found=$file; done
[ -n "${found:-}" ] || { echo "no such package is installed" >&2; exit 1; }
stat -c %.Y -- "$found"; date +%s.%N; cut -d ' ' -f 1 /proc/uptime
"""


def unpacked(package: str) -> Doing[float]:
    """Comparable with `UnitStatus.started`, in seconds."""
    done = yield from run(command("sh", "-c", _UNPACKED, "sh", package))
    if not done.ok:
        raise VerbError(exit_sentence(done, f"looking when {package} was unpacked"))
    try:
        changed, wall, uptime = map(float, done.stdout.split())
    except ValueError:
        raise VerbError(f"when {package} was unpacked was not told") from None
    return uptime - (wall - changed)


VERBS: tuple[AnyVerb, ...] = (Restart(), Reload(), Stop(), Start())
