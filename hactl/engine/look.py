"""Looks at planned steps before anything is touched: is it done already, may it be done, does sudo allow it.

Steps of different nodes are looked at side by side, and some of each node. What would change anything is a defect and
raises InternalError.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

from hactl.engine.asks import Errand, Reader
from hactl.engine.clock import Clock
from hactl.engine.hands import Reach
from hactl.model.command import Command, Completed
from hactl.model.errors import InputError, TransportError
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import BecomeMethod, Inventory
from hactl.model.parameters import filled
from hactl.model.picture import Picture
from hactl.model.plan import Looked, Plan, PlannedStep
from hactl.model.state import LinkPhase
from hactl.model.verb import Doing, Fetch, Fetched, Scene, VerbError, Verbs

T = TypeVar("T")

# Seconds that looking at one step may take, and steps of one node that are looked at at the same time.
_WITHIN = 15.0
_AT_ONCE = 4
# A node that cannot be reached has been found so by the picture: nobody waits for it here.
_PATIENCE = 2.0
_UNSEEN, _SUDO = "unknown-data", "sudo"


class Looker:
    """Looks at the steps of plans with one picture. Asks sudo about each command of a node once."""

    def __init__(self, inventory: Inventory, verbs: Verbs, picture: Picture, hands: Reach, clock: Clock) -> None:
        self._inventory, self._verbs, self._picture = inventory, verbs, picture
        self._hands, self._clock = _Alive(hands, picture), clock
        self._rooms: defaultdict[str | None, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._asked: dict[tuple[str, str | None, tuple[str, ...]], asyncio.Task[Completed]] = {}

    async def look(self, plan: Plan) -> tuple[Looked, ...]:
        """What was found of each step, in the plan's order."""
        return tuple(await asyncio.gather(*(self._step(plan, step) for step in plan.steps)))

    async def _step(self, plan: Plan, step: PlannedStep) -> Looked:
        verb = self._verbs[step.verb]
        args: object = filled(verb.arguments, step.arguments)
        node = self._inventory.nodes[step.node] if step.node is not None else None
        request = plan.request
        scene = Scene(self._inventory, node, self._picture, request.overrides, who=request.who, reason=request.reason)
        async with self._rooms[step.node]:
            done, sentence, verdicts = False, "", list[GuardVerdict]()
            try:
                if not verb.always:
                    standing = await self._read(step, verb.check(scene, args))
                    done, sentence = standing.done, standing.sentence
                verdicts += await self._read(step, verb.preflight(scene, args))
                verdicts += await self._rights(step, verb.rights(scene, args))
            except (VerbError, InputError, TransportError) as error:
                sentence = error.sentence if isinstance(error, VerbError) else error.message
                verdicts.append(_unseen(step, sentence))
        return Looked(step.index, done, sentence, tuple(verdicts))

    async def _read(self, step: PlannedStep, doing: Doing[T]) -> T:
        errand = Errand(step.index, step.node, self._clock.monotonic() + _WITHIN, lambda _: _PATIENCE)
        return await Reader(self._hands, self._clock, errand, _nothing).carry(doing)

    # --- sudo ---

    async def _rights(self, step: PlannedStep, commands: tuple[Command, ...]) -> list[GuardVerdict]:
        """A refusal for each command that sudo would not run."""
        if step.node is None or self._inventory.nodes[step.node].ssh.become is not BecomeMethod.SUDO:
            return []
        wanted = [one for one in commands if one.as_user is not None]
        found = await asyncio.gather(*(self._allowed(step.node, one) for one in wanted))
        return [
            GuardVerdict(
                _SUDO,
                Ruling.REFUSE,
                f"sudo does not let the login user run `{one.shown()}` as {one.as_user} on {step.node}: "
                f"see `hactl sudoers --node {step.node}`",
                node=step.node,
            )
            for one, allowed in zip(wanted, found, strict=True)
            if not allowed.ok
        ]

    def _allowed(self, node: str, command: Command) -> asyncio.Task[Completed]:
        """What sudo says to it, asked once; running it is not tried."""
        as_user = command.as_user or "root"
        key = node, as_user, command.argv
        if key not in self._asked:
            argv = ("env", "LC_ALL=C.UTF-8", "sudo", "-n", "-l", "-u", as_user, "--", *command.argv)
            listing = Command(argv, secrets=command.secrets)
            self._asked[key] = asyncio.create_task(self._hands.run(node, listing), name=f"sudo on {node}")
        return self._asked[key]


class _Alive:
    """Hands that ask nobody whom the picture knows to be out of reach: each would cost a connect timeout."""

    def __init__(self, hands: Reach, picture: Picture) -> None:
        self._hands, self._nodes = hands, picture.state.nodes

    async def connect(self, node: str) -> None:
        self._look(node)
        await self._hands.connect(node)

    async def run(self, node: str, command: Command) -> Completed:
        self._look(node)
        return await self._hands.run(node, command)

    async def ask_socket(self, node: str, path: str, requests: tuple[str, ...]) -> tuple[str, ...]:
        self._look(node)
        return await self._hands.ask_socket(node, path, requests)

    async def fetch(self, node: str, ask: Fetch) -> Fetched:
        self._look(node)
        return await self._hands.fetch(node, ask)

    def _look(self, node: str) -> None:
        link = self._nodes[node].link
        if link.phase is LinkPhase.DOWN:
            raise TransportError(node, link.reason, remedy=link.remedy)


def _unseen(step: PlannedStep, sentence: str) -> GuardVerdict:
    return GuardVerdict(_UNSEEN, Ruling.REFUSE, f"{step.label} cannot be looked at: {sentence}", node=step.node)


def _nothing(sentence: str, numbers: Mapping[str, float]) -> None:
    """Nobody follows a look."""
