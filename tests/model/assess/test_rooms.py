"""Disks of repositories that fill up: what is said of them, and what nobody can say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hactl.model.facts import RoomFacts
from hactl.model.inventory import Threshold, Thresholds
from tests.model.builders import Cluster, rooms, with_uploads

Change = Callable[[Cluster], object]
PATH, FILES = "/var/lib/pgbackrest", "/var/lib/restic"


def found(change: Change, cluster: Cluster | None = None) -> dict[str, tuple[str, str]]:
    cluster = cluster or Cluster(with_uploads())
    change(cluster)
    told = (one for one in cluster.assess().findings if one.key.startswith("repository-room:"))
    return {one.key.removeprefix("repository-room:"): (one.level.word, one.sentence) for one in told}


@pytest.mark.parametrize(
    ("percent", "told"),
    [
        (79.0, None),
        (
            85.0,
            (
                "warn",
                f"the disk of repository 1 ({PATH} on backup1) is nearly full: 85 %, 3 GiB free (warn 80, crit 90)",
            ),
        ),
        (
            95.0,
            (
                "crit",
                f"the disk of repository 1 ({PATH} on backup1) is nearly full: 95 %, 1 GiB free (warn 80, crit 90)",
            ),
        ),
    ],
)
def test_a_disk_that_fills_up(percent: float, told: tuple[str, str] | None) -> None:
    key = f"backup:backup1:{PATH}"
    wanted = {} if told is None else {key: told}
    assert found(lambda c: c.say("backup1", "room:backup", rooms(PATH, used_percent=percent))) == wanted


def test_one_disk_of_many_repositories_is_told_of_once() -> None:
    told = found(lambda c: c.say("backup1", "room:uploads", rooms(FILES, used_percent=91)))
    sentence = f"the disk of the repositories of app1, app2 and app3 ({FILES} on backup1) is nearly full: 91 %"
    assert list(told) == [f"uploads:backup1:{FILES}"]
    assert told[f"uploads:backup1:{FILES}"][1].startswith(sentence)


def test_the_inventory_says_how_full_is_full() -> None:
    inventory = replace(with_uploads(), thresholds=Thresholds({"repository_percent": Threshold(30, 99)}))
    assert {level for level, _ in found(lambda _: None, Cluster(inventory)).values()} == {"warn"}


def test_what_nobody_can_tell_is_unknown() -> None:
    facts = RoomFacts({}, {PATH: f"df: {PATH}: No such file or directory"})
    what = f"how full the disk of repository 1 ({PATH} on backup1) is cannot be told:"
    assert found(lambda c: c.say("backup1", "room:backup", facts)) == {
        f"backup:backup1:{PATH}": ("unknown", f"{what} df: {PATH}: No such file or directory")
    }
    assert found(lambda c: c.fail("backup1", "room:backup", "timeout", "backup1: no answer within 20 s.")) == {
        f"backup:backup1:{PATH}": ("unknown", f"{what} no answer within 20 s")
    }


def test_a_node_that_is_gone_has_said_so_itself() -> None:
    assert found(lambda c: c.down("backup1")) == {}
