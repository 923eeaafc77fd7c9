"""Nodes in the status document: how each is reached, what it says now, and how old every answer is."""

from __future__ import annotations

from hactl.model import rates
from hactl.model.facts import ClockFacts, DiskFacts, HostFacts, PackageFacts, UnitFacts
from hactl.model.inventory import Node
from hactl.model.observed import Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.state import NodeState
from hactl.view import status
from hactl.view.document_parts import judgement, moment


def node(picture: Picture, one: Node) -> status.NodeStatus:
    state, now = picture.state.nodes[one.name], picture.now
    link = state.link
    units = state.read("units", UnitFacts, now)
    packages = state.read("packages", PackageFacts, now)
    return status.NodeStatus(
        name=one.name,
        address=one.address,
        site=one.site,
        roles=list(one.roles),
        standing=one.standing.value,
        status=judgement(picture, picture.assessment.nodes[one.name]),
        link=status.LinkStatus(
            link.phase.value, moment(picture, link.since), link.code or None, link.reason or None, link.attempts
        ),
        host=_host(state, now),
        disks=_disks(state, now),
        clock=_clock(state, now),
        units=_units(units.value) if isinstance(units, Observed) else None,
        failed_units=list(units.value.failed) if isinstance(units, Observed) else None,
        packages=_packages(packages.value) if isinstance(packages, Observed) else None,
        answers=[_answer(state, key, now) for key in state.readings],
    )


def _host(state: NodeState, now: float) -> status.HostStatus | None:
    answer = state.read("host", HostFacts, now)
    if isinstance(answer, Unknown):
        return None
    facts = answer.value
    cpu = rates.cpu_percent(state)
    return status.HostStatus(
        cpu_percent=None if cpu is None else round(cpu, 1),
        cores=facts.cores,
        load=[facts.load1, facts.load5, facts.load15],
        memory_percent=round(rates.memory_percent(facts), 1),
        memory_total_bytes=facts.memory_total,
        swap_percent=round(rates.swap_percent(facts), 1),
        uptime_seconds=facts.uptime,
        addresses=list(facts.addresses),
    )


def _disks(state: NodeState, now: float) -> list[status.DiskStatus] | None:
    answer = state.read("disk", DiskFacts, now)
    if isinstance(answer, Unknown):
        return None
    return [
        status.DiskStatus(
            one.mount, one.size, one.available, round(one.used_percent, 1), round(one.inodes_used_percent, 1)
        )
        for one in answer.value.filesystems
    ]


def _clock(state: NodeState, now: float) -> status.ClockStatus | None:
    answer = state.read("clock", ClockFacts, now)
    if isinstance(answer, Unknown):
        return None
    return status.ClockStatus(round(answer.value.skew, 6), round(answer.value.error, 6), answer.value.synchronized)


def _units(facts: UnitFacts) -> list[status.UnitStatus]:
    return [status.UnitStatus(one.name, one.active, one.sub, one.enabled) for one in facts.units.values()]


def _packages(facts: PackageFacts) -> status.PackagesStatus:
    return status.PackagesStatus(
        os=facts.os_name,
        kernel=facts.kernel,
        reboot_required=facts.reboot_required,
        pending=facts.pending,
        pending_security=facts.pending_security,
        installed=dict(facts.installed),
        offered=dict(facts.offered),
    )


def _answer(state: NodeState, key: str, now: float) -> status.Answer:
    """As `NodeState.read` decides, whatever the kind of the facts."""
    last = state.readings[key].last
    age = round(last.age(now), 3) if last else None
    answer = state.read(key, type(last.value) if last else HostFacts, now)
    if isinstance(answer, Unknown):
        return status.Answer(key, known=False, age_seconds=age, reason=answer.reason)
    return status.Answer(key, known=True, age_seconds=age, reason=None)
