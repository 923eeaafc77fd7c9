"""The gates of a database: the frontends that lead to its primary, on every balancer, with the servers behind them.

A gate that is disabled takes no connection. Where HAProxy has another frontend before it that asks again and again
(docs/database.md), clients wait there; elsewhere they are refused meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hactl.drivers import haproxy
from hactl.drivers.probe import Asked
from hactl.drivers.verbs.balancer_servers import OVERRIDE, Door, SilentError
from hactl.model.abreast import together
from hactl.model.errors import ParseError, SocketUnavailableError, TransportError, UnreachableError
from hactl.model.facts import AdminState, HaproxyBackend
from hactl.model.inventory import HaproxyService, Pool, Routing
from hactl.model.verb import Doing, Scene, Shown, VerbError, ask, tell_socket

PAUSED = "PAUSED"  # and STOP, of one that was shut for good: neither takes connections


@dataclass(frozen=True, slots=True)
class Gate:
    """One frontend on one balancer, and the backend that it leads to."""

    balancer: str
    path: str
    pool: Pool
    frontend: str

    @property
    def door(self) -> Door:
        return self.balancer, self.path

    def servers(self) -> tuple[str, ...]:
        return tuple(self.pool.servers.values())

    def __str__(self) -> str:
        return f"{self.frontend} on {self.balancer}"


@dataclass(frozen=True, slots=True)
class View:
    """A gate at one moment. `sessions`: of the frontend and of the servers behind it."""

    gate: Gate
    held: bool
    sessions: int
    backend: HaproxyBackend

    def up(self) -> tuple[str, ...]:
        """The nodes whose servers get users."""
        servers = self.gate.pool.servers.items()
        return tuple(node for node, name in servers if name in self.backend.servers and self._gets(name))

    def _gets(self, name: str) -> bool:
        return self.backend.servers[name].available


@dataclass(frozen=True, slots=True)
class Sight:
    """What the balancers said, and why those did not that could not be asked."""

    views: tuple[View, ...]
    silent: Mapping[str, str]


def pools_of(scene: Scene, service: str) -> tuple[Pool, ...]:
    """Where its primary alone is routed to."""
    pools = scene.inventory.pools.values()
    return tuple(one for one in pools if one.service == service and one.routing is Routing.ONE)


def gates(scene: Scene, service: str) -> tuple[Gate, ...]:
    found = []
    for pool in pools_of(scene, service):
        balancer = scene.inventory.services[pool.balancer]
        if isinstance(balancer, HaproxyService) and pool.frontend is not None:
            found += [Gate(node, balancer.admin_socket, pool, pool.frontend) for node in balancer.nodes]
    return tuple(found)


def balancers(scene: Scene, pool: Pool) -> tuple[Door, ...]:
    """Every balancer of the pool."""
    balancer = scene.inventory.services[pool.balancer]
    return (
        tuple((node, balancer.admin_socket) for node in balancer.nodes) if isinstance(balancer, HaproxyService) else ()
    )


def admin_state(door: Door, pool: Pool, node: str) -> Doing[AdminState]:
    """What was ordered of the node's server. Raises TransportError, also for what cannot be made out."""
    answers = yield from ask(*door, *haproxy.REQUESTS)
    try:
        told = haproxy.parse(answers, Asked(0.0, 0.0))
    except ParseError as error:
        raise UnreachableError(door[0], error.message) from None
    backend = told.backends.get(pool.backend)
    found = backend.servers.get(pool.servers[node]) if backend else None
    if found is None or found.admin is None:
        raise VerbError(f"{door[0]} has no server {pool.backend}/{pool.servers[node]}")
    return found.admin


def requests(gate: Gate, *, held: bool) -> tuple[str, ...]:
    """What is said to hold: nobody comes in, then nobody is left in. Or to let in again."""
    if not held:
        return (haproxy.enable_frontend(gate.frontend),)
    ended = (haproxy.shut_sessions(gate.pool.backend, server) for server in gate.servers())
    return (haproxy.disable_frontend(gate.frontend), *ended)


def shown(scene: Scene, service: str, *, held: bool) -> tuple[Shown, ...]:
    return tuple(
        Shown(gate.balancer, request, socket=True)
        for gate in gates(scene, service)
        for request in requests(gate, held=held)
    )


def without(scene: Scene) -> bool:
    """Whether balancers that cannot be asked are left out."""
    return OVERRIDE in scene.overrides


def look(scene: Scene, wanted: Sequence[Gate]) -> Doing[Sight]:
    """Every gate as it is now. Raises SilentError, and VerbError for a frontend that a balancer does not have."""
    seen = yield from together(map(_seen, wanted))
    silent = {gate.balancer: why for gate, why in zip(wanted, seen, strict=True) if isinstance(why, str)}
    if silent and not without(scene):
        raise SilentError(silent)
    return Sight(tuple(view for view in seen if isinstance(view, View)), silent)


def say(said: Iterable[tuple[Gate, Sequence[str]]]) -> Doing[None]:
    """To each balancer what is its; `look` afterwards. One that cannot be told is for that look to notice."""
    yield from together(tell(*gate.door, *requests) for gate, requests in said)


def tell(balancer: str, path: str, *said: str) -> Doing[None]:
    try:
        answers = yield from tell_socket(balancer, path, *said)
    except TransportError:
        return
    # HAProxy has nothing to say to most of these, and a line of its own to a frontend that is so already.
    refused = [answer for answer in answers if answer.strip() and "already" not in answer]
    if refused:
        raise VerbError(f"{balancer} answered: {'; '.join(one.strip() for one in refused)}")


def _seen(gate: Gate) -> Doing[View | str]:
    """One gate, or why its balancer cannot be asked."""
    try:
        return _view(gate, (yield from ask(*gate.door, *haproxy.REQUESTS)))
    except (SocketUnavailableError, ParseError, TransportError) as error:
        return error.message.removeprefix(f"{gate.balancer}: ").rstrip(".")


def _view(gate: Gate, answers: tuple[str, ...]) -> View:
    told = haproxy.parse(answers, Asked(0.0, 0.0))
    front, back = told.frontends.get(gate.frontend), told.backends.get(gate.pool.backend)
    if front is None or back is None:
        what = f"frontend {gate.frontend}" if front is None else f"backend {gate.pool.backend}"
        raise VerbError(f"{gate.balancer} has no {what}", remedy="Compare haproxy.cfg with the inventory's pools.")
    inside = front.sessions + sum(one.sessions for one in back.servers.values())
    return View(gate, front.status != "OPEN", inside, back)
