"""An exercise of the training lab, as data: what goes wrong, what is to be reached, the hints, what is par. Pure.

Words in braces stand for nodes, which depend on how the lab stands when an exercise begins: `{primary}` is whoever is
the primary then, and stays that node whatever happens. So every exercise can be played whoever holds what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

_HELD = re.compile(r"\{([^{}]*)\}")

PLACES: Mapping[str, str] = {
    "primary": "the primary of the database",
    "standby": "the standby that is nearest to it",
    "far": "the standby of the other site",
    "holder": "the balancer that holds the VIP",
    "other": "the other balancer",
    "cluster": "the name of the lab",
}
"""What a word in braces stands for, as the lab is when the exercise begins."""

MEASURES: Mapping[str, str] = {
    "sent": "client requests that were sent",
    "failed": "client requests that failed",
    "rows": "orders that were confirmed to clients",
    "lost": "orders that were confirmed and are not there",
    "detect": "the time to detect",
    "repair": "the time to repair",
}
"""What a word in braces stands for in a debrief besides: what was measured."""


class Grade(StrEnum):
    """How hard an exercise is, in the order in which to take them."""

    FIRST = "first"
    ROUTINE = "routine"
    INCIDENT = "incident"
    DISASTER = "disaster"


class ActKind(StrEnum):
    FAULT = "fault"  # do a fault of the lab
    UNDO = "undo"  # take one back: hands in the machine room
    OPERATOR = "operator"  # a colleague's hactl command


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens to the lab. `words`: the fault and its arguments, or the colleague's command line.

    `after`: seconds since the act before it was done, or since the clock began.
    """

    kind: ActKind
    words: tuple[str, ...]
    after: float = 0.0
    who: str = ""  # the colleague

    def __str__(self) -> str:
        match self.kind:
            case ActKind.FAULT:
                return f"fault {' '.join(self.words)}"
            case ActKind.UNDO:
                return f"undo {' '.join(self.words)}"
        return f"{self.who}: hactl {' '.join(self.words)}"


class ConditionKind(StrEnum):
    """What may be asked of the real cluster; `model.scenario_goals` answers each."""

    HEALTHY = "healthy"
    DRAINED = "drained"
    SERVING = "serving"
    VIP = "vip"
    PRIMARY = "primary"
    STREAMING = "streaming"
    VERSION = "version"
    WITHOUT = "without"
    ROWS = "rows_kept"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class Condition:
    """`words` are the condition's arguments; see `ConditionKind`."""

    kind: ConditionKind
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Goal:
    """A station on the way: all its conditions hold at one moment. The last one of an exercise is its end."""

    title: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Hint:
    text: str
    cost: int  # points


@dataclass(frozen=True, slots=True)
class Par:
    """What a practised operator needs; nothing is lost up to that. Seconds, requests, orders."""

    detect: float
    repair: float
    failed: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One exercise. `limit`: seconds after which it ends by itself. `source`: its file."""

    name: str
    title: str
    grade: Grade
    story: str
    prepare: tuple[Act, ...]  # done before the clock begins
    acts: tuple[Act, ...]  # done while it goes on, one after another
    goals: tuple[Goal, ...]
    hints: tuple[Hint, ...]
    par: Par
    limit: float
    debrief: str
    cleanup: tuple[Act, ...] = ()  # done when it is over, however it ended
    surprise: bool = False  # may be chosen for a game day
    source: str = ""

    def told(self, names: Mapping[str, str]) -> Scenario:
        """The same with nodes for the words in braces; those that `names` lacks stay."""

        def acts(given: tuple[Act, ...]) -> tuple[Act, ...]:
            return tuple(replace(act, words=tuple(filled(word, names) for word in act.words)) for act in given)

        return replace(
            self,
            story=filled(self.story, names),
            prepare=acts(self.prepare),
            acts=acts(self.acts),
            cleanup=acts(self.cleanup),
            goals=tuple(_goal(goal, names) for goal in self.goals),
            hints=tuple(replace(hint, text=filled(hint.text, names)) for hint in self.hints),
            debrief=filled(self.debrief, names),
        )


def _goal(goal: Goal, names: Mapping[str, str]) -> Goal:
    conditions = tuple(replace(one, words=tuple(filled(word, names) for word in one.words)) for one in goal.conditions)
    return Goal(filled(goal.title, names), conditions)


def filled(text: str, names: Mapping[str, str]) -> str:
    """`text` with what each word in braces stands for; a word that is not in `names` stays as it is."""
    return _HELD.sub(lambda match: names.get(match[1], match[0]), text)


def held(text: str) -> tuple[str, ...]:
    """The words in braces that `text` has."""
    return tuple(_HELD.findall(text))
