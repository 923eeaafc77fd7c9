"""A run's story while it is written: every event goes into the journal first, then into the state.

The journal may be the real one or a test's; the engine needs no more of it than `Diary`. Beside the state, a story
knows what only the order of events tells: which acts were begun, and what still counts as finished.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from hactl.model.events import (
    CommandStarted,
    Event,
    ProbeTick,
    Recorded,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepUnknown,
    UndoStarted,
    Wished,
    WishKind,
)
from hactl.model.journal import Wish
from hactl.model.plan import Plan, PlannedStep
from hactl.model.run import RunState, StepPhase, after, begun

_FINISHED = {StepPhase.DONE, StepPhase.SKIPPED}


class Diary(Protocol):
    """What a runner needs of the journal. Everything raises JournalError."""

    def append(self, run: str, event: Event, secrets: Collection[str] = ()) -> Recorded:
        """On disk when it returns."""

    def wishes(self, run: str, after: int = 0) -> Sequence[Wish]: ...

    def check_room(self) -> None:
        """Raises JournalError while there is still room to write down why the run ends."""


class Story:
    """The events of one run so far, and the state that they give.

    An episode is what one decision of an operator began: it outlives the processes that were killed meanwhile.
    """

    def __init__(self, diary: Diary, run: str, plan: Plan, events: Sequence[Recorded] = ()) -> None:
        self._diary = diary
        self.run = run
        self.plan = plan
        self.state: RunState = begun(run, plan)
        self._undoing = False
        self._acted: set[int] = set()
        self._episode = 0  # number of the event that began it
        self._ended: dict[int, int] = {}  # step -> number of the event that ended it last
        self._failed: dict[int, int] = {}  # step -> number of the event by which it failed, and was not begun again
        self._answered: dict[str, int] = {}  # endpoint that has answered in this episode -> requests that failed since
        self._put_back: dict[str, int] = {}  # lane -> number of the event that last began to put something back
        self._taken_back: dict[int, int] = {}  # step -> the same, of this very step
        for recorded in events:
            self._take(recorded)

    def write(self, event: Event, secrets: Collection[str] = ()) -> None:
        """Raises JournalError, in which case nothing may be done that the event announces."""
        self._take(self._diary.append(self.run, event, secrets))

    def acted(self, step: int) -> bool:
        """Whether anything that changes the world was begun since the step was last started."""
        return step in self._acted

    def finished(self, step: PlannedStep) -> bool:
        """Done or not needed, and neither it nor what it rests on was put back since. What comes after it in its lane
        may have been: then it stands as it is, and is not done again (where that failed at once, nothing was put back).
        """
        lanes, ended = self.plan.steps, self._ended.get(step.index, 0)
        since = (
            number
            for index, number in self._taken_back.items()
            if index <= step.index and lanes[index].lane == step.lane
        )
        return self.state.steps[step.index].phase in _FINISHED and ended > max(since, default=0)

    def failing(self, step: PlannedStep) -> bool:
        """Failed in this episode: what follows from that may not be over. A step whose outcome is unknown has failed
        once its lane is being put back because of it; and one that failed has, even when it was put back itself.
        """
        failed = self._failed.get(step.index, 0)
        if failed <= self._episode:
            return False
        return not self._unknown(step) or self._put_back.get(step.lane, 0) > failed

    def _unknown(self, step: PlannedStep) -> bool:
        return self.state.steps[step.index].phase is StepPhase.UNKNOWN

    @property
    def probed(self) -> Mapping[str, int]:
        """The endpoints that have answered in this episode, each with how many requests to it have failed since."""
        return self._answered if self.state.outcome is None else {}

    @property
    def undoing(self) -> bool:
        """Whether this episode is to put everything back."""
        return self._undoing

    def _take(self, recorded: Recorded) -> None:
        new_episode = self.state.attempt == 0 or self.state.outcome is not None
        self.state = after(self.state, recorded)
        match recorded.event:
            case RunStarted(purpose=purpose):
                if new_episode:
                    self._episode, self._undoing = recorded.number, False
                    self._answered.clear()
                self._undoing = self._undoing or purpose == "undo"
            case Wished(wish=WishKind.UNDO):
                self._undoing = True
            case ProbeTick(endpoint=endpoint, sent=sent, failed=failed):
                if endpoint in self._answered:
                    self._answered[endpoint] += failed
                elif failed < sent:
                    self._answered[endpoint] = 0
            case event:
                self._take_step(event, recorded.number)

    def _take_step(self, event: Event, number: int) -> None:
        match event:
            case StepStarted(step=step):
                self._acted.discard(step)
                self._failed.pop(step, None)
            case CommandStarted(step=step):
                self._acted.add(step)
            case StepDone(step=step):
                self._ended[step] = number
                self._failed.pop(step, None)
            case StepFailed(step=step) | StepUnknown(step=step):
                self._ended[step] = self._failed[step] = number
            case UndoStarted(step=step):
                self._put_back[self.plan.steps[step].lane] = self._taken_back[step] = number
            case _:
                pass
