"""The verbs that take a node out of its pools, on all balancers of each pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs import balancer_note as note
from hactl.drivers.verbs.balancer_act import (
    Balancing,
    Plain,
    PoolArguments,
    given_up,
    leaves_out,
    named,
    ordered,
    undone,
)
from hactl.drivers.verbs.balancer_emptying import ABORT, SHUT, WAIT, Emptying
from hactl.drivers.verbs.balancer_return import shown, wanted
from hactl.drivers.verbs.balancer_servers import DRAIN, MAINT, Seen, places, pools
from hactl.model.errors import TransportError
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import AnyVerb, Doing, Effect, Memory, Scene, Standing, VerbError


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


class Drain(Balancing[DrainArguments]):
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
        said = f"{named(scene, (one.place for one in seen.stands))} is out of balancing, no sessions"
        return Standing(done=True, sentence=said, facts=seen.facts)

    def do(self, scene: Scene, args: DrainArguments, memory: Memory) -> Doing[str]:
        where = places(scene, args.pool)
        # A server in maint is left there: draining it would let checks and held users back in.
        drained = tuple(place for place, was in wanted(where, memory).items() if was != MAINT)
        emptying = Emptying(drained, args.timeout, args.on_timeout, leaves_out(scene))
        yield from note.written(scene, (pool.name for pool in pools(scene, args.pool)))
        try:
            said = yield from emptying.run()
            if args.maint:
                yield from ordered(drained, MAINT, without=leaves_out(scene))
        except (VerbError, TransportError) as error:
            gave_up = yield from given_up(error, where, memory)
            yield from note.removed(scene, (place.pool for place in where))
            raise gave_up from None
        return f"{scene.target.name}: {said}" + ("; in maintenance" if args.maint else "")

    def undo(self, scene: Scene, args: DrainArguments, memory: Memory) -> Doing[str]:
        return (yield from undone(scene, args, memory))


class Maint(Plain):
    name = "balancer.maint"
    summary = "Set maintenance on every balancer at once: no checks, no new users; those it has are not waited for."
    effect = Effect.TAKES_OUT
    state = MAINT
    takes_out = True

    def undo(self, scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:
        return (yield from undone(scene, args, memory))


VERBS: tuple[AnyVerb, ...] = (Drain(), Maint())
