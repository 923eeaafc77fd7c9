"""The cluster's lock: held on a majority of its nodes over SSH, freed by the death of its holder, fenced by an epoch.

Two can never both have a majority. Each new majority gets an epoch above every one before it, and a fenced command
(`ClusterLock.fenced`) runs on a node only while that epoch is the node's newest: a holder that was frozen, cut off or
broken may believe what it likes. What is written on the nodes is `lock_script`'s business.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from hactl.engine import lock_script
from hactl.engine.lock_hold import ANSWER_WITHIN, PATIENCE, Hold
from hactl.engine.lock_script import Said, folder_of
from hactl.model.command import Command, Fence
from hactl.model.errors import LockError, LockHeldError, TransportError
from hactl.model.events import LockTaken
from hactl.model.lock import Holder, listed, majority
from hactl.transport.backoff import Backoff
from hactl.transport.protocol import Transport

_COVER_WITHIN = 15.0  # seconds for a node that came back to be locked, before anything is done there
_LEAVING = 1.5  # seconds for a holder that is letting go
_LOOK_AGAIN = 0.1  # seconds
_STRAGGLERS = 1.0  # seconds for the other nodes, once what has been heard decides

_Try: TypeAlias = tuple[Hold, Said] | TransportError


class ClusterLock:
    """`take` it, watch `lost`, `release` it. `folder` is where the lock lives on every node."""

    def __init__(
        self,
        transports: Mapping[str, Transport],
        cluster: str,
        holder: Holder,
        *,
        folder: str | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._transports, self._cluster, self._holder = transports, cluster, holder
        self._folder, self._wall = folder or folder_of(cluster), wall
        self._holds: dict[str, Hold] = {}
        self._tried: list[Hold] = []  # by a `take` that is under way
        self._keepers: list[asyncio.Task[None]] = []
        self._met: tuple[str, float] | None = None  # who had it when it was tried, and since when
        self._wanted = asyncio.Event()  # somebody wants to act on a node that is not held: no keeper waits now
        self.lost = asyncio.Event()  # for good: fewer than a majority is held, or somebody else has it
        self.reason = ""  # why it is lost

    @property
    def epoch(self) -> int:
        """0 until it is taken."""
        return self._holder.epoch

    @property
    def nodes(self) -> tuple[str, ...]:
        """Where it is held now."""
        return tuple(node for node in self._transports if node in self._holds)

    def fenced(self, command: Command) -> Command:
        """The command so that a node runs it only under this epoch; else it exits with model.command.FENCED_OUT."""
        return replace(command, fence=Fence(f"{self._folder}/epoch", self.epoch))

    async def cover(self, node: str) -> bool:
        """Hold the lock on this very node before something is done there: it may have come back a moment ago.

        False for a node that has no part in the lock (a spare). Raises LockError when it cannot be held there.
        """
        deadline = time.monotonic() + _COVER_WITHIN
        while node in self._transports and node not in self._holds and not self.lost.is_set():
            if time.monotonic() >= deadline:
                raise LockError(
                    f"The lock of {self._cluster} could not be taken on {node}, so nothing is done there.",
                    remedy="See how the nodes see it with `hactl lock show`.",
                )
            self._wanted.set()
            await asyncio.sleep(_LOOK_AGAIN)
        return node in self._transports

    async def take(self) -> LockTaken:
        """Hold a majority of the nodes; the others are taken as soon as they can be.

        Raises LockHeldError when somebody has the lock, LockError when too few nodes could be asked.
        """
        try:
            return await self._take(time.monotonic() + PATIENCE)
        finally:  # cancelled, too: nothing may stay held that nobody keeps
            for hold in self._tried:
                if hold not in self._holds.values():
                    hold.close()
            self._tried.clear()

    async def release(self) -> None:
        """Let go everywhere. Idempotent."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers.clear()
        holds, self._holds = self._holds, {}
        await _all(hold.release() for hold in holds.values())

    # --- taking ---------------------------------------------------------------------------------------------------

    @property
    def _majority(self) -> int:
        return majority(len(self._transports))

    async def _take(self, deadline: float) -> LockTaken:
        waits = Backoff(first=0.4, cap=2.0, floor=0.05)
        while True:
            tries = await self._try_all()
            held = {node: each for node, each in tries.items() if _is_held(each)}
            enough, late = len(held) >= self._majority, time.monotonic() >= deadline
            if enough and await self._settle(held):
                return self._taken()
            await _all(each[0].release() for each in held.values() if not isinstance(each, TransportError))
            if late or not enough:
                self._judge(tries, final=late)
            await asyncio.sleep(next(waits))

    def _hold(self, node: str) -> Hold:
        return Hold(self._transports[node], self._folder, self._holder)

    async def _try_all(self) -> dict[str, _Try]:
        """Ask all nodes at the same time. Those that keep silent while the others have decided are left for later."""
        asking = {node: asyncio.ensure_future(self._try(node)) for node in self._transports}
        tries: dict[str, _Try] = {}
        try:
            while len(tries) < len(asking):
                waiting = [task for node, task in asking.items() if node not in tries]
                patience = _STRAGGLERS if self._decided(tries) else None
                done, _ = await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
                tries.update({node: task.result() for node, task in asking.items() if task in done})
        finally:
            for task in asking.values():
                task.cancel()
        return tries

    def _decided(self, tries: Mapping[str, _Try]) -> bool:
        held = sum(_is_held(each) for each in tries.values())
        return held >= self._majority or any(holder.epoch for holder in _others(tries))

    async def _try(self, node: str) -> _Try:
        hold = self._hold(node)
        self._tried.append(hold)
        try:
            return hold, await hold.take()
        except TransportError as error:
            return error

    async def _settle(self, held: Mapping[str, _Try]) -> bool:
        """Give what is held its epoch. False when a majority did not confirm it."""
        holds = {node: each for node, each in held.items() if not isinstance(each, TransportError)}
        seen = max(said.epoch for _, said in holds.values())
        self._holder = replace(self._holder, epoch=max(seen, int(self._wall())) + 1)

        async def settled(node: str, hold: Hold) -> None:
            try:
                await hold.settle(self._holder)
                self._holds[node] = hold
            except TransportError:
                hold.close()

        await _all(settled(node, hold) for node, (hold, _) in holds.items())
        if len(self._holds) < self._majority:
            self._holds.clear()
            return False
        for node in self._transports:
            self._keepers.append(asyncio.create_task(self._keep(node), name=f"keeping the lock on {node}"))
        return True

    def _taken(self) -> LockTaken:
        nodes = self.nodes
        return LockTaken(self.epoch, nodes, tuple(node for node in self._transports if node not in nodes))

    def _judge(self, tries: Mapping[str, _Try], *, final: bool) -> None:
        """Raise when trying again is of no use."""
        others = sorted(_others(tries), key=lambda holder: -holder.epoch)
        if others and (final or self._stays(others[0])):
            raise LockHeldError(
                f"The lock of {self._cluster} is held: {others[0].sentence}.",
                remedy="Wait for it (`hactl lock show`); if its process is gone for good, "
                f"`hactl lock break --id {others[0].id}`.",
            )
        failed = {node: tries.get(node) for node in self._transports if not _is_held(tries.get(node))}
        answered = any(not isinstance(each, TransportError | None) for each in failed.values())
        if answered and not final:
            return
        why = "; ".join(each.message for each in failed.values() if isinstance(each, TransportError))
        raise LockError(
            f"The lock of {self._cluster} needs {self._majority} of {len(self._transports)} nodes; "
            f"it could not be taken on {listed(list(failed))}{': ' + why if why else ''}.",
            remedy="Bring these nodes back, or set those that are gone for good to another state in the inventory.",
        )

    def _stays(self, other: Holder) -> bool:
        """Whether that one has the lock and is not just letting go of it: nodes take a moment to notice."""
        if not other.epoch:
            return False
        now = time.monotonic()
        if self._met is None or self._met[0] != other.id:
            self._met = other.id, now
        return now - self._met[1] >= _LEAVING

    # --- keeping --------------------------------------------------------------------------------------------------

    async def _keep(self, node: str) -> None:
        """Hold the lock on one node for as long as it is held at all; take it there again when it got lost."""
        waits = Backoff(first=0.5, cap=10.0, floor=0.2)
        while not self.lost.is_set():
            hold = self._holds.get(node)
            if hold is not None:
                await hold.over.wait()
                self._holds.pop(node, None)
                if len(self._holds) < self._majority:
                    why = hold.error.message if hold.error is not None else f"{node}: its shell there has ended"
                    self._lose(f"held on {len(self._holds)} of {len(self._transports)} nodes only ({why})")
            elif await self._again(node):
                waits.reset()
            else:
                await self._rest(next(waits))

    async def _rest(self, seconds: float) -> None:
        """Between two tries; cut short when the node is wanted."""
        self._wanted.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), seconds)

    async def _again(self, node: str) -> bool:
        hold = self._hold(node)
        try:
            said = await hold.take()
            if said.epoch > self.epoch:
                self._lose(f"{node} is at epoch {said.epoch}, above ours: somebody broke the lock or has taken it")
            elif said.word == "held":
                await hold.settle(self._holder)
                if not self.lost.is_set():  # meanwhile
                    self._holds[node] = hold
                    return True
            elif said.holder is not None and said.holder.id == self._holder.id:
                # A session of ours that the node has not noticed to be dead.
                await self._transports[node].run(lock_script.end(self._folder, self._holder.id, None, ANSWER_WITHIN))
        except TransportError:
            pass  # tried again; a majority is held meanwhile
        finally:
            if self._holds.get(node) is not hold:
                hold.close()
        return False

    def _lose(self, reason: str) -> None:
        if not self.lost.is_set():
            self.reason = f"The lock of {self._cluster} is lost: {reason}."
            self.lost.set()
        for hold in self._holds.values():
            hold.close()
        self._holds.clear()


def _is_held(each: _Try | None) -> bool:
    return isinstance(each, tuple) and each[1].word == "held"


def _others(tries: Mapping[str, _Try]) -> list[Holder]:
    said = [each[1] for each in tries.values() if isinstance(each, tuple)]
    return [each.holder for each in said if each.word == "busy" and each.holder is not None]


async def _all(work: Iterable[Coroutine[None, None, None]]) -> None:
    await asyncio.gather(*work)
