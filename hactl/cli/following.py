"""Follows a run to its end, from the terminal that started it or any other, and turns its outcome into an exit code.

The run does not depend on this: whoever loses the terminal attaches again.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from hactl.cli.exit_codes import ExitCode, exit_code
from hactl.cli.screen import Lines, Screen, Silent, screen
from hactl.cli.telling import colour_wanted, tell
from hactl.model import errors
from hactl.model.events import Outcome, WishKind
from hactl.model.run import RunState, after
from hactl.view.run import began, proof_lines

if TYPE_CHECKING:
    from hactl.control.runs import Runs

_TICK = 0.5  # seconds between two repaintings when nothing happens

_BY_OUTCOME = {
    Outcome.DONE: ExitCode.OK,
    Outcome.FAILED: ExitCode.FAILED,
    Outcome.UNDONE: ExitCode.UNDONE,
    Outcome.STOPPED: ExitCode.STOPPED,
    Outcome.UNKNOWN: ExitCode.UNCERTAIN,
    Outcome.CANCELLED: ExitCode.STOPPED,
}
# What ends a run before it has touched anything has an exit code of its own.
_BEFORE: tuple[type[errors.HactlError], ...] = (errors.PlanChangedError, errors.LockHeldError, errors.GuardError)


def follow(ctx: click.Context, runs: Runs, state: RunState, fmt: str, *, mine: bool = True) -> ExitCode:
    """Show the run from `state` on until it ends. Exit code by its outcome.

    `mine`: Ctrl-C asks the run to stop, and aborts it the second time; else it only ends the watching.
    """
    follower = _Follower(runs, state, _screen(ctx, fmt), mine=mine)
    ended = asyncio.run(follower.to_the_end())
    final = follower.state
    if not ended:
        return ExitCode.INTERRUPTED if mine else ExitCode.OK
    report(runs, final, fmt)
    return outcome_code(final)


def report(runs: Runs, state: RunState, fmt: str) -> None:
    """What the run leaves behind: the proof as text, or the whole run as a document."""
    if fmt == "json":
        from hactl.cli.output import emit
        from hactl.view.run_document import run_document

        emit(run_document(state.run, state.plan, runs.story(state.run)), fmt)
    elif fmt == "text":
        tell(proof_lines(state, alive=state.outcome is None and runs.alive(state.run)))


def outcome_code(state: RunState) -> ExitCode:
    """The exit code for how a run stands. One without an outcome lost its runner: what it was at is not known."""
    if state.outcome is None:
        return ExitCode.UNCERTAIN if state.current else ExitCode.STOPPED
    if state.error and not began(state):
        for kind in _BEFORE:
            if kind.code == state.error:
                return exit_code(kind("it did not begin"))
    return _BY_OUTCOME[state.outcome]


class _Follower:
    """One watching of one run. `state` is what has been seen of it."""

    def __init__(self, runs: Runs, state: RunState, shown: Screen, *, mine: bool) -> None:
        self.state = state
        self._runs = runs
        self._shown = shown
        self._mine = mine
        self._interrupts = 0
        self._leaving = asyncio.Event()

    async def to_the_end(self) -> bool:
        """False: the operator left before the run ended."""
        watching = asyncio.create_task(self._watch())
        others = [asyncio.create_task(self._leaving.wait()), asyncio.create_task(self._tick())]
        try:
            with _on_sigint(self._interrupted):
                await asyncio.wait({watching, others[0]}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            return watching.done()
        finally:
            for task in (watching, *others):
                task.cancel()
            await asyncio.gather(watching, *others, return_exceptions=True)
            self._shown.close()

    async def _watch(self) -> None:
        async for recorded in self._runs.follow(self.state.run, self.state.last):
            self.state = after(self.state, recorded)
            self._shown.event(recorded, self.state)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self._shown.tick(self.state)

    def _interrupted(self) -> None:
        run, say = self.state.run, self._shown.say
        self._interrupts += 1
        if not self._mine:
            say(f"The run goes on; hactl runs attach {run} follows it again.")
            self._leaving.set()
        elif self._interrupts == 1:
            self._runs.wish(run, WishKind.STOP)
            say("Stopping after the current step; Ctrl-C once more aborts it.")
        elif self._interrupts == 2:
            self._runs.wish(run, WishKind.ABORT)
            say("Aborting; Ctrl-C once more leaves the run to itself.")
        else:
            say(f"Left to itself; hactl runs attach {run} follows it again.")
            self._leaving.set()


@contextmanager
def _on_sigint(call: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, call)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _screen(ctx: click.Context, fmt: str) -> Screen:
    if fmt == "json":
        return Silent()
    if fmt == "jsonl":
        return Lines()
    verbose = bool(ctx.find_root().params.get("verbose"))
    return screen(err=False, verbose=verbose, colour=colour_wanted(ctx))
