"""Back into balancing: what was remembered is put back, and a server serves only after a check that has passed.

Leaving maint makes HAProxy show a server UP before it has checked anything. So one that comes out of maint is drained
first: drained servers are checked and get no users. It is made ready when its check has passed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hactl.drivers.verbs.balancer_servers import DRAIN, MAINT, READY, Place, Seen, Stand, look, order
from hactl.model.errors import HactlError
from hactl.model.verb import Doing, Memory, VerbError, now, wait

NOT_UP = "ready, not up"  # in balancing, and it got no users all the same

_POLL = 0.25  # seconds
_UNTOLD = 5.0  # seconds out of maint after which a check with `fall 1` is believed: nothing tells it from none


def remembered(seen: Seen) -> Memory:
    """How every server stands, by place."""
    return {stand.place.key: _state(stand) for stand in seen.stands}


def _state(stand: Stand) -> str:
    return NOT_UP if stand.admin == READY and not stand.back else stand.admin


def wanted(places: Iterable[Place], memory: Memory) -> dict[Place, str]:
    """What each was. A place that nobody remembers (its balancer said nothing then) was ready."""
    return {place: memory.get(place.key, READY) for place in places}


def put_back(places: Iterable[Place], memory: Memory) -> Doing[str]:
    """At once, as it was, nothing verified: what was given up in the middle had not yet gone. Never fails."""
    old = wanted(places, memory)
    try:
        for state in (READY, DRAIN, MAINT):
            yield from order([place for place, was in old.items() if was.partition(",")[0] == state], state)
        seen = yield from look(old, without=True)
    except HactlError as error:
        return f"it could not be put back: {error.message}"
    except VerbError as error:
        return f"it could not be put back: {error.sentence}"
    wrong = [str(one.place) for one in seen.stands if one.admin != old[one.place].partition(",")[0]]
    wrong += [f"what {name} has (it cannot be asked)" for name in seen.silent]
    return f"not put back: {', '.join(wrong)}" if wrong else "everything is as it was"


def returned(old: Mapping[Place, str], *, patience: float, without: bool) -> Doing[Seen]:
    """Each is as it was: drained, in maint, or ready and serving after a check that has passed on every balancer.

    `patience` seconds for the checks, and as many for UP. Raises VerbError; who came out of maint is then in it again.
    """
    ready = {place: was for place, was in old.items() if was in {READY, NOT_UP}}
    for state in (DRAIN, MAINT):
        yield from order([place for place, was in old.items() if was == state], state)
    yield from _checked(ready, patience, without=without)
    yield from order(ready, READY)
    began = yield from now()
    while True:
        seen = yield from look(old, without=without)
        late = [one for one in seen.stands if not _as_was(one, old[one.place])]
        second = yield from now()
        if not late:
            return seen
        if second - began >= patience:
            raise VerbError(f"after {patience:.0f} s: {listed(late)}", remedy="Look at the service and its check.")
        yield from wait(_POLL, f"{late[0].place} to be UP")


def _as_was(stand: Stand, was: str) -> bool:
    if was == READY:
        return stand.back
    return stand.admin == was.partition(",")[0]


def _checked(ready: Mapping[Place, str], patience: float, *, without: bool) -> Doing[None]:
    """Out of maint by way of drain, until the checks of all that were serving have passed."""
    seen = yield from look(ready, without=without)
    maintained = frozenset(one.place for one in seen.stands if one.admin == MAINT)
    yield from order(maintained, DRAIN)
    began = yield from now()
    while True:
        seen = yield from look(ready, without=without)
        second = yield from now()
        late = [one for one in seen.stands if ready[one.place] == READY and not _fit(one, maintained, second - began)]
        if not late:
            return
        if second - began >= patience:
            yield from order(maintained, MAINT)
            raise VerbError(
                f"after {patience:.0f} s its checks have not passed: {listed(late)}; it stays out of balancing",
                remedy="Look at the service and its check.",
            )
        yield from wait(_POLL, f"the check of {late[0].place}")


def _fit(stand: Stand, maintained: frozenset[Place], seconds: float) -> bool:
    if stand.place.alone or not stand.checked:
        return True
    if stand.place in maintained and not stand.check.telling and seconds < _UNTOLD:
        return False
    return stand.check.passed


def listed(stands: Iterable[Stand]) -> str:
    return ", ".join(f"{one.place} is {one}" for one in stands)
