"""What happens while an exercise is played, as notes with their times, and how it stands after them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hactl.model.scenario import Goal, Scenario


class Mark(StrEnum):
    """What a note is about."""

    BEGUN = "begun"  # the clock runs
    ACT = "act"  # an act of the exercise was done; `number` counts from 1
    OPEN = "open"  # the goal was seen not to hold: from now on that it holds means something
    SEEN = "seen"  # something is wrong now that was not before
    GONE = "gone"  # and no longer is
    MOVED = "moved"  # a role: who is the primary, who holds the VIP
    DETECTED = "detected"  # the first thing that the operator was seen to do
    GOAL = "goal"  # a goal was reached; `number` counts from 1
    HINT = "hint"  # `number` counts from 1
    WATCHED = "watched"  # a watcher began to look, the first one or after one that was killed
    COUNTED = "counted"  # confirmed orders against the database; `number` are lost, -1: nobody could say
    PUT_BACK = "put-back"
    ENDED = "ended"  # the text is an `Ending`


class Ending(StrEnum):
    REACHED = "reached"
    STOPPED = "stopped"
    TIMEOUT = "timeout"
    GONE = "gone"  # the lab went down, or was reset


@dataclass(frozen=True, slots=True)
class Note:
    """`at`: epoch seconds."""

    at: float
    mark: Mark
    text: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One playing of an exercise, as it began. The scenario has its nodes in it. `secret`: its name is not told before
    the end. `before`: keys of the findings that were there already. `life`: of the lab, another word after each boot.
    """

    id: str
    scenario: Scenario
    who: str
    prepared: float  # epoch seconds
    secret: bool
    places: Mapping[str, str]
    before: tuple[str, ...]
    life: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """What became of the clients' requests. `gap`: the longest time without a good answer, seconds."""

    sent: int = 0
    failed: int = 0
    confirmed: int = 0
    gap: float = 0.0
    first: float | None = None  # epoch seconds of the first failure and of the last
    last: float | None = None
    errors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session stands. Times are epoch seconds; None: it has not happened."""

    session: Session
    notes: tuple[Note, ...]
    began: float | None
    detected: float | None
    reached: int  # goals
    acts: int  # that are done
    hints: int
    lost: int | None  # None: not counted
    ended: float | None
    ending: Ending | None
    unreadable: int = 0  # notes that are there and cannot be read: what they told is missing

    @property
    def over(self) -> bool:
        return self.ending is not None

    @property
    def goal(self) -> Goal | None:
        """The next one; None when all are reached."""
        goals = self.session.scenario.goals
        return goals[self.reached] if self.reached < len(goals) else None

    @property
    def name(self) -> str:
        """What the session may be called now."""
        return "(a surprise)" if self.session.secret and not self.over else self.session.scenario.name


def folded(session: Session, notes: Iterable[Note], unreadable: int = 0) -> Standing:
    """How it stands after these notes."""
    story = tuple(notes)
    ends = [note for note in story if note.mark is Mark.ENDED]
    counted = [note.number for note in story if note.mark is Mark.COUNTED and note.number >= 0]
    return Standing(
        session=session,
        notes=story,
        began=_first(story, Mark.BEGUN),
        detected=_first(story, Mark.DETECTED),
        reached=_most(story, Mark.GOAL),
        acts=_most(story, Mark.ACT),
        hints=_most(story, Mark.HINT),
        lost=counted[-1] if counted else None,
        ended=ends[0].at if ends else None,
        ending=Ending(ends[0].text) if ends else None,
        unreadable=unreadable,
    )


def _first(notes: Sequence[Note], mark: Mark) -> float | None:
    return next((note.at for note in notes if note.mark is mark), None)


def _most(notes: Sequence[Note], mark: Mark) -> int:
    return max((note.number for note in notes if note.mark is mark), default=0)
