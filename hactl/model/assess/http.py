"""Services that speak HTTP, by the health request that is made on their own node."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess import failed
from hactl.model.assess.base import NodeCase
from hactl.model.assess.units import is_down
from hactl.model.facts import HttpFacts
from hactl.model.findings import Finding, Level
from hactl.model.inventory import HttpService
from hactl.model.observed import Observed


def judge(case: NodeCase) -> Iterator[Finding]:
    for service in case.services:
        if isinstance(service, HttpService):
            yield from _service(case, service)


def _service(case: NodeCase, service: HttpService) -> Iterator[Finding]:
    key = f"http:{case.node.name}:{service.name}"
    hint = f"journalctl -u {service.units[0]} -n 50" if service.units else ""
    yield from failed.judge(case, service, key, hint=hint)
    match case.read(f"http:{service.name}", HttpFacts):
        case Observed(value=facts) if not facts.healthy:
            if not is_down(case, service):
                yield case.finding(key, Level.CRIT, _sick(service, facts), hint=hint, service=service)
        case Observed(value=facts):
            yield from case.measured(
                "http_latency_ms",
                f"latency:{case.node.name}:{service.name}",
                facts.latency_ms,
                "health check took",
                hint=hint,
                service=service,
            )


def _sick(service: HttpService, facts: HttpFacts) -> str:
    if facts.status == 0:
        return f"health check failed: {facts.error.rstrip('.') or 'no HTTP answer'}"
    said = f": {facts.body}" if facts.body else ""
    return f"health check answers {facts.status} instead of {service.expect_status}{said}"
