"""What an exercise is worth as it was played: points, each loss with its reason, and a grade. Pure.

A hundred points, less what each term takes. Up to par a term takes nothing, at three times par all of its weight, in
between in proportion. Where par is nothing (orders lost), the first one costs as much as ten.
"""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.scenario_story import Ending, Standing, Traffic
from hactl.model.units import duration

WHOLE = 100
_ALL_AT = 3.0  # times par
_FEW = 10  # of what must not happen at all: so many take the whole weight
_GRADES = ((95, "A"), (85, "B"), (70, "C"), (50, "D"))


@dataclass(frozen=True, slots=True)
class Term:
    """`lost` of `weight` points, and why."""

    name: str
    lost: int
    weight: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Score:
    """`grade` is "-" where the goal was not reached; then there are no points either."""

    points: int
    grade: str
    terms: tuple[Term, ...]
    detect: float | None  # seconds
    repair: float | None

    @property
    def damage(self) -> int:
        """Points that clients and their orders cost: what was done to others."""
        return sum(term.lost for term in self.terms if term.name in {"requests", "orders"})


def scored(standing: Standing, traffic: Traffic) -> Score:
    """The score of a session that is over."""
    par, began = standing.session.scenario.par, standing.began
    reached = standing.ending is Ending.REACHED
    detect = _span(began, standing.detected)
    repair = _span(began, standing.ended) if reached else None
    terms = (
        _timed("detect", 10, detect, par.detect, "the first thing done"),
        _timed("repair", 25, repair, par.repair, "the goal reached"),
        _counted("requests", 25, traffic.failed, par.failed, f"of {traffic.sent} client requests failed"),
        _orders(standing, traffic),
        _hints(standing),
    )
    points = max(0, WHOLE - sum(term.lost for term in terms)) if reached else 0
    grade = next((letter for least, letter in _GRADES if points >= least), "E") if reached else "-"
    return Score(points, grade, terms, detect, repair)


def _span(since: float | None, until: float | None) -> float | None:
    return max(0.0, until - since) if since is not None and until is not None else None


def _share(value: float, par: float) -> float:
    """Of the weight: 0 up to par, 1 from three times par on."""
    if par <= 0:
        return min(1.0, value / _FEW)
    return min(1.0, max(0.0, (value / par - 1.0) / (_ALL_AT - 1.0)))


def _timed(name: str, weight: int, seconds: float | None, par: float, what: str) -> Term:
    if seconds is None:
        return Term(name, weight, weight, f"{what}: never (par {duration(par)})")
    return Term(
        name,
        round(weight * _share(seconds, par)),
        weight,
        f"{what} after {duration(round(seconds))} (par {duration(par)})",
    )


def _counted(name: str, weight: int, count: int, par: int, what: str) -> Term:
    return Term(name, round(weight * _share(count, par)), weight, f"{count} {what} (par {par})")


def _orders(standing: Standing, traffic: Traffic) -> Term:
    if standing.lost is None:
        return Term("orders", 40, 40, f"nobody could count how many of {traffic.confirmed} confirmed orders are left")
    par = standing.session.scenario.par.lost
    lost = round(40 * _share(standing.lost, par))
    return Term("orders", lost, 40, f"{standing.lost} of {traffic.confirmed} confirmed orders lost (par {par})")


def _hints(standing: Standing) -> Term:
    given = standing.session.scenario.hints
    cost = sum(hint.cost for hint in given[: standing.hints])
    return Term("hints", cost, sum(hint.cost for hint in given), f"{standing.hints} of {len(given)} hints taken")
