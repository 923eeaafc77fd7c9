"""The systemd units that carry services."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hactl.model.assess.base import NodeCase
from hactl.model.facts import UnitFacts, UnitState
from hactl.model.findings import Finding, Level
from hactl.model.inventory import Service
from hactl.model.observed import Observed

_RUNS = frozenset({"active", "reloading", "refreshing"})
# A unit that systemd has restarted by itself is named for this many seconds.
_RECENT = 300.0


def judge(case: NodeCase) -> Iterator[Finding]:
    match case.read("units", UnitFacts):
        case Observed(value=facts):
            for service in case.services:
                for name in service.units:
                    yield from _unit(case, service, name, facts.units.get(name))


def is_down(case: NodeCase, service: Service) -> bool:
    """One of the service's units surely does not run: that is then the cause of all that its probes say."""
    match case.read("units", UnitFacts):
        case Observed(value=facts):
            known = (facts.units.get(name) for name in service.units)
            return any(unit is not None and _trouble(unit)[0] is Level.CRIT for unit in known)
    return False


def _unit(case: NodeCase, service: Service, name: str, unit: UnitState | None) -> Iterator[Finding]:
    key = f"unit:{case.node.name}:{name}"
    if unit is None:
        yield case.finding(key, Level.UNKNOWN, f"systemd did not tell about {name}", service=service)
        return
    level, sentence, hint = _trouble(unit)
    if level is not Level.OK:
        began = None if unit.since is None else case.now - unit.since
        yield case.finding(key, level, sentence, began=began, hint=hint, service=service)


def _trouble(unit: UnitState) -> tuple[Level, str, str]:
    """Level, sentence and hint by the first rule that applies."""
    for applies, level, sentence, hint in _RULES:
        if applies(unit):
            return level, sentence.format(unit=unit), hint.format(unit=unit)
    return Level.OK, "", ""


_LOG = "journalctl -u {unit.name} -n 50"
_RULES: tuple[tuple[Callable[[UnitState], bool], Level, str, str], ...] = (
    (
        lambda u: u.load == "not-found",
        Level.CRIT,
        "{unit.name} does not exist there",
        "Is it installed and named right?",
    ),
    (lambda u: u.load != "loaded", Level.CRIT, "{unit.name} is {unit.load}", "systemctl cat {unit.name}"),
    (lambda u: u.active == "failed", Level.CRIT, "{unit.name} has failed", _LOG),
    (
        lambda u: u.sub == "auto-restart",
        Level.CRIT,
        "{unit.name} fails again and again, restarts: {unit.restarts}",
        _LOG,
    ),
    (lambda u: u.active == "inactive", Level.CRIT, "{unit.name} is not running", "systemctl start {unit.name}"),
    (lambda u: u.active == "deactivating", Level.CRIT, "{unit.name} is stopping", _LOG),
    (lambda u: u.active not in _RUNS, Level.WARN, "{unit.name} is {unit.active}", _LOG),
    (
        lambda u: u.restarts > 0 and u.since is not None and u.since < _RECENT,
        Level.WARN,
        "{unit.name} was restarted by systemd just now, restarts: {unit.restarts}",
        _LOG,
    ),
    (
        lambda u: u.enabled in {"disabled", "masked", "masked-runtime"},
        Level.WARN,
        "{unit.name} runs, but would not after a boot: it is {unit.enabled}",
        "systemctl enable {unit.name}",
    ),
)
