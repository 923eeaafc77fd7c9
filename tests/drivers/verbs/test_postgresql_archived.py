"""That a primary archives: seen by itself, or where it was restored from while another repository is away."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from hactl.drivers.verbs.catalogue import VERBS
from hactl.model.command import Completed
from hactl.model.errors import UnreachableError
from hactl.model.verb import RunCommand, VerbError
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import scene_of

ARCHIVED = VERBS["postgresql.archived"]
SEGMENT, BEFORE = "00000003000000000000000E", "00000003000000000000000D"


@dataclass
class Primary(World):
    """`last`: what it has archived, `failed`: what it could not. `holds`: the newest WAL of the off-site repository."""

    last: str = ""
    failed: str = ""
    holds: str = ""

    def __post_init__(self) -> None:
        self.run = self._run

    def _run(self, ask: RunCommand) -> Completed | UnreachableError:
        if ask.command.argv[0] == "pgbackrest":
            assert ask.node == "backup2"
            return done(self._info()) if self.holds else UnreachableError("backup2", "no route.")
        return done(f"{SEGMENT}\n" if b"pg_switch_wal" in ask.command.stdin else f"{self.last}|{self.failed}\n")

    def _info(self) -> str:
        database = {"id": 1, "repo-key": 2}
        archive = [{"database": database, "min": "000000010000000000000001", "max": self.holds}]
        status = {"code": 0, "message": "ok", "lock": {"backup": {"held": False}}}
        repositories = [{"key": 2, "status": {"code": 0, "message": "ok"}}]
        known = [{"id": 1, "repo-key": 2, "system-id": 7}]
        told = {"name": "main", "status": status, "repo": repositories, "db": known, "archive": archive, "backup": []}
        return json.dumps([told])


def played(world: Primary, **values: str) -> str:
    scene = scene_of("db1")
    return world.play(ARCHIVED.do(scene, ARCHIVED.arguments("database", **values), {}))  # type: ignore[arg-type]


def test_the_primary_has_seen_it_arrive() -> None:
    assert played(Primary(last=SEGMENT)) == f"db1 archives: {SEGMENT} has arrived"


def test_while_another_repository_is_away_the_one_that_it_came_from_tells() -> None:
    said = played(Primary(last=BEFORE, failed="00000003.history", holds=SEGMENT), backups="offsite")
    assert said == f"repository 2 has {SEGMENT}; 00000003.history has not arrived in another repository yet"


@pytest.mark.parametrize(
    ("world", "backups"),
    [
        (Primary(last=BEFORE, failed=SEGMENT, holds=SEGMENT), ""),
        (Primary(last=BEFORE, failed=SEGMENT, holds=BEFORE), "offsite"),
        (Primary(last=BEFORE, failed=SEGMENT), "offsite"),
    ],
    ids=["nobody is asked", "it lacks it too", "it cannot be asked"],
)
def test_what_nobody_has_is_not_archived(world: Primary, backups: str) -> None:
    with pytest.raises(VerbError, match=f"{SEGMENT} of db1 is not in the archive after 90 s; {SEGMENT} failed"):
        played(world, backups=backups)
