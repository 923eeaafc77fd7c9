"""A healthy lab cluster as data, to be changed one thing at a time."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Self

from hactl.config.load import parse_inventory
from hactl.model.assess import assess
from hactl.model.drilled import drill_nodes
from hactl.model.drills import FILES, LATEST, Check, CheckOutcome, DrillFacts, DrillRecord, Verdict
from hactl.model.facts import (
    AdminState,
    ArchiverFacts,
    Backup,
    ClockFacts,
    DiskFacts,
    DrainNote,
    Facts,
    Filesystem,
    HaproxyBackend,
    HaproxyFacts,
    HaproxyFrontend,
    HaproxyServer,
    HostFacts,
    HttpFacts,
    NetCounters,
    NoteFacts,
    PackageFacts,
    PgbackrestFacts,
    PostgresqlFacts,
    PostgresqlRole,
    Replica,
    RepositoryStatus,
    ResticFacts,
    Room,
    RoomFacts,
    ServerState,
    Slot,
    Snapshot,
    UnitFacts,
    UnitState,
    VersionFacts,
)
from hactl.model.findings import Assessment, Finding
from hactl.model.inventory import Inventory, PgbackrestService, ResticService, Service, Threshold, Thresholds
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.model.rooms import asked_on, key_of
from hactl.model.state import ClusterState, Failure, Link, LinkPhase, NodeState, Reading

ROOT = Path(__file__).parents[2]
NOW = 1000.0
EPOCH = 1_760_000_000.0  # wall clock at monotonic 0: NOW is 2025-10-09 09:10:00 UTC
GIB = 1024**3
MIB = 1024**2
DAY = 86_400.0
SEGMENT = 16 * MIB
WAL = 0x40 * SEGMENT + 4096  # where the primary writes
IDENTIFIER = "7400000000000000001"
INTERVALS = {
    "disk": 6.0,
    "clock": 6.0,
    "units": 6.0,
    "note": 6.0,
    "packages": 3600.0,
    "pgbackrest": 60.0,
    "restic": 60.0,
    "room": 60.0,
    "drill": 60.0,
    "version": 60.0,
}


@cache
def lab() -> Inventory:
    """The lab's nodes, with limits that do not change when the lab's are tuned, and drills every week."""
    path = ROOT / "inventory" / "lab.toml"
    limits = Thresholds({"disk_percent": Threshold(80, 90)}, {"backup": {"disk_percent": Threshold(85, 95)}})
    inventory = parse_inventory(path.read_bytes(), path)
    services = {name: _drilled(one) for name, one in inventory.services.items()}
    return replace(inventory, thresholds=limits, services=services)


def _drilled(service: Service) -> Service:
    """A service whose backups are to be restored every week, where it has backups."""
    return replace(service, max_age_drill=7 * DAY) if isinstance(service, PgbackrestService) else service


def with_uploads() -> Inventory:
    """The lab, whose app nodes back the shop's files up."""
    inventory = lab()
    files = ResticService(
        "uploads",
        ("app1", "app2", "app3"),
        (),
        1,
        paths=("/var/lib/shop/uploads",),
        repository="sftp:restic@backup1:/var/lib/restic/{node}",
        password_file="/etc/restic/password",
        os_user="restic",
    )
    return replace(inventory, services={**inventory.services, "uploads": files})


def host(**changes: object) -> HostFacts:
    facts = HostFacts(
        cpu_busy=2_000,
        cpu_total=20_000,
        cores=2,
        load1=0.2,
        load5=0.2,
        load15=0.1,
        memory_total=4 * GIB,
        memory_available=3 * GIB,
        swap_total=GIB,
        swap_free=GIB,
        uptime=86_400.0,
        network={"host0": NetCounters(5 * MIB, 3 * MIB, 0)},
        boot_id="boot-1",
    )
    return replace(facts, **changes)


def earlier(facts: HostFacts) -> HostFacts:
    """Two seconds before: 10 % busy since, 1 MiB/s received."""
    counters = {name: replace(one, received=one.received - 2 * MIB) for name, one in facts.network.items()}
    return replace(facts, cpu_busy=facts.cpu_busy - 40, cpu_total=facts.cpu_total - 400, network=counters)


def disk(mount: str = "/", used: float = 40.0, inodes: float = 5.0) -> DiskFacts:
    size = 20 * GIB
    return DiskFacts((Filesystem(mount, "/dev/vda1", size, int(size * (1 - used / 100)), used, inodes),))


def unit(name: str, **changes: object) -> UnitState:
    facts = UnitState(name, "loaded", "active", "running", "enabled", 100, 0, 80_000.0, 50 * MIB)
    return replace(facts, **changes)


def packages(**changes: object) -> PackageFacts:
    return replace(
        PackageFacts(
            {},
            3,
            0,
            reboot_required=False,
            offered={},
            os_name="Debian GNU/Linux 12 (bookworm)",
            kernel="6.1.0-30-amd64",
        ),
        **changes,
    )


def server(name: str, **changes: object) -> HaproxyServer:
    facts = HaproxyServer(
        name=name,
        status="UP",
        state=ServerState.UP,
        admin=AdminState.READY,
        weight=1,
        backup=False,
        sessions=4,
        session_limit=200,
        queue=0,
        sessions_total=9000,
        bytes_in=1,
        bytes_out=1,
        errors_connection=0,
        errors_response=0,
        http_5xx=0,
        rate=3,
        check_status="L7OK",
        check_code=200,
        check_ms=2,
        last_change=5000,
        address="192.168.56.21:8080",
    )
    return replace(facts, **changes)


DOWN = {"status": "DOWN", "state": ServerState.DOWN, "check_status": "L4CON", "check_code": None}
DRAINED = {"status": "DRAIN", "state": ServerState.DRAIN, "admin": AdminState.FORCED_DRAIN}
MAINT = {"status": "MAINT", "state": ServerState.MAINT, "admin": AdminState.FORCED_MAINT}


def backend(name: str, *servers: HaproxyServer, queue: int = 0) -> HaproxyBackend:
    return HaproxyBackend(name, "UP", {one.name: one for one in servers}, 12, queue, 9, 40_000, 0)


def haproxy() -> HaproxyFacts:
    return HaproxyFacts(
        version="2.6.12-1+deb12u1",
        uptime=80_000.0,
        pid=321,
        backends={
            "be_shop": backend("be_shop", server("shop-a"), server("shop-b"), server("shop-c")),
            "be_pg_primary": backend("be_pg_primary", server("db1"), server("db2", **DOWN), server("db3", **DOWN)),
        },
        frontends={"fe_shop": HaproxyFrontend("fe_shop", "OPEN", 12, 2000, 9, 40_000)},
    )


def archiver(**changes: object) -> ArchiverFacts:
    return replace(ArchiverFacts("on", 60, 0, "00000001000000000000003F", "", 120.0, None, 0), **changes)


def slot(name: str, **changes: object) -> Slot:
    return replace(Slot(name, active=True, retained=0, wal_status="reserved"), **changes)


def primary(**changes: object) -> PostgresqlFacts:
    facts = PostgresqlFacts(
        role=PostgresqlRole.PRIMARY,
        version="15.14",
        system_identifier=IDENTIFIER,
        timeline=1,
        lsn=WAL,
        replayed=None,
        replay_paused=False,
        seconds_since_replay=None,
        primary_host="",
        receiver_status="",
        replicas=(
            Replica("db2", "192.168.56.32", "streaming", "async", 0, 0, 0),
            Replica("db3", "192.168.57.33", "streaming", "async", 0, 0, 0),
        ),
        slots=(slot("db2"), slot("db3")),
        archiver=archiver(),
        connections=12,
        max_connections=100,
        longest_transaction=0.2,
        synchronous_standby_names="",
        read_only=False,
        started=80_000.0,
        reserved_connections=3,
    )
    return replace(facts, **changes)


def standby(**changes: object) -> PostgresqlFacts:
    facts = primary(
        role=PostgresqlRole.STANDBY,
        replayed=WAL,
        seconds_since_replay=7200.0,  # idle primary: no reason to alarm
        primary_host="192.168.56.31",
        receiver_status="streaming",
        replicas=(),
        slots=(),
    )
    return replace(facts, **changes)


def note(node: str = "app1", pool: str = "shop", *, minutes_ago: float = 12.5, **changes: object) -> NoteFacts:
    """What anna left on a node that she took out of a pool."""
    when = EPOCH + NOW - minutes_ago * 60
    left = DrainNote(node, (pool,), "anna@laptop", "new disk", when, "20251009-085740-k3f")
    return NoteFacts((replace(left, **changes),))


def made(kind: str, hours_ago: float, **changes: object) -> Backup:
    stopped = EPOCH + NOW - hours_ago * 3600
    facts = Backup(
        f"2025-{kind}", kind, 1, stopped - 60, stopped, GIB, "0000000100000000", "0000000100000000", error=False
    )
    return replace(facts, **changes)


def pgbackrest(repository: int = 1, **changes: object) -> PgbackrestFacts:
    facts = PgbackrestFacts(
        stanza="main",
        code=0,
        message="ok",
        repositories=(RepositoryStatus(repository, 0, "ok"),),
        backups=(made("full", 20, repository=repository), made("diff", 2, repository=repository)),
        archive_min={repository: "000000010000000000000001"},
        archive_max={repository: "00000001000000000000003F"},
        system_identifier=IDENTIFIER,
        now=EPOCH + NOW,
        running=False,
    )
    return replace(facts, **changes)


def snapshot(hours_ago: float, **changes: object) -> Snapshot:
    facts = Snapshot(f"{int(hours_ago * 10):08x}{0:056x}", EPOCH + NOW - hours_ago * 3600, ("/var/lib/shop/uploads",))
    return replace(facts, **changes)


def restic(*snapshots: Snapshot, **changes: object) -> ResticFacts:
    """What a node's repository of files holds; two snapshots where none is given."""
    return replace(ResticFacts(snapshots or (snapshot(30), snapshot(6)), EPOCH + NOW), **changes)


def rooms(*paths: str, used_percent: float = 40.0) -> RoomFacts:
    """Folders on one disk of 20 GiB, and how full that is."""
    left = int(20 * GIB * (1 - used_percent / 100))
    return RoomFacts(dict.fromkeys(paths, Room("/var", 20 * GIB, left, used_percent)), {})


def drill(days_ago: float = 2.0, **changes: object) -> DrillRecord:
    """One that passed."""
    started = EPOCH + NOW - days_ago * DAY
    facts = DrillRecord(
        run=time.strftime("%Y%m%d-%H%M%S-abc", time.gmtime(started)),
        cluster="lab",
        service="backup",
        repository=1,
        label="2025-full",
        kind="full",
        target=LATEST,
        node="backup1",
        who="anna@laptop",
        started=started,
        phases={"prepare": 1.5, "restore": 61.5, "start": 4.0, "check": 12.0, "teardown": 1.0},
        rto=65.5,
        rpo=2.5,
        rpo_bytes=8192,
        size=GIB,
        checks=(Check("orders-table", CheckOutcome.OK, "t"), Check("orders-sound", CheckOutcome.OK, "0 = 0")),
        verdict=Verdict.PASS,
        target_rto=300.0,
        target_rpo=300.0,
        reached=started - 2.5,
    )
    return replace(facts, **changes)


def _drill_of(service: Service, node: str) -> DrillRecord:
    if isinstance(service, PgbackrestService):
        return drill(service=service.name)
    return drill(service=service.name, node=node, kind=FILES, label="0000003c", rpo_bytes=None)


def drills(*records: DrillRecord, **changes: object) -> DrillFacts:
    """What the drills' node says; one good drill where none is given."""
    return replace(DrillFacts(records or (drill(),), 0, (), 20 * GIB, EPOCH + NOW), **changes)


def _of_service(service: Service, node: str) -> dict[str, Facts]:
    """What a service's probes say on one of its nodes."""
    key = f"{service.kind}:{service.name}"
    match service.kind:
        case "http":
            return {key: HttpFacts(200, 3.5, "ok", healthy=True), f"version:{service.name}": VersionFacts("1.0.0")}
        case "haproxy":
            return {key: haproxy()}
        case "postgresql":
            return {key: primary() if node == "db1" else standby()}
        case "pgbackrest":
            assert isinstance(service, PgbackrestService)
            return {key: pgbackrest(service.repositories[0])}
        case "restic":
            return {key: restic()}
    return {}


def healthy_facts(inventory: Inventory) -> dict[tuple[str, str], Facts]:
    """Every answer of every node, all of it fine. db1 is the primary, lb1 has the address."""
    facts: dict[tuple[str, str], Facts] = {}
    for name, node in inventory.nodes.items():
        services = inventory.services_on(name)
        addresses = (node.address, "192.168.56.10") if name == "lb1" else (node.address,)
        facts[name, "host"] = host(addresses=addresses, boot_id=f"boot-{name}")
        facts[name, "disk"] = disk()
        facts[name, "clock"] = ClockFacts(0.001, 0.002, synchronized=True)
        facts[name, "units"] = UnitFacts({u: unit(u) for service in services for u in service.units}, ())
        facts[name, "packages"] = packages()
        if inventory.pools_of(name):
            facts[name, "note"] = NoteFacts()
        facts |= {(name, key_of(of)): rooms(*paths) for of, paths in asked_on(name, inventory).items()}
        facts |= {(name, key): told for service in services for key, told in _of_service(service, name).items()}
    for service in inventory.services.values():
        for node in drill_nodes(service):
            facts[node, f"drill:{service.name}"] = drills(_drill_of(service, node))
    return facts


class Cluster:
    """What every node said, all at NOW - 1. Its methods change one thing and give the cluster back."""

    def __init__(self, inventory: Inventory | None = None) -> None:
        self.inventory = inventory or lab()
        self.links = {name: Link(LinkPhase.UP, 10.0) for name in self.inventory.nodes}
        self.readings: dict[str, dict[str, Reading]] = {name: {} for name in self.inventory.nodes}
        for (node, key), facts in healthy_facts(self.inventory).items():
            self.say(node, key, facts)

    def say(self, node: str, key: str, facts: Facts, *, at: float = NOW - 1, before: Facts | None = None) -> Self:
        """One answer; `before` is the one of an interval ago, the same where it is not given."""
        interval = INTERVALS.get(key.partition(":")[0], 2.0)
        old = before or (earlier(facts) if isinstance(facts, HostFacts) else facts)
        self.readings[node][key] = Reading(interval, Observed(facts, at), Observed(old, at - interval))
        return self

    def get(self, node: str, key: str) -> Facts:
        last = self.readings[node][key].last
        assert last is not None
        return last.value

    def change(self, node: str, key: str, **changes: object) -> Self:
        """The same answer with other values in some fields."""
        return self.say(node, key, replace(self.get(node, key), **changes))

    def fail(self, node: str, key: str, code: str, reason: str, *, remedy: str = "", since: float = NOW - 1) -> Self:
        """The newest attempt failed; what was said before stays."""
        reading = self.readings[node][key]
        failure = Failure(code, reason, NOW - 1, remedy)
        self.readings[node][key] = replace(reading, failure=failure, failing_since=since)
        return self

    def forget(self, node: str, key: str) -> Self:
        """It was never asked."""
        del self.readings[node][key]
        return self

    def link(self, node: str, phase: LinkPhase, code: str = "", reason: str = "", **fields: object) -> Self:
        self.links[node] = Link(phase, fields.pop("since", NOW - 30), code, reason, **fields)
        return self

    def down(self, *nodes: str, code: str = "unreachable", reason: str = "no route to 192.168.56.11.") -> Self:
        for node in nodes:
            self.link(node, LinkPhase.DOWN, code, reason)
        return self

    def unit(self, node: str, name: str, **changes: object) -> Self:
        facts = self.get(node, "units")
        return self.change(node, "units", units={**facts.units, name: replace(facts.units[name], **changes)})

    def server(self, lb: str, backend_name: str, name: str, **changes: object) -> Self:
        """One server as one balancer sees it; `lb` "*" is both."""
        for each in ("lb1", "lb2") if lb == "*" else (lb,):
            facts = self.get(each, "haproxy:balancer")
            old = facts.backends[backend_name]
            new = replace(old, servers={**old.servers, name: replace(old.servers[name], **changes)})
            self.change(each, "haproxy:balancer", backends={**facts.backends, backend_name: new})
        return self

    def addresses(self, node: str, *addresses: str) -> Self:
        return self.change(node, "host", addresses=addresses)

    def state(self) -> ClusterState:
        nodes = {name: NodeState(name, self.links[name], dict(self.readings[name])) for name in self.inventory.nodes}
        return ClusterState(self.inventory, nodes, NOW, EPOCH)

    def assess(self, previous: Assessment | None = None, now: float = NOW) -> Assessment:
        return assess(self.state(), previous, now)

    def findings(self) -> dict[str, Finding]:
        return {finding.key: finding for finding in self.assess().findings}

    def picture(self, now: float = NOW) -> Picture:
        return Picture(self.state(), self.assess(now=now), now)
