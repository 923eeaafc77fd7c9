"""A balancer as it sees itself: can its admin socket be asked, and how near is it to its session limits?"""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.assess import failed
from hactl.model.assess.base import NodeCase
from hactl.model.facts import HaproxyFacts
from hactl.model.findings import Finding
from hactl.model.inventory import HaproxyService
from hactl.model.observed import Observed


def judge(case: NodeCase) -> Iterator[Finding]:
    """An admin socket that is denied or absent makes a balancer unknown, not down: it may well balance."""
    for service in case.services:
        if not isinstance(service, HaproxyService):
            continue
        yield from failed.judge(case, service, f"haproxy:{case.node.name}:{service.name}", decisive=False)
        match case.read(f"haproxy:{service.name}", HaproxyFacts):
            case Observed(value=facts):
                yield from _sessions(case, service, facts)


def _sessions(case: NodeCase, service: HaproxyService, facts: HaproxyFacts) -> Iterator[Finding]:
    limited = [(front.name, front.sessions, front.session_limit) for front in facts.frontends.values()]
    limited += [
        (f"{backend.name}/{server.name}", server.sessions, server.session_limit or 0)
        for backend in facts.backends.values()
        for server in backend.servers.values()
    ]
    for name, sessions, limit in limited:
        if limit > 0:
            yield from case.measured(
                "haproxy_session_percent",
                f"sessions:{case.node.name}:{service.name}:{name}",
                100.0 * sessions / limit,
                f"{name} at",
                after=f" of its session limit, {sessions} of {limit}",
                service=service,
            )
