"""What the verbs that take a node out of its pools and bring it back share: which servers, and putting them back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from hactl.drivers import haproxy
from hactl.drivers.verbs import balancer_note as note
from hactl.drivers.verbs import health
from hactl.drivers.verbs.balancer_return import as_it_was, put_back, remembered, returned, shown, wanted
from hactl.drivers.verbs.balancer_servers import (
    DRAIN,
    MAINT,
    OVERRIDE,
    READY,
    Place,
    Seen,
    SilentError,
    listed,
    look,
    objection,
    order,
    places,
    pools,
)
from hactl.model.errors import TransportError
from hactl.model.inventory import HttpService
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import Doing, Memory, Scene, Shown, Standing, Verb, VerbError, now, tell, wait

_RETURN_WITHIN = 30.0  # seconds for checks to pass, and for UP, when something is put back


@dataclass(frozen=True, slots=True)
class PoolArguments:
    pool: Annotated[str, About("only in this pool; empty: in every pool of the node", ParameterKind.POOL)] = ""


A = TypeVar("A", bound="PoolArguments")


class Balancing(Verb[A], Generic[A]):
    """What they share: which servers, and what is remembered of them."""

    has_undo = True
    state: ClassVar[str]  # what is ordered first
    takes_out: ClassVar[bool]

    def problem(self, scene: Scene, args: A) -> str:
        return objection(scene, args.pool, takes_out=self.takes_out)

    def first(self, scene: Scene, args: A) -> tuple[Shown, ...]:
        return tuple(
            Shown(one.balancer, haproxy.set_state(one.backend, one.server, self.state), socket=True)
            for one in places(scene, args.pool)
        )

    def check(self, scene: Scene, args: A) -> Doing[Standing]:
        try:
            seen = yield from look(places(scene, args.pool), without=leaves_out(scene))
        except SilentError as error:
            return Standing(done=False, sentence=error.sentence)
        if not seen.stands:
            return Standing(done=False, sentence="no balancer can be asked", facts=seen.facts)
        return self.judged(scene, args, seen)

    @abstractmethod
    def judged(self, scene: Scene, args: A, seen: Seen) -> Standing:
        """Whether it is so, by what at least one balancer says."""

    def remember(self, scene: Scene, args: A) -> Doing[Memory]:
        seen = yield from look(places(scene, args.pool), without=leaves_out(scene))
        return remembered(seen)


class Plain(Balancing[PoolArguments]):
    """One state, everywhere, at once."""

    arguments = PoolArguments

    def judged(self, scene: Scene, args: PoolArguments, seen: Seen) -> Standing:  # noqa: ARG002 - the same for all
        done = all(one.admin == self.state for one in seen.stands)
        return Standing(done=done, sentence=shown(seen.stands), facts=seen.facts)

    def do(self, scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:
        where = places(scene, args.pool)
        try:
            yield from ordered(where, self.state, without=leaves_out(scene))
        except (VerbError, TransportError) as error:
            raise (yield from given_up(error, where, memory)) from None
        return f"{named(scene, where)} is set to {self.state}"


def leaves_out(scene: Scene) -> bool:
    """Whether balancers that cannot be asked are left out."""
    return OVERRIDE in scene.overrides


def named(scene: Scene, of: Iterable[Place]) -> str:
    return f"{scene.target.name} on {listed(place.balancer for place in of)}"


def given_up(error: VerbError | TransportError, where: Iterable[Place], memory: Memory) -> Doing[VerbError]:
    """Put back what was begun; the error that says so. The step's deadline strikes as a TransportError."""
    back = yield from put_back(where, memory, error.silent if isinstance(error, SilentError) else ())
    why = error.sentence if isinstance(error, VerbError) else error.message
    return VerbError(f"{why.rstrip('.')}; {back}", remedy=error.remedy)


def _in_again(old: Mapping[Place, str]) -> Iterable[str]:
    """The pools in which no server was out before: no note tells of them any more."""
    out = {place.pool for place, was in old.items() if was in {DRAIN, MAINT}}
    return [place.pool for place in old if place.pool not in out]


def ordered(where: tuple[Place, ...], state: str, *, without: bool) -> Doing[None]:
    """Order it, and read back that every balancer has it."""
    yield from order(dict.fromkeys(where, state))
    seen = yield from look(where, without=without)
    other = [one for one in seen.stands if one.admin != state]
    if other:
        raise VerbError(f"{shown(other)} after it was set to {state}")


def undone(scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:
    """As it was before; what served then serves again, after its service is found well on the node."""
    old = wanted(places(scene, args.pool), memory)
    seen = yield from look(old, without=leaves_out(scene))
    if as_it_was(seen, old):
        return f"{named(scene, (one.place for one in seen.stands))} is as it was"
    if any(was == READY for was in old.values()):
        sick = yield from awaited(scene, args.pool, 2, _RETURN_WITHIN)
        if sick:
            raise VerbError(f"{sick}; it stays out of balancing", remedy=f"Then: hactl undrain {scene.target.name}")
    seen = yield from returned(old, patience=_RETURN_WITHIN, without=leaves_out(scene))
    yield from note.removed(scene, _in_again(old))
    left = "".join(f"; not on {name}, which cannot be asked" for name in seen.silent)
    return f"{named(scene, (one.place for one in seen.stands))} is as it was: {shown(seen.stands)}{left}"


def awaited(scene: Scene, pool: str, times: int, patience: float) -> Doing[str]:
    """Why the pools' HTTP services on the node are still not well after `patience` seconds; "" once they are."""
    there = (scene.inventory.services[one.service] for one in pools(scene, pool))
    of = tuple(dict.fromkeys(one for one in there if isinstance(one, HttpService)))
    began = yield from now()
    told = ""
    while True:
        sick = yield from health.well(scene, of, times, 0.5)
        second = yield from now()
        if not sick or second - began >= patience:
            return sick
        if sick != told:
            yield from tell(sick)
        told = sick
        yield from wait(1.0, f"{scene.target.name} to be well")
