"""What systemd says of units, and the proof that a unit runs and goes on running."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hactl.model.command import command
from hactl.model.verb import Doing, VerbError, exit_sentence, now, run, wait

STEADY = 2.0  # seconds that a unit has to stay up before it counts as started
_PAUSE = 0.5
_PROPERTIES = (
    *("LoadState", "ActiveState", "SubState", "Result", "NRestarts", "MainPID", "InvocationID", "Type"),
    *("ExecMainStartTimestampMonotonic", "StateChangeTimestampMonotonic"),
)


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """One unit at one moment. `started` is when its main process began, microseconds of the node's own clock."""

    name: str
    load: str
    active: str
    sub: str
    result: str
    restarts: int
    pid: int
    invocation: str
    started: int

    @property
    def runs(self) -> bool:
        return self.active == "active"

    @property
    def sentence(self) -> str:
        return f"{self.name} is {self.active} ({self.sub})"

    @property
    def life(self) -> str:
        """Differs whenever the unit or its main process has been started anew."""
        return f"{self.invocation}/{self.started}/{self.pid}"


def show(units: Iterable[str]) -> Doing[Mapping[str, UnitStatus]]:
    """The state of each unit. Raises VerbError when systemd does not know one, or cannot be asked."""
    names = tuple(units)
    found = {}
    for name in names:
        done = yield from run(command("systemctl", "show", "-p", ",".join(_PROPERTIES), "--", name))
        told = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
        if not done.ok or not {"LoadState", "ActiveState", "SubState"} <= told.keys():
            raise VerbError(exit_sentence(done, "systemctl show") if not done.ok else f"{name}: no state was told")
        if told["LoadState"] == "not-found":
            raise VerbError(f"systemd knows no {name}")
        found[name] = _status(name, told)
    return found


def _status(name: str, told: Mapping[str, str]) -> UnitStatus:
    def count(key: str) -> int:
        return int(told[key]) if told.get(key, "").isdigit() else 0

    # A unit without a process of its own (a target, a finished oneshot) has no main start: its last change counts.
    started = count("ExecMainStartTimestampMonotonic") or count("StateChangeTimestampMonotonic")
    return UnitStatus(
        name=name,
        load=told["LoadState"],
        active=told["ActiveState"],
        sub=told["SubState"],
        result=told.get("Result", ""),
        restarts=count("NRestarts"),
        pid=count("MainPID"),
        invocation=told.get("InvocationID", ""),
        started=started,
    )


def steady(units: Iterable[str], seconds: float) -> Doing[str]:
    """Waits until all of them run and have gone on running, without a new start, for STEADY seconds.

    Returns the sentence. Raises VerbError when one has failed, or when they do not within `seconds`.
    """
    names = tuple(units)
    end = (yield from now()) + seconds
    since, lives = None, None
    while True:
        states = (yield from show(names)).values()
        moment = yield from now()
        failed = next((state for state in states if state.active == "failed"), None)
        if failed is not None:
            raise VerbError(f"{failed.sentence}: {failed.result}")
        alive = tuple(state.life for state in states) if all(state.runs for state in states) else None
        if alive is None or alive != lives:
            since, lives = moment, alive
        elif since is not None and moment - since >= STEADY:
            return "; ".join(state.sentence for state in states)
        if moment >= end:
            raise VerbError(f"after {seconds:.0f} s {'; '.join(state.sentence for state in states)}")
        yield from wait(_PAUSE, "whether it stays up")
