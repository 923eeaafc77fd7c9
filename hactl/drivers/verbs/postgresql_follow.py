"""The verb that makes a server a standby of the primary: one that is up, or one that was stopped and fenced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs import postgresql_commands as commands
from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.balancer_servers import listed
from hactl.drivers.verbs.command_lines import as_root
from hactl.drivers.verbs.command_lines import shown as shown_command
from hactl.drivers.verbs.database_verb import DatabaseArguments, DatabaseVerb
from hactl.drivers.verbs.postgresql_conninfo import tell_whom
from hactl.drivers.verbs.postgresql_leftovers import settle_leftovers
from hactl.drivers.verbs.postgresql_slots import drop_idle_slots, make_slot, slot_of
from hactl.model.command import Command
from hactl.model.facts import PostgresqlFacts, PostgresqlRole
from hactl.model.inventory import Node, PostgresqlService
from hactl.model.parameters import About, ParameterKind
from hactl.model.units import size
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Effect,
    Memory,
    Scene,
    Shown,
    Standing,
    VerbError,
    exit_sentence,
    now,
    run,
    tell,
    wait,
)

_DOWN_WITHIN, _UP_WITHIN = 120.0, 120.0  # seconds: its archiver has to end; it may have much to replay


@dataclass(frozen=True, slots=True)
class FollowArguments(DatabaseArguments):
    primary: Annotated[str, About("whom it follows; nothing is done to this one itself", ParameterKind.NODE)]
    without: Annotated[str, About("a node that is left as it is, because it is lost", ParameterKind.NODE)] = ""


class Follow(DatabaseVerb[FollowArguments]):
    name = "postgresql.follow"
    summary = "Make the node a standby of the primary: told whom to follow, with a slot there, started, streaming."
    arguments = FollowArguments
    effect = Effect.NONE
    deadline = 300.0
    usual = 4.0

    def problem(self, scene: Scene, args: FollowArguments) -> str:
        """The primary is among those that are told to follow, and does nothing."""
        return super().problem(scene, args) or server.objection(scene, args.service, args.primary)

    def first(self, scene: Scene, args: FollowArguments) -> tuple[Shown, ...]:
        service = server.database(scene, args.service)
        signal = shown_command(scene, server.as_postgres(commands.standby(service), mutates=True))
        slot = server.shown(
            args.primary, f"SELECT pg_create_physical_replication_slot('{slot_of(scene.target.name)}', true)"
        )
        return (slot, signal, shown_command(scene, as_root(*commands.start(service))))

    def rights(self, scene: Scene, args: FollowArguments) -> tuple[Command, ...]:
        service = server.database(scene, args.service)
        rooted = (commands.unfence(service), commands.start(service))
        owned = (commands.standby(service), commands.archived(service, "0" * 24))
        return (*map(server.as_postgres, owned), *(as_root(*argv) for argv in rooted))

    def check(self, scene: Scene, args: FollowArguments) -> Doing[Standing]:
        node = scene.target.name
        if node == args.primary:
            return Standing(done=True, sentence=f"{node} is whom the others follow")
        if node == args.without:
            return Standing(done=True, sentence=f"{node} is left as it is: hactl rejoin {node} brings it back")
        return (yield from _standing(scene, args))

    def do(self, scene: Scene, args: FollowArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service, node = server.database(scene, args.service), scene.target.name
        upstream = yield from server.facts(service, args.primary)
        if upstream.role is not PostgresqlRole.PRIMARY:
            raise VerbError(f"{args.primary} is no primary: nobody is made to follow it")
        yield from make_slot(service, args.primary, node)
        yield from _in_recovery(service, node)
        yield from tell_whom(scene, service, args.primary, node)
        idle = yield from drop_idle_slots(service, node, service.nodes)
        dropped = f"; slots that nobody used there are dropped: {listed(idle)}" if idle else ""
        yield from _streaming(scene, args)
        left = yield from settle_leftovers(service, node)
        settled = f"; not archived from there any more: {listed(left)}" if left else ""
        return f"{node} follows {args.primary}{dropped}{settled}"


VERBS: tuple[AnyVerb, ...] = (Follow(),)


def _standing(scene: Scene, args: FollowArguments) -> Doing[Standing]:
    service, node = server.database(scene, args.service), scene.target.name
    found = yield from server.maybe_facts(service, node)
    there = yield from server.maybe_facts(service, args.primary)
    silent = [(name, why) for name, why in ((node, found), (args.primary, there)) if isinstance(why, str)]
    if isinstance(found, str) or isinstance(there, str):
        return Standing(done=False, sentence="; ".join(f"{name} cannot be asked: {why}" for name, why in silent))
    return _followed(node, scene.inventory.nodes[args.primary], found, there)


def _streaming(scene: Scene, args: FollowArguments) -> Doing[None]:
    """It does, or the time for this step is over."""
    while not (standing := (yield from _standing(scene, args))).done:
        yield from tell(standing.sentence)
        yield from wait(0.3, f"{scene.target.name} to stream from {args.primary}")


def _followed(node: str, upstream: Node, mine: PostgresqlFacts, there: PostgresqlFacts) -> Standing:
    primary = upstream.name
    if mine.role is PostgresqlRole.PRIMARY:
        return Standing(done=False, sentence=f"{node} is a primary")
    if mine.receiver_status != "streaming" or mine.primary_host not in {upstream.name, upstream.address}:
        whom = f"asks {mine.primary_host}" if mine.primary_host else "receives from nobody"
        return Standing(done=False, sentence=f"{node} {whom}, and streams nothing from {primary}")
    if mine.timeline != there.timeline:
        return Standing(done=False, sentence=f"{node} is on timeline {mine.timeline}, {primary} on {there.timeline}")
    slot = next((one for one in there.slots if one.name == slot_of(node)), None)
    if slot is None or not slot.active:
        return Standing(done=False, sentence=f"{node} streams from {primary} without a slot")
    behind = size(max(0, there.lsn - mine.lsn))
    facts = {"timeline": str(mine.timeline), "behind": behind}
    return Standing(done=True, sentence=f"{node} streams from {primary}, {behind} behind", facts=facts)


def _in_recovery(service: PostgresqlService, node: str) -> Doing[None]:
    """It runs as a standby. One that is down is started with the signal that makes it one; a primary is left alone."""
    found = yield from server.maybe_facts(service, node)
    if not isinstance(found, str):
        if found.role is PostgresqlRole.PRIMARY:
            raise VerbError(f"{node} is a primary: stop and fence it first", remedy=f"hactl rejoin {node} does.")
        return
    yield from _down(service, node)
    done = yield from run(server.as_postgres(commands.standby(service), mutates=True), node)
    if not done.ok:
        raise VerbError(exit_sentence(done, f"writing {commands.signal_file(service)} on {node}"))
    yield from server.systemctl(service, node, commands.unfence(service))
    yield from server.systemctl(service, node, commands.start(service))
    end = (yield from now()) + _UP_WITHIN
    while isinstance(found := (yield from server.maybe_facts(service, node)), str):
        if (yield from now()) >= end:
            remedy = f"Look at journalctl -u {commands.unit(service)} on {node}."
            raise VerbError(f"PostgreSQL on {node} does not answer: {found}", remedy=remedy)
        yield from tell(f"PostgreSQL on {node}: {found}")
        yield from wait(0.3, f"PostgreSQL on {node} to answer")
    if found.role is PostgresqlRole.PRIMARY:
        raise VerbError(f"{node} came up as a primary in spite of {commands.signal_file(service)}")


def _down(service: PostgresqlService, node: str) -> Doing[None]:
    """A server that is being stopped has to end first: its archiver may still work."""
    end = (yield from now()) + _DOWN_WITHIN
    while not (unit := (yield from server.unit(service, node))).down:
        if (yield from now()) >= end:
            raise VerbError(f"{commands.unit(service)} on {node} is {unit.active}, and does not answer")
        yield from tell(f"{commands.unit(service)} on {node} is {unit.active}")
        yield from wait(0.3, f"PostgreSQL on {node} to end")
