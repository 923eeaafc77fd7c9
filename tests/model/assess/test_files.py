"""Files that restic keeps: one change to a healthy cluster, and exactly the findings that must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hactl.model.facts import RepositoryTrouble
from hactl.model.inventory import Threshold, Thresholds
from tests.model.builders import Cluster, restic, snapshot, with_uploads

FILES = "restic:uploads"
Change = Callable[[Cluster], object]


def found(change: Change, cluster: Cluster | None = None) -> dict[str, tuple[str, str]]:
    cluster = cluster or Cluster(with_uploads())
    change(cluster)
    return {one.key: (one.level.word, one.sentence) for one in cluster.assess().findings if one.service == "uploads"}


def test_all_is_well() -> None:
    assert found(lambda _: None) == {}


@pytest.mark.parametrize(
    ("change", "key", "level", "sentence"),
    [
        (
            lambda c: c.say("app1", FILES, restic(snapshot(60), snapshot(30))),
            "backup-age:app1:uploads",
            "warn",
            "newest snapshot of its files 1 d 6 h ago (warn 1 d 2 h, crit 2 d 4 h)",
        ),
        (
            lambda c: c.say("app1", FILES, restic(snapshot(53))),
            "backup-age:app1:uploads",
            "crit",
            "newest snapshot of its files 2 d 5 h ago (warn 1 d 2 h, crit 2 d 4 h)",
        ),
        (
            lambda c: c.change("app2", FILES, snapshots=()),
            "restic:app2:uploads:none",
            "crit",
            "there is no snapshot of its files",
        ),
        (
            lambda c: c.change("app2", FILES, unreadable=2),
            "restic:app2:uploads:unreadable",
            "crit",
            "2 snapshots cannot be read",
        ),
    ],
)
def test_what_it_holds(change: Change, key: str, level: str, sentence: str) -> None:
    assert found(change) == {key: (level, sentence)}


@pytest.mark.parametrize(
    ("trouble", "level", "part"),
    [
        (RepositoryTrouble.ABSENT, "crit", "there is no repository: "),
        (RepositoryTrouble.PASSWORD, "crit", "the repository's password is not the one on the node: "),
        (RepositoryTrouble.UNREACHABLE, "warn", "the repository cannot be reached: "),
        (RepositoryTrouble.LOCKED, "warn", "the repository is locked: "),
        (RepositoryTrouble.DAMAGED, "crit", "the repository is damaged: "),
    ],
)
def test_trouble_is_told_in_restics_own_words(trouble: RepositoryTrouble, level: str, part: str) -> None:
    """And nothing is said about snapshots that nobody could count."""
    facts = restic(snapshots=(), trouble=trouble, message="its words")
    assert found(lambda c: c.say("app3", FILES, facts)) == {"restic:app3:uploads": (level, f"{part}its words")}


def test_a_question_that_failed_says_nothing_about_the_files() -> None:
    told = found(lambda c: c.fail("app1", FILES, "parse", "app1: restic snapshots failed (exit 127)."))
    assert told == {"restic:app1:uploads": ("unknown", "could not be asked: restic snapshots failed (exit 127)")}


def test_thresholds_win_over_the_service() -> None:
    inventory = replace(with_uploads(), thresholds=Thresholds({"backup_age_any_hours": Threshold(1, 100)}))
    told = found(lambda _: None, Cluster(inventory))
    assert told["backup-age:app1:uploads"] == ("warn", "newest snapshot of its files 6 h ago (warn 1 h, crit 4 d 4 h)")


def test_nobody_misses_copies_while_their_nodes_are_away() -> None:
    """The shop's pool tells what is lost; of its files no redundancy is."""
    assert "redundancy:uploads" not in found(lambda c: c.down("app1", "app2"))
