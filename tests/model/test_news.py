"""What an operator is called for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.ack import acknowledge
from hactl.model.acks import acknowledged
from hactl.model.assess import assess
from hactl.model.news import new_crits
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase, initial
from tests.model.builders import EPOCH, NOW, Cluster, disk, lab


def blank() -> Picture:
    state = initial(lab(), now=NOW - 5, epoch=EPOCH)
    return Picture(state, assess(state, None, NOW - 5), NOW - 5)


def full(used: float) -> Cluster:
    return Cluster().say("db1", "disk", disk(used=used))


@pytest.mark.parametrize(
    ("before", "after", "called"),
    [
        (Cluster(), Cluster(), []),
        (Cluster(), full(95), ["disk:db1:/"]),
        (full(85), full(95), ["disk:db1:/"]),
        (full(95), full(96), []),
        (Cluster(), full(85), []),
        (Cluster(), Cluster().down("app1"), ["link:app1"]),
        (Cluster().link("db1", LinkPhase.CONNECTING), full(95), []),  # so it was already, as far as anybody knows
        (Cluster().down("db1"), full(95), ["disk:db1:/"]),
    ],
)
def test_what_has_become_critical(before: Cluster, after: Cluster, called: list[str]) -> None:
    assert [finding.key for finding in new_crits(before.picture(), after.picture())] == called


def test_the_first_answers_are_no_news() -> None:
    assert new_crits(blank(), full(95).down("app1").picture()) == ()


def test_one_that_is_acknowledged_calls_nobody() -> None:
    after = full(95).picture()
    known = acknowledge(
        after.assessment.findings[0], reason="known", who="anna", at=EPOCH + NOW, until=EPOCH + NOW + 60
    )
    assert new_crits(Cluster().picture(), after)
    assert new_crits(Cluster().picture(), acknowledged(after, [replace(known)])) == ()
