"""The verbs that bring a node back into its pools, on all balancers of each pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers import haproxy
from hactl.drivers.verbs import balancer_note as note
from hactl.drivers.verbs import health
from hactl.drivers.verbs.balancer_act import Balancing, Plain, PoolArguments, awaited, leaves_out, named, ordered
from hactl.drivers.verbs.balancer_emptying import GO_ON, Emptying
from hactl.drivers.verbs.balancer_return import from_new, put_back, returned, shown, wanted
from hactl.drivers.verbs.balancer_servers import DRAIN, MAINT, READY, Seen, look, places, pools
from hactl.model.inventory import HttpService
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import AnyVerb, Doing, Effect, Memory, Scene, Shown, Standing, VerbError

_EMPTY_AGAIN = 30.0  # seconds for the sessions of a server that is drained again because its return is undone


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


class Undrain(Balancing[UndrainArguments]):
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
        said = f"{named(scene, (one.place for one in seen.stands))}: {shown(seen.stands)}"
        return Standing(done=True, sentence=said, facts=seen.facts)

    def do(self, scene: Scene, args: UndrainArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - all get ready
        sick = yield from awaited(scene, args.pool, args.times, args.patience)
        if sick:
            raise VerbError(f"{sick}; nothing was changed", remedy="Look at the service, then undrain again.")
        back = dict.fromkeys(places(scene, args.pool), READY)
        seen = yield from returned(back, patience=args.patience, without=leaves_out(scene), rechecked=args.rechecked)
        yield from note.removed(scene, (pool.name for pool in pools(scene, args.pool)))
        left = "".join(f"; not on {name}, which cannot be asked" for name in seen.silent)
        return f"{shown(seen.stands)}{left}"

    def undo(self, scene: Scene, args: UndrainArguments, memory: Memory) -> Doing[str]:
        """Out again, its users gone first: what is undone next may stop the service."""
        old = wanted(places(scene, args.pool), memory)
        out = tuple(place for place, was in old.items() if was in {DRAIN, MAINT})
        if not out:
            return "it was not drained before"
        emptied = yield from Emptying(out, _EMPTY_AGAIN, GO_ON, leaves_out(scene)).run()
        yield from ordered(tuple(place for place in out if old[place] == MAINT), MAINT, without=leaves_out(scene))
        yield from note.written(scene, (place.pool for place in out))
        return f"{scene.target.name}: {emptied}"


class Recheck(Balancing[PoolArguments]):
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

    def judged(self, scene: Scene, args: PoolArguments, seen: Seen) -> Standing:  # noqa: ARG002 - all are checked
        late = [one for one in seen.stands if one.admin == MAINT]
        return Standing(done=not late, sentence=shown(late or seen.stands), facts=seen.facts)

    def do(self, scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - all stay drained
        seen = yield from look(places(scene, args.pool), without=leaves_out(scene))
        again = yield from from_new(seen.stands)
        if not again:
            return "none is drained and empty, so none was asked"
        return f"{named(scene, again)}: drained, and checked from new"


class Ready(Plain):
    name = "balancer.ready"
    summary = "Let the node back into balancing on every balancer at once; nothing is verified first."
    effect = Effect.BRINGS_BACK
    state = READY
    takes_out = False

    def undo(self, scene: Scene, args: PoolArguments, memory: Memory) -> Doing[str]:
        return f"{scene.target.name}: " + (yield from put_back(places(scene, args.pool), memory))


VERBS: tuple[AnyVerb, ...] = (Undrain(), Recheck(), Ready())
