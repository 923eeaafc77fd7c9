"""The servers that stand for a node in its pools, on every balancer: read on all of them, set on all of them.

HAProxy answers an order with an empty line whatever comes of it: only what is read back afterwards counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hactl.drivers import haproxy
from hactl.drivers.probe import Asked
from hactl.model.errors import ParseError, SocketUnavailableError, TransportError
from hactl.model.facts import AdminState, HaproxyFacts, HaproxyServer, ServerState
from hactl.model.inventory import HaproxyService, Inventory, Pool, Routing
from hactl.model.observed import Observed
from hactl.model.text import one_line
from hactl.model.verb import Doing, Scene, VerbError, ask, tell_socket, wait

OVERRIDE = "balancer-unreachable"
READY, DRAIN, MAINT = "ready", "drain", "maint"

# A balancer that is being reloaded or restarted is asked so often, a second apart. (Lost connections are the engine's.)
_ATTEMPTS = 3


Door: TypeAlias = tuple[str, str]
"""A balancer's node and the path of its admin socket."""


@dataclass(frozen=True, slots=True)
class Place:
    """One server on one balancer. `balancer` is a node."""

    balancer: str
    path: str  # of its admin socket
    pool: str
    backend: str
    server: str
    alone: bool = False  # its pool routes to one member: the others are DOWN there, and rightly so

    @property
    def key(self) -> str:
        """What it is called in a verb's memory."""
        return f"{self.balancer}:{self.backend}/{self.server}"

    def __str__(self) -> str:
        return f"{self.backend}/{self.server} on {self.balancer}"


@dataclass(frozen=True, slots=True)
class Stand:
    """How one server stands."""

    place: Place
    server: HaproxyServer
    check: haproxy.Check

    @property
    def admin(self) -> str:
        """What was ordered of it: ready, drain or maint."""
        bits = self.server.admin or AdminState.READY
        if bits & AdminState.FORCED_MAINT:
            return MAINT
        return DRAIN if bits & AdminState.FORCED_DRAIN else READY

    @property
    def out(self) -> bool:
        """It gets no new users by order, not by misfortune."""
        return self.admin != READY

    @property
    def serving(self) -> bool:
        """UP, and not only by the grace of having left maint: the newest check passed, where there is one."""
        state = self.server.state
        well = state is ServerState.NO_CHECK or (state is ServerState.UP and (self.check.passed or not self.checked))
        return self.admin == READY and well

    @property
    def back(self) -> bool:
        """As far in balancing as its pool lets it be."""
        return self.serving or (self.place.alone and self.admin == READY)

    @property
    def checked(self) -> bool:
        return self.check.status != ""

    def __str__(self) -> str:
        check = f" ({self.check.status})" if self.checked else ""
        return f"{self.server.status}{check}"


@dataclass(frozen=True, slots=True)
class Process:
    """The HAProxy that answers now; `uptime` in seconds: a reload begins a new one."""

    pid: int
    uptime: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What the balancers said. `silent`: why those could not be asked that said nothing."""

    stands: tuple[Stand, ...]
    processes: Mapping[Door, Process]
    silent: Mapping[str, str]

    @property
    def sessions(self) -> int:
        return sum(stand.server.sessions for stand in self.stands)

    @property
    def facts(self) -> dict[str, str]:
        """For a standing: every server as its balancer shows it."""
        said = {stand.place.key: f"{stand}, sessions: {stand.server.sessions}" for stand in self.stands}
        return said | {balancer: f"not asked: {why}" for balancer, why in self.silent.items()}


class SilentError(VerbError):
    """Balancers could not be asked, and nobody said to go on without them."""

    def __init__(self, silent: Mapping[str, str]) -> None:
        said = "; ".join(f"{name} cannot be asked: {why}" for name, why in silent.items())
        super().__init__(said, remedy=f"Make it reachable, or go on without it: --override {OVERRIDE}.")
        self.silent = frozenset(silent)


def pools(scene: Scene, only: str) -> tuple[Pool, ...]:
    """The pools that the node is in; just `only`, where it is named."""
    return tuple(one for one in scene.inventory.pools_of(scene.target.name) if only in {"", one.name})


def places(scene: Scene, only: str) -> tuple[Place, ...]:
    return tuple(place for pool in pools(scene, only) for place in _places(scene.inventory, pool, scene.target.name))


def _places(inventory: Inventory, pool: Pool, node: str) -> Iterable[Place]:
    balancer = inventory.services[pool.balancer]
    if isinstance(balancer, HaproxyService):
        for each in balancer.nodes:
            alone = pool.routing is Routing.ONE
            yield Place(each, balancer.admin_socket, pool.name, pool.backend, pool.servers[node], alone)


def look(wanted: Iterable[Place], *, without: bool = False) -> Doing[Seen]:
    """How they stand on every balancer now. `without`: a balancer that says nothing is left out.

    Raises SilentError, and VerbError for a server that a balancer does not have.
    """
    left = _by_balancer(wanted)
    heard: dict[Door, tuple[Process, list[Stand]]] = {}
    silent: dict[str, str] = {}
    for attempt in range(_ATTEMPTS):
        if attempt:
            yield from wait(1.0, f"{listed(name for name, _ in left)} to answer")
        for (balancer, path), there in list(left.items()):
            try:
                answers = yield from ask(balancer, path, *haproxy.REQUESTS)
                heard[balancer, path] = _stands(answers, there)
            except (SocketUnavailableError, ParseError) as error:
                silent[balancer] = error.message.removeprefix(f"{balancer}: ").rstrip(".")
                continue
            except TransportError as error:
                silent[balancer] = error.message.removeprefix(f"{balancer}: ").rstrip(".")
            else:
                silent.pop(balancer, None)
            del left[balancer, path]
        if not left:
            break
    if silent and not without:
        raise SilentError(silent)
    stands = tuple(stand for _, found in heard.values() for stand in found)
    return Seen(stands, {door: process for door, (process, _) in heard.items()}, silent)


def order(states: Mapping[Place, str]) -> Doing[None]:
    """Tell every balancer; `look` afterwards. A balancer that cannot be told is for that look to notice.

    Raises VerbError when one says no.
    """
    yield from _tell({at: haproxy.set_state(at.backend, at.server, state) for at, state in states.items()})


def shut(wanted: Iterable[Place]) -> Doing[None]:
    """End their sessions."""
    yield from _tell({at: haproxy.shut_sessions(at.backend, at.server) for at in wanted})


def _tell(requests: Mapping[Place, str]) -> Doing[None]:
    refused = []
    for (balancer, path), there in _by_balancer(requests).items():
        said = tuple(requests[place] for place in there)
        try:
            answers = yield from tell_socket(balancer, path, *said)
        except TransportError:
            continue  # whether it heard is unknown: the look that follows tells, or fails in its turn
        pairs = zip(said, answers, strict=True)
        refused += [f'{balancer} answered "{one}" with "{one_line(no, 100)}"' for one, no in pairs if no.strip()]
    if refused:
        raise VerbError("; ".join(refused))


def _stands(answers: tuple[str, ...], wanted: list[Place]) -> tuple[Process, list[Stand]]:
    facts = haproxy.parse(answers, Asked(0.0, 0.0))
    checks = haproxy.checks(answers[haproxy.REQUESTS.index("show stat")])
    found = []
    for place in wanted:
        backend = facts.backends.get(place.backend)
        server = backend.servers.get(place.server) if backend else None
        if server is None:
            raise VerbError(f"{place.balancer} has no server {place.backend}/{place.server}", remedy=_COMPARE)
        if server.admin is None:
            raise ParseError(f'"show servers state" does not list {place.backend}/{place.server}.')
        found.append(Stand(place, server, checks[place.backend, place.server]))
    return Process(facts.pid, facts.uptime), found


_COMPARE = "Compare haproxy.cfg with the pool's backend and servers in the inventory."


def listed(names: Iterable[str]) -> str:
    """Each once: "lb1 and lb2"."""
    *most, last = dict.fromkeys(names) or ("nothing",)
    return f"{', '.join(most)} and {last}" if most else last


def _by_balancer(wanted: Iterable[Place]) -> dict[Door, list[Place]]:
    found: dict[Door, list[Place]] = {}
    for place in wanted:
        found.setdefault((place.balancer, place.path), []).append(place)
    return found


# --- what speaks against it -----------------------------------------------------------------------------------


def objection(scene: Scene, only: str, *, takes_out: bool) -> str:
    """Why its servers can never be set; "" when they can."""
    node = scene.target.name
    chosen = pools(scene, only)
    if not chosen:
        return f"{node} is not in the pool {only}" if only else f"{node} is in no pool"
    for place in places(scene, only):
        if not haproxy.speakable(place.backend, place.server):
            return f'"{one_line(f"{place.backend}/{place.server}")}" cannot be named in a request to HAProxy'
    if takes_out:
        return next(filter(None, (_only_one(scene, pool) for pool in chosen if pool.routing is Routing.ONE)), "")
    return ""


def _only_one(scene: Scene, pool: Pool) -> str:
    """A pool that routes to one member: that one is not drained but relieved; the others may be kept out of it."""
    node = scene.target.name
    if node in scene.relieved:
        return ""
    for place in _places(scene.inventory, pool, node):
        key = f"haproxy:{pool.balancer}"
        facts = scene.picture.state.nodes[place.balancer].read(key, HaproxyFacts, scene.picture.now)
        if not isinstance(facts, Observed):
            continue
        backend = facts.value.backends.get(pool.backend)
        server = backend.servers.get(place.server) if backend else None
        if server is not None and server.available:
            return f"{node} is the one that {pool.name} routes to: a switchover relieves it, a drain would cut it off"
    return ""
