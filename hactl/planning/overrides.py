"""Setting guards aside, by name: for one run by its operator, for every run by its playbook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hactl.model.errors import InputError
from hactl.model.guard import GUARDS, GuardVerdict, Ruling
from hactl.model.suggest import did_you_mean, quoted

NEVER = frozenset({"lock", "targets"})
"""Guards that no override sets aside: they do not weigh risks, they say what cannot be."""


def checked_overrides(names: frozenset[str]) -> None:
    """Raises InputError that names every override that is none."""
    problems = [
        f"There is no guard {quoted(name)}{did_you_mean(name, GUARDS) or '.'}" for name in sorted(names - GUARDS.keys())
    ]
    problems += [f"{name} cannot be set aside." for name in sorted(names & NEVER)]
    if problems:
        remedy = f"Guards: {', '.join(name for name in GUARDS if name not in NEVER)}."
        raise InputError("\n".join(problems), remedy=remedy)


def overridden(verdicts: Iterable[GuardVerdict], names: frozenset[str]) -> tuple[GuardVerdict, ...]:
    """The verdicts, with those refusals set aside that the operator named."""
    return tuple(_set_aside(verdict) if _meant(verdict, names) else verdict for verdict in verdicts)


def _meant(verdict: GuardVerdict, names: frozenset[str]) -> bool:
    return verdict.ruling is Ruling.REFUSE and verdict.can_override and verdict.guard in names - NEVER


def _set_aside(verdict: GuardVerdict) -> GuardVerdict:
    return replace(verdict, overridden=True)
