"""A playbook's steps, spread out over batches and nodes, with the order in which they are done.

Steps once per run stand before or after those of the batches. In a batch, steps that follow each other per node are one
segment: its nodes go side by side. A step once per batch, or once per run, is a segment of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from hactl.model.errors import InputError
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Inventory
from hactl.model.limit import parse_limit
from hactl.model.parameters import ParameterKind, Value, parameters_of
from hactl.model.parameters import filled as as_arguments
from hactl.model.plan import History, Plan, PlannedStep, Request
from hactl.model.playbook import Condition, Playbook, Scope, Step
from hactl.model.suggest import did_you_mean, quoted
from hactl.model.verb import AnyVerb, Scene, VerbError, Verbs
from hactl.planning.conditions import answer
from hactl.planning.resolve import arguments, names, number, resolved
from hactl.planning.touched import PROMOTE, endpoints_of, nodes_of, pools_of, services_of
from hactl.planning.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step is done: the node (None: the cluster), and whose turn it is part of."""

    node: str | None
    segment: int
    lane: str
    batch: int


@dataclass(slots=True)
class Expansion:
    """The work of spreading out: what all steps need to know, and what the verbs object to."""

    playbook: Playbook
    request: Request
    parameters: Mapping[str, Value]
    world: World
    verbs: Verbs
    objections: list[GuardVerdict] = field(default_factory=list)
    relieved: set[str] = field(default_factory=set)  # primaries whose place another has by then
    dropped: dict[str, list[str]] = field(default_factory=dict)  # lane -> why steps are not done there

    def bare(self, nodes: tuple[str, ...]) -> Mapping[str, str]:
        """Of the nodes those on which none of the steps can ever be done, and why; none where that is so of all."""
        bare = {node: "; ".join(dict.fromkeys(self.dropped[node])) for node in nodes if node in self.dropped}
        return bare if bare.keys() < set(nodes) else {}

    def steps(self, batches: tuple[tuple[str, ...], ...]) -> tuple[PlannedStep, ...]:
        """Every step at every place, in the order in which they are done. Raises InputError."""
        placed = list(self._placed(batches))
        planned = [made for step, place in placed if (made := self._planned(step, place)) is not None]
        for step in planned:
            self.dropped.pop(step.lane, None)
        return tuple(replace(step, index=index) for index, step in enumerate(planned))

    def verb(self, step: Step) -> AnyVerb:
        if step.verb not in self.verbs:
            hint = did_you_mean(step.verb, self.verbs)
            raise InputError(f"Step {quoted(step.name)}: there is no verb {quoted(step.verb)}{hint or '.'}")
        return self.verbs[step.verb]

    def _placed(self, batches: tuple[tuple[str, ...], ...]) -> Iterator[tuple[Step, Place]]:
        before, inner, after = parts(self.playbook)
        segment = 0
        for step in before:
            yield from self._once(step, segment, 0)
            segment += 1
        for batch, nodes in enumerate(batches, start=1):
            for per_node, group in groupby(inner, key=lambda step: step.scope is Scope.NODE):
                together = tuple(group)
                if per_node:
                    yield from ((step, Place(node, segment, node, batch)) for node in nodes for step in together)
                    segment += 1
                    continue
                for step in together:
                    yield from self._once(step, segment, batch)
                    segment += 1
        for step in after:
            yield from self._once(step, segment, 0)
            segment += 1

    def _once(self, step: Step, segment: int, batch: int) -> Iterator[tuple[Step, Place]]:
        """A step of the run or batch: on the nodes that `on` names, one after another, or on the cluster."""
        if step.on is None:
            if self.verb(step).per_node:
                raise InputError(f"Step {quoted(step.name)}: {step.verb} acts on nodes, and `on` names none.")
            yield step, Place(None, segment, "", batch)
            return
        expression = str(resolved(step.on, names(self.parameters, self.world.inventory)))
        for node in parse_limit(expression, self.world.inventory):
            yield step, Place(node, segment, "", batch)

    def _planned(self, step: Step, place: Place) -> PlannedStep | None:
        """The step at its place; None where it is not to be done as things are and never could be."""
        verb, known = self.verb(step), names(self.parameters, self.world.inventory, place.node)
        values = arguments(parameters_of(verb.arguments), step.arguments, known, step.name)
        scene = self._scene(place.node)
        if step.verb == PROMOTE:
            self.relieved.add(str(values.get("replaces", "")))
        args: object = as_arguments(verb.arguments, values)
        seconds = duration(self.world.history, verb, place.node, verb.seconds(args))
        planned = replace(self._written(step, place, values, known), seconds=seconds)
        if planned.when is not None:
            so, why = answer(planned.when, scene)
            # What is not known yet may be known when its turn comes.
            planned = replace(planned, skip=why if so is False else "")
        try:
            problem = verb.problem(scene, args)
            if not problem:
                return replace(planned, first=verb.first(scene, args))
        except VerbError as error:
            problem = f"{error.sentence} {error.remedy}".strip()
        if planned.skip:
            self.dropped.setdefault(place.lane, []).append(planned.skip)
            return None
        self._object(planned, problem)
        return planned

    def _written(
        self, step: Step, place: Place, values: Mapping[str, Value], known: Mapping[str, Value]
    ) -> PlannedStep:
        """What the playbook and the verb say of it, before anything is looked at."""
        verb = self.verb(step)
        return PlannedStep(
            index=0,
            name=step.name,
            verb=step.verb,
            node=place.node,
            segment=place.segment,
            lane=place.lane,
            batch=place.batch,
            arguments=values,
            deadline=self._deadline(step, known),
            retries=step.retries,
            on_failure=step.on_failure,
            undo=step.undo and verb.has_undo,
            when=self._when(step, place.node, known),
            note=step.note,
            effect=verb.effect,
            # A command that says that it changes nothing is a look.
            mutates=verb.mutates and values.get("changes", True) is not False,
            leaves=verb.leaves,
        )

    def _deadline(self, step: Step, known: Mapping[str, Value]) -> float:
        if step.deadline is None:
            return self.verb(step).deadline
        return number(f"step {quoted(step.name)}: deadline", ParameterKind.DURATION, step.deadline, known)

    def _object(self, step: PlannedStep, problem: str) -> None:
        sentence = f"{step.label}: {problem}"
        self.objections.append(
            GuardVerdict("targets", Ruling.REFUSE, sentence, node=step.node, can_override=False),
        )

    def _scene(self, node: str | None) -> Scene:
        inventory = self.world.inventory
        return Scene(
            inventory,
            inventory.nodes[node] if node is not None else None,
            self.world.picture,
            overrides=self.request.overrides,
            who=self.request.who,
            reason=self.request.reason,
            relieved=frozenset(self.relieved),
        )

    def _when(self, step: Step, node: str | None, known: Mapping[str, Value]) -> Condition | None:
        if step.when is None:
            return None
        if node is None:
            raise InputError(f"Step {quoted(step.name)}: `when` asks about a node, and this step is for none.")
        argument = step.when.argument
        return replace(step.when, argument=None if argument is None else resolved(argument, known))


def parts(playbook: Playbook) -> tuple[tuple[Step, ...], tuple[Step, ...], tuple[Step, ...]]:
    """The steps before the batches, those of each batch, and those after. Raises InputError for one in between."""
    inner = [index for index, step in enumerate(playbook.steps) if step.scope is not Scope.RUN]
    if not inner:
        return playbook.steps, (), ()
    begin, end = inner[0], inner[-1] + 1
    between = [quoted(step.name) for step in playbook.steps[begin:end] if step.scope is Scope.RUN]
    if between:
        raise InputError(
            f"{playbook.name}: {', '.join(between)} is done once per run, but stands between steps of the batches.",
            remedy="Put it before or after them.",
        )
    if playbook.targets is None:
        raise InputError(f"{playbook.name} has no targets, but steps for each of them.")
    return playbook.steps[:begin], playbook.steps[begin:end], playbook.steps[end:]


def with_steps(plan: Plan, steps: tuple[PlannedStep, ...], inventory: Inventory) -> Plan:
    """The plan with these steps and what follows from them: what they and its targets touch, and how long they take."""
    nodes = tuple(dict.fromkeys((*plan.targets, *nodes_of(steps))))
    services = services_of(nodes, inventory)
    return replace(
        plan,
        steps=steps,
        services=services,
        pools=pools_of(nodes, inventory),
        endpoints=endpoints_of(services, inventory),
        seconds=total(steps, len(plan.batches), plan.pause),
    )


def duration(history: History, verb: AnyVerb, node: str | None, otherwise: float) -> float:
    """Seconds, best knowledge first: what the verb took on this node, what it took anywhere, its own figure."""
    return history.durations.get(f"{verb.name} {node}", history.durations.get(verb.name, otherwise))


def total(steps: tuple[PlannedStep, ...], batches: int, pause: float) -> float:
    """Seconds for all of them: segments one after another, of the lanes of a segment the longest, and the pauses."""
    lanes: dict[tuple[int, str], float] = {}
    for step in steps:
        key = step.segment, step.lane
        lanes[key] = lanes.get(key, 0.0) + (0.0 if step.skip else step.seconds)
    longest: dict[int, float] = {}
    for (segment, _), seconds in lanes.items():
        longest[segment] = max(longest.get(segment, 0.0), seconds)
    return sum(longest.values()) + pause * max(0, batches - 1)
