"""A replicated database as data: three servers that answer psql, systemctl and pg_controldata as the lab's do,
and two balancers with a gate. What is ordered changes them, so that a whole switchover can be played.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hactl.drivers.verbs.catalogue import VERBS
from hactl.model.command import Completed
from hactl.model.errors import UnreachableError
from hactl.model.inventory import PostgresqlService
from hactl.model.parameters import Value, filled
from hactl.model.verb import AskSocket, Memory, RunCommand, RunLocal, Scene, Standing
from tests.drivers.cases import load
from tests.drivers.verbs.driving import World, done
from tests.model.builders import Cluster, lab

CHECKPOINT = 0x3000060
BALANCERS = ("lb1", "lb2")
ADDRESSES = {"db1": "192.168.56.31", "db2": "192.168.56.32", "db3": "192.168.57.33"}
CONNINFO = (
    "user=replicator passfile='/var/lib/postgresql/.pgpass' host=db9 port=5432 application_name=x password=s3cret"
)


@dataclass
class Server:
    """One PostgreSQL. `upstream`: whom it streams from; `refuses`: what psql says instead of an answer."""

    standby: bool = False
    timeline: int = 1
    received: int = CHECKPOINT + 160
    replayed: int | None = None
    upstream: str = ""
    streams: bool = True
    paused: bool = False
    active: str = "active"
    fenced: bool = False
    signal: bool = False
    state: str = "in production"
    slots: set[str] = field(default_factory=set)
    conninfo: str = ""
    refuses: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    room: str = "7|10|on|on"
    unsettled: set[str] = field(default_factory=set)  # segments of an old timeline without a word about archiving

    def touch(self, path: str) -> None:
        """standby.signal, or the word that a segment needs no archiving."""
        name = path.rpartition("/")[2]
        if name.endswith(".done"):
            self.unsettled.discard(name.removesuffix(".done"))
        else:
            self.signal = True


@dataclass
class Gate:
    open: bool = True
    sessions: int = 3
    up: set[str] = field(default_factory=lambda: {"db1"})
    maint: set[str] = field(default_factory=set)


def three() -> dict[str, Server]:
    followers = {name: Server(standby=True, upstream="db1", conninfo=CONNINFO) for name in ("db2", "db3")}
    return {"db1": Server(slots={"db2", "db3"}), **followers}


@dataclass
class Database(World):
    servers: dict[str, Server] = field(default_factory=three)
    gates: dict[str, Gate] = field(default_factory=lambda: {name: Gate() for name in BALANCERS})
    down: set[str] = field(default_factory=set)  # nodes that cannot be reached
    target: str = "db1"
    power: str = "on"
    sticky: bool = False  # pg_promote is answered, and nothing comes of it
    rewind: tuple[int, str] = (0, "servers diverged at WAL location 0/3000060 on timeline 1")

    def __post_init__(self) -> None:
        self.run, self.socket, self.run_local = self._command, self._asked, self._local

    def scene(self, node: str | None = None, **about: object) -> Scene:
        self.target = node or self.target
        cluster = Cluster()
        for name in self.down:
            cluster.down(name)
        at = lab().nodes[node] if node else None
        return Scene(lab(), at, cluster.picture(), **about)  # type: ignore[arg-type]

    # --- commands ---

    def _command(self, ask: RunCommand) -> object:
        node = ask.node or self.target
        if node in self.down:
            return UnreachableError(node, "no route to host.")
        argv, one = ask.command.argv, self.servers[node]
        match argv[0], argv[1:]:
            case "psql", _:
                return self._psql(node, one, ask.command.stdin.decode())
            case "sh", (_, script, *_) if "is-enabled" in script:
                return done(f"{one.active}\n{'masked' if one.fenced else 'enabled'}\n")
            case "systemctl", (action, *_):
                return self._systemctl(node, one, action)
            case "env", (_, program, *_) if program.endswith("pg_controldata"):
                return done(control(one))
            case "touch", (path,):
                one.touch(path)
            case program, _ if program.endswith("pg_rewind"):
                code, said = self.rewind
                return done(exit=code, stderr=said)
            case ("df", _):
                return done("Avail\n9000000000\n")
            case ("du", _):
                return done("100000000\t/var/lib/postgresql/15/main\n")
        return done()

    def _systemctl(self, node: str, one: Server, action: str) -> Completed:
        match action:
            case "stop" | "kill":
                one.active, one.state = "inactive", "shut down"
                for other in self.servers.values():
                    if other.upstream == node:
                        other.streams = False
            case "mask":
                one.fenced = True
            case "unmask":
                one.fenced = False
            case "start":
                if one.fenced:
                    return done(exit=1, stderr="Unit is masked.")
                one.active, one.standby = "active", one.signal
                one.state = "in archive recovery" if one.signal else "in production"
        return done()

    def _psql(self, node: str, one: Server, text: str) -> Completed:
        if one.refuses or one.active != "active":
            return done(exit=2, stderr=f"psql: error: FATAL:  {one.refuses or 'the database system is down'}")
        if "pg_promote" in text:
            if not self.sticky:
                one.standby, one.timeline = False, one.timeline + 1
            return done("t\nt\n")
        if "ALTER SYSTEM" in text:
            host = re.search(r"host=([0-9.]+)", text)
            one.upstream = next(name for name, at in ADDRESSES.items() if host is not None and at == host[1])
            one.streams, one.timeline, one.conninfo = True, self.servers[one.upstream].timeline, text
            return done("t\n")
        if "pg_create_physical_replication_slot" in text:
            one.slots.add(re.findall(r"'([a-z0-9_]+)'", text)[0])
            return done("")
        if "pg_drop_replication_slot" in text:
            one.slots -= set(re.findall(r"'(db\d)'", text))
            return done("")
        return done(self._told(node, one, text))

    def _told(self, node: str, one: Server, text: str) -> str:
        if "json_build_object" in text:
            return json.dumps(self._facts(node, one))
        if "max_wal_senders" in text:
            return one.room
        if "pg_ls_archive_statusdir" in text:
            return "\n".join(sorted(one.unsettled))
        if "slot_name FROM pg_replication_slots" in text:
            wanted = set(re.findall(r"'(db\d)'", text)) or one.slots
            return "\n".join(sorted(one.slots & wanted))
        if "primary_conninfo" in text:
            return one.conninfo
        if "received_tli" in text:
            return f"{'t' if one.standby else 'f'}|{one.timeline}|{one.received if one.standby else ''}"
        if "pg_is_in_recovery" in text:
            return "t" if one.standby else "f"
        if "extract(epoch" in text:
            return "1700000000"
        return ""

    def _facts(self, node: str, one: Server) -> dict[str, object]:
        streaming = one.standby and one.streams and one.upstream not in self.down
        replayed = one.received if one.replayed is None else one.replayed
        active = {name for name, other in self.servers.items() if other.upstream == node and other.streams}
        return {
            **_answered(),
            "recovery": one.standby,
            "timeline": one.timeline,
            "lsn": one.received,
            "replay_paused": one.paused,
            "replayed": replayed if one.standby else None,
            "replicas": None,
            "system_identifier": "7",
            "receiver": {"status": "streaming", "host": ADDRESSES.get(one.upstream, "")} if streaming else None,
            "slots": [
                {
                    "name": name,
                    "active": name in active,
                    "retained": 0,
                    "wal_status": "reserved",
                    "slot_type": "physical",
                }
                for name in sorted(one.slots)
            ],
            **one.facts,
        }

    # --- balancers and power ---

    def _asked(self, ask: AskSocket) -> object:
        if ask.node in self.down:
            return UnreachableError(ask.node, "no route to host.")
        gate = self.gates[ask.node]
        return tuple(self._said(gate, request) for request in ask.requests)

    def _said(self, gate: Gate, request: str) -> str:
        info, stat, state = _captured()
        match request.split():
            case ["show", "info"]:
                return info
            case ["show", "stat"]:
                return _stat(stat, gate)
            case ["show", "servers", "state"]:
                return _state(state, gate)
            case [("disable" | "enable") as action, "frontend", "fe_pg_gate"]:
                gate.open = action == "enable"
            case ["shutdown", "sessions", *_]:
                gate.sessions = 0
            case ["set", "server", place, "health", health]:
                name = place.split("/")[1]
                (gate.up.add if health == "up" else gate.up.discard)(name)
            case ["set", "server", place, "state", word]:
                name = place.split("/")[1]
                (gate.maint.add if word == "maint" else gate.maint.discard)(name)
        return ""

    def _local(self, ask: RunLocal) -> object:
        if "--off" in ask.command.argv:
            self.power = "off"
        return done(f"{self.power}\n")


def control(one: Server) -> str:
    return (
        f"Database system identifier:           7\nDatabase cluster state:               {one.state}\n"
        f"Latest checkpoint location:           0/{CHECKPOINT:X}\n"
        f"Latest checkpoint's TimeLineID:       {one.timeline}\n"
    )


def database() -> PostgresqlService:
    service = lab().services["database"]
    assert isinstance(service, PostgresqlService)
    return service


@cache
def _answered() -> dict[str, object]:
    """What a primary of the lab answered, as it was captured."""
    path = Path(__file__).parents[2] / "cases" / "postgresql" / "lab-db1.txt"
    found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def _captured() -> tuple[str, str, str]:
    info, stat, state = next(case.answers for case in load() if str(case) == "haproxy/lab-balancer")
    return info, stat, state


def _stat(text: str, gate: Gate) -> str:
    """The captured table; the frontend that stands in it for the gate, and the database's servers as they are."""
    lines = text.rstrip("\n").split("\n")
    header = lines[0].removeprefix("# ").split(",")
    made = [lines[0]]
    for line in lines[1:]:
        row = dict(zip(header, line.split(","), strict=True))
        if row["pxname"] == "fe_pg_primary":
            row |= {"pxname": "fe_pg_gate", "status": "OPEN" if gate.open else "PAUSED", "scur": str(gate.sessions)}
        if row["pxname"] == "be_pg_primary" and row["svname"] in ADDRESSES:
            maint, up = row["svname"] in gate.maint, row["svname"] in gate.up
            row |= {"status": "MAINT" if maint else "UP" if up else "DOWN", "scur": "0"}
        made.append(",".join(row.values()))
    return "\n".join(made) + "\n"


def _state(text: str, gate: Gate) -> str:
    made = []
    for line in text.split("\n"):
        words = line.split(" ")
        if len(words) > 6 and words[1] == "be_pg_primary" and words[3] in ADDRESSES:
            words[6] = "1" if words[3] in gate.maint else "0"
        made.append(" ".join(words))
    return "\n".join(made)


__all__ = ["ADDRESSES", "CHECKPOINT", "CONNINFO", "Database", "Gate", "Server", "control", "database"]


# --- a verb played on it, by its name; `service` is said already ------------------------------------------------------


def args(name: str, **values: Value) -> object:
    return filled(VERBS[name].arguments, {"service": "database", **values})


def carried(world: Database, name: str, scene: Scene, **values: Value) -> tuple[Memory, str]:
    """Remember, then do."""
    given = args(name, **values)
    memory = world.play(VERBS[name].remember(scene, given))
    return memory, world.play(VERBS[name].do(scene, given, memory))


def looked(world: Database, name: str, scene: Scene, **values: Value) -> Standing:
    return world.play(VERBS[name].check(scene, args(name, **values)))
