"""What may stand in an exercise's file, table by table: the shape, not yet the sense (`scenarios`)."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field

from hactl.config.entry import Entry
from hactl.config.values import Duration, Filled, Name
from hactl.model.values import lines

Prose: TypeAlias = Annotated[str, AfterValidator(lines), Field(min_length=1)]
Words: TypeAlias = Annotated[list[Filled], Field(min_length=1)]


class HeadEntry(Entry):
    """What the exercise is: `[scenario]`."""

    name: Name
    """What it is called; the same as its file."""
    title: Filled
    """One line."""
    level: Literal["first", "routine", "incident", "disaster"]
    """How hard it is."""
    surprise: bool = False
    """Whether `--random` may choose it: something breaks that an operator can find without having been told."""
    story: Prose
    """What the operator is told when it begins."""
    limit: Duration
    """It ends by itself after so long."""
    debrief: Prose
    """What happened, told when it is over."""


class ParEntry(Entry):
    """What a practised operator needs: nothing is lost up to that."""

    detect: Duration
    """Until the first thing that is done."""
    repair: Duration
    """Until the last goal."""
    failed: Annotated[int, Field(ge=0)]
    """Client requests that fail."""
    lost: Annotated[int, Field(ge=0)] = 0
    """Confirmed orders that are not there in the end."""


class ActEntry(Entry):
    """Something that happens to the lab; exactly one of fault, undo and operator."""

    model_config = ConfigDict(populate_by_name=True)

    fault: Filled | None = None
    """A fault of `hactl lab fault list`."""
    undo: Filled | None = None
    """A fault that is taken back: hands in the machine room."""
    operator: Words | None = None
    """A colleague's hactl command, as words."""
    with_: list[Filled] = Field([], alias="with")
    """Arguments of the fault, in its order."""
    who: Name | None = None
    """The colleague's name."""
    after: Duration = 0.0
    """How long after the act before it."""


class VersionEntry(Entry):
    service: Name
    is_: Filled = Field(alias="is")


class GoalEntry(Entry):
    """A station on the way: all that it names holds at one moment."""

    title: Filled
    """What is to be reached, in a sentence."""
    healthy: bool | None = None
    """Nothing is wrong that was not so when it began."""
    drained: Words | None = None
    """Nodes that take no new requests, on every balancer."""
    serving: Words | None = None
    """Nodes that are up, on every balancer."""
    vip: Filled | None = None
    """"one": exactly one balancer has it; a node: that one; "!NODE": one, and not that."""
    primary: Filled | None = None
    """"one", a node, or "!NODE", as for vip."""
    streaming: Words | None = None
    """Servers that follow the one primary; "all" for every other one."""
    version: VersionEntry | None = None
    """A version that a service tells on each of its nodes."""
    without: Words | None = None
    """Patterns of keys of findings that may not be there: "slot:*"."""
    rows_kept: bool | None = None
    """Every order that was confirmed to a client is in the database."""
    backup: Literal["full", "any"] | None = None
    """A good backup was begun after the exercise."""


class HintEntry(Entry):
    text: Prose
    cost: Annotated[int, Field(ge=1, le=50)]
    """Points that it takes."""


class ScenarioFile(Entry):
    """An exercise of the training lab."""

    schema_: Literal[1] = Field(alias="schema")
    """The version of this format."""
    scenario: HeadEntry
    par: ParEntry
    prepare: list[ActEntry] = Field([])
    """Done before the clock begins, one after another."""
    acts: list[ActEntry] = Field([])
    """Done while it goes on, one after another."""
    goals: Annotated[list[GoalEntry], Field(min_length=1)]
    hints: list[HintEntry] = Field([])
    cleanup: list[ActEntry] = Field([])
    """Done when it is over, however it ended; faults are taken back anyway."""
