"""The runs in a recording, as far as they had come at the moment that is shown. For looking only."""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from hactl.model.errors import HactlError, RunNotFoundError
from hactl.model.events import Recorded, WishKind
from hactl.model.inventory import Inventory
from hactl.model.journal import RunSummary
from hactl.model.plan import Plan, Request
from hactl.model.playbook import Playbook
from hactl.model.recording import RunEntry, RunLives, RunPlanned
from hactl.model.run import RunState, StepPhase, begun
from hactl.model.run import after as next_state

_POLL = 0.1  # seconds between two looks at how far it is
_AT_THEIR_END = {StepPhase.DONE, StepPhase.SKIPPED}


@dataclass(slots=True)
class _Run:
    """One run, with the seconds of the recording from which on each thing was known."""

    known_from: float
    planned: RunPlanned
    seen: list[float] = field(default_factory=list)
    events: list[Recorded] = field(default_factory=list)
    lives: list[tuple[float, bool]] = field(default_factory=list)
    folded: tuple[int, RunState] | None = None  # of the first so many events; replaced whole, several threads look


class RecordedRuns:
    """`now` tells the second of the recording that is shown."""

    def __init__(
        self, inventory: Inventory, entries: Sequence[tuple[float, RunEntry]], now: Callable[[], float]
    ) -> None:
        self._inventory, self._now = inventory, now
        self._runs: dict[str, _Run] = {}
        for at, entry in entries:
            self._take(at, entry)

    def _take(self, at: float, entry: RunEntry) -> None:
        run = self._runs.get(entry.run)
        if isinstance(entry, RunPlanned):
            self._runs.setdefault(entry.run, _Run(at, entry))
        elif run is None:
            return
        elif isinstance(entry, RunLives):
            run.lives.append((at, entry.alive))
        elif not run.events or entry.number > run.events[-1].number:
            run.seen.append(at)
            run.events.append(entry)

    # --- looking ---

    @property
    def inventory(self) -> Inventory:
        """The recorded cluster's."""
        return self._inventory

    def runs(self) -> list[RunSummary]:
        """Newest first."""
        known = [run for run in self._runs.values() if run.known_from <= self._now()]
        return [self._summary(run) for run in reversed(known)]

    def going(self) -> tuple[RunSummary, ...]:
        """Those that somebody works on."""
        return tuple(summary for summary in self.runs() if summary.alive is True)

    def state(self, run: str) -> RunState:
        """Raises RunNotFoundError."""
        return self._state(self._run(run))

    def story(self, run: str) -> list[Recorded]:
        """Every event so far. Raises RunNotFoundError."""
        return list(self._known(self._run(run)))

    def alive(self, run: str) -> bool:
        """Whether somebody worked on it then."""
        found = self._runs.get(run)
        return found is not None and self._lives(found)

    async def follow(self, run: str, after: int = 0) -> AsyncIterator[Recorded]:
        """The events above number `after` as they come; until nobody worked on it any more. Raises RunNotFoundError."""
        found = self._run(run)
        while True:
            for recorded in self._known(found):
                if recorded.number > after:
                    after = recorded.number
                    yield recorded
            if not self._lives(found):
                return
            await asyncio.sleep(_POLL)

    def playbooks(self) -> tuple[Playbook, ...]:
        """None can be run."""
        return ()

    # --- acting ---

    async def plan(self, request: Request, progress: Callable[[str], None] | None = None) -> Plan:  # noqa: ARG002 - the protocol's shape
        self._refuse()

    def start(self, plan: Plan) -> str:  # noqa: ARG002 - likewise
        self._refuse()

    def resume(self, run: str) -> None:  # noqa: ARG002 - likewise
        self._refuse()

    def undo(self, run: str) -> None:  # noqa: ARG002 - likewise
        self._refuse()

    def wish(self, run: str, kind: WishKind) -> None:  # noqa: ARG002 - likewise
        self._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise HactlError("This is a recording: what it shows is over, and nothing can be done in it.")

    # --- inside ---

    def _run(self, run: str) -> _Run:
        found = self._runs.get(run)
        if found is None or found.known_from > self._now():
            raise RunNotFoundError(f"Run {run} is not in the recording, or has not begun yet.")
        return found

    def _known(self, run: _Run) -> Sequence[Recorded]:
        return run.events[: bisect.bisect_right(run.seen, self._now())]

    def _state(self, run: _Run) -> RunState:
        """Folded on from where it was the last time, if time has not gone back since."""
        count = bisect.bisect_right(run.seen, self._now())
        of, state = run.folded or (0, begun(run.planned.run, run.planned.plan))
        if count < of:
            of, state = 0, begun(run.planned.run, run.planned.plan)
        for event in run.events[of:count]:
            state = next_state(state, event)
        run.folded = count, state
        return state

    def _lives(self, run: _Run) -> bool:
        known = [alive for at, alive in run.lives if at <= self._now()]
        return bool(known) and known[-1]

    def _summary(self, run: _Run) -> RunSummary:
        plan, state = run.planned.plan, self._state(run)
        return RunSummary(
            run=run.planned.run,
            cluster=plan.cluster,
            playbook=plan.playbook,
            title=plan.title,
            who=run.planned.who,
            reason=plan.request.reason,
            targets=plan.targets,
            planned_at=run.planned.planned_at,
            began_at=state.began_at,
            ended_at=state.ended_at,
            outcome=state.outcome,
            sentence=state.sentence,
            attempts=state.attempt,
            steps=len(plan.steps),
            done=sum(step.phase in _AT_THEIR_END for step in state.steps),
            alive=self._lives(run),
        )
