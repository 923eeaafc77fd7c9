"""Thresholds: for roles and nodes that exist, within a percentage, warn before crit."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.config.draft import Draft
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.resolve import levels
from hactl.config.rules.names import dangling
from hactl.config.schema import MetricsEntry
from hactl.model.inventory import Threshold
from hactl.model.metrics import METRICS
from hactl.model.suggest import did_you_mean, quoted


def thresholds(draft: Draft) -> Iterator[Problem]:
    table = draft.thresholds
    if table is None:
        return
    base = {name: metric.default for name, metric in METRICS.items()}
    yield from _levels(("thresholds",), table, base)
    base = {**base, **levels(table, base)}
    for role, entry in table.roles.items():
        path: KeyPath = ("thresholds", "roles", role)
        if role not in draft.roles:
            yield Problem(path, f"no node has the role {quoted(role)}{did_you_mean(role, draft.roles)}", at_key=True)
        yield from _levels(path, entry, base)
    for node, entry in table.nodes.items():
        path = ("thresholds", "nodes", node)
        for problem in dangling(draft, "nodes", node, path):
            yield Problem(problem.path, problem.message, at_key=True)
        yield from _levels(path, entry, base)


def _levels(path: KeyPath, entry: MetricsEntry, base: dict[str, Threshold]) -> Iterator[Problem]:
    for name, limit in levels(entry, base).items():
        metric, given = METRICS[name], entry.levels()[name]
        for level in sorted(given.model_fields_set):
            value = getattr(given, level)
            if value is not None and metric.limit is not None and value > metric.limit:
                yield Problem((*path, name, level), f"{name} is a percentage, and {value:g} is above 100")
        if limit.warn is None or limit.crit is None or limit.warn == limit.crit:
            continue
        if (limit.warn > limit.crit) != limit.below:
            side = "below" if limit.below else "above"
            last = next(level for level in ("warn", "crit") if level in given.model_fields_set)
            note = (
                ""
                if len(given.model_fields_set) > 1
                else f" ({'crit' if last == 'warn' else 'warn'} as it holds otherwise)"
            )
            yield Problem((*path, name, last), f"{name}: warn {limit.warn:g} is {side} crit {limit.crit:g}{note}")
