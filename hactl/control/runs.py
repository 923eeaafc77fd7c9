"""`Runs`: plan, start, follow, resume, undo. The only door to runs, for commands and the dashboard alike.

A run lives in a process of its own (`control.runner`); whoever starts it or looks on reads the journal. Closing a
window never ends a run.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hactl.config.playbooks import playbooks
from hactl.control.control import Control
from hactl.control.operator import operator
from hactl.control.plans import lock_transports, made
from hactl.control.roles import remembered
from hactl.drivers.verbs.catalogue import VERBS
from hactl.engine.journal import Journal, default_journal, new_run_id
from hactl.engine.lock_look import break_lock, holders
from hactl.model.errors import GuardError, InputError, InternalError, LockHeldError, RunNotFoundError
from hactl.model.events import Outcome, Recorded, RunEnded, WishKind
from hactl.model.inventory import Inventory
from hactl.model.journal import RunSummary
from hactl.model.lock import LockBroken, LockPicture
from hactl.model.plan import Plan, Request
from hactl.model.playbook import Playbook
from hactl.model.run import RunState, folded

if TYPE_CHECKING:
    from hactl.transport.prompter import Ask

# Seconds in which a runner has written its first event, on a busy machine too.
_BEGINS_WITHIN = 30.0
# Seconds between two looks at the journal, and at whether the runner is still there.
_POLL = 0.1
_LAST_LINES = 5  # of a runner's log, in an error


class Runs:
    """The runs of one cluster. `ask` asks a person for a passphrase while a plan is made; a runner asks nobody."""

    def __init__(self, inventory: Inventory, *, env: Mapping[str, str] = os.environ, ask: Ask | None = None) -> None:
        self._inventory, self._env, self._ask = inventory, env, ask
        self._opened: Journal | None = None
        self._children: list[subprocess.Popen[bytes]] = []

    @property
    def inventory(self) -> Inventory:
        return self._inventory

    # --- planning ---

    async def plan(self, request: Request, progress: Callable[[str], None] | None = None) -> Plan:
        """What would be done, and what speaks against it. Touches nothing. Raises InputError, JournalError."""
        seen = remembered(self._inventory, self._env)
        async with Control(self._inventory, ask=self._ask, sightings=seen) as control:
            return await made(control, self._journal, request, self._env, progress or (lambda _: None))

    def playbooks(self) -> tuple[Playbook, ...]:
        """Every playbook that can be run."""
        return tuple(one.playbook for one in playbooks(VERBS, self._env) if one.playbook is not None)

    # --- acting ---

    def start(self, plan: Plan) -> str:
        """Carry the plan out, in a process of its own. The run's id, once that process has begun.

        Raises GuardError when guards refuse, LockHeldError when it is the lock's, JournalError, and InternalError when
        the process did not begin.
        """
        if plan.refusals:
            reasons = tuple(verdict.sentence for verdict in plan.refusals)
            if any(verdict.guard == "lock" for verdict in plan.refusals):
                raise LockHeldError(f"Nothing was touched: {'; '.join(reasons)}.", remedy="See `hactl lock show`.")
            raise GuardError(f"Guards refuse: {'; '.join(reasons)}.", reasons)
        if not plan.steps:
            raise InputError("There is nothing to do: every target is as it should be.")
        journal = self._journal
        journal.check_room()
        run = new_run_id(time.time())
        journal.create(run, plan, plan.request.who)
        self._spawn(run, "run")
        return run

    def resume(self, run: str) -> None:
        """Go on with a run that was stopped, failed or killed. Raises RunNotFoundError, and what `start` raises."""
        self._may_go_on(run, "resumed")
        self._spawn(run, "resume")

    def undo(self, run: str) -> None:
        """Put back everything that a run has done. Raises as `resume` does."""
        if self.alive(run):
            self.wish(run, WishKind.UNDO)
            return
        self._may_go_on(run, "undone", whole=True)
        self._spawn(run, "undo")

    def wish(self, run: str, kind: WishKind) -> None:
        """Ask something of a run's runner. Raises RunNotFoundError when nobody works on it."""
        if not self.alive(run):
            raise RunNotFoundError(
                f"Nobody works on run {run}.", remedy=f"`hactl runs resume {run}` or `hactl runs undo {run}`."
            )
        self._journal.wish(run, kind, operator())

    # --- looking ---

    async def follow(self, run: str, after: int = 0) -> AsyncIterator[Recorded]:
        """The events above number `after`, as they come; to the run's end, or until nobody works on it any more."""
        journal, version = self._journal, -1
        while True:
            alive = self.alive(run)
            newest = journal.version()
            if newest != version or not alive:
                version, ended = newest, False
                for recorded in journal.events(run, after):
                    after, ended = recorded.number, isinstance(recorded.event, RunEnded)
                    yield recorded
                if ended or not alive:
                    return
            await asyncio.sleep(_POLL)

    def state(self, run: str) -> RunState:
        return folded(run, self._journal.plan_of(run), self._journal.events(run))

    def story(self, run: str) -> list[Recorded]:
        return self._journal.events(run)

    def runs(self, playbook: str | None = None, limit: int = 50) -> list[RunSummary]:
        """The cluster's newest runs, newest first."""
        return self._journal.runs(self._inventory.name, playbook, limit)

    def resolve(self, prefix: str) -> str:
        """The run that is meant by "last", an id, or a beginning or end of one. Raises RunNotFoundError."""
        return self._journal.resolve(prefix, self._inventory.name)

    def alive(self, run: str) -> bool:
        """Whether a runner works on it now; one of another machine, which nobody here can see, may do so."""
        for child in self._children:
            child.poll()
        return self._journal.alive(run) is not False

    def log(self, run: str) -> Path:
        """What the runner's process itself had to say: for defects, mostly empty."""
        return self._journal.path.parent / "runs" / f"{run}.log"

    def audit(self) -> list[str]:
        """What is wrong with the journal's chain; empty when it holds."""
        return self._journal.verify()

    # --- the lock ---

    async def lock(self) -> LockPicture:
        async with Control(self._inventory, ask=self._ask) as control:
            return await holders(lock_transports(control, self._inventory), self._inventory.name)

    async def break_lock(self, lock_id: str) -> LockBroken:
        """Raises LockError when nobody holds it under this id."""
        async with Control(self._inventory, ask=self._ask) as control:
            return await break_lock(lock_transports(control, self._inventory), self._inventory.name, lock_id)

    # --- inside ---

    @property
    def _journal(self) -> Journal:
        if self._opened is None:
            self._opened = Journal(default_journal(self._env))
        return self._opened

    def _may_go_on(self, run: str, what: str, *, whole: bool = False) -> None:
        state = self.state(run)
        if self.alive(run):
            raise RunNotFoundError(f"Run {run} is being worked on.", remedy=f"See `hactl runs attach {run}`.")
        if state.outcome is Outcome.DONE and not whole:
            raise RunNotFoundError(f"Run {run} is done: there is nothing to be {what}.")
        self._require_its_cluster(state.plan, run, what)
        self._journal.check_room()

    def _require_its_cluster(self, plan: Plan, run: str, what: str) -> None:
        """The inventory may be another one than the run began with. Raises InputError."""
        if plan.cluster != self._inventory.name:
            raise InputError(f"Run {run} is for the cluster {plan.cluster}, this inventory is {self._inventory.name}.")
        gone = sorted({step.node for step in plan.steps if step.node is not None} - self._inventory.nodes.keys())
        if gone:
            raise InputError(
                f"Run {run} cannot be {what}: {', '.join(gone)} of its plan is not in the inventory.",
                remedy="Use the inventory that it began with; for the nodes that are left, plan again.",
            )

    def _spawn(self, run: str, purpose: str) -> None:
        """The runner's process: a session of its own, no terminal, its own log."""
        if not self._inventory.path:
            raise InputError("A run needs an inventory that stands in a file.")
        before = len(self._journal.events(run))
        path = self.log(run)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            child = subprocess.Popen(
                # -P: what lies in the present folder is not taken for a part of hactl.
                [sys.executable, "-P", "-m", "hactl.control.runner", run, purpose, self._inventory.path],
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                env=dict(self._env),
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        self._children.append(child)
        self._await_beginning(run, child, before)

    def _await_beginning(self, run: str, child: subprocess.Popen[bytes], before: int) -> None:
        deadline = time.monotonic() + _BEGINS_WITHIN
        while not self._journal.events(run, before):
            if child.poll() is not None or time.monotonic() > deadline:
                if self._journal.events(run, before):
                    return
                what = f"ended with status {child.returncode}" if child.returncode is not None else "says nothing"
                said = "; ".join(
                    self.log(run).read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
                )
                raise InternalError(
                    f"The runner of {run} {what}: {said or 'no word of why'}", remedy=f"Its log is {self.log(run)}."
                )
            time.sleep(0.02)
