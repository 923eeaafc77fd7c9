"""Rates of two samples, and the cases in which two samples tell nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model import rates
from hactl.model.facts import HostFacts, NetCounters
from hactl.model.observed import Observed
from hactl.model.state import NodeState, Reading
from tests.model.builders import MIB, host


def state(before: HostFacts | None, last: HostFacts, *, seconds: float = 2.0) -> NodeState:
    old = Observed(before, 100.0) if before else None
    return NodeState("n", readings={"host": Reading(2.0, Observed(last, 100.0 + seconds), old)})


def test_cpu_is_what_was_not_idle_between_two_samples() -> None:
    assert rates.cpu_percent(state(host(cpu_busy=100, cpu_total=1000), host(cpu_busy=150, cpu_total=1400))) == 12.5


@pytest.mark.parametrize(
    ("before", "last"),
    [
        (None, host()),  # one sample only
        (host(boot_id="a"), host(boot_id="b", cpu_total=30_000)),  # rebooted in between
        (host(), host()),  # no tick has passed
        (host(cpu_busy=500), host(cpu_busy=400, cpu_total=30_000)),  # counters went back
    ],
)
def test_cpu_is_not_known(before: HostFacts | None, last: HostFacts) -> None:
    assert rates.cpu_percent(state(before, last)) is None


def test_cpu_is_not_known_of_one_moment() -> None:
    assert rates.cpu_percent(state(host(), host(cpu_total=30_000), seconds=0.0)) is None


def test_traffic_counts_interfaces_that_both_samples_have() -> None:
    before = host(network={"eth0": NetCounters(0, MIB, 3), "gone": NetCounters(5, 5, 5)})
    last = host(network={"eth0": NetCounters(4 * MIB, 2 * MIB, 5), "new": NetCounters(9 * MIB, 9 * MIB, 9)})
    assert rates.traffic(state(before, last)) == rates.Traffic(2 * MIB, MIB / 2, 1.0)


def test_an_interface_that_began_anew_counts_from_its_next_sample() -> None:
    before, last = host(network={"eth0": NetCounters(900, 900, 0)}), host(network={"eth0": NetCounters(10, 10, 0)})
    assert rates.traffic(state(before, last)) == rates.Traffic(0.0, 0.0, 0.0)


def test_shares() -> None:
    facts = host(memory_total=400, memory_available=100, swap_total=0, swap_free=0)
    assert rates.memory_percent(facts) == 75.0
    assert rates.swap_percent(facts) == 0.0
    assert rates.swap_percent(replace(facts, swap_total=4, swap_free=1)) == 75.0
