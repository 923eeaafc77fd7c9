"""What carrying out a run takes, as one value: its story, the nodes, the lock, the live picture, the rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol

from hactl.engine.asks import PATIENCE, Actor, Errand, Fence, Progress, Reader
from hactl.engine.clock import Clock
from hactl.engine.hands import Hands
from hactl.engine.story import Diary, Story
from hactl.engine.will import Will
from hactl.model.conditions import CONDITIONS
from hactl.model.guard import GuardVerdict
from hactl.model.inventory import HaproxyService, Inventory
from hactl.model.parameters import filled
from hactl.model.picture import Picture
from hactl.model.plan import Plan, PlannedStep
from hactl.model.playbook import Condition
from hactl.model.run import RunState, StepPhase, StepState
from hactl.model.verb import Came, Scene, Verbs
from hactl.planning.basis import files
from hactl.planning.resolve import with_run
from hactl.planning.world import World

# Seconds for which a balancer is waited for that may be left out.
_LITTLE_PATIENCE = 3.0
_LEFT_OUT = "balancer-unreachable"
_WELL = frozenset({StepPhase.DONE, StepPhase.SKIPPED})
_ENDED = _WELL | {StepPhase.FAILED, StepPhase.UNKNOWN}


def _came(step: StepState) -> Came:
    lasted = (step.ended_at or 0.0) - (step.began_at or step.ended_at or 0.0)
    return Came(step.phase in _WELL, step.sentence, step.after, max(step.seconds, lasted), step.attempts)


class Watch(Protocol):
    """The live picture, from `start` to `stop`."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def picture(self) -> Picture: ...

    async def fresh(self, nodes: Collection[str], rare: Collection[tuple[str, str]] = ()) -> Picture:
        """A picture in which whatever these nodes say is newer than the call; who says nothing is unknown.

        `rare`: nodes, each with the key of a question that is not asked of it otherwise.
        """


@dataclass(frozen=True, slots=True)
class Rules:
    """What `planning` decides: `holds` says whether a condition does and why; `before` judges a step's guards."""

    holds: Callable[[Condition, Scene], tuple[bool, str]]
    before: Callable[[Plan, PlannedStep, RunState, World], tuple[GuardVerdict, ...]]


@dataclass(frozen=True, slots=True)
class Crew:
    inventory: Inventory
    verbs: Verbs
    clock: Clock
    diary: Diary
    story: Story
    hands: Hands
    fence: Fence
    watch: Watch
    will: Will
    rules: Rules

    def arguments(self, step: PlannedStep) -> object:
        """What the step's verb is told: an instance of its `arguments`. `$run` is this run by now."""
        return filled(self.verbs[step.verb].arguments, with_run(step.arguments, self.story.run))

    def scene(self, step: PlannedStep, picture: Picture) -> Scene:
        request = self.story.plan.request
        node = self.inventory.nodes[step.node] if step.node is not None else None
        about = self.story.run, request.who, request.reason
        states = zip(self.story.plan.steps, self.story.state.steps, strict=True)
        named = [(one.name, state) for one, state in states]
        found = {name: state.memory for name, state in named if state.memory is not None}
        came = {name: _came(state) for name, state in named if state.phase in _ENDED}
        return Scene(self.inventory, node, picture, request.overrides, *about, remembered=found, outcomes=came)

    def judged(self, step: PlannedStep, picture: Picture) -> tuple[GuardVerdict, ...]:
        """What the guards object to in the step now."""
        world = World(self.inventory, picture, self.clock.wall())
        return self.rules.before(self.story.plan, step, self.story.state, world)

    async def fresh(self, step: PlannedStep, *, whole: bool = False) -> Picture:
        """Of the step's node, of what the run touches, and of whoever balances it. `whole`: also what tells whether the
        step's condition holds, which may cost its node much.
        """
        plan = self.story.plan
        balancers = [one for one in self.inventory.services.values() if isinstance(one, HaproxyService)]
        wanted = {*plan.targets, *(node for one in balancers for node in one.nodes), *filter(None, [step.node])}
        rare = CONDITIONS[step.when.fact].told_by if whole and step.when is not None else ""
        asked = [(step.node, rare)] if rare and step.node is not None else []
        return await self.watch.fresh([name for name in self.inventory.nodes if name in wanted], asked)

    def reader(self, step: PlannedStep, until: float) -> Reader:
        progress = Progress(self.story.write, self.clock, step.index)
        return Reader(self.hands, self.clock, self._errand(step, until), progress)

    def actor(self, step: PlannedStep, until: float, *, hurried: bool = True) -> Actor:
        """`hurried`: a wish to stop shortens its waits. What is put back has its time."""
        errand = self._errand(step, until)
        errand = errand if hurried else replace(errand, hurry=lambda: math.inf)
        return Actor(self.hands, self.clock, errand, self.fence, self.story.write)

    def _errand(self, step: PlannedStep, until: float) -> Errand:
        return Errand(step.index, step.node, until, self._patience, self.will.hurry, files(self.story.plan))

    def _patience(self, node: str) -> float:
        """Seconds to wait for a node that is out of reach; little for a balancer that the operator left out."""
        if _LEFT_OUT not in self.story.plan.request.overrides:
            return PATIENCE
        balances = any(isinstance(one, HaproxyService) for one in self.inventory.services_on(node))
        return _LITTLE_PATIENCE if balances else PATIENCE
