"""Back into balancing: what was remembered is put back, and a server serves only after a check that has passed.

Leaving maint makes HAProxy show a server UP before it has checked anything. So a server comes out of maint into drain,
where it is checked and gets no users, and is made ready when a check has passed there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

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


def put_back(places: Iterable[Place], memory: Memory, silent: Collection[str] = ()) -> Doing[str]:
    """At once, as it was, nothing verified: what was given up in the middle had not yet gone. Never fails.

    Balancers that are `silent` already are not tried again.
    """
    old = {
        place: was.partition(",")[0] for place, was in wanted(places, memory).items() if place.balancer not in silent
    }
    try:
        yield from order(old)
        seen = yield from look(old, without=True)
    except (HactlError, VerbError) as error:
        why = error.sentence if isinstance(error, VerbError) else error.message
        return f"it could not be put back: {why}"
    wrong = [str(one.place) for one in seen.stands if one.admin != old[one.place]]
    wrong += [f"what {name} has (it cannot be asked)" for name in (*silent, *seen.silent)]
    return f"not put back: {', '.join(wrong)}; all else is as it was" if wrong else "everything is as it was"


def as_it_was(seen: Seen, old: Mapping[Place, str]) -> bool:
    """Whether nothing was ever done: every order stands as it was remembered."""
    return all(one.admin == old[one.place].partition(",")[0] for one in seen.stands)


def from_new(stands: Collection[Stand]) -> Doing[tuple[Place, ...]]:
    """Those that are drained and empty go into maint and out of it, so that their check has to prove itself as well.

    Those that are in maint come out of it: also what was cut off between the two is brought to its end.
    """
    again = tuple(one.place for one in stands if one.admin == DRAIN and not one.server.sessions and one.checked)
    maintained = tuple(one.place for one in stands if one.admin == MAINT)
    yield from order(dict.fromkeys(again, MAINT))
    yield from order(dict.fromkeys((*again, *maintained), DRAIN))
    return (*again, *maintained)


def returned(old: Mapping[Place, str], *, patience: float, without: bool, rechecked: bool = False) -> Doing[Seen]:
    """Each is as it was: drained, in maint, or ready and serving after a check that has passed on every balancer.

    `patience` seconds for the checks, and as many for UP. `rechecked`: `from_new` was done a while ago. Raises
    VerbError; who came out of maint is then in it again.
    """
    ready = {place: was for place, was in old.items() if was in {READY, NOT_UP}}
    yield from order({place: was for place, was in old.items() if place not in ready})
    serving = [place for place, was in ready.items() if was == READY and not place.alone]
    yield from _checked(serving, patience, without=without, rechecked=rechecked)
    yield from order(dict.fromkeys(ready, READY))
    began = yield from now()
    while True:
        seen = yield from look(old, without=without)
        late = [one for one in seen.stands if not _as_was(one, old[one.place])]
        second = yield from now()
        if not late:
            return seen
        if second - began >= patience:
            raise VerbError(f"after {patience:.0f} s: {shown(late)}", remedy="Look at the service and its check.")
        yield from wait(_POLL, f"{late[0].place} to be UP")


def _as_was(stand: Stand, was: str) -> bool:
    if was == READY:
        return stand.back
    return stand.admin == was.partition(",")[0]


def _checked(ready: list[Place], patience: float, *, without: bool, rechecked: bool) -> Doing[None]:
    """Drained, until a check that began after this has passed: so its users find it well from the first one on."""
    seen = yield from look(ready, without=without)
    maintained = [one.place for one in seen.stands if one.admin == MAINT]
    again = yield from from_new([one for one in seen.stands if one.place in maintained or not rechecked])
    fresh = frozenset(ready if rechecked else again)
    began = yield from now()
    while True:
        seen = yield from look(ready, without=without)
        second = yield from now()
        late = [one for one in seen.stands if not _fit(one, fresh, second - began)]
        if not late:
            return
        if second - began >= patience:
            yield from order(dict.fromkeys(maintained, MAINT))
            raise VerbError(
                f"after {patience:.0f} s its checks have not passed: {shown(late)}",
                remedy="Look at the service and its check.",
            )
        yield from wait(_POLL, f"the check of {late[0].place}")


def _fit(stand: Stand, fresh: frozenset[Place], seconds: float) -> bool:
    if not stand.checked:
        return True
    if stand.place in fresh and not stand.check.telling and seconds < _UNTOLD:
        return False
    return stand.check.passed


def shown(stands: Iterable[Stand]) -> str:
    return ", ".join(f"{one.place} is {one}" for one in stands)
