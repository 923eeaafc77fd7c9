"""Carries out what a verb asks for. A `Reader` only reads; an `Actor` also acts, journaled and fenced.

A read that fails because the way to a node is gone is asked again for a while, so that a link that flaps fails no step.
An act is never repeated here: when nobody learned how it ended, `Actor.uncertain` says so, and whoever carries out the
step looks again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from hactl.engine.bound import by
from hactl.engine.clock import Clock
from hactl.engine.failures import reason
from hactl.engine.hands import Reach
from hactl.engine.local import HERE, checksum, read_file, run_program
from hactl.model.command import FENCED_OUT, Command, Completed, masked
from hactl.model.errors import (
    CommandTimeoutError,
    ConnectionLostError,
    HactlError,
    InputError,
    InternalError,
    LockError,
    TransportError,
    UnreachableError,
)
from hactl.model.events import CommandDone, CommandStarted, Event, StepProgress
from hactl.model.observed import Unknown
from hactl.model.verb import (
    Ask,
    AskSocket,
    Doing,
    Fetch,
    Meanwhile,
    Now,
    ReadLocal,
    RunCommand,
    RunLocal,
    Tell,
    Together,
    Wait,
)
from hactl.transport.backoff import Backoff

T = TypeVar("T")

# Seconds for which a read is asked again while there is no way to its node.
PATIENCE = 30.0
# Seconds that a verb has, once its deadline has struck, to put back what it began.
_GRACE = 30.0
# Seconds of a wait after which it is looked whether anybody is still in favour of it.
_SLICE = 1.0
# The least seconds between two words of progress in the journal.
_QUIET = 0.5
_NO_WAY = (UnreachableError, ConnectionLostError)
# After these nobody knows whether the act took effect; all other errors say that it did not.
_UNCERTAIN = (ConnectionLostError, CommandTimeoutError, asyncio.CancelledError)


class Fence(Protocol):
    """The cluster's lock, as a step needs it."""

    @property
    def lost(self) -> asyncio.Event: ...

    async def cover(self, node: str) -> bool:
        """Have the lock on this very node; False where it has no part in the lock. Raises LockError."""

    def fenced(self, command: Command) -> Command:
        """The command so that it runs only where nobody has taken the lock since; else it exits with FENCED_OUT."""


class Record(Protocol):
    """Writes an event down; on disk when it returns. Raises JournalError."""

    def __call__(self, event: Event, secrets: Collection[str] = ()) -> None: ...


@dataclass(frozen=True, slots=True)
class Errand:
    """For whom is asked: the step's index and node (None: the cluster), and the second by which it has to be over.

    `patience` gives the seconds for which a node that is out of reach is waited for; `hurry` the second from which on
    nothing more is waited for, because somebody wants the run to stop. `files`: checksums of the operator's files
    that the plan was confirmed with.
    """

    step: int
    node: str | None
    until: float
    patience: Callable[[str], float] = lambda _: PATIENCE
    hurry: Callable[[], float] = lambda: math.inf
    files: Mapping[str, str] = field(default_factory=dict)


class Progress:
    """Writes down what a step waits for, at most twice a second."""

    def __init__(self, record: Record, clock: Clock, step: int) -> None:
        self._record, self._clock, self._step = record, clock, step
        self._said_at = -_QUIET

    def __call__(self, sentence: str, numbers: Mapping[str, float]) -> None:
        now = self._clock.monotonic()
        if now - self._said_at >= _QUIET:
            self._said_at = now
            self._record(StepProgress(self._step, sentence, numbers))


class Reader:
    """Carries out the asks of methods that only read. `say` takes progress: a sentence and its numbers."""

    def __init__(
        self, hands: Reach, clock: Clock, errand: Errand, say: Callable[[str, Mapping[str, float]], None]
    ) -> None:
        self._hands = hands
        self._clock = clock
        self._errand = errand
        self._until = errand.until
        self._struck = False
        self._say = say
        self.waited = 0.0  # seconds of stated waits

    async def carry(self, doing: Doing[T]) -> T:
        """Run the generator to its end. Raises what it raises.

        When the deadline strikes, CommandTimeoutError is thrown into it once, and it has some seconds to clean up.
        """
        answer: object = None
        error: Exception | None = None
        try:
            while True:
                ask = doing.send(answer) if error is None else doing.throw(error)
                answer = error = None
                try:
                    answer = await by(self._clock, self._until, self._answer(ask))
                except (TransportError, InputError) as failed:
                    error = failed
                except TimeoutError:
                    error = self._late(ask)
                    if self._struck:
                        raise error from None
                    self._struck, self._until = True, self._clock.monotonic() + _GRACE
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            doing.close()

    async def _answer(self, ask: Ask) -> object:  # noqa: PLR0911 - one return an ask
        match ask:
            case RunCommand(command, node, meanwhile):
                where = self._node(node)
                async with self._telling(where, meanwhile):
                    return await self._command(where, command)
            case AskSocket():
                return await self._socket(ask)
            case Fetch(node=node):
                where = self._node(node)
                return await self._read(where, lambda: self._hands.fetch(where, ask))
            case Wait(seconds, why):
                self._say(why, {})
                await self._wait(seconds)
                return None
            case Now():
                return self._clock.monotonic()
            case Tell(sentence, numbers):
                self._say(sentence, numbers)
                return None
            case ReadLocal(path):
                return await self._file(path)
            case RunLocal():
                return await self._program(ask)
            case Together(asks):
                return await self._together(asks)

    async def _together(self, asks: tuple[Ask, ...]) -> tuple[object, ...]:
        """Every answer, or what the verb is to be told in its place; anything else ends all of them."""
        answers = await asyncio.gather(*(self._answer(one) for one in asks), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, TransportError | InputError):
                raise answer
        return tuple(answers)

    @asynccontextmanager
    async def _telling(self, node: str, meanwhile: Meanwhile | None) -> AsyncIterator[None]:
        """While something long goes on, ask how far it is, and tell."""
        if meanwhile is None:
            yield
            return

        async def ask() -> None:
            while True:
                await self._clock.sleep(meanwhile.every)
                with suppress(TransportError):  # whoever carries out the long command notices that, too
                    self._say(*meanwhile.told(await self._hands.run(node, meanwhile.command)))

        if meanwhile.command.mutates:
            raise self._forbidden(meanwhile.command.shown())
        asking = asyncio.create_task(ask())
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.wait({asking})  # and not the task itself: whoever cancels this one is heard
        if not asking.cancelled():
            asking.result()

    async def _wait(self, seconds: float) -> None:
        """Raises TimeoutError, as the deadline does, when the run is to stop and has waited long enough for this."""
        while seconds > 0:
            self._go_on_waiting()
            slice_ = min(seconds, _SLICE)
            await self._clock.sleep(slice_)
            self.waited += slice_
            seconds -= slice_

    def _go_on_waiting(self) -> None:
        if not self._struck and self._clock.monotonic() >= self._errand.hurry():
            raise TimeoutError

    async def _command(self, node: str, command: Command) -> Completed:
        if command.mutates:
            raise self._forbidden(command.shown())
        return await self._read(node, lambda: self._hands.run(node, command))

    async def _socket(self, ask: AskSocket) -> tuple[str, ...]:
        if ask.mutates:
            raise self._forbidden("; ".join(ask.requests))
        return await self._read(ask.node, lambda: self._hands.ask_socket(ask.node, ask.path, ask.requests))

    async def _program(self, ask: RunLocal) -> Completed:
        if ask.command.mutates:
            raise self._forbidden(ask.command.shown())
        return await run_program(ask.command, ask.environment, self._clock)

    async def _file(self, path: str) -> bytes:
        data = await read_file(path)
        if self._errand.files.get(path, checksum(data)) != checksum(data):
            raise InputError(f"{path} has changed since the plan was confirmed.", remedy="Plan again.")
        return data

    async def _read(self, node: str, read: Callable[[], Awaitable[T]]) -> T:
        """Ask; ask again while there is no way to the node and patience lasts."""
        give_up = self._clock.monotonic() + self._errand.patience(node)
        for pause in Backoff(first=0.25, cap=2.0):
            try:
                return await read()
            except _NO_WAY as error:
                if self._clock.monotonic() + pause >= give_up:
                    raise
                self._say(f"{node}: {reason(error)}; trying again", {})
                await self._clock.sleep(pause)
        raise AssertionError  # pragma: no cover - Backoff never ends

    def _node(self, named: str | None) -> str:
        node = named or self._errand.node
        if node is None:
            raise InternalError("A verb that acts for no node asked for one.")
        return node

    def _late(self, ask: Ask) -> CommandTimeoutError:
        what = ask.why if isinstance(ask, Wait) else "the last question"
        if self._clock.monotonic() < self._until:
            what = f"somebody wants the run to stop; {what}"
        where = getattr(ask, "node", None) or self._errand.node or HERE
        return CommandTimeoutError(where, f"the time for this step is over ({what})")

    @staticmethod
    def _forbidden(what: str) -> InternalError:
        return InternalError(f"A verb wanted to change something while it may only look: {what}")


class Actor(Reader):
    """Carries out the asks of `do` and `undo`. `secrets` of commands are masked wherever they are written down."""

    def __init__(self, hands: Reach, clock: Clock, errand: Errand, fence: Fence, record: Record) -> None:
        super().__init__(hands, clock, errand, Progress(record, clock, errand.step))
        self._fence = fence
        self._record = record
        self.uncertain = ""  # why it is not known whether an act took effect

    def _go_on_waiting(self) -> None:
        """Not for hours while somebody else may act: what comes of the wait could not be used."""
        self._require_lock()
        super()._go_on_waiting()

    def _require_lock(self) -> None:
        if self._fence.lost.is_set():
            raise LockError("The cluster's lock was lost.")

    async def _covered(self, node: str) -> bool:
        self._require_lock()
        return await self._fence.cover(node)

    async def _command(self, node: str, command: Command) -> Completed:
        if not command.mutates:
            return await super()._command(node, command)
        # Where there is no connection nothing was sent: that may be tried again, as a read may.
        await self._read(node, lambda: self._hands.connect(node))
        fenced = self._fence.fenced(command) if await self._covered(node) else command
        return await self._act(node, command.shown(), lambda: self._hands.run(node, fenced), command.secrets)

    async def _socket(self, ask: AskSocket) -> tuple[str, ...]:
        """An admin socket knows no epoch, so the node is asked for it right before."""
        if not ask.mutates:
            return await super()._socket(ask)
        await self._read(ask.node, lambda: self._hands.connect(ask.node))
        if await self._covered(ask.node):
            look = self._fence.fenced(Command(("true",)))
            looked = await self._read(ask.node, lambda: self._hands.run(ask.node, look))
            self._inside_fence(ask.node, looked)
        answers: tuple[str, ...] = ()

        async def tell() -> Completed:
            nonlocal answers
            begun = self._clock.monotonic()
            answers = await self._hands.ask_socket(ask.node, ask.path, ask.requests)
            return Completed(0, "\n".join(filter(None, answers)), "", self._clock.monotonic() - begun)

        await self._act(ask.node, "; ".join(ask.requests), tell)
        return answers

    async def _program(self, ask: RunLocal) -> Completed:
        if not ask.command.mutates:
            return await super()._program(ask)
        run = ask.command, ask.environment, self._clock
        return await self._act(HERE, ask.command.shown(), lambda: run_program(*run), ask.command.secrets)

    async def _act(
        self, node: str, text: str, act: Callable[[], Awaitable[Completed]], secrets: Collection[str] = ()
    ) -> Completed:
        """One act: on disk before, on disk after; never without the lock, never twice."""
        self._require_lock()
        step, begun = self._errand.step, self._clock.monotonic()
        self._record(CommandStarted(step, node, masked(text, secrets)), secrets)
        try:
            done = await act()
        except (TransportError, InputError, asyncio.CancelledError) as error:
            why = reason(error) if isinstance(error, HactlError) else "it was given up"
            if isinstance(error, _UNCERTAIN):
                self.uncertain = f"{text} on {node}: {why}"
            self._record(CommandDone(step, node, None, "", why, self._clock.monotonic() - begun), secrets)
            raise
        if isinstance(done.exit, Unknown):
            self.uncertain = f"{text} on {node}: {done.exit.reason}"
            self._record(CommandDone(step, node, None, done.stdout, done.exit.reason, done.seconds), secrets)
        else:
            self._record(CommandDone(step, node, done.exit, done.stdout, done.stderr, done.seconds), secrets)
        self._inside_fence(node, done)
        return done

    @staticmethod
    def _inside_fence(node: str, done: Completed) -> None:
        if done.exit == FENCED_OUT and done.stderr.startswith("fenced out"):
            raise LockError(
                f"{node} refused to act: somebody has taken the cluster's lock since.",
                remedy="See who with `hactl lock show`.",
            )
