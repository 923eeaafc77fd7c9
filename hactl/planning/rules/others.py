"""Is somebody else at work, and is it a time to work at all?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from hactl.model.assess.members import word
from hactl.model.assess.notes import note_of
from hactl.model.inventory import MaintenanceWindow, Pool
from hactl.model.units import duration, moment
from hactl.model.verb import Effect
from hactl.planning.case import Case
from hactl.planning.rules.remark import Remark, listed, refuse, warn

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = 24 * 60


def other_run(case: Case) -> Iterator[Remark]:
    for ref in case.world.history.unfinished:
        since = moment(ref.since, case.world.wall)
        if ref.alive:
            yield refuse(f"run {ref.run} ({ref.playbook}) of {ref.who} has been under way since {since}")
        else:
            yield refuse(
                f"run {ref.run} ({ref.playbook}) of {ref.who}, begun {since}, was broken off and is not finished: "
                f"hactl runs resume {ref.run}, or hactl runs undo {ref.run}"
            )


def other_drain(case: Case) -> Iterator[Remark]:
    """Members that somebody has taken out, and not this run. Only one that is taken out once more does no harm."""
    ends = {step.effect for step in case.steps}
    mere_drain = Effect.TAKES_OUT in ends and not ends & {Effect.INTERRUPTS, Effect.BRINGS_BACK} and not case.begun
    for pool in case.pools:
        for member in case.members(pool):
            if not member.drained_on or member.node in case.own:
                continue
            if mere_drain and member.node in case.nodes:
                continue
            how = word(member.seen[member.drained_on[0]])
            so = f"{member.node} is {how} in {pool.name} on {listed(member.drained_on)}"
            mine = "; this run would bring it back" if member.node in case.nodes else ""
            say = warn if mere_drain else refuse
            whom = _by_whom(case, pool, member.node)
            yield say(f"{so}, for {duration(member.changed)}, {whom}{mine}", node=member.node, pool=pool.name)


def _by_whom(case: Case, pool: Pool, node: str) -> str:
    note = note_of(case.picture.state, pool, node, case.picture.now)
    if note is None:
        return "by whom is not known"
    return f"by {note.who}" + (f" ({note.why})" if note.why else "")


def maintenance_window(case: Case) -> Iterator[Remark]:
    windows = case.inventory.maintenance
    if not windows:
        return
    now = datetime.fromtimestamp(case.world.wall, UTC)
    if not any(inside(window, now) for window in windows):
        yield refuse(
            f"{_DAYS[now.weekday()]} {now:%H:%M} UTC is outside of the maintenance windows: "
            f"{listed(shown(window) for window in windows)} UTC"
        )


def inside(window: MaintenanceWindow, now: datetime) -> bool:
    """One that ends before it begins goes on into the next day; one that ends when it begins lasts a day."""
    minute = now.hour * 60 + now.minute
    end = window.end if window.end > window.begin else window.end + _DAY
    return any(
        (now.weekday() - back) % 7 in window.days and window.begin <= minute + back * _DAY < end for back in (0, 1)
    )


def shown(window: MaintenanceWindow) -> str:
    days = "daily" if len(set(window.days)) == 7 else ", ".join(_DAYS[day] for day in window.days)
    return f"{days} {_clock(window.begin)}-{_clock(window.end)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
