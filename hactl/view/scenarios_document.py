"""Exercises of the lab as documents, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from hactl.model.scenario import Scenario
from hactl.model.scenario_goals import Judgement
from hactl.model.scenario_score import Score
from hactl.model.scenario_story import Standing, Traffic
from hactl.view.scenarios import debrief

Document: TypeAlias = "str | int | float | bool | Sequence[Document] | dict[str, Document] | None"


def scenario_document(scenario: Scenario) -> dict[str, Document]:
    return {
        "name": scenario.name,
        "title": scenario.title,
        "level": scenario.grade.value,
        "limit_seconds": scenario.limit,
        "story": " ".join(scenario.story.split()),
        "goals": [goal.title for goal in scenario.goals],
        "hints": len(scenario.hints),
        "surprise": scenario.surprise,
    }


def check_document(standing: Standing, number: int, judgements: Sequence[Judgement], *, holds: bool) -> Document:
    return {
        "schema": 1,
        "exercise": standing.name,
        "ending": standing.ending.value if standing.ending is not None else None,
        "goal": number,
        "goals": len(standing.session.scenario.goals),
        "holds": holds,
        "conditions": [{"holds": one.holds, "sentence": one.sentence} for one in judgements],
    }


def report_document(id_: str, standing: Standing, traffic: Traffic, score: Score | None) -> dict[str, Document]:
    """Times are epoch seconds. What a secret would give away comes when it is over."""
    open_ = not standing.session.secret or standing.over
    return {
        "schema": 1,
        "id": id_,
        "exercise": standing.name,
        "title": standing.session.scenario.title if open_ else None,
        "who": standing.session.who,
        "began": standing.began,
        "detected": standing.detected,
        "ended": standing.ended,
        "ending": standing.ending.value if standing.ending is not None else None,
        "goals_reached": standing.reached,
        "goals": len(standing.session.scenario.goals),
        "hints": standing.hints,
        "requests": {
            "sent": traffic.sent,
            "failed": traffic.failed,
            "longest_gap_seconds": traffic.gap,
            "first_failure": traffic.first,
            "last_failure": traffic.last,
            "errors": dict(traffic.errors),
        },
        "orders": {"confirmed": traffic.confirmed, "lost": standing.lost},
        "score": None if score is None else _score(score),
        "notes": [
            {"at": note.at, "mark": note.mark.value, "text": note.text, "number": note.number}
            for note in standing.notes
            if open_ or note.mark.value != "act"
        ],
        "unreadable_notes": standing.unreadable,
        "debrief": debrief(standing, traffic, score) if standing.over else None,
    }


def _score(score: Score) -> Document:
    return {
        "points": score.points,
        "grade": score.grade,
        "damage": score.damage,
        "detect_seconds": score.detect,
        "repair_seconds": score.repair,
        "terms": [
            {"name": term.name, "lost": term.lost, "of": term.weight, "sentence": term.sentence} for term in score.terms
        ],
    }
