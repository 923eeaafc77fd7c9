"""What has changed lately, and where each of it leads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.assess import Assessor
from hactl.model.events import Outcome
from hactl.model.findings import Finding, Level, Scope, ScopeKind
from hactl.model.journal import RunSummary
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase
from hactl.view.recent import GRACE, MOST, RUNS_OF, Happening, Recent, recent_rows
from hactl.view.whereto import Where, of_finding, of_service, row_of
from tests.model.builders import DOWN, EPOCH, NOW, Cluster, disk, lab, primary, standby

VIP = "192.168.56.10"


class Film:
    """Pictures of one cluster, judged one after the other as they are watched; every answer is fresh."""

    def __init__(self) -> None:
        self._assessor = Assessor(lab())
        self.now = NOW
        self.recent = Recent()

    def shows(self, cluster: Cluster, seconds: float = 2.0) -> list[Happening]:
        """What this picture adds, newest first."""
        before = {one.key for one in self.recent.happenings}
        self.recent.take(self.picture(cluster, seconds))
        return [one for one in self.recent.happenings if one.key not in before]

    def picture(self, cluster: Cluster, seconds: float = 2.0) -> Picture:
        self.now += seconds
        for readings in cluster.readings.values():
            for key, reading in readings.items():
                if reading.failure is None and reading.last is not None and reading.before is not None:
                    last = replace(reading.last, at=self.now - 0.5)
                    before = replace(reading.before, at=self.now - 0.5 - reading.interval)
                    readings[key] = replace(reading, last=last, before=before)
        state = cluster.state()
        return Picture(state, self._assessor.assess(state, self.now), self.now)


def said(happenings: list[Happening]) -> list[tuple[Level, str, str]]:
    return [(one.level, one.about, one.sentence) for one in happenings]


@pytest.fixture
def film() -> Film:
    """A healthy cluster that is known."""
    film = Film()
    assert film.shows(Cluster()) == []
    return film


def test_what_was_so_when_somebody_first_looked_is_no_change() -> None:
    film = Film()
    assert film.shows(Cluster().say("db1", "disk", disk(used=93))) == []
    assert film.shows(Cluster().say("db1", "disk", disk(used=94))) == []
    assert film.shows(Cluster().say("db1", "disk", disk(used=94)).down("app1"))


def test_nodes_that_are_heard_late_are_no_change_either() -> None:
    film = Film()
    for _ in range(3):
        assert film.shows(Cluster().link("db1", LinkPhase.CONNECTING)) == []
    assert film.shows(Cluster().say("db1", "disk", disk(used=93))) == []
    film = Film()
    film.shows(Cluster().link("db1", LinkPhase.CONNECTING))
    film.shows(Cluster().link("db1", LinkPhase.CONNECTING), GRACE)
    assert film.shows(Cluster().down("db1"))  # by now it is


def test_a_finding_comes_gets_worse_and_goes(film: Film) -> None:
    (came,) = film.shows(Cluster().say("db1", "disk", disk(used=85)))
    assert (came.level, came.about, came.where) == (Level.WARN, "db1", Where("node", "db1", "db1"))
    assert came.at == EPOCH + film.now
    (worse,) = film.shows(Cluster().say("db1", "disk", disk(used=93)))
    assert (worse.level, worse.sentence[:7]) == (Level.CRIT, "worse: ")
    (better,) = film.shows(Cluster().say("db1", "disk", disk(used=82)))
    assert (better.level, better.sentence[:8]) == (Level.WARN, "better: ")
    (gone,) = film.shows(Cluster(), seconds=40)
    assert gone.level is Level.OK
    assert gone.sentence.startswith("over after 40 s: disk / 82 % full")
    assert film.shows(Cluster()) == []


def test_a_node_that_is_silent_hides_nothing_that_is_told_again_later(film: Film) -> None:
    full = Cluster().say("db3", "disk", disk(used=85))
    film.shows(full)
    told = said(film.shows(Cluster().say("db3", "disk", disk(used=85)).down("db3")))
    assert all("disk" not in sentence for _, _, sentence in told)
    assert any(about == "db3" and level is Level.CRIT for level, about, _ in told)
    back = said(film.shows(Cluster().say("db3", "disk", disk(used=85)), seconds=30))
    assert [(level, about) for level, about, sentence in back if "answers again, after" in sentence] == [
        (Level.OK, "db3")
    ]
    assert all("disk" not in sentence for _, _, sentence in back)


def test_an_address_that_moves(film: Film) -> None:
    moved = Cluster().addresses("lb1", "192.168.56.11").addresses("lb2", "192.168.56.12", VIP)
    assert (Level.OK, "vip public", "moved from lb1 to lb2") in said(film.shows(moved, seconds=10))


def test_an_address_that_nobody_has_for_a_moment_has_moved_once(film: Film) -> None:
    film.shows(Cluster().addresses("lb1", "192.168.56.11"), seconds=10)
    moved = Cluster().addresses("lb1", "192.168.56.11").addresses("lb2", "192.168.56.12", VIP)
    found = [one for one in film.shows(moved, seconds=10) if one.about == "vip public" and "moved" in one.sentence]
    assert [one.where for one in found] == [Where("balancers", "public", "lb2")]


def test_roles_that_change(film: Film) -> None:
    turned = Cluster().say("db1", "postgresql:database", standby()).say("db2", "postgresql:database", primary())
    told = said(film.shows(turned))
    assert (Level.OK, "db1", "standby now, was primary") in told
    assert (Level.OK, "db2", "primary now, was standby") in told
    assert not [one for one in said(film.shows(turned)) if "now, was" in one[2]]


def test_time_that_is_turned_back_takes_back_what_came_after(film: Film) -> None:
    film.shows(Cluster().down("app1"), seconds=10)
    assert film.recent.happenings
    film.now = NOW
    film._assessor = Assessor(lab())
    film.recent.take(film.picture(Cluster(), 1.0))
    assert film.recent.happenings == ()


def test_only_so_many_are_kept(film: Film) -> None:
    for _ in range(MOST):
        film.shows(Cluster().say("db1", "disk", disk(used=85)))
        film.shows(Cluster())
    assert len(film.recent.happenings) == MOST
    assert "over after" in film.recent.happenings[0].sentence


def run(number: int, began: float | None, ended: float | None = None, outcome: Outcome | None = None) -> RunSummary:
    return RunSummary(
        run=f"run-{number}",
        cluster="lab",
        playbook="drain",
        title="",
        who="anna@laptop",
        reason="",
        targets=("app1",),
        planned_at=0,
        began_at=began,
        ended_at=ended,
        outcome=outcome,
        sentence="",
        attempts=1,
        steps=1,
        done=1,
        alive=False,
    )


def test_runs_begin_and_end_between_what_was_seen(film: Film) -> None:
    (seen,) = (one for one in film.shows(Cluster().down("app1")) if one.about == "app1" and one.level is Level.CRIT)
    wall = EPOCH + film.now
    film.recent.take_runs(
        [
            run(4, wall - 1),
            run(3, wall - 20, wall + 5, Outcome.FAILED),
            run(2, None),
            run(1, wall - RUNS_OF - 9, wall - RUNS_OF - 5, Outcome.DONE),
        ],
        wall,
    )
    told = [(one.key, one.level) for one in film.recent.happenings if one.key == seen.key or one.key.startswith("run")]
    assert told == [
        ("run-3:end", Level.CRIT),
        (seen.key, Level.CRIT),
        ("run-4:begin", Level.OK),
        ("run-3:begin", Level.OK),
    ]
    first = film.recent.happenings[0]
    assert (first.about, first.sentence, first.where) == (
        "drain app1",
        "the run is over, failed",
        Where("run", "run-3"),
    )


def test_rows(film: Film) -> None:
    film.shows(Cluster().say("db1", "disk", disk(used=85)))
    (row,) = recent_rows(film.recent.happenings, EPOCH + film.now).rows
    assert [cell.text for cell in row.cells[:3]] == ["09:10:04", "warn", "db1"]
    (row,) = recent_rows(film.recent.happenings, EPOCH + film.now + 86400).rows
    assert row.cells[0].text == "2025-10-09 09:10"


# --- where it leads ---


def finding(kind: ScopeKind, name: str, node: str | None = None, service: str | None = None) -> Finding:
    return Finding("key", Level.WARN, Scope(kind, name), "so", 0.0, node=node, service=service)


@pytest.mark.parametrize(
    ("about", "where"),
    [
        (finding(ScopeKind.NODE, "db1", "db1"), Where("node", "db1", "db1")),
        (finding(ScopeKind.POOL, "shop", "app1"), Where("balancers", "shop", "app1")),
        (finding(ScopeKind.POOL, "shop"), Where("balancers", "shop", "lb1")),
        (finding(ScopeKind.VIP, "public"), Where("balancers", "public", "lb1")),
        (finding(ScopeKind.SERVICE, "database", None, "database"), Where("database", "database", "db1")),
        (finding(ScopeKind.SERVICE, "database", "db2", "database"), Where("database", "db2", "db2")),
        (finding(ScopeKind.SERVICE, "backup", "backup1", "backup"), Where("backups", "backup1", "backup1")),
        (finding(ScopeKind.SERVICE, "shop", "app2", "shop"), Where("node", "app2", "app2")),
        (finding(ScopeKind.SERVICE, "shop", None, "shop"), Where("balancers", "shop", "app1")),
        (finding(ScopeKind.SERVICE, "vrrp", "lb2", "vrrp"), Where("node", "lb2", "lb2")),
        (finding(ScopeKind.SITE, "east"), Where("nodes", "east")),
        (finding(ScopeKind.CLUSTER, "lab"), Where("nodes", "lab")),
        (finding(ScopeKind.POOL, "gone"), Where("balancers", "gone")),
    ],
)
def test_where_a_finding_leads(about: Finding, where: Where) -> None:
    assert of_finding(about, lab()) == where


@pytest.mark.parametrize("key", sorted(Cluster().server("lb1", "be_shop", "shop-a", **DOWN).down("db3").findings()))
def test_every_finding_leads_somewhere(key: str) -> None:
    found = Cluster().server("lb1", "be_shop", "shop-a", **DOWN).down("db3").findings()[key]
    where = of_finding(found, lab())
    assert where.node in lab().nodes or where.place == "nodes"


@pytest.mark.parametrize(
    ("service", "where"),
    [
        ("shop", Where("balancers", "shop", "app2")),
        ("database", Where("database", "database", "app2")),
        ("backup", Where("backups", "backup", "app2")),
        ("balancer", Where("balancers", "balancer", "app2")),
    ],
)
def test_where_a_service_leads(service: str, where: Where) -> None:
    assert of_service(lab(), service, "app2") == where


@pytest.mark.parametrize(
    ("where", "keys", "row"),
    [
        (Where("nodes", "db1", "db1"), ["db1", "db2"], "db1"),
        (Where("balancers", "shop", "app2"), ["shop/app1", "shop/app2", "app2"], "shop/app2"),
        (Where("balancers", "shop", "lb1"), ["db/db1", "shop/app1", "shop/app2"], "shop/app1"),
        (Where("database", "database", "db2"), ["db1", "db2"], "db2"),
        (Where("balancers", "public", "lb1"), ["shop/app1"], None),
        (Where("nodes", "lab"), ["", "db1"], None),
    ],
)
def test_the_row_that_it_is_about(where: Where, keys: list[str], row: str | None) -> None:
    assert row_of(where, keys) == row
