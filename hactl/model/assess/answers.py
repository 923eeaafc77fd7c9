"""Questions that a connected node has not answered, has answered too long ago, or has answered with an error.

About the machine itself that is ignorance. About a service it may be the fact: a database that refuses connections on a
node that answers everything else is down.
"""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess.base import NodeCase, listed
from hactl.model.findings import Finding, Level
from hactl.model.inventory import PgbackrestService, Service, ServiceKind
from hactl.model.state import Failure, Reading

# What a node must have told before it can be called fine. Clock and packages come when they come.
_NEEDED = ("host", "disk")
_OPTIONAL = ("clock", "packages")
_PROBED = frozenset(ServiceKind) - {ServiceKind.KEEPALIVED, ServiceKind.UNIT}


def probe_of(service: Service, node: str) -> str | None:
    """The probe that tells how the service is on `node`; None where only its units tell."""
    if service.kind not in _PROBED or (isinstance(service, PgbackrestService) and node != service.repository_host):
        return None
    return f"{service.kind}:{service.name}"


def judge(case: NodeCase) -> Iterator[Finding]:
    """Waiting, stale and failed questions about the machine; about a service only the waiting and the stale ones."""
    units = ("units",) if any(service.units for service in case.services) else ()
    needed = (*_NEEDED, *units)
    name = case.node.name
    if waiting := [key for key in needed if _waits(case.state.readings.get(key))]:
        yield case.finding(f"waiting:{name}", Level.UNKNOWN, f"no answer yet about {listed(waiting)}")
    known = [key for key in (*needed, "units", *_OPTIONAL) if key in case.state.readings]
    yield from _stale(case, f"stale:{name}", list(dict.fromkeys(known)), None)
    for key in dict.fromkeys(known):
        if failure := case.state.readings[key].failure:
            yield _failed(case, key, failure)
    for service in case.services:
        probe = probe_of(service, name)
        if probe is None:
            continue
        if _waits(case.state.readings.get(probe)):
            yield case.finding(f"waiting:{name}:{service.name}", Level.UNKNOWN, "no answer yet", service=service)
        yield from _stale(case, f"stale:{name}:{service.name}", [probe], service)


def _waits(reading: Reading | None) -> bool:
    return reading is None or (reading.last is None and reading.failure is None)


def _stale(case: NodeCase, key: str, probes: list[str], service: Service | None) -> Iterator[Finding]:
    late = [probe for probe in probes if is_stale(case.state.readings.get(probe), case.now)]
    if not late:
        return
    newest = min(last.at for probe in late if (last := case.state.readings[probe].last))
    about = "" if service else f" about {listed(late)}"
    sentence = f"no fresh answer{about}: the last one is too old to count"
    yield case.finding(key, Level.UNKNOWN, sentence, began=newest, service=service)


def is_stale(reading: Reading | None, now: float) -> bool:
    """The newest attempt did not fail, but its answer is no longer knowledge."""
    if reading is None or reading.failure is not None or reading.last is None:
        return False
    return reading.last.age(now) > reading.limit()


def _failed(case: NodeCase, key: str, failure: Failure) -> Finding:
    level = Level.WARN if key == "packages" else Level.UNKNOWN
    reason = failure.reason.removeprefix(f"{case.node.name}: ").rstrip(".")
    began = case.state.readings[key].failing_since
    sentence = f"could not find out about {key}: {reason}"
    return case.finding(f"probe:{case.node.name}:{key}", level, sentence, began=began, hint=failure.remedy)
