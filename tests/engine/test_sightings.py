"""What is remembered of a primary from one hactl to the next, and that a file that is no such file harms nobody."""

from __future__ import annotations

import stat
from pathlib import Path

from hactl.engine.sightings import Sightings
from hactl.model.facts import PostgresqlFacts
from hactl.model.observed import Observed
from hactl.model.replication import replication
from hactl.model.state import apply, initial
from tests.model.builders import EPOCH, NOW, Cluster, primary, standby

DB = "postgresql:database"


def test_the_next_one_knows_what_this_one_saw(tmp_path: Path) -> None:
    path = tmp_path / "seen" / "lab.json"
    Sightings(path).take(Cluster().picture())
    (sample,) = Sightings(path).recalled(epoch=EPOCH + 5000.0)
    assert (sample.node, sample.key, sample.at) == ("db1", DB, NOW - 1 - 5000.0)
    assert sample.result == primary()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_recalled_is_last_seen_and_never_the_present(tmp_path: Path) -> None:
    path, cluster = tmp_path / "lab.json", Cluster()
    Sightings(path).take(cluster.picture())
    state = initial(cluster.inventory, now=0.0, epoch=EPOCH + NOW + 13)
    for sample in Sightings(path).recalled(state.epoch):
        state = apply(state, sample)
    node = state.nodes["db1"]
    assert not isinstance(node.read(DB, PostgresqlFacts, 0.0), Observed)
    assert node.last_known(DB, PostgresqlFacts) == Observed(primary(), -14.0)
    service = cluster.inventory.services["database"]
    picture = Cluster().picture()
    found = replication(service, type(picture)(state, picture.assessment, 0.0))  # type: ignore[arg-type]
    assert found.lost is not None
    assert (found.lost.node, found.lost.seen) == ("db1", Observed(primary(), -14.0))


def test_a_role_that_changed_while_nobody_looked_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "lab.json"
    Sightings(path).take(Cluster().picture())
    moved = Cluster().say("db2", DB, primary(timeline=2), at=NOW + 99).say("db1", DB, standby(timeline=2), at=NOW + 99)
    later = Sightings(path)
    later.take(moved.picture(NOW + 100))
    (change,) = Sightings(path).changes
    assert (change.before, change.after, change.timeline) == ("db1", "db2", 2)
    assert (change.since, change.until) == (EPOCH + NOW - 1, EPOCH + NOW + 99)


def test_an_older_sight_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lab.json"
    Sightings(path).take(Cluster().say("db1", DB, primary(timeline=3), at=NOW + 9).picture(NOW + 10))
    Sightings(path).take(Cluster().picture())
    (sample,) = Sightings(path).recalled(0.0)
    assert sample.result == primary(timeline=3)
    assert not Sightings(path).changes


def test_it_is_written_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "lab.json"
    one = Sightings(path)
    written = []
    for second in range(0, 25, 2):
        one.take(Cluster().say("db1", DB, primary(), at=NOW + second).picture(NOW + second))
        written.append(path.stat().st_mtime_ns)
    assert len(set(written)) == 3


def test_a_file_that_is_none_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "lab.json"
    for text in ("", "{}", '{"seen": {"database": 1}, "changes": []}', "[1, 2]", '{"seen": [], "changes": [{}]}'):
        path.write_text(text)
        one = Sightings(path)
        assert not list(one.recalled(0.0))
        one.take(Cluster().picture())
        assert len(list(Sightings(path).recalled(0.0))) == 1


def test_a_folder_that_cannot_be_written_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    one = Sightings(tmp_path / "file" / "lab.json")
    one.take(Cluster().picture())
    assert len(list(one.recalled(0.0))) == 1
