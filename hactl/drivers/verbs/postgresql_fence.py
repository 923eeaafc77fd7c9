"""The verb that makes sure that a server takes no writes, whatever it takes: before anybody takes its place.

Ways, best first: stopped and masked over SSH; without power, by what the inventory names. Where neither can be had it
is cut off at the balancers alone, which proves nothing about those who reach it another way: the operator has to accept
that. In every case no balancer sends it anybody, also when it comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers import haproxy
from hactl.drivers.verbs import balancer_gates as gates
from hactl.drivers.verbs import postgresql_commands as commands
from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.balancer_servers import listed
from hactl.drivers.verbs.command_lines import as_root
from hactl.drivers.verbs.database_verb import DatabaseArguments, DatabaseVerb
from hactl.drivers.verbs.postgresql_conninfo import tell_whom
from hactl.model.command import Command
from hactl.model.errors import TransportError
from hactl.model.facts import PostgresqlRole
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Fencing, HaproxyService, PostgresqlService
from hactl.model.parameters import About, ParameterKind
from hactl.model.state import LinkPhase
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Memory,
    Scene,
    Shown,
    Standing,
    VerbError,
    exit_sentence,
    now,
    run_local,
    tell,
    tell_socket,
    wait,
)

GUARD = "split-brain"
_STOPS_WITHIN = 20.0  # seconds; then it is killed
_POWER = 60.0  # seconds for the inventory's commands


@dataclass(frozen=True, slots=True)
class FenceArguments(DatabaseArguments):
    node: Annotated[str, About("the server that may take no writes any more", ParameterKind.NODE)]
    follows: Annotated[
        str, About("left alone where it is a standby that streams from this one already", ParameterKind.NODE)
    ] = ""


class Fence(DatabaseVerb[FenceArguments]):
    name = "postgresql.fence"
    summary = "Make sure that a server takes no writes: stopped and masked, or without power; and cut off at balancers."
    arguments = FenceArguments
    servers = ("node",)
    per_node = False
    deadline = 120.0

    def first(self, scene: Scene, args: FenceArguments) -> tuple[Shown, ...]:
        service, off = server.database(scene, args.service), scene.inventory.fencing
        if _reached(scene, args.node) or off is None:
            ways = tuple(Shown(args.node, f"sudo -u root {one.shown()}") for one in _stopping(service))
        else:
            ways = (Shown("this machine", Command(Fencing.argv(off.off, args.node)).shown()),)
        return (*_cut(scene, args), *ways)

    def preflight(self, scene: Scene, args: FenceArguments) -> Doing[tuple[GuardVerdict, ...]]:
        """How it will be proven; refused where nothing can prove it."""
        if _reached(scene, args.node):
            said = f"{args.node} can be reached: it is stopped there, and masked"
            return (GuardVerdict(GUARD, Ruling.OK, said, args.node),)
        power = yield from _power(scene, args.node)
        if power in {"on", "off"}:
            said = f"{args.node} cannot be reached; its power is {power}" + ("" if power == "off" else " and is cut")
            return (GuardVerdict(GUARD, Ruling.OK, said, args.node),)
        said = f"{args.node} cannot be reached, and {power}: it may go on taking writes from those who reach it"
        return (GuardVerdict(GUARD, Ruling.REFUSE, said, args.node),)

    def check(self, scene: Scene, args: FenceArguments) -> Doing[Standing]:
        if args.follows and (yield from _streams(scene, args)):
            said = f"{args.node} is a standby, and streams from {args.follows}"
            return Standing(done=True, sentence=said)
        open_at = yield from _open_at(scene, args)
        if open_at:
            return Standing(done=False, sentence=f"{listed(open_at)} may still send users to {args.node}")
        proof = yield from _proof(scene, args)
        if proof:
            return Standing(done=True, sentence=f"{args.node} takes no writes: {proof}", facts={"fence": proof})
        if GUARD in scene.overrides and not _reached(scene, args.node):
            said = f"{args.node} is cut off at the balancers; nothing proves that it takes no writes otherwise"
            return Standing(done=True, sentence=said, facts={"fence": "balancers only"})
        return Standing(done=False, sentence=f"nothing proves that {args.node} takes no writes")

    def do(self, scene: Scene, args: FenceArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - it stays fenced
        yield from _cut_off(scene, args)
        if _reached(scene, args.node):
            try:
                yield from _told_whom(scene, args)
                yield from _stopped(scene, args)
            except TransportError as error:
                yield from tell(f"{args.node} cannot be reached any more: {error.message}")
            else:
                return f"{args.node} is stopped, and cannot start; no balancer sends it anybody"
        if scene.inventory.fencing is not None:
            yield from _powered_off(scene.inventory.fencing, args.node, without=GUARD in scene.overrides)
            return f"{args.node} is without power; no balancer sends it anybody"
        if GUARD not in scene.overrides:
            raise VerbError(
                f"{args.node} cannot be reached, and the inventory names no [fencing]",
                remedy="Turn it off by hand and say so: --override split-brain --reason ...",
            )
        return f"no balancer sends anybody to {args.node}; that is all the proof there is"


VERBS: tuple[AnyVerb, ...] = (Fence(),)


def _reached(scene: Scene, node: str) -> bool:
    """Whether there is a connection to it now."""
    return scene.picture.state.nodes[node].link.phase is LinkPhase.UP


# --- at the balancers ---------------------------------------------------------------------------------------------


def _doors(scene: Scene, args: FenceArguments) -> list[tuple[str, str, str, str]]:
    """Balancer, admin socket, backend and server of the node, everywhere."""
    found = []
    for pool in gates.pools_of(scene, args.service):
        balancer = scene.inventory.services[pool.balancer]
        if isinstance(balancer, HaproxyService) and args.node in pool.servers:
            name = pool.servers[args.node]
            found += [(node, balancer.admin_socket, pool.backend, name) for node in balancer.nodes]
    return found


def _cut(scene: Scene, args: FenceArguments) -> tuple[Shown, ...]:
    return tuple(
        Shown(balancer, haproxy.set_state(backend, name, "maint"), socket=True)
        for balancer, _, backend, name in _doors(scene, args)
    )


def _cut_off(scene: Scene, args: FenceArguments) -> Doing[None]:
    for balancer, path, backend, name in _doors(scene, args):
        orders = haproxy.set_state(backend, name, "maint"), haproxy.shut_sessions(backend, name)
        try:
            yield from tell_socket(balancer, path, *orders)
        except TransportError as error:
            yield from tell(error.message)


def _open_at(scene: Scene, args: FenceArguments) -> Doing[list[str]]:
    """Balancers on which the node's server is not in maintenance; one that cannot be asked, unless it is left out."""
    found = []
    for pool in gates.pools_of(scene, args.service):
        if args.node not in pool.servers:
            continue
        for balancer in gates.balancers(scene, pool):
            try:
                admin = yield from gates.admin_state(balancer, pool, args.node)
            except TransportError:
                if not gates.without(scene):
                    found.append(balancer[0])
                continue
            if not admin.maintained:
                found.append(balancer[0])
    return found


# --- on the node --------------------------------------------------------------------------------------------------


def _stopping(service: PostgresqlService) -> tuple[Command, ...]:
    return (as_root(*commands.stop(service)), as_root(*commands.fence_now(service)))


def _stopped(scene: Scene, args: FenceArguments) -> Doing[None]:
    """Masked at once, so that whatever happens no boot starts it; ended in whatever way it takes."""
    service, node = server.database(scene, args.service), args.node
    yield from server.systemctl(service, node, commands.stop(service))
    yield from server.systemctl(service, node, commands.fence(service))
    began, killed = (yield from now()), False
    while not (yield from server.unit(service, node)).down:
        lasted = (yield from now()) - began
        if lasted >= 2 * _STOPS_WITHIN:
            raise VerbError(f"{commands.unit(service)} on {node} does not end, not even killed")
        if lasted >= _STOPS_WITHIN and not killed:
            killed = True
            yield from server.systemctl(service, node, commands.kill(service))
        yield from tell(f"PostgreSQL on {node} is being stopped")
        yield from wait(0.2, f"PostgreSQL on {node} to end")
    yield from server.systemctl(service, node, commands.fence_now(service))


def _told_whom(scene: Scene, args: FenceArguments) -> Doing[None]:
    """As long as it is up it can be told whom it follows when it comes back. Else it begins with whom it followed
    last, and may wait for that one until the archive has all that it needs.
    """
    if not args.follows:
        return
    try:
        yield from tell_whom(scene, server.database(scene, args.service), args.follows, args.node)
    except VerbError as error:
        yield from tell(f"{args.node} could not be told whom it follows: {error.sentence}")


def _streams(scene: Scene, args: FenceArguments) -> Doing[bool]:
    found = yield from server.maybe_facts(server.database(scene, args.service), args.node)
    upstream = scene.inventory.nodes[args.follows]
    return (
        not isinstance(found, str)
        and found.role is PostgresqlRole.STANDBY
        and found.receiver_status == "streaming"
        and found.primary_host in {upstream.name, upstream.address}
    )


def _proof(scene: Scene, args: FenceArguments) -> Doing[str]:
    """What proves that it takes no writes; ""."""
    if _reached(scene, args.node):
        try:
            unit = yield from server.unit(server.database(scene, args.service), args.node)
        except (TransportError, VerbError):
            return ""
        return "it is stopped and masked" if unit.down and unit.fenced else ""
    return "its power is off" if (yield from _power(scene, args.node)) == "off" else ""


# --- its power ----------------------------------------------------------------------------------------------------


def _power(scene: Scene, node: str) -> Doing[str]:
    """The word on or off; else why nobody knows."""
    fencing = scene.inventory.fencing
    if fencing is None:
        return "the inventory names no [fencing]"
    done = yield from run_local(Command(Fencing.argv(fencing.status, node), timeout=_POWER))
    said = done.stdout.strip().lower()
    if done.ok and said in {"on", "off"}:
        return said
    return exit_sentence(done, "asking for its power") if not done.ok else f'its power is told as "{said[:40]}"'


def _powered_off(fencing: Fencing, node: str, *, without: bool) -> Doing[None]:
    done = yield from run_local(Command(Fencing.argv(fencing.off, node), mutates=True, timeout=_POWER))
    if not done.ok and not without:
        raise VerbError(exit_sentence(done, f"cutting the power of {node}"))
