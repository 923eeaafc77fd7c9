"""What the journal tells about runs: its summaries, and the wishes that it hands to a runner."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.events import Outcome, WishKind
from hactl.model.observed import Unknown


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks of a run's runner. `number` grows over all runs; `at` is epoch seconds."""

    number: int
    run: str
    at: float
    kind: WishKind
    who: str


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody did that is no run. `kind` is a word for programs ("ack-added"), `about` what it was done to."""

    cluster: str
    kind: str
    who: str
    about: str
    sentence: str
    at: float = 0.0  # epoch seconds


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in a list. Times are epoch seconds; `outcome` None: it has not ended.

    `alive`: its runner works on it now. Unknown when that runner belongs to another machine.
    """

    run: str
    cluster: str
    playbook: str
    title: str
    who: str
    reason: str
    targets: tuple[str, ...]
    planned_at: float
    began_at: float | None
    ended_at: float | None
    outcome: Outcome | None
    sentence: str
    attempts: int
    steps: int
    done: int  # steps that are done and not undone
    alive: bool | Unknown

    @property
    def unfinished(self) -> bool:
        """It began, has not ended, and nobody works on it: it waits to be resumed or undone."""
        return self.began_at is not None and self.outcome is None and self.alive is False
