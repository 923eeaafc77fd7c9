"""Counting a pool's members: not before its balancers were heard, and never what nobody knows as lost."""

from __future__ import annotations

from hactl.engine.head_count import HeadCount
from hactl.model.counting import PoolCount
from hactl.model.state import LinkPhase
from tests.model.builders import DRAINED, Cluster, lab

LB = "haproxy:balancer"


def test_nothing_is_counted_before_every_balancer_was_heard() -> None:
    heads, cluster = HeadCount(lab(), ("shop",)), Cluster().forget("lb1", LB).forget("lb2", LB)
    assert heads.of(cluster.picture()) == ()
    assert heads.of(Cluster().forget("lb2", LB).picture()) == (), "lb2 may see it differently"
    assert heads.of(Cluster().picture()) == (PoolCount("shop", 3, 3, 2),)


def test_a_balancer_that_cannot_be_reached_holds_up_nobody() -> None:
    down = Cluster().forget("lb2", LB).down("lb2").server("lb1", "be_shop", "shop-a", **DRAINED)
    assert HeadCount(lab(), ("shop",)).of(down.picture()) == (PoolCount("shop", 2, 3, 2),)
    failing = Cluster().fail("lb2", LB, "socket-unavailable", "no such socket")
    assert HeadCount(lab(), ("shop",)).of(failing.picture()) == (PoolCount("shop", 3, 3, 2),)


def test_who_falls_silent_later_leaves_members_unknown_and_not_lost() -> None:
    heads = HeadCount(lab(), ("shop",))
    heads.of(Cluster().picture())
    assert heads.of(Cluster().down("lb1", "lb2").picture()) == (PoolCount("shop", 0, 3, 2, unknown=3),)
    again = Cluster().link("lb1", LinkPhase.CONNECTING).link("lb2", LinkPhase.CONNECTING)
    assert heads.of(again.picture()) == (PoolCount("shop", 0, 3, 2, unknown=3),)
