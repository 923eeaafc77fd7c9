"""The verb that a switchover begins with: every reason against it at once, and what can be done before writers wait.

What it does is harmless by itself: a checkpoint, so that the next one is small; and slots on the standby that takes
over, so that nobody who follows it later misses anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.balancer_servers import listed
from hactl.drivers.verbs.database_verb import DatabaseArguments, DatabaseVerb
from hactl.drivers.verbs.postgresql_slots import drop_idle_slots, make_slot, missing_slots
from hactl.model.facts import PgbackrestFacts, PostgresqlFacts, PostgresqlRole, Replica
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import Node, PgbackrestService
from hactl.model.observed import Observed
from hactl.model.parameters import About, ParameterKind
from hactl.model.units import duration, size
from hactl.model.verb import AnyVerb, Doing, Memory, Scene, Shown, Standing, VerbError

_CHECKPOINT = "CHECKPOINT"
_LACKING = "lacking"  # in what it remembers: the followers for whom the standby had no slot
_WAITING = 8  # segments that wait to be archived: a primary that is stopped archives them first

MIB = 2**20


@dataclass(frozen=True, slots=True)
class ReadyArguments(DatabaseArguments):
    to: Annotated[str, About("the standby that takes over", ParameterKind.NODE)]
    lag: Annotated[int, About("bytes that it may be behind, in receiving or in replaying", minimum=0)] = 16 * MIB
    transaction: Annotated[
        float, About("how long a transaction may have been open: it is lost", ParameterKind.DURATION, minimum=0)
    ] = 30.0


class Ready(DatabaseVerb[ReadyArguments]):
    """For the primary that is to be relieved."""

    name = "postgresql.ready"
    summary = "See that the primary can be relieved without loss, and do what can be done before writers wait."
    arguments = ReadyArguments
    servers = ("to",)
    has_undo = True
    always = True
    deadline = 60.0

    def first(self, scene: Scene, args: ReadyArguments) -> tuple[Shown, ...]:  # noqa: ARG002 - no part of it
        return (server.shown(scene.target.name, _CHECKPOINT),)

    def preflight(self, scene: Scene, args: ReadyArguments) -> Doing[tuple[GuardVerdict, ...]]:
        found = yield from _found(scene, args)
        rooms = yield from _rooms(scene, args, found)
        return (*_judged(scene, args, found), *rooms)

    def check(self, scene: Scene, args: ReadyArguments) -> Doing[Standing]:
        """The reasons once more, those that the operator has set aside left out."""
        found = yield from _found(scene, args)
        against = [one.sentence for one in _judged(scene, args, found) if _blocks(one, scene)]
        if against:
            return Standing(done=False, sentence="; ".join(against), hopeless=True)
        said = f"{args.to} can take over from {scene.target.name}"
        mine = found[args.to]
        behind = "" if isinstance(mine, str) else f"{size(_behind(found, scene.target.name, mine))} behind"
        return Standing(done=True, sentence=said, facts={args.to: behind})

    def do(self, scene: Scene, args: ReadyArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service, node = server.database(scene, args.service), scene.target.name
        found = yield from _found(scene, args)
        against = [one.sentence for one in _judged(scene, args, found) if _blocks(one, scene)]
        if against:
            raise VerbError("; ".join(against))
        yield from server.order(service, node, _CHECKPOINT, timeout=60.0)
        followers = [one.name for one in server.others(scene, service, args.to)]
        made = yield from missing_slots(service, args.to, followers)
        for follower in made:
            yield from make_slot(service, args.to, follower)
        slots = f"; slots on {args.to} for {listed(made)}" if made else ""
        return f"{args.to} can take over from {node}; a checkpoint is written{slots}"

    def remember(self, scene: Scene, args: ReadyArguments) -> Doing[Memory]:
        service = server.database(scene, args.service)
        followers = [one.name for one in server.others(scene, service, args.to)]
        return {_LACKING: " ".join((yield from missing_slots(service, args.to, followers)))}

    def undo(self, scene: Scene, args: ReadyArguments, memory: Memory) -> Doing[str]:
        """On a standby that nobody follows they would keep its WAL for ever."""
        made = memory.get(_LACKING, "").split()
        service = server.database(scene, args.service)
        dropped = (yield from drop_idle_slots(service, args.to, made)) if made else ()
        return f"slots on {args.to} are dropped: {listed(dropped)}" if dropped else "nothing is left of it"


VERBS: tuple[AnyVerb, ...] = (Ready(),)

_Found = dict[str, PostgresqlFacts | str]


def _found(scene: Scene, args: ReadyArguments) -> Doing[_Found]:
    """What every server of the database says of itself now; or why it says nothing."""
    service = server.database(scene, args.service)
    answers: _Found = {}
    for node in service.nodes:
        answers[node] = yield from server.maybe_facts(service, node)
    return answers


def _blocks(verdict: GuardVerdict, scene: Scene) -> bool:
    return verdict.ruling is Ruling.REFUSE and not (verdict.can_override and verdict.guard in scene.overrides)


def _judged(scene: Scene, args: ReadyArguments, found: _Found) -> Iterator[GuardVerdict]:
    old, new = scene.target, scene.inventory.nodes[args.to]
    primary, candidate = found[old.name], found[new.name]
    yield from _answers(scene, args, found)
    if not isinstance(primary, str):
        yield from _of_primary(args, old, new, primary)
    if not isinstance(candidate, str):
        yield from _of_candidate(old, new, candidate)
    if not isinstance(primary, str) and not isinstance(candidate, str):
        yield from _of_both(args, old, new, primary, candidate)
    yield from _backups(scene, args)


def _refuse(guard: str, sentence: str, node: str, *, final: bool = False) -> GuardVerdict:
    return GuardVerdict(guard, Ruling.REFUSE, sentence, node, can_override=not final)


def _answers(scene: Scene, args: ReadyArguments, found: _Found) -> Iterator[GuardVerdict]:
    for node, answer in found.items():
        if isinstance(answer, str):
            final = node in {scene.target.name, args.to}
            yield _refuse("standby-unreachable", f"{node} cannot be asked: {answer}", node, final=final)
        elif node not in {scene.target.name, args.to} and answer.role is PostgresqlRole.PRIMARY:
            yield _refuse("timeline", f"{node} is a primary too: two take writes", node, final=True)


def _of_primary(args: ReadyArguments, old: Node, new: Node, facts: PostgresqlFacts) -> Iterator[GuardVerdict]:
    if facts.role is not PostgresqlRole.PRIMARY:
        yield _refuse("not-streaming", f"{old.name} is a standby, not the primary", old.name, final=True)
    archiver = facts.archiver
    if archiver.mode != "off":
        failing = archiver.seconds_since_failed is not None and (
            archiver.seconds_since_archived is None or archiver.seconds_since_failed < archiver.seconds_since_archived
        )
        if failing:
            said = f"the archiver of {old.name} fails (newest: {archiver.last_failed_wal}): it would not stop"
            yield _refuse("archiver", said, old.name)
        elif (archiver.ready or 0) > _WAITING:
            said = f"{archiver.ready} segments of {old.name} wait to be archived, and it does not stop before"
            yield _refuse("archiver", said, old.name)
    open_for = max(facts.longest_transaction, facts.longest_prepared)
    if open_for > args.transaction:
        said = f"a transaction on {old.name} has been open for {duration(open_for)}: it would be lost"
        yield _refuse("long-transaction", said, old.name)
    logical = [slot.name for slot in facts.slots if slot.slot_type == "logical"]
    if logical:
        yield _refuse("logical-slots", f"logical slots of {old.name} are left behind: {listed(logical)}", old.name)
    mine = _replica(facts, new)
    if facts.synchronous_standby_names.strip() and mine is not None and mine.sync_state == "sync":
        said = f"commits wait for {facts.synchronous_standby_names}: on {new.name} too, so a standby has to be there"
        yield GuardVerdict("synchronous", Ruling.WARN, said, old.name)


def _of_candidate(old: Node, new: Node, facts: PostgresqlFacts) -> Iterator[GuardVerdict]:
    if facts.role is PostgresqlRole.PRIMARY:
        yield _refuse("timeline", f"{new.name} is a primary already", new.name, final=True)
        return
    if facts.replay_paused:
        yield _refuse(
            "replay-paused", f"replay is paused on {new.name}: it would not be promoted", new.name, final=True
        )
    if facts.receiver_status != "streaming" or facts.primary_host not in {old.name, old.address}:
        said = f"receives from {facts.primary_host}" if facts.primary_host else "receives from nobody"
        yield _refuse("not-streaming", f"{new.name} {said}, not from {old.name}", new.name, final=True)


def _of_both(
    args: ReadyArguments, old: Node, new: Node, primary: PostgresqlFacts, candidate: PostgresqlFacts
) -> Iterator[GuardVerdict]:
    if primary.system_identifier != candidate.system_identifier:
        said = f"{new.name} is a copy of another database than {old.name}'s"
        yield _refuse("timeline", said, new.name, final=True)
        return
    if candidate.role is PostgresqlRole.STANDBY and primary.timeline != candidate.timeline:
        said = f"{new.name} is on timeline {candidate.timeline}, {old.name} on {primary.timeline}"
        yield _refuse("timeline", said, new.name, final=True)
        return
    behind = max(0, primary.lsn - candidate.lsn)
    if behind > args.lag:
        yield _refuse("lag", f"{new.name} has not received {size(behind)} (allowed: {size(args.lag)})", new.name)
    waiting = max(0, candidate.lsn - (candidate.replayed or candidate.lsn))
    if waiting > args.lag:
        yield _refuse("lag", f"{new.name} has not replayed {size(waiting)} (allowed: {size(args.lag)})", new.name)


def _behind(found: _Found, old: str, mine: PostgresqlFacts) -> int:
    primary = found[old]
    return 0 if isinstance(primary, str) else max(0, primary.lsn - mine.lsn)


_ROOM = """
SELECT current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots),
  current_setting('max_wal_senders')::int, current_setting('wal_log_hints'), current_setting('data_checksums')
"""


def _rooms(scene: Scene, args: ReadyArguments, found: _Found) -> Doing[tuple[GuardVerdict, ...]]:
    """What is left on the standby for those who will follow it; and whether the old primary could be rewound."""
    service, old, new = server.database(scene, args.service), scene.target.name, args.to
    verdicts = []
    if not isinstance(found[new], str):
        followers = [one.name for one in server.others(scene, service, new)]
        lacking = yield from missing_slots(service, new, followers)
        slots, senders, _, _ = (yield from server.query(service, new, _ROOM)).split("|")
        if int(slots) < len(lacking):
            said = f"{new} has no free slots for {listed(lacking)} (max_replication_slots)"
            verdicts.append(_refuse("slots", said, new))
        if int(senders) < len(followers) + 1:
            said = f"{new} sends to {senders} at most, {len(followers)} will follow it (max_wal_senders)"
            verdicts.append(_refuse("slots", said, new))
    if not isinstance(found[old], str):
        *_, hints, checksums = (yield from server.query(service, old, _ROOM)).split("|")
        if "on" not in {hints, checksums}:
            said = f"{old} has neither wal_log_hints nor checksums: it could not be rewound, only copied anew"
            verdicts.append(_refuse("rewind", said, old))
    return tuple(verdicts)


def _replica(facts: PostgresqlFacts, node: Node) -> Replica | None:
    return next((one for one in facts.replicas if one.application == node.name or one.address == node.address), None)


def _backups(scene: Scene, args: ReadyArguments) -> Iterator[GuardVerdict]:
    """A backup that is being made would be lost with the primary that it is made of."""
    for one in scene.inventory.services.values():
        if isinstance(one, PgbackrestService) and one.database == args.service:
            host = scene.picture.state.nodes[one.repository_host]
            seen = host.read(f"pgbackrest:{one.name}", PgbackrestFacts, scene.picture.now)
            if isinstance(seen, Observed) and seen.value.running:
                said = f"a backup of {args.service} is being made: it would be cut off"
                yield _refuse("backup-running", said, one.repository_host)
