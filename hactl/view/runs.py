"""Runs in a list, as the journal has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from hactl.model.findings import Level
from hactl.model.journal import RunSummary
from hactl.model.observed import Unknown
from hactl.model.plan import RunRef
from hactl.model.text import one_line
from hactl.view import units
from hactl.view.cluster import Fact
from hactl.view.lines import Line
from hactl.view.outcomes import OUTCOME_LEVELS, OUTCOME_WORDS
from hactl.view.severity import severity
from hactl.view.tables import Cell, Column, Row, Table

_COLUMNS = (
    Column("run", "run"),
    Column("playbook", "playbook"),
    Column("targets", "targets", grow=True, minimum=7),
    Column("who", "who", priority=2),
    Column("started", "started", priority=1),
    Column("took", "took", align="right", priority=3),
    Column("outcome", "outcome"),
    Column("says", "says", grow=True, minimum=10, priority=4),
)

Field: TypeAlias = Literal["playbook", "outcome", "node", "who"]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list: "" takes all. `outcome` is a word of `summary_word`; `node` one of the targets."""

    playbook: str = ""
    outcome: str = ""
    node: str = ""
    who: str = ""
    unfinished: bool = False  # only what goes on, or waits for somebody to resume or undo it

    def takes(self, summary: RunSummary) -> bool:
        return (not self.unfinished or summary.outcome is None) and all(
            not wanted or wanted in _values(summary, field) for field, wanted in self._fields()
        )

    def next(self, field: Field, summaries: Iterable[RunSummary]) -> RunFilter:
        """The same with the next value that occurs for `field`; after the last one come all of them again."""
        values = {value for summary in summaries for value in _values(summary, field)}
        now = dict(self._fields())[field]
        value = min((value for value in values if value > now), default="")
        match field:
            case "playbook":
                return replace(self, playbook=value)
            case "outcome":
                return replace(self, outcome=value)
            case "node":
                return replace(self, node=value)
        return replace(self, who=value)

    @property
    def words(self) -> str:
        """What it leaves, as the end of a title: "playbook drain, unfinished only"."""
        only = [f"{field} {value}" for field, value in self._fields() if value]
        return ", ".join(only + ["unfinished only"] * self.unfinished)

    def _fields(self) -> tuple[tuple[Field, str], ...]:
        return (("playbook", self.playbook), ("outcome", self.outcome), ("node", self.node), ("who", self.who))


def _values(summary: RunSummary, field: Field) -> tuple[str, ...]:
    match field:
        case "playbook":
            return (summary.playbook,)
        case "outcome":
            return (summary_word(summary),)
        case "node":
            return summary.targets
    return (one_line(summary.who),)


def run_rows(summaries: Iterable[RunSummary], now: float) -> Table:
    """One row a run, in the order given. `now` is epoch seconds."""
    return Table(_COLUMNS, tuple(_row(summary, now) for summary in summaries))


def summary_word(summary: RunSummary) -> str:
    """How the run stands in a word or two."""
    if summary.outcome is not None:
        return OUTCOME_WORDS[summary.outcome]
    if isinstance(summary.alive, Unknown):
        return "not ended"
    return "going on" if summary.alive else "unfinished"


def summary_level(summary: RunSummary) -> Level | None:
    if summary.outcome is not None:
        return OUTCOME_LEVELS[summary.outcome]
    return None if summary.alive is True else Level.UNKNOWN


def summary_sentence(summary: RunSummary) -> str:
    if not summary.sentence and isinstance(summary.alive, Unknown):
        return one_line(summary.alive.reason)
    return one_line(summary.sentence)


def run_facts(runs: Sequence[RunSummary]) -> tuple[Fact, ...]:
    """What the banner says of runs that are not over: how far one is, or that it waits for somebody."""
    return tuple(_run_fact(run) for run in runs)


def _run_fact(run: RunSummary) -> Fact:
    if run.outcome is None and run.alive is True:
        return Fact("run", f"▶ {run.playbook} {run.done}/{run.steps}")
    word = OUTCOME_WORDS[run.outcome] if run.outcome is not None else "unfinished"
    return Fact("run", f"{severity(Level.WARN).symbol} {run.playbook} {word}", Level.WARN)


def unfinished_lines(runs: Sequence[RunRef], now: float) -> tuple[Line, ...]:
    """What a look at the cluster should say about runs that are not over: who is at it, or what waits for somebody."""
    return tuple(_unfinished(run, now) for run in runs)


def _unfinished(run: RunRef, now: float) -> Line:
    since = f"{run.playbook} by {run.who} since {units.moment(run.since, now)}"
    if run.alive:
        return Line(f"{run.run} is going on: {since}; hactl runs attach {run.run}", mark="run", hang=9)
    what = f"{run.run} was not finished: {since}; hactl runs resume {run.run}, or undo"
    return Line(what, Level.WARN, mark="run", hang=9)


def _row(summary: RunSummary, now: float) -> Row:
    began = summary.began_at if summary.began_at is not None else summary.planned_at
    ended = summary.ended_at if summary.ended_at is not None else now if summary.alive is True else None
    took = Cell("?", unknown=True)
    if ended is not None:
        took = Cell(units.duration(round(max(0.0, ended - began))), sort=ended - began)
    level = summary_level(summary)
    return Row(
        summary.run,
        (
            Cell(summary.run),
            Cell(summary.playbook),
            Cell(", ".join(summary.targets)),
            Cell(one_line(summary.who)),
            Cell(units.moment(began, now), sort=began),
            took,
            Cell(summary_word(summary), level),
            Cell(summary_sentence(summary)),
        ),
        level,
    )
