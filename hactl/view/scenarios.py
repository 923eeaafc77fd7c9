"""Exercises of the lab as lines: the list, what was begun, what is missing, the report with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from hactl.model.findings import Level
from hactl.model.scenario import Hint, Scenario, filled
from hactl.model.scenario_goals import Judgement
from hactl.model.scenario_score import WHOLE, Score
from hactl.model.scenario_story import Ending, Mark, Note, Standing, Traffic
from hactl.model.units import duration
from hactl.view.lines import Line
from hactl.view.tables import Cell, Column, Row, Table

_ENDINGS = {
    Ending.REACHED: "the goal was reached",
    Ending.STOPPED: "stopped before the goal was reached",
    Ending.TIMEOUT: "the time was over before the goal was reached",
    Ending.GONE: "the lab went down before the goal was reached",
}
_TOLD = {
    Mark.BEGUN: "the clock runs",
    Mark.ACT: "done to the lab",
    Mark.OPEN: "not reached",
    Mark.SEEN: "seen",
    Mark.GONE: "gone",
    Mark.MOVED: "moved",
    Mark.DETECTED: "first act",
    Mark.GOAL: "goal",
    Mark.HINT: "hint",
    Mark.WATCHED: "watcher",
    Mark.COUNTED: "orders",
    Mark.PUT_BACK: "put back",
    Mark.ENDED: "end",
}
_MOST_SEEN = 60  # notes of what was seen that a report shows


_COLUMNS = (
    Column("name", "exercise"),
    Column("level", "level", priority=1),
    Column("limit", "at most", align="right", priority=3),
    Column("best", "best", priority=2),
    Column("title", "what it is about", grow=True, minimum=10),
)


def scenario_rows(scenarios: Sequence[Scenario], best: Mapping[str, Score]) -> Table:
    """One row an exercise."""
    found = (listed_row(one, best.get(one.name)) for one in scenarios)
    return Table(_COLUMNS, tuple(Row(cells[0], tuple(map(Cell, cells))) for cells in found))


def listed_row(scenario: Scenario, best: Score | None) -> tuple[str, str, str, str, str]:
    """Name, level, time, best score, title."""
    score = "-" if best is None else f"{best.points} {best.grade}"
    return scenario.name, scenario.grade.value, duration(scenario.limit), score, scenario.title


def history_row(id_: str, standing: Standing, traffic: Traffic, score: Score | None) -> tuple[str, ...]:
    """Id, name, ending, score, requests failed, orders lost, hints."""
    points = "-" if score is None else f"{score.points} {score.grade}"
    ending = "goes on" if standing.ending is None else standing.ending.value
    lost = "?" if standing.lost is None else str(standing.lost)
    return id_, standing.name, ending, points, str(traffic.failed), lost, str(standing.hints)


def story_lines(scenario: Scenario) -> Iterator[Line]:
    """An exercise that nobody has begun; words in braces are still to be filled."""
    names = {"cluster": "the lab", **{word: f"the {word}" for word in ("primary", "standby", "holder")}}
    told = scenario.told({**names, "far": "the far standby", "other": "the other balancer"})
    yield Line(f"{told.title} ({told.grade.value}, at most {duration(told.limit)})", strong=True)
    yield Line(" ".join(told.story.split()))
    yield Line()
    yield from (Line(f"{number}. {goal.title}", indent=2, hang=5) for number, goal in enumerate(told.goals, 1))


def hint_line(number: int, hint: Hint) -> Line:
    return Line(f"Hint {number} ({hint.cost} points): {hint.text}")


def begun_lines(standing: Standing) -> Iterator[Line]:
    """What the operator is told at the beginning."""
    scenario = standing.session.scenario
    if standing.session.secret:
        yield Line("A surprise", strong=True)
        yield Line("Something is going to happen to the lab, or has already. Users are ordering. Look after them.")
    else:
        yield Line(f"{scenario.title} ({scenario.grade.value}, at most {duration(scenario.limit)})", strong=True)
        yield Line(" ".join(scenario.story.split()))
    yield Line()
    if not standing.session.secret:
        yield from (Line(f"{number}. {goal.title}", indent=2, hang=5) for number, goal in enumerate(scenario.goals, 1))
        yield Line()
    hints = f"{len(scenario.hints)} hints" if len(scenario.hints) != 1 else "1 hint"
    yield Line(
        f"hactl lab scenario check   what is missing; hint: {hints}; stop: give up; report: how it went", faint=True
    )


def check_lines(
    standing: Standing, number: int, judgements: Sequence[Judgement], *, holds: bool = False
) -> Iterator[Line]:
    """What holds of the next goal, and what not yet."""
    if standing.ending is not None:
        level = Level.OK if standing.ending is Ending.REACHED else Level.WARN
        yield Line(f"It is over: {_ENDINGS[standing.ending]}.", level)
        return
    goals = standing.session.scenario.goals
    if standing.session.secret:
        yield Line(f"Goal {number} of {len(goals)}", strong=True)
    elif number <= len(goals):
        yield Line(f"Goal {number} of {len(goals)}: {goals[number - 1].title}", strong=True)
    for one in judgements:
        yield Line(
            one.sentence,
            Level.OK if one.holds else Level.WARN,
            indent=2,
            hang=11,
            mark="yes" if one.holds else "not yet",
        )
    if holds:
        yield Line("When it has held for some seconds the exercise is over: hactl lab scenario report", faint=True)


def report_lines(standing: Standing, traffic: Traffic, score: Score | None, id_: str) -> Iterator[Line]:
    """The whole of it: how it ended, points with reasons, what happened when, the debrief."""
    scenario = standing.session.scenario
    yield Line(
        f"{standing.name}: {scenario.title if standing.name == scenario.name else 'not told before its end'}",
        strong=True,
    )
    ended = _ENDINGS[standing.ending] if standing.ending is not None else "it goes on"
    yield Line(f"{id_}, played by {standing.session.who}: {ended}")
    yield Line()
    yield from _requests(standing, traffic)
    if score is not None:
        yield Line()
        yield from _score(score)
    yield Line()
    yield Line("what happened", strong=True)
    yield from _timeline(standing)
    if standing.over:
        yield Line()
        yield Line("what it was", strong=True)
        yield Line(debrief(standing, traffic, score))


def debrief(standing: Standing, traffic: Traffic, score: Score | None) -> str:
    """The exercise's own words, with what was measured."""
    return filled(" ".join(standing.session.scenario.debrief.split()), _measures(standing, traffic, score))


def _measures(standing: Standing, traffic: Traffic, score: Score | None) -> dict[str, str]:
    def span(seconds: float | None) -> str:
        return "(never)" if seconds is None else duration(round(seconds))

    return {
        "sent": str(traffic.sent),
        "failed": str(traffic.failed),
        "rows": str(traffic.confirmed),
        "lost": "an unknown number" if standing.lost is None else str(standing.lost),
        "detect": span(score.detect if score else None),
        "repair": span(score.repair if score else None),
    }


def _requests(standing: Standing, traffic: Traffic) -> Iterator[Line]:
    gap = f", {duration(traffic.gap)} without a good answer at most" if traffic.failed else ""
    yield Line(f"client requests   {traffic.sent} sent, {traffic.failed} failed{gap}")
    if traffic.errors:
        errors = ", ".join(f"{count} {what}" for what, count in sorted(traffic.errors.items(), key=lambda one: -one[1]))
        yield Line(errors, indent=18)
    lost = "not counted yet" if standing.lost is None else f"{standing.lost} lost"
    yield Line(f"orders            {traffic.confirmed} confirmed, {lost}")


def _score(score: Score) -> Iterator[Line]:
    level = Level.OK if score.grade in {"A", "B"} else Level.WARN
    yield Line(f"{score.points} of {WHOLE} points, grade {score.grade}; damage {score.damage}", level)
    for term in score.terms:
        yield Line(f"{-term.lost:>4}  of {term.weight:>2}  {term.name:<9} {term.sentence}", indent=2, hang=24)


def _timeline(standing: Standing) -> Iterator[Line]:
    """Seconds since the clock began. Of a secret that is not over, nothing that gives it away."""
    began = standing.began or standing.session.prepared
    hidden = {Mark.ACT} if standing.session.secret and not standing.over else set[Mark]()
    shown = sorted((note for note in standing.notes if note.mark not in hidden), key=lambda note: note.at)
    seen = [note for note in shown if note.mark in {Mark.SEEN, Mark.GONE}]
    dropped = set(map(id, seen[_MOST_SEEN:]))
    for note in shown:
        if id(note) not in dropped:
            yield Line(
                f"{note.at - began:>7.1f} s  {_TOLD[note.mark]:<15}  {_said(note)}", _level(note), indent=1, hang=28
            )
    if dropped:
        yield Line(f"and {len(dropped)} more that came and went", indent=28)
    if standing.unreadable:
        notes = "1 note is" if standing.unreadable == 1 else f"{standing.unreadable} notes are"
        yield Line(f"{notes} missing here: the exercise's diary cannot be read there", Level.WARN, indent=1)


def _said(note: Note) -> str:
    if note.mark is Mark.BEGUN:
        moment = datetime.fromtimestamp(note.at, UTC)
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    if note.mark is Mark.ENDED:
        return _ENDINGS[Ending(note.text)]
    return f"{note.number}: {note.text}" if note.mark in {Mark.GOAL, Mark.HINT} else note.text


def _level(note: Note) -> Level | None:
    if note.mark is Mark.SEEN:
        return Level.WARN
    return Level.OK if note.mark in {Mark.GOAL, Mark.GONE} else None
