"""The verbs that take a node out of its pools and bring it back, on all balancers of each pool."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from hactl.drivers import haproxy
from hactl.drivers.verbs import balancer_note as note
from hactl.drivers.verbs import health
from hactl.drivers.verbs.balancer_emptying import ABORT, GO_ON, SHUT, WAIT, Emptying
from hactl.drivers.verbs.balancer_return import as_it_was, from_new, put_back, remembered, returned, shown, wanted
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
    tell,
    wait,
)

_RETURN_WITHIN = 30.0  # seconds for checks to pass, and for UP, when something is put back
_EMPTY_AGAIN = 30.0  # seconds for the sessions of a server that is drained again because its return is undone


@dataclass(frozen=True, slots=True)
class PoolArguments:
    pool: Annotated[str, About("only in this pool; empty: in every pool of the node", ParameterKind.POOL)] = ""


A = TypeVar("A", bound="PoolArguments")


class _Balancing(Verb[A], Generic[A]):
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
            seen = yield from look(places(scene, args.pool), without=_without(scene))
        except SilentError as error:
            return Standing(done=False, sentence=error.sentence)
        if not seen.stands:
            return Standing(done=False, sentence="no balancer can be asked", facts=seen.facts)
        return self.judged(scene, args, seen)

    @abstractmethod
    def judged(self, scene: Scene, args: A, seen: Seen) -> Standing:
        """Whether it is so, by what at least one balancer says."""

    def remember(self, scene: Scene, args: A) -> Doing[Memory]:
        seen = yield from look(places(scene, args.pool), without=_without(scene))
        return remembered(seen)


def _without(scene: Scene) -> bool:
    """Whether balancers that cannot be asked are left out."""
    return OVERRIDE in scene.overrides


def _where(scene: Scene, of: Iterable[Place]) -> str:
    return f"{scene.target.name} on {listed(place.balancer for place in of)}"


# --- drain ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DrainArguments(PoolArguments):
    timeout: Annotated[float, About("how long its sessions have to end", ParameterKind.DURATION, minimum=0)] = 60.0
    on_timeout: Annotated[
        str,
        About(
            "what then: wait on until the step's deadline, abort and put everything back, or shut what is left",
            choices=(WAIT, ABORT, SHUT),
        ),
    ] = ABORT
    maint: Annotated[bool, About("whether it goes into maintenance when it is empty: no more checks")] = False


class Drain(_Balancing[DrainArguments]):
    name = "balancer.drain"
    summary = "Take the node out of its pools on every balancer and wait until its last session has ended."
    arguments = DrainArguments
    effect = Effect.TAKES_OUT
    deadline = 180.0
    state = DRAIN
    takes_out = True

    def seconds(self, args: DrainArguments) -> float:
        return min(5.0, args.timeout)

    def judged(self, scene: Scene, args: DrainArguments, seen: Seen) -> Standing:
        balancing = [one for one in seen.stands if not one.out or (args.maint and one.admin != MAINT)]
        if balancing:
            return Standing(done=False, sentence=shown(balancing), facts=seen.facts)
        if seen.sessions:
            return Standing(done=False, sentence=f"sessions left: {seen.sessions}", facts=seen.facts)
        said = f"{_where(scene, (one.place for one in seen.stands))} is out of balancing, no sessions"
        return Standing(done=True, sentence=said, facts=seen.facts)

    def do(self, scene: Scene, args: DrainArguments, memory: Memory) -> Doing[str]:
        where = places(scene, args.pool)
        # A server in maint is left there: draining it would let checks and held users back in.
        drained = tuple(place for place, was in wanted(where, memory).items() if was != MAINT)
        emptying = Emptying(drained, args.timeout, args.on_timeout, _without(scene))
        yield from note.written(scene, (pool.name for pool in pools(scene, args.pool)))
        try:
            said = yield from emptying.run()
            if args.maint:
                yield from _ordered(drained, MAINT, without=_without(scene))
        except (VerbError, TransportError) as error:
            gave_up = yield from _given_up(error, where, memory)
            yield from note.removed(scene, (place.pool for place in where))
            raise gave_up from None
        return f"{scene.target.name}: {said}" + ("; in maintenance" if args.maint else "")

    def undo(self, scene: Scene, args: DrainArguments, memory: Memory) -> Doing[str]:
        return (yield from _undone(scene, args, memory))


def _given_up(error: VerbError | TransportError, where: Iterable[Place], memory: Memory) -> Doing[VerbError]:
    """Put back what was begun; the error that says so. The step's deadline strikes as a TransportError."""
    back = yield from put_back(where, memory, error.silent if isinstance(error, SilentError) else ())
    why = error.sentence if isinstance(error, VerbError) else error.message
    return VerbError(f"{why.rstrip('.')}; {back}", remedy=error.remedy)


def _in_again(old: Mapping[Place, str]) -> Iterable[str]:
    """The pools in which no server was out before: no note tells of them any more."""
    out = {place.pool for place, was in old.items() if was in {DRAIN, MAINT}}
    return [place.pool for place in old if place.pool not in out]


def _ordered(where: tuple[Place, ...], state: str, *, without: bool) -> Doing[None]:
    """Order it, and read back that every balancer has it."""
    yield from order(dict.fromkeys(where, state))
    seen = yield from look(where, without=without)
    other = [one for one in seen.stands if one.admin != state]
    if other:
        raise VerbError(f"{shown(other)} after it was set to {state}")


def _undone(scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:
    """As it was before; what served then serves again, after its service is found well on the node."""
    old = wanted(places(scene, args.pool), memory)
    seen = yield from look(old, without=_without(scene))
    if as_it_was(seen, old):
        return f"{_where(scene, (one.place for one in seen.stands))} is as it was"
    if any(was == READY for was in old.values()):
        sick = yield from _awaited(scene, args.pool, 2, _RETURN_WITHIN)
        if sick:
            raise VerbError(f"{sick}; it stays out of balancing", remedy=f"Then: hactl undrain {scene.target.name}")
    seen = yield from returned(old, patience=_RETURN_WITHIN, without=_without(scene))
    yield from note.removed(scene, _in_again(old))
    left = "".join(f"; not on {name}, which cannot be asked" for name in seen.silent)
    return f"{_where(scene, (one.place for one in seen.stands))} is as it was: {shown(seen.stands)}{left}"


def _awaited(scene: Scene, pool: str, times: int, patience: float) -> Doing[str]:
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


# --- undrain --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UndrainArguments(PoolArguments):
    times: Annotated[
        int, About("good answers of the service on the node, in a row, before it is let in", minimum=1)
    ] = 3
    patience: Annotated[
        float, About("how long the service has to be well, and the checks to pass", ParameterKind.DURATION, minimum=1)
    ] = 30.0
    rechecked: Annotated[
        bool, About("balancer.recheck came before: the check that it asked for counts, no further one is waited for")
    ] = False


class Undrain(_Balancing[UndrainArguments]):
    name = "balancer.undrain"
    summary = "Bring the node back into its pools: well on the node itself, ready, and UP by a passed check everywhere."
    arguments = UndrainArguments
    effect = Effect.BRINGS_BACK
    deadline = 120.0
    state = READY
    takes_out = False

    def seconds(self, args: UndrainArguments) -> float:
        return args.times * 0.5 + 2.0

    def first(self, scene: Scene, args: UndrainArguments) -> tuple[Shown, ...]:
        there = (scene.inventory.services[one.service] for one in pools(scene, args.pool))
        return health.shown(scene, (one for one in there if isinstance(one, HttpService))) + super().first(scene, args)

    def judged(self, scene: Scene, args: UndrainArguments, seen: Seen) -> Standing:  # noqa: ARG002 - they all serve
        late = [one for one in seen.stands if not one.back]
        if late:
            return Standing(done=False, sentence=shown(late), facts=seen.facts)
        said = f"{_where(scene, (one.place for one in seen.stands))}: {shown(seen.stands)}"
        return Standing(done=True, sentence=said, facts=seen.facts)

    def do(self, scene: Scene, args: UndrainArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - all get ready
        sick = yield from _awaited(scene, args.pool, args.times, args.patience)
        if sick:
            raise VerbError(f"{sick}; nothing was changed", remedy="Look at the service, then undrain again.")
        back = dict.fromkeys(places(scene, args.pool), READY)
        seen = yield from returned(back, patience=args.patience, without=_without(scene), rechecked=args.rechecked)
        yield from note.removed(scene, (pool.name for pool in pools(scene, args.pool)))
        left = "".join(f"; not on {name}, which cannot be asked" for name in seen.silent)
        return f"{shown(seen.stands)}{left}"

    def undo(self, scene: Scene, args: UndrainArguments, memory: Memory) -> Doing[str]:
        """Out again, its users gone first: what is undone next may stop the service."""
        old = wanted(places(scene, args.pool), memory)
        out = tuple(place for place, was in old.items() if was in {DRAIN, MAINT})
        if not out:
            return "it was not drained before"
        emptied = yield from Emptying(out, _EMPTY_AGAIN, GO_ON, _without(scene)).run()
        yield from _ordered(tuple(place for place in out if old[place] == MAINT), MAINT, without=_without(scene))
        yield from note.written(scene, (place.pool for place in out))
        return f"{scene.target.name}: {emptied}"


class Recheck(_Balancing[PoolArguments]):
    name = "balancer.recheck"
    summary = "Have every balancer check the drained node from new, while later steps go on; undrain then asks for it."
    arguments = PoolArguments
    has_undo = False
    always = True
    state = MAINT
    takes_out = False

    def first(self, scene: Scene, args: PoolArguments) -> tuple[Shown, ...]:
        return tuple(
            Shown(one.balancer, haproxy.set_state(one.backend, one.server, state), socket=True)
            for state in (MAINT, DRAIN)
            for one in places(scene, args.pool)
        )

    def judged(self, scene: Scene, args: PoolArguments, seen: Seen) -> Standing:  # noqa: ARG002 - likewise
        late = [one for one in seen.stands if one.admin == MAINT]
        return Standing(done=not late, sentence=shown(late or seen.stands), facts=seen.facts)

    def do(self, scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - all stay drained
        seen = yield from look(places(scene, args.pool), without=_without(scene))
        again = yield from from_new(seen.stands)
        if not again:
            return "none is drained and empty, so none was asked"
        return f"{_where(scene, again)}: drained, and checked from new"


# --- plain ones -----------------------------------------------------------------------------------------------


class _Plain(_Balancing[PoolArguments]):
    """One state, everywhere, at once."""

    arguments = PoolArguments

    def judged(self, scene: Scene, args: PoolArguments, seen: Seen) -> Standing:  # noqa: ARG002 - likewise
        done = all(one.admin == self.state for one in seen.stands)
        return Standing(done=done, sentence=shown(seen.stands), facts=seen.facts)

    def do(self, scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:
        where = places(scene, args.pool)
        try:
            yield from _ordered(where, self.state, without=_without(scene))
        except (VerbError, TransportError) as error:
            raise (yield from _given_up(error, where, memory)) from None
        return f"{_where(scene, where)} is set to {self.state}"


class Maint(_Plain):
    name = "balancer.maint"
    summary = "Set maintenance on every balancer at once: no checks, no new users; those it has are not waited for."
    effect = Effect.TAKES_OUT
    state = MAINT
    takes_out = True

    def undo(self, scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:
        return (yield from _undone(scene, args, memory))


class Ready(_Plain):
    name = "balancer.ready"
    summary = "Let the node back into balancing on every balancer at once; nothing is verified first."
    effect = Effect.BRINGS_BACK
    state = READY
    takes_out = False

    def undo(self, scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:
        return f"{scene.target.name}: " + (yield from put_back(places(scene, args.pool), memory))


VERBS: tuple[AnyVerb, ...] = (Drain(), Undrain(), Recheck(), Maint(), Ready())
