"""Verbs that hold the writes of a database at its balancers, and let them go on to the one that takes them.

While they are held no client is connected to the database. Whoever connects waits, or is refused where the balancer
cannot let them wait: `balancer_gates` tells when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from hactl.drivers import haproxy
from hactl.drivers.verbs import balancer_gates as gates
from hactl.drivers.verbs.balancer_gates import Gate, View
from hactl.drivers.verbs.balancer_servers import listed
from hactl.drivers.verbs.database_verb import DatabaseArguments, DatabaseVerb
from hactl.drivers.verbs.postgresql_server import database, maybe_facts, primary, query
from hactl.model.errors import TransportError
from hactl.model.inventory import Pool
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Memory,
    Scene,
    Shown,
    Standing,
    VerbError,
    now,
    wait,
)

AT = "at"
"""In what `hold` remembers: the second of this machine's monotonic clock from which on nobody could write."""
_EMPTY_WITHIN = 5.0  # seconds for sessions that are shut to be gone
_SERVES_WITHIN = 10.0  # seconds for every balancer to find the primary
_LONG = 24 * 3600.0  # a downtime longer than this is another boot's clock
_NOBODY = "no pool of it names a `frontend`: writes are refused while nobody takes them, not held"


class Hold(DatabaseVerb[DatabaseArguments]):
    name = "balancer.hold"
    summary = "Hold the writes of a database on every balancer: clients wait in front of it, and nobody is left inside."
    arguments = DatabaseArguments
    per_node = False
    has_undo = True
    reads_back = False
    deadline = 30.0
    usual = 0.3

    def first(self, scene: Scene, args: DatabaseArguments) -> tuple[Shown, ...]:
        return gates.shown(scene, args.service, held=True)

    def check(self, scene: Scene, args: DatabaseArguments) -> Doing[Standing]:
        wanted = gates.gates(scene, args.service)
        if not wanted:
            return Standing(done=True, sentence=_NOBODY)
        sight = yield from gates.look(scene, wanted)
        inside = sum(view.sessions for view in sight.views)
        let_in = [str(view.gate) for view in sight.views if not view.held]
        if let_in:
            return Standing(done=False, sentence=f"{listed(let_in)} lets clients in")
        said = f"{listed(str(view.gate) for view in sight.views)}: clients wait"
        return Standing(done=not inside, sentence=said if not inside else f"{said}, sessions left: {inside}")

    def remember(self, scene: Scene, args: DatabaseArguments) -> Doing[Memory]:
        sight = yield from gates.look(scene, gates.gates(scene, args.service))
        began = yield from now()
        return {AT: f"{began:.3f}"} | {str(view.gate): "held" if view.held else "open" for view in sight.views}

    def do(self, scene: Scene, args: DatabaseArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - all are held
        wanted = gates.gates(scene, args.service)
        yield from gates.say((gate, gates.requests(gate, held=True)) for gate in wanted)
        end = (yield from now()) + _EMPTY_WITHIN
        while True:
            sight = yield from gates.look(scene, wanted)
            left = [view for view in sight.views if view.sessions]
            if not left:
                return f"writes wait at {listed(str(view.gate) for view in sight.views)}"
            if (yield from now()) >= end:
                raise VerbError(f"{left[0].gate} has sessions left though they were shut: {left[0].sessions}")
            yield from wait(0.02, "sessions that were shut to be gone")
            # One may have been on its way in when the frontend was disabled.
            yield from gates.say((view.gate, gates.requests(view.gate, held=True)[1:]) for view in left)

    def undo(self, scene: Scene, args: DatabaseArguments, memory: Memory) -> Doing[str]:
        """To whoever takes writes; what was held before stays so."""
        wanted = [one for one in gates.gates(scene, args.service) if memory.get(str(one)) != "held"]
        if not wanted:
            return "nothing was let in before"
        yield from _opened(scene, wanted, (yield from _writer(scene, args.service)))
        return f"writes flow again through {listed(map(str, wanted))}"


@dataclass(frozen=True, slots=True)
class ReleaseArguments(DatabaseArguments):
    to: Annotated[str, About("the node that takes the writes now", ParameterKind.NODE)]


class Release(DatabaseVerb[ReleaseArguments]):
    """Balancers are told who serves, without waiting for their next check: whoever tells them has just asked it."""

    name = "balancer.release"
    summary = "Let the writes go on, to the node that takes them now and to no other, on every balancer."
    arguments = ReleaseArguments
    servers = ("to",)
    per_node = False
    urgent = True
    deadline = 30.0
    usual = 0.3

    def first(self, scene: Scene, args: ReleaseArguments) -> tuple[Shown, ...]:
        return gates.shown(scene, args.service, held=False)

    def check(self, scene: Scene, args: ReleaseArguments) -> Doing[Standing]:
        wanted = gates.gates(scene, args.service)
        if not wanted:
            return Standing(done=True, sentence=_NOBODY)
        sight = yield from gates.look(scene, wanted)
        wrong = [_wrong(view, args.to) for view in sight.views]
        wrong = [one for one in wrong if one]
        if wrong:
            return Standing(done=False, sentence="; ".join(wrong))
        second = yield from now()
        said = f"writes flow to {args.to} through {listed(str(view.gate) for view in sight.views)}"
        left = "".join(f"; not through {name}, which cannot be asked" for name in sight.silent)
        return Standing(done=True, sentence=f"{said}{left}", facts=_downtime(scene, second))

    def do(self, scene: Scene, args: ReleaseArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        if (yield from query(database(scene, args.service), args.to, "SELECT pg_is_in_recovery()")) != "f":
            raise VerbError(f"{args.to} takes no writes: it is a standby")
        yield from _opened(scene, gates.gates(scene, args.service), args.to)
        second = yield from now()
        after = _downtime(scene, second).get(_DOWNTIME, "")
        return f"writes flow to {args.to}" + (f", after {after} s" if after else "")


@dataclass(frozen=True, slots=True)
class ReadmitArguments(DatabaseArguments):
    node: Annotated[str, About("the standby that is looked at again", ParameterKind.NODE)]


class Readmit(DatabaseVerb[ReadmitArguments]):
    """HAProxy takes a server that leaves maintenance for well until a check has failed: this one it takes for ill."""

    name = "balancer.readmit"
    summary = (
        "Let every balancer check a server of the database again that was cut off; nobody is sent to it unchecked."
    )
    arguments = ReadmitArguments
    servers = ("node",)
    per_node = False
    deadline = 30.0

    def first(self, scene: Scene, args: ReadmitArguments) -> tuple[Shown, ...]:
        return tuple(
            Shown(door[0], request, socket=True)
            for pool in gates.pools_of(scene, args.service)
            for door in gates.balancers(scene, pool)
            for request in _checked_again(pool, args.node)
        )

    def check(self, scene: Scene, args: ReadmitArguments) -> Doing[Standing]:
        cut = []
        for pool in gates.pools_of(scene, args.service):
            for door in gates.balancers(scene, pool):
                try:
                    admin = yield from gates.admin_state(door, pool, args.node)
                except TransportError:
                    if not gates.without(scene):
                        raise
                    continue
                if admin.maintained:
                    cut.append(door[0])
        said = f"{args.node} is cut off on {listed(cut)}" if cut else f"balancers check {args.node}"
        return Standing(done=not cut, sentence=said)

    def do(self, scene: Scene, args: ReadmitArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        for pool in gates.pools_of(scene, args.service):
            for balancer, path in gates.balancers(scene, pool):
                yield from gates.tell(balancer, path, *_checked_again(pool, args.node))
        return f"balancers check {args.node} again"


VERBS: tuple[AnyVerb, ...] = (Hold(), Release(), Readmit())


def _checked_again(pool: Pool, node: str) -> tuple[str, ...]:
    name = pool.servers[node]
    return (haproxy.set_state(pool.backend, name, "ready"), haproxy.set_health(pool.backend, name, "down"))


_DOWNTIME = "write_downtime"


def _downtime(scene: Scene, second: float) -> dict[str, str]:
    """Seconds since this run held the writes, for the step's facts."""
    for memory in scene.remembered.values():
        if AT in memory and 0.0 <= (lasted := second - float(memory[AT])) < _LONG:
            return {_DOWNTIME: f"{lasted:.2f}"}
    return {}


def _wrong(view: View, to: str) -> str:
    up = view.up()
    if view.held:
        return f"{view.gate} lets nobody in"
    if up != (to,):
        return f"{view.gate.balancer} sends writes to {listed(up)}"
    return ""


def _opened(scene: Scene, wanted: Sequence[Gate], to: str) -> Doing[None]:
    """One server is taken for well, the others for ill; only then somebody is let in."""
    yield from gates.say((gate, _opening(gate, to)) for gate in wanted)
    end = (yield from now()) + _SERVES_WITHIN
    while True:
        sight = yield from gates.look(scene, wanted)
        wrong = [view for view in sight.views if _wrong(view, to)]
        if not wrong:
            return
        if (yield from now()) >= end:
            said = "; ".join(_wrong(view, to) for view in wrong)
            raise VerbError(said, remedy="Look at the balancers: hactl status.")
        yield from wait(0.1, f"balancers to send writes to {to}")
        yield from gates.say((view.gate, _opening(view.gate, to)) for view in wrong)


def _opening(gate: Gate, to: str) -> tuple[str, ...]:
    backend, names = gate.pool.backend, gate.pool.servers
    ill = (haproxy.set_health(backend, name, "down") for node, name in names.items() if node != to)
    well = (haproxy.set_state(backend, names[to], "ready"), haproxy.set_health(backend, names[to], "up"))
    return (*ill, *well, *gates.requests(gate, held=False))


def _writer(scene: Scene, service: str) -> Doing[str]:
    """The one node that takes writes. Raises VerbError where there is none, or more than one."""
    here = database(scene, service)
    found, silent = [], []
    for node in here.nodes:
        try:
            answer = yield from maybe_facts(here, node)
        except TransportError as error:
            answer = error.message
        if isinstance(answer, str):
            silent.append(node)
        elif primary(answer):
            found.append(node)
    if len(found) != 1:
        left = f" ({listed(silent)} cannot be asked)" if silent else ""
        said = f"{listed(found)} take writes" if found else "nobody takes writes"
        raise VerbError(f"{said}{left}: they stay held", remedy="hactl db status shows who could take over.")
    return found[0]
