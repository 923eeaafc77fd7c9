"""The verb that makes a standby the primary. Once it has acted there is no way back but another switchover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.database_verb import DatabaseArguments, DatabaseVerb
from hactl.model.abreast import both
from hactl.model.facts import PostgresqlFacts, PostgresqlRole
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import PostgresqlService
from hactl.model.observed import Observed
from hactl.model.parameters import About, ParameterKind
from hactl.model.units import size
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

LOSS = "data-loss"
_RECEIVED_WITHIN = 10.0  # seconds for the last bytes of a primary that is down to arrive
_PROMOTED_WITHIN = 60  # seconds for it to leave recovery
_PENDING = 5.0  # seconds after which a promotion that nobody has heard of is taken for none
_POLL = 0.01


@dataclass(frozen=True, slots=True)
class PromoteArguments(DatabaseArguments):
    replaces: Annotated[str, About("the node that was the primary", ParameterKind.NODE)]
    lossy: Annotated[
        bool, About("what only the old primary has is given up; else it must be shut down, with all received here")
    ] = False


class Promote(DatabaseVerb[PromoteArguments]):
    name = "postgresql.promote"
    summary = "Make the node the primary: out of recovery, on a timeline of its own."
    arguments = PromoteArguments
    servers = ("replaces",)
    has_undo = True
    one_way = True
    urgent = True
    deadline = 90.0
    usual = 0.5

    def first(self, scene: Scene, args: PromoteArguments) -> tuple[Shown, ...]:  # noqa: ARG002 - no part of it
        return (server.shown(scene.target.name, _PROMOTION),)

    def preflight(self, scene: Scene, args: PromoteArguments) -> Doing[tuple[GuardVerdict, ...]]:
        if not args.lossy:
            return ()
        service, node = server.database(scene, args.service), scene.target.name
        mine = yield from server.maybe_facts(service, node)
        if isinstance(mine, str):
            said = f"{node} cannot be asked: {mine}"
            return (GuardVerdict("standby-unreachable", Ruling.REFUSE, said, node, can_override=False),)
        if mine.role is PostgresqlRole.PRIMARY:
            return ()
        if mine.replay_paused:
            said = f"replay is paused on {node}: it would not be promoted"
            return (GuardVerdict("replay-paused", Ruling.REFUSE, said, node, can_override=False),)
        return ()

    def check(self, scene: Scene, args: PromoteArguments) -> Doing[Standing]:
        node = scene.target.name
        answer = yield from server.query(server.database(scene, args.service), node, _STATE)
        recovery, timeline, *_ = answer.split("|")
        if recovery == "t":
            return Standing(done=False, sentence=f"{node} is a standby")
        facts = {"timeline": timeline} | ({"lost_bytes": str(lost)} if (lost := _lost(scene, args)) is not None else {})
        return Standing(done=True, sentence=f"{node} is the primary, on timeline {timeline}", facts=facts)

    def remember(self, scene: Scene, args: PromoteArguments) -> Doing[Memory]:  # noqa: ARG002 - the signature of all
        """What `check` has just found, or there would be nothing to do: users wait, so it is not asked again."""
        yield from ()
        return {"recovery": "t"}

    def do(self, scene: Scene, args: PromoteArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - the undo's
        service, node = server.database(scene, args.service), scene.target.name
        if args.lossy:
            mine = yield from server.facts(service, node)
            ahead = yield from _ahead(scene, args, mine)
            if ahead and LOSS not in scene.overrides:
                raise VerbError("; ".join(ahead))
        else:
            yield from _has_everything(scene, service, args.replaces)
        said = yield from server.order(
            service, node, f"{_PROMOTION};{_UNTIL_PROMOTED}", timeout=_PROMOTED_WITHIN + 15.0
        )
        if said.split() != ["t", "t"]:
            raise VerbError(f"{node} has not left recovery within {_PROMOTED_WITHIN} s")
        return f"{node} is the primary now"

    def undo(self, scene: Scene, args: PromoteArguments, memory: Memory) -> Doing[str]:
        """It cannot be taken back. Where it never took effect, that is made sure of: what is undone next starts the
        old primary.
        """
        service, node = server.database(scene, args.service), scene.target.name
        end = (yield from now()) + _PENDING
        while True:
            recovery, timeline, _ = (yield from server.query(service, node, _STATE)).split("|")
            if recovery != "t":
                said = f"{node} is the primary by now, on timeline {timeline}: that is not taken back"
                raise VerbError(said, remedy=f"Go on (hactl runs resume), or switch over to {args.replaces} again.")
            if (yield from now()) >= end or memory.get("recovery") != "t":
                return f"{node} was not promoted"
            yield from wait(0.2, f"whether {node} is being promoted")


# Whether it is in recovery, its timeline, and (a standby) how far it has received, in bytes. The control file
# of a server that was just promoted tells the old timeline until a checkpoint; the file it writes to tells the new one.
_STATE = """
SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery()
    THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), greatest(
      (SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery())))
    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
  CASE WHEN pg_is_in_recovery()
    THEN pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')::bigint END
"""


# Left to wait by itself, pg_promote looks ten times a second; writers wait for that.
_UNTIL_PROMOTED = f"""
DO $$ BEGIN
  FOR look IN 1..{100 * _PROMOTED_WITHIN} LOOP
    EXIT WHEN NOT pg_is_in_recovery();
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
SELECT NOT pg_is_in_recovery();
"""
_PROMOTION = "SELECT pg_promote(false)"


def _has_everything(scene: Scene, service: PostgresqlService, replaces: str) -> Doing[None]:
    """Raises VerbError unless the old primary is shut down and fenced, and its last record is here."""
    node = scene.target.name
    down = both(server.unit(service, replaces), server.control(service, replaces))
    (unit, control), state = yield from both(down, server.query(service, node, _STATE))
    if unit.active == "active" or not unit.fenced or not control.clean:
        fence = "fenced" if unit.fenced else "not fenced"
        raise VerbError(f"{replaces} is {unit.active}, {control.state} and {fence}: nobody is promoted beside it")
    end = (yield from now()) + _RECEIVED_WITHIN
    while True:
        recovery, timeline, received = state.split("|")
        # Without a receiver the standby knows its timeline only as of its last restartpoint: an older one may be told.
        if recovery == "t" and int(timeline) <= control.timeline and int(received or 0) > control.checkpoint:
            return
        if recovery != "t":
            raise VerbError(f"{node} is no standby any more")
        if (yield from now()) >= end:
            lacking = max(0, control.checkpoint - int(received or 0))
            raise VerbError(
                f"{node} lacks {size(lacking)} and the last checkpoint of {replaces} (timeline {control.timeline}; "
                f"{node} is on {timeline})"
            )
        yield from wait(_POLL, f"{node} to receive the last of {replaces}")
        state = yield from server.query(service, node, _STATE)


# --- what may be lost ---------------------------------------------------------------------------------------------


def _ahead(scene: Scene, args: PromoteArguments, mine: PostgresqlFacts) -> Doing[list[str]]:
    """Survivors that have more than the node."""
    service, node = server.database(scene, args.service), scene.target.name
    found = []
    for other in server.others(scene, service, node):
        if other.name == args.replaces:
            continue
        facts = yield from server.maybe_facts(service, other.name)
        if isinstance(facts, str) or facts.role is PostgresqlRole.PRIMARY:
            continue
        if (facts.timeline, facts.lsn) > (mine.timeline, mine.lsn):
            more = f"{size(facts.lsn - mine.lsn)} more" if facts.timeline == mine.timeline else "a newer timeline"
            found.append(f"{other.name} has {more} than {node}: promote it instead")
    return found


def _lost(scene: Scene, args: PromoteArguments) -> int | None:
    """Bytes that the old primary had when it was last seen, and the node had not received when its turn came."""
    if not args.lossy:
        return 0
    key = f"postgresql:{args.service}"
    seen = scene.picture.state.nodes[args.replaces].last_known(key, PostgresqlFacts)
    mine = scene.picture.state.nodes[scene.target.name].read(key, PostgresqlFacts, scene.picture.now)
    if seen is None or not isinstance(mine, Observed):
        return None
    return max(0, seen.value.lsn - mine.value.lsn)


VERBS: tuple[AnyVerb, ...] = (Promote(),)
