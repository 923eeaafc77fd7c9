"""Balancers as data: the lab's HAProxy as it was captured, with servers that do what the real one was seen to do.

`set server` never says more than an empty line. Leaving maint keeps the old check's word and sets its health to `rise`
("DRAIN 1/3"); the next check, up to two seconds later, lifts it to the top or takes it to 0.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from hactl.model.command import Completed
from hactl.model.errors import UnreachableError
from hactl.model.inventory import Inventory
from hactl.model.verb import AskSocket, Fetch, Fetched, RunCommand, Scene
from tests.drivers.cases import load
from tests.drivers.verbs.driving import World, done
from tests.model.builders import Cluster, lab

RISE, FALL, INTER = 2, 3, 2.0


@cache
def _captured() -> tuple[str, str, str]:
    info, stat, state = next(case.answers for case in load() if str(case) == "haproxy/lab-balancer")
    return info, stat, state


@dataclass
class Server:
    admin: str = "ready"
    sessions: int = 0
    health: int = RISE + FALL - 1
    checked_at: float = 0.0

    @property
    def status(self) -> str:
        if self.admin == "maint":
            return "MAINT"
        if self.health == 0:
            return "DOWN"
        word = {"ready": "UP", "drain": "DRAIN"}[self.admin]
        return word if self.health == RISE + FALL - 1 else f"{word} {self.health - RISE + 1}/{FALL}"


@dataclass
class Balancer:
    """One HAProxy. `well`: what its checks find; `says_no`: its answer to every order; `deaf`: it obeys nothing."""

    pid: int = 375
    servers: dict[str, Server] = field(default_factory=lambda: {name: Server() for name in ("shop-a", "shop-b")})
    well: bool = True
    down: bool = False
    says_no: str = ""
    deaf: bool = False
    old_processes: int = 0
    since: float = -395.0  # when this process began

    def tick(self, now: float) -> None:
        for server in self.servers.values():
            if server.admin != "maint" and now - server.checked_at >= INTER:
                server.checked_at = now
                server.health = RISE + FALL - 1 if self.well else 0

    def reload(self, now: float, *, forgets: bool) -> None:
        self.pid, self.since = self.pid + 1, now
        for server in self.servers.values():
            server.admin = "ready" if forgets else server.admin

    def answer(self, request: str, now: float) -> str:
        info, stat, state = _captured()
        match request.split():
            case ["show", "info"]:
                uptime = f"Uptime_sec: {now - self.since:.0f}"
                return info.replace("Pid: 375", f"Pid: {self.pid}").replace("Uptime_sec: 395", uptime)
            case ["show", "stat"]:
                return _edited(stat, self._stat)
            case ["show", "servers", "state"]:
                return "\n".join(map(self._state, state.splitlines()))
            case ["set", "server", name, "state", wanted]:
                return self.says_no or self._set(name, wanted, now)
            case ["shutdown", "sessions", "server", name]:
                self.servers[name.split("/")[1]].sessions = 0
                return ""
        raise AssertionError(request)

    def _set(self, name: str, wanted: str, now: float) -> str:
        backend, _, server = name.partition("/")
        if backend != "be_shop" or server not in self.servers:
            return "No such server."
        one = self.servers[server]
        if not self.deaf and one.admin != wanted:
            if one.admin == "maint":
                one.health, one.checked_at = RISE, now
            one.admin = wanted
        return ""

    def _stat(self, row: dict[str, str]) -> dict[str, str]:
        server = self.servers.get(row["svname"]) if row["# pxname"] == "be_shop" else None
        if server is None:
            return row
        check = {"check_status": "L7OK" if server.health else "L7STS", "check_health": str(server.health)}
        if server.admin == "maint":
            check = dict.fromkeys(("check_status", "check_health", "check_rise", "check_fall"), "")
        return {**row, "status": server.status, "scur": str(server.sessions), **check}

    def _state(self, line: str) -> str:
        words = line.split()
        if len(words) > 6 and words[3] in self.servers:
            words[6] = {"ready": "0", "maint": "1", "drain": "8"}[self.servers[words[3]].admin]
        return " ".join(words)


def _edited(stat: str, edit: Callable[[dict[str, str]], dict[str, str]]) -> str:
    header, *rows = csv.reader(io.StringIO(stat))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        if row:
            writer.writerow(edit(dict(zip(header, row, strict=True))).values())
    return out.getvalue()


@dataclass
class Lab(World):
    """Two balancers and app1, whose server is shop-a. `events`: at a second, something happens, once."""

    lb1: Balancer = field(default_factory=Balancer)
    lb2: Balancer = field(default_factory=Balancer)
    healthy: bool = True
    notes: dict[str, str] = field(default_factory=dict)  # by path
    unwritable: bool = False
    events: list[tuple[float, Callable[[Lab], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.run, self.socket, self.fetch, self.each = self._run, self._socket, self._fetch, type(self)._live

    def scene(self, *overrides: str, node: str = "app1", inventory: Inventory | None = None) -> Scene:
        inventory = inventory or lab()
        picture = Cluster(inventory).picture()
        return Scene(
            inventory, inventory.nodes[node], picture, frozenset(overrides), "run-1", "anna@desk", "a 'new' disk"
        )

    @property
    def balancers(self) -> dict[str, Balancer]:
        return {"lb1": self.lb1, "lb2": self.lb2}

    @property
    def states(self) -> tuple[str, str]:
        return self.lb1.servers["shop-a"].admin, self.lb2.servers["shop-a"].admin

    def _live(self) -> None:
        while self.events and self.now >= self.events[0][0]:
            self.events.pop(0)[1](self)
        for balancer in self.balancers.values():
            balancer.tick(self.now)

    def _socket(self, ask: AskSocket) -> object:
        balancer = self.balancers[ask.node]
        if balancer.down:
            return UnreachableError(ask.node, "no route to host.")
        assert ask.path == "/run/haproxy/admin.sock"
        assert ask.mutates or all(request.startswith("show ") for request in ask.requests)
        return tuple(balancer.answer(request, self.now) for request in ask.requests)

    def _fetch(self, ask: Fetch) -> Fetched:
        assert (ask.port, ask.path, ask.node) == (8080, "/healthz", None)
        return Fetched(200, "ok", 0.001) if self.healthy else Fetched(500, "no price list", 0.001)

    def _run(self, ask: RunCommand) -> Completed:
        argv = ask.command.argv
        if argv[:2] == ("sh", "-c") and ask.node in self.balancers:
            balancer = self.balancers[ask.node]
            others = "".join(f"\n{900 + number} 266" for number in range(balancer.old_processes))
            return done(f"266 1\n{balancer.pid} 266{others}\n")
        assert ask.command.mutates
        if self.unwritable:
            return done(exit=1, stderr="read-only file system")
        if argv[0] == "rm":
            for path in argv[3:]:
                self.notes.pop(path, None)
        else:
            folder, *pairs = argv[4:]
            for name, said in zip(pairs[::2], pairs[1::2], strict=True):
                self.notes[f"{folder}/{name}"] = "{" + said
        return done()

    @property
    def note(self) -> dict[str, object]:
        (text,) = self.notes.values()
        return dict(json.loads(text))
