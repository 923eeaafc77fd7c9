"""Answers of different moments: what moves is not called double or gone."""

from __future__ import annotations

import pytest

from hactl.model.assess.spans import Span, together
from hactl.model.findings import Level
from tests.model.builders import NOW, Cluster, primary, standby

VIP = "192.168.56.10"
DB = "postgresql:database"


def holder(cluster: Cluster, node: str, *, now: bool, before: bool, at: float) -> None:
    """`node` said at `at` whether it has the address, and two seconds before."""
    facts = cluster.get(node, "host")
    own = facts.addresses[0]

    holding = {True: (own, VIP), False: (own,)}

    cluster.change(node, "host", addresses=holding[now])
    new = cluster.get(node, "host")
    cluster.change(node, "host", addresses=holding[before])
    cluster.say(node, "host", new, at=at, before=cluster.get(node, "host"))


@pytest.mark.parametrize(
    ("lb1", "lb2", "level", "holders"),
    [
        # (now, before, at) of each balancer
        ((True, True, NOW - 1.5), (False, False, NOW - 0.5), Level.OK, ("lb1",)),
        # lb2 has got it after lb1 last said that it had it: it moved, the older answer is out of date
        ((True, True, NOW - 1.5), (True, False, NOW - 0.5), Level.OK, ("lb2",)),
        # lb1 says so again after lb2 has it: both
        ((True, True, NOW - 0.2), (True, False, NOW - 0.5), Level.CRIT, ("lb1", "lb2")),
        ((True, True, NOW - 1.5), (True, True, NOW - 0.5), Level.CRIT, ("lb1", "lb2")),
        # lb1 has lost it after lb2 last said that it did not have it: on its way
        ((False, True, NOW - 0.5), (False, False, NOW - 1.5), Level.UNKNOWN, ()),
        # and lb2 still does not have it after that: nobody has it
        ((False, True, NOW - 0.5), (False, False, NOW - 0.2), Level.CRIT, ()),
    ],
)
def test_address(
    lb1: tuple[bool, bool, float], lb2: tuple[bool, bool, float], level: Level, holders: tuple[str, ...]
) -> None:
    cluster = Cluster()
    for node, (now, before, at) in (("lb1", lb1), ("lb2", lb2)):
        holder(cluster, node, now=now, before=before, at=at)
    found = cluster.assess().vips["public"]
    assert (found.verdict.level, found.holders) == (level, holders)


def test_first_answers_ever_are_believed() -> None:
    """One look has no earlier answers: two holders are then two holders."""
    cluster = Cluster().addresses("lb2", "192.168.56.12", VIP)
    for node in ("lb1", "lb2"):
        reading = cluster.readings[node]["host"]
        cluster.readings[node]["host"] = type(reading)(reading.interval, reading.last)
    assert cluster.assess().vips["public"].verdict.level is Level.CRIT


def test_a_spelling_of_an_address_is_the_same_address() -> None:
    from dataclasses import replace

    from hactl.model.assess.vip import holds
    from tests.model.builders import host

    assert holds("2001:DB8::0:1")(host(addresses=("2001:db8::1",)))
    assert not holds("10.0.0.1")(replace(host(), addresses=("10.0.0.10",)))


def test_a_switchover_between_two_answers_is_not_two_primaries() -> None:
    cluster = Cluster()
    cluster.say("db1", DB, primary(), at=NOW - 1.5)
    cluster.say("db2", DB, primary(timeline=2), at=NOW - 0.5, before=standby())
    assert "primary:database" not in cluster.findings()
    cluster.say("db1", DB, primary(), at=NOW - 0.1)
    assert cluster.findings()["primary:database"].level is Level.CRIT


@pytest.mark.parametrize(
    ("spans", "answer"),
    [
        ([], "yes"),
        ([(1, 2)], "yes"),
        ([(1, 2), (2, 3)], "yes"),
        ([(1, 2), (2.1, 3)], "no"),
        ([(1, 9), (2, 3), (4, 5)], "no"),
        ([(float("-inf"), 1), (float("-inf"), 5)], "yes"),
    ],
)
def test_together(spans: list[tuple[float, float]], answer: str) -> None:
    assert together(Span(*one) for one in spans) is (answer == "yes")
