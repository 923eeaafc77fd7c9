"""The service that a package's files are the code of: after the old files, the old code has to run again as well.

Many packages restart their service when they are configured, others leave that to somebody else.
"""

from __future__ import annotations

from hactl.drivers.verbs.service import restart, unpacked
from hactl.drivers.verbs.service_units import UnitStatus, show, steady
from hactl.model.verb import Doing, Memory, Scene

_SETTLE = 30.0  # seconds within which restarted units have to be steady


def lives(units: tuple[str, ...]) -> Doing[Memory]:
    """What runs now, to be remembered before the package changes."""
    states = yield from show(units)
    return {_key(unit): state.life if state.runs else "" for unit, state in states.items()}


def back(scene: Scene, units: tuple[str, ...], package: str, memory: Memory) -> Doing[str]:
    """Restart what ran and does not run the code that is installed now. The sentence; "" where nothing had to be."""
    if not units:
        return ""
    states = yield from show(units)
    since = yield from unpacked(package)
    stale = [state for unit, state in states.items() if _is_stale(state, memory.get(_key(unit), ""), since)]
    for state in stale:
        yield from restart(scene, state)
    return "restarted: " + (yield from steady((state.name for state in stale), _SETTLE)) if stale else ""


def _is_stale(state: UnitStatus, before: str, since: float) -> bool:
    """A process that has lived through it all was started from the old files, and runs their code still."""
    if not before:
        return False
    return not state.runs or (state.life != before and state.started / 1e6 < since)


def _key(unit: str) -> str:
    return f"life of {unit}"
