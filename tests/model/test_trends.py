"""Fifteen minutes of measurements: what becomes a point, what stays a gap, and how little room it takes."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from hactl.model.facts import ClockFacts, DiskFacts, Filesystem, HaproxyBackend, HaproxyFacts, HttpFacts, NetCounters
from hactl.model.picture import Picture
from hactl.model.state import ClusterState, Failure, Link, LinkChanged, LinkPhase, Sample, StateEvent, apply, initial
from hactl.model.trends import Trends
from tests.model.builders import MIB, Cluster, backend, host, server
from tests.tui.pictures import INVENTORY

NODE, BALANCERS, POOL, BACKEND = "app1", ("lb1", "lb2"), "shop", "be_shop"


class Film:
    """A cluster to which things happen; every picture is taken."""

    def __init__(self) -> None:
        self.trends = Trends()
        self.state: ClusterState = initial(INVENTORY, now=0.0, epoch=0.0)
        self.assessment = Cluster().assess()
        for node in INVENTORY.nodes:
            self.state = apply(self.state, LinkChanged(node, Link(LinkPhase.UP, 0.0)))

    def take(self, now: float, *events: StateEvent) -> None:
        for event in events:
            self.state = apply(self.state, event)
        self.trends.take(Picture(self.state, self.assessment, now))

    def values(self, key: str) -> list[float]:
        return [point.value for point in self.trends.points(key)]


def tick(at: float, *, busy: int = 0, received: int = 0) -> Sample:
    ticks = int(at * 200)
    facts = host(cpu_total=ticks, cpu_busy=busy, network={"eth0": NetCounters(received, 2 * received, 0)})
    return Sample(NODE, "host", at, 2.0, facts)


def balance(node: str, at: float, *, requests: int, errors: int = 0, response: int | None = 7, pid: int = 1) -> Sample:
    one = replace(
        backend(BACKEND, server("app1")),
        requests_total=requests,
        errors_5xx=errors,
        response_ms=response,
        sessions=3,
        queue=1,
    )
    return Sample(
        node, f"haproxy:{INVENTORY.pools[POOL].balancer}", at, 2.0, HaproxyFacts("2.6", 100.0, pid, {BACKEND: one}, {})
    )


def test_a_node_has_its_points_with_their_times() -> None:
    film = Film()
    film.take(10.1, tick(10.0, busy=100, received=1000))
    assert film.values("node/app1/memory")
    assert film.values("node/app1/cpu") == []  # it takes two
    film.take(12.1, tick(12.0, busy=200, received=5000))
    assert film.trends.points("node/app1/cpu") == ((12.0, 25.0),)
    assert film.values("node/app1/received") == [2000.0]
    assert film.values("node/app1/sent") == [4000.0]


def test_the_fullest_file_system_and_the_way_there_and_back() -> None:
    film = Film()
    disks = DiskFacts(
        tuple(Filesystem(mount, "/dev/x", 100, 50, used, 0) for mount, used in (("/", 30.0), ("/var", 81.5)))
    )
    film.take(5.0, Sample(NODE, "disk", 4.0, 6.0, disks), Sample(NODE, "clock", 4.0, 6.0, ClockFacts(0.1, 0.02, None)))
    assert film.values("node/app1/disk") == [81.5]
    assert film.values("node/app1/latency") == pytest.approx([40.0])


def test_what_was_not_answered_is_a_gap() -> None:
    film = Film()
    for at in (10.0, 12.0):
        film.take(at, tick(at))
    film.take(14.0, Sample(NODE, "host", 14.0, 2.0, Failure("timeout", "no answer", 14.0)))
    film.take(60.0, tick(60.0, busy=900))
    film.take(62.0, tick(62.0, busy=1000))
    assert [at for at, _ in film.trends.points("node/app1/memory")] == [10.0, 12.0, 60.0, 62.0]
    assert [at for at, _ in film.trends.points("node/app1/cpu")] == [12.0, 62.0]  # not spread over the silence


def test_the_same_picture_again_is_no_point() -> None:
    film = Film()
    for now in (10.0, 10.5, 11.0):
        film.take(now, tick(10.0))
    assert len(film.values("node/app1/memory")) == 1


def test_a_pool_is_what_its_balancers_carry_together() -> None:
    film = Film()
    film.take(10.0, balance("lb1", 10.0, requests=100), balance("lb2", 10.1, requests=1000, response=20))
    assert film.values("pool/shop/sessions") == [6.0]
    assert film.values("pool/shop/rate") == []
    film.take(12.2, balance("lb1", 12.0, requests=130, errors=2), balance("lb2", 12.1, requests=1010, response=20))
    assert film.values("pool/shop/rate") == pytest.approx([20.0])
    assert film.values("pool/shop/errors") == [1.0]
    assert film.values("pool/shop/latency") == pytest.approx([(15 * 7 + 5 * 20) / 20])
    assert film.values("pool/shop/queue") == [2.0, 2.0]
    assert film.values("service/shop/rate") == pytest.approx([20.0])


@pytest.mark.parametrize(
    ("second", "rate", "latency"),
    [
        (balance("lb1", 12.0, requests=100), [0.0], []),  # no request: there is no latency, not an old one
        (balance("lb1", 12.0, requests=140, response=None), [20.0], []),
        (balance("lb1", 12.0, requests=140, response=0), [20.0], [0.0]),  # under a millisecond
        (balance("lb1", 12.0, requests=140, pid=2), [], []),  # a new process counts from its next answer
        (balance("lb1", 12.0, requests=40), [], []),  # its counters were cleared
        (balance("lb1", 30.0, requests=140), [], []),  # answers are missing in between
    ],
)
def test_a_balancer_that_tells_less(second: Sample, rate: list[float], latency: list[float]) -> None:
    film = Film()
    film.take(10.0, balance("lb1", 10.0, requests=100))
    film.take(second.at, second)
    assert film.values("pool/shop/rate") == rate
    assert film.values("pool/shop/latency") == latency


def test_a_pool_without_requests_counts_connections() -> None:
    pool = INVENTORY.pools["database-primary"]
    film = Film()
    for at, total in ((10.0, 5), (12.0, 9)):
        one = replace(server("db1"), sessions_total=total, errors_connection=total - 5)
        back = HaproxyBackend(pool.backend, "UP", {one.name: one}, 3, 0, 1, None, None)
        facts = HaproxyFacts("2.6", 100.0, 1, {pool.backend: back}, {})
        film.take(at, Sample("lb1", f"haproxy:{pool.balancer}", at, 2.0, facts))
    assert film.values(f"pool/{pool.name}/rate") == [2.0]
    assert film.values(f"pool/{pool.name}/errors") == [2.0]


def test_a_pool_of_which_no_balancer_answers_is_a_gap() -> None:
    film = Film()
    film.take(10.0, balance("lb1", 10.0, requests=100))
    film.take(12.0, LinkChanged("lb1", Link(LinkPhase.DOWN, 12.0, reason="gone")))
    assert len(film.values("pool/shop/sessions")) == 1


def test_a_service_has_its_slowest_check() -> None:
    film = Film()
    checks = [
        Sample(node, "http:shop", 4.0, 2.0, HttpFacts(200, ms, "", healthy=ms < 90))
        for node, ms in (("app1", 5), ("app2", 9), ("app3", 99))
    ]
    film.take(5.0, *checks)
    assert film.values("service/shop/health") == [9.0]


def test_slices_lie_on_a_grid_and_hold_until_stale() -> None:
    film = Film()
    for at in range(0, 300, 2):
        film.take(at, Sample(NODE, "clock", at, 2.0, ClockFacts(0, at / 2000, None)))
    film.take(600.0)
    parts = film.trends.slices("node/app1/latency", 90)  # of ten seconds each
    assert len(parts) == 90
    first = next(index for index, value in enumerate(parts) if value is not None)
    known = [value for value in parts if value is not None]
    assert first == 29
    assert known[:2] == [8.0, 18.0]  # the greatest of each
    assert len(known) == 31  # the last value holds for two intervals, not longer
    film.take(604.0)
    assert film.trends.slices("node/app1/latency", 90) == parts  # the same ten seconds are going on
    assert film.trends.newest("node/app1/latency") is None
    assert film.trends.slices("node/nobody/cpu", 3) == (None, None, None)


def test_a_recording_that_is_wound_back_takes_back_what_came_later() -> None:
    film = Film()
    before = film.state
    for at in range(10, 30, 2):
        film.take(at, tick(at))
    film.state = apply(before, tick(14.0))
    film.take(15.0)
    assert [at for at, _ in film.trends.points("node/app1/memory")] == [10.0, 12.0, 14.0]


def test_fifteen_minutes_take_little_room_however_often_it_is_asked() -> None:
    film = Film()
    disk = DiskFacts((Filesystem("/", "/dev/x", 100, 50, 30.0, 0),))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for step in range(2400):  # forty minutes, once a second
            at = float(step)
            film.take(at, tick(at, busy=step * 20, received=step * MIB), Sample(NODE, "disk", at, 1.0, disk))
            film.take(at, Sample(NODE, "clock", at, 1.0, ClockFacts(0, 0.01, None)))
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used < 100_000
    points = film.trends.points("node/app1/cpu")
    assert points[0].at >= 2399 - 900
    assert len(points) <= 600
