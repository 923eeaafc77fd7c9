"""What an acknowledgement covers, when it is over, and how its end is typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hactl.model.ack import LONGEST, REASON, Ack, acknowledge
from hactl.model.acks import SETTLES, Ending, Settling, acknowledged, open_findings
from hactl.model.errors import InputError
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase
from hactl.model.until import end_of
from tests.model.builders import EPOCH, NOW, Cluster, disk

WALL = EPOCH + NOW  # 2025-10-09 09:10:00 UTC
DISK = "disk:db1:/"


def full(used: float = 85) -> Cluster:
    return Cluster().say("db1", "disk", disk(used=used))


def ack_of(picture: Picture, key: str = DISK, **changes: object) -> Ack:
    found = next(finding for finding in picture.assessment.findings if finding.key == key)
    made = acknowledge(found, reason="grows on Monday", who="anna@laptop", at=WALL - 60, until=WALL + 3600)
    return replace(made, **changes)


# --- what it covers ---


@pytest.mark.parametrize(
    ("now", "until", "covered"),
    [
        (full(), WALL + 3600, True),
        (full(88), WALL + 3600, True),  # another number, the same level
        (full(95), WALL + 3600, False),  # crit
        (full(), WALL, False),  # its end
        (Cluster(), WALL + 3600, False),
        (full().down("db1"), WALL + 3600, False),
    ],
)
def test_it_covers_its_finding_at_its_level_until_its_end(now: Cluster, until: float, *, covered: bool) -> None:
    picture = acknowledged(now.picture(), [ack_of(full().picture(), until=until)])
    assert (set(picture.acks) == {DISK}) is covered
    assert all(finding.key != DISK for finding in open_findings(picture)) or not covered


def test_it_hides_no_level() -> None:
    picture = acknowledged(full(95).picture(), [ack_of(full(95).picture())])
    assert picture.acks
    assert picture.assessment.cluster.level is Level.CRIT
    assert DISK in [finding.key for finding in picture.assessment.findings]


def test_a_critical_one_that_eases_stays_acknowledged() -> None:
    assert acknowledged(full().picture(), [ack_of(full(95).picture())]).acks


def test_those_that_are_taken_back_leave_the_picture() -> None:
    picture = acknowledged(full().picture(), [ack_of(full().picture())])
    assert not acknowledged(picture, []).acks


# --- when it is over ---


def after(cluster: Cluster, seconds: float) -> Picture:
    """The same a while later, everything answered just now."""
    later = Cluster(cluster.inventory)
    later.links = cluster.links
    for node, readings in cluster.readings.items():
        for key, reading in readings.items():
            assert reading.last is not None
            later.say(node, key, reading.last.value, at=NOW + seconds - 1)
            if reading.failure is not None:
                later.readings[node][key] = replace(later.readings[node][key], failure=reading.failure)
    return Picture(later.state(), later.assess(now=NOW + seconds), NOW + seconds)


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (full, None),
        (Cluster, Ending.GONE),
        (lambda: full(95), Ending.WORSE),
        (lambda: Cluster().down("db1"), None),  # nobody can look at the disk
        (lambda: Cluster().link("db1", LinkPhase.CONNECTING), None),
        (lambda: Cluster().fail("db1", "disk", "timeout", "no answer"), None),
        (lambda: Cluster().fail("db1", "postgresql:database", "query", "refused"), Ending.GONE),  # not about the disk
        (lambda: Cluster().down("app1"), Ending.GONE),  # somebody else
    ],
)
def test_it_is_over_when_its_finding_is_surely_gone_or_worse_for_a_while(
    then: Callable[[], Cluster], why: Ending | None
) -> None:
    ack, settling = ack_of(full().picture()), Settling()
    assert settling.ended(after(then(), 0), [ack]) == ()  # perhaps only for a moment
    assert settling.ended(after(then(), SETTLES / 2), [ack]) == ()
    ended = settling.ended(after(then(), SETTLES + 1), [ack])
    assert [one.why for one in ended] == ([] if why is None else [why])


def test_a_finding_that_is_back_in_time_begins_anew() -> None:
    ack, settling = ack_of(full().picture()), Settling()
    for seconds, cluster in ((0, Cluster()), (SETTLES / 2, full()), (SETTLES, Cluster()), (SETTLES * 1.5, Cluster())):
        assert settling.ended(after(cluster, seconds), [ack]) == ()
    assert settling.ended(after(Cluster(), SETTLES * 2), [ack])


def test_its_end_needs_no_second_look() -> None:
    ended = Settling().ended(full().picture(), [ack_of(full().picture(), until=WALL)])
    assert [one.why for one in ended] == [Ending.EXPIRED]


@pytest.mark.parametrize(
    ("key", "scope", "node", "silent", "gone"),
    [
        ("drained:shop:app1", Scope(ScopeKind.POOL, "shop"), "app1", "lb2", False),  # the balancers tell
        ("drained:shop:app1", Scope(ScopeKind.POOL, "shop"), "app1", "db1", True),
        ("vip:it", Scope(ScopeKind.VIP, "public"), None, "lb1", False),
        ("redundancy:it", Scope(ScopeKind.SERVICE, "database"), None, "db3", False),
        ("lag:db2:database", Scope(ScopeKind.SERVICE, "database"), "db2", "db1", False),  # told by both
        ("http:app1:shop", Scope(ScopeKind.SERVICE, "shop"), "app1", "app2", True),
        ("backup-identifier:backup", Scope(ScopeKind.SERVICE, "backup"), None, "db1", False),
        ("site:east", Scope(ScopeKind.SITE, "east"), None, "db1", False),
        ("anything", Scope(ScopeKind.CLUSTER, "lab"), None, "app3", False),
        ("disk:old1:/", Scope(ScopeKind.NODE, "old1"), "old1", "app3", True),  # the inventory has it no more
    ],
)
def test_who_has_to_be_heard_before_it_is_gone(
    key: str, scope: Scope, node: str | None, silent: str, *, gone: bool
) -> None:
    service = scope.name if scope.kind is ScopeKind.SERVICE else None
    ack = Ack(Finding(key, Level.WARN, scope, "so", 0.0, node=node, service=service), "why", "anna", WALL, WALL + 9e4)
    cluster, settling = Cluster().down(silent), Settling()
    settling.ended(after(cluster, 0), [ack])
    assert bool(settling.ended(after(cluster, SETTLES), [ack])) is gone


def test_a_limited_picture_never_knows_that_it_is_gone() -> None:
    ack, settling = ack_of(full().picture()), Settling()
    for seconds in (0, SETTLES):
        assert settling.ended(replace(after(Cluster(), seconds), outside=("node/db3",)), [ack]) == ()


# --- what is typed ---


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("90m", 5400),
        ("4h", 4 * 3600),
        ("2d", 2 * 86400),
        ("09:30", 1200),
        ("9:30 UTC", 1200),
        ("09:10", 86400),  # it is 09:10: the next one
        ("08:00", 86400 - 4200),
        ("2025-10-10 09:10", 86400),
        ("2025-10-10T09:10Z", 86400),
    ],
)
def test_ends(typed: str, seconds: float) -> None:
    assert end_of(typed, WALL) == WALL + seconds


@pytest.mark.parametrize("typed", ["", "soon", "4", "25:00", "2025-13-01 08:00", "-1h", "\x1b[31m4h"])
def test_no_ends(typed: str) -> None:
    with pytest.raises(InputError) as caught:
        end_of(typed, WALL)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "until", "said"),
    [
        ("  ", WALL + 60, "needs a reason"),
        ("ok", WALL, "in the future"),
        ("ok", WALL - 1, "in the future"),
        ("ok", float("nan"), "in the future"),
        ("ok", WALL + LONGEST + 1, "30 days at most"),
    ],
)
def test_what_is_no_acknowledgement(reason: str, until: float, said: str) -> None:
    finding = full().picture().assessment.findings[0]
    with pytest.raises(InputError, match=said):
        acknowledge(finding, reason=reason, who="anna", at=WALL, until=until)


def test_a_reason_is_one_safe_line() -> None:
    finding = full().picture().assessment.findings[0]
    made = acknowledge(finding, reason="a\x1b[31m\nb " + "x" * 999, who="anna", at=WALL, until=WALL + 60)
    assert made.reason.startswith("a␛[31m b x")
    assert len(made.reason) == REASON
