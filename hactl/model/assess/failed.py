"""A question about a service that failed on a node which can be asked: what that says about the service."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess.answers import probe_of
from hactl.model.assess.base import NodeCase
from hactl.model.assess.units import is_down
from hactl.model.facts import HostFacts
from hactl.model.findings import Finding, Level
from hactl.model.inventory import Service
from hactl.model.observed import Observed
from hactl.model.state import Failure

# Nobody listens, or nobody answers: where the service itself would have to, it is down.
_TELLING = frozenset({"socket-absent", "timeout", "database-down"})


def judge(case: NodeCase, service: Service, key: str, *, decisive: bool = True, hint: str = "") -> Iterator[Finding]:
    """At most one finding about the newest, failed attempt. None where a unit that is down already explains it.

    `decisive`: the service cannot work if nobody answers there; else silence on a live node is all that counts.
    """
    failure = failure_of(case, service)
    if failure is None or is_down(case, service):
        return
    reading = case.state.readings[probe_of(service, case.node.name) or ""]
    reason = failure.reason.removeprefix(f"{case.node.name}: ").rstrip(".")
    level = Level.CRIT if _tells(case, failure, decisive=decisive) else Level.UNKNOWN
    about = reason if level is Level.CRIT else f"could not be asked: {reason}"
    yield case.finding(key, level, about, began=reading.failing_since, hint=failure.remedy or hint, service=service)


def failure_of(case: NodeCase, service: Service) -> Failure | None:
    reading = case.state.readings.get(probe_of(service, case.node.name) or "")
    return reading.failure if reading else None


def _tells(case: NodeCase, failure: Failure, *, decisive: bool) -> bool:
    """Silence says something about the service only while the node itself answers in time."""
    if failure.code == "timeout":
        return isinstance(case.read("host", HostFacts), Observed)
    return decisive and failure.code in _TELLING
