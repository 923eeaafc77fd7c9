"""Verbs that make a stopped server a copy of the primary again: rewound to where they parted, or copied anew.

Nothing is deleted that may hold somebody's rows: a data directory is put aside under another name, and stays there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs import postgresql_commands as commands
from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.command_lines import shown as shown_command
from hactl.drivers.verbs.database_verb import DatabaseArguments, DatabaseVerb
from hactl.drivers.verbs.postgresql_archived import SWITCH
from hactl.drivers.verbs.postgresql_commands import Source
from hactl.drivers.verbs.postgresql_conninfo import source, template
from hactl.drivers.verbs.postgresql_slots import make_slot, slot_of
from hactl.model.command import Command
from hactl.model.errors import ConnectionLostError
from hactl.model.facts import PostgresqlRole
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import PostgresqlService
from hactl.model.observed import Unknown
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
    exit_sentence,
    run,
    tell,
)

_LONG = 6 * 3600.0  # seconds that a copy may take
_ROOM = 1.1  # times the size of the primary that have to be free


@dataclass(frozen=True, slots=True)
class AgainArguments(DatabaseArguments):
    primary: Annotated[str, About("whom it is to be like", ParameterKind.NODE)]
    clone: Annotated[bool, About("whether it is copied anew instead of being rewound")] = False


class _Again(DatabaseVerb[AgainArguments]):
    """What both have in common: they act on a server that is down and fenced, or say why not."""

    arguments = AgainArguments
    servers = ("primary",)
    idempotent = False
    reads_back = False
    cloning: bool

    def check(self, scene: Scene, args: AgainArguments) -> Doing[Standing]:
        node = scene.target.name
        if args.clone is not self.cloning:
            yield from ()
            return Standing(done=True, sentence=f"{node} is {'copied anew' if args.clone else 'rewound'} instead")
        found = yield from server.maybe_facts(server.database(scene, args.service), node)
        if not isinstance(found, str) and found.role is PostgresqlRole.STANDBY and found.receiver_status == "streaming":
            return Standing(done=True, sentence=f"{node} is a standby, and streams")
        return Standing(done=False, sentence=f"{node} is to be made like {args.primary}")

    def _source(self, scene: Scene, args: AgainArguments) -> Doing[Source]:
        """The primary, which has to be one."""
        service = server.database(scene, args.service)
        found = yield from server.facts(service, args.primary)
        if found.role is not PostgresqlRole.PRIMARY:
            raise VerbError(f"{args.primary} is no primary")
        words = yield from template(service, args.primary, scene.target.name)
        return source(words, service, scene.inventory.nodes[args.primary])


class Rewind(_Again):
    """Tried without writing first. When the real one fails in its middle the data directory is lost: then clone."""

    name = "postgresql.rewind"
    summary = "Take a stopped server back to where it parted from the primary, so that it can follow."
    cloning = False
    deadline = _LONG

    def seconds(self, args: AgainArguments) -> float:
        return 0.1 if args.clone else 5.0

    def first(self, scene: Scene, args: AgainArguments) -> tuple[Shown, ...]:
        service = server.database(scene, args.service)
        source_ = Source(scene.inventory.nodes[args.primary].address, service.port, "...", service.database)
        return tuple(
            shown_command(scene, server.as_postgres(commands.rewind(service, source_, dry=dry)))
            for dry in (True, False)
        )

    def rights(self, scene: Scene, args: AgainArguments) -> tuple[Command, ...]:
        service = server.database(scene, args.service)
        source_ = Source(scene.inventory.nodes[args.primary].address, service.port, "replicator", service.database)
        tried, done = (commands.rewind(service, source_, dry=dry) for dry in (True, False))
        argvs = (tried, done, commands.keep(service), commands.keep_back(service), commands.standby(service))
        return tuple(map(server.as_postgres, argvs))

    def do(self, scene: Scene, args: AgainArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service, node = server.database(scene, args.service), scene.target.name
        from_ = yield from self._source(scene, args)
        yield from _is_down(service, node)
        # A primary that was just promoted tells its new timeline only once it has written a checkpoint.
        yield from server.order(service, args.primary, "CHECKPOINT", timeout=120.0)
        yield from tell(f"trying to rewind {node}")
        tried = yield from _run(node, commands.rewind(service, from_, dry=True))
        if "no rewind required" in tried:
            return f"{node} never parted from {args.primary}: no rewind is required"
        yield from _run(node, commands.keep(service))
        yield from tell(f"rewinding {node}")
        said = yield from _run(node, commands.rewind(service, from_, dry=False))
        # Before anything else: without it the next start would be a primary's.
        yield from _run(node, commands.standby(service))
        yield from _run(node, commands.keep_back(service))
        # It needs all that the primary has written until now before it answers; the archive then has it at once.
        yield from server.order(service, args.primary, SWITCH)
        parted = next((line for line in said.splitlines() if "diverged" in line), "")
        return f"{node} is rewound" + (f": {parted.split(':', 1)[-1].strip()}" if parted else "")


class Clone(_Again):
    name = "postgresql.clone"
    summary = "Copy the primary anew; what the server had is put aside under another name, and kept."
    cloning = True
    deadline = _LONG

    def seconds(self, args: AgainArguments) -> float:
        return 60.0 if args.clone else 0.1

    def first(self, scene: Scene, args: AgainArguments) -> tuple[Shown, ...]:
        service = server.database(scene, args.service)
        source_ = Source(scene.inventory.nodes[args.primary].address, service.port, "...", service.database)
        slot = slot_of(scene.target.name)
        argvs = (commands.clone(service, source_, slot), commands.aside(service, 0), commands.into_place(service))
        return tuple(shown_command(scene, server.as_postgres(argv)) for argv in argvs) if args.clone else ()

    def rights(self, scene: Scene, args: AgainArguments) -> tuple[Command, ...]:
        service = server.database(scene, args.service)
        source_ = Source(scene.inventory.nodes[args.primary].address, service.port, "replicator", service.database)
        argvs = (
            *(commands.free(service), commands.used(service), commands.clear(service), commands.into_place(service)),
            *(commands.clone(service, source_, slot_of(scene.target.name)), commands.aside(service, 0)),
        )
        return tuple(map(server.as_postgres, argvs)) if args.clone else ()

    def preflight(self, scene: Scene, args: AgainArguments) -> Doing[tuple[GuardVerdict, ...]]:
        """Room for a second copy beside the first."""
        if not args.clone:
            return ()
        service, node = server.database(scene, args.service), scene.target.name
        needed, free = yield from _sizes(service, node, args.primary)
        if free >= needed * _ROOM:
            return ()
        said = f"a copy of {args.primary} is {size(needed)}, and beside the old one {size(free)} are free on {node}"
        return (GuardVerdict("disk-space", Ruling.REFUSE, said, node),)

    def do(self, scene: Scene, args: AgainArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service, node = server.database(scene, args.service), scene.target.name
        from_ = yield from self._source(scene, args)
        yield from _is_down(service, node)
        needed, free = yield from _sizes(service, node, args.primary)
        if free < needed * _ROOM and "disk-space" not in scene.overrides:
            raise VerbError(f"{size(free)} are free on {node}, and a copy is {size(needed)}")
        yield from make_slot(service, args.primary, node)
        yield from _run(node, commands.clear(service))
        yield from tell(f"copying {args.primary} to {node}: {size(needed)}")
        yield from _run(node, commands.clone(service, from_, slot_of(node)))
        second = yield from server.query(service, args.primary, "SELECT extract(epoch FROM now())::bigint")
        aside = commands.aside(service, int(second))
        yield from _run(node, aside)
        yield from _run(node, commands.into_place(service))
        yield from _run(node, commands.standby(service))
        return f"{node} is a copy of {args.primary}; what it had is kept in {aside[-1]}"


VERBS: tuple[AnyVerb, ...] = (Rewind(), Clone())


def _run(node: str, argv: tuple[str, ...]) -> Doing[str]:
    """As postgres; what it said. An exit status that is not 0 ends everything. Raises VerbError."""
    done = yield from run(server.as_postgres(argv, mutates=True, timeout=_LONG), node)
    if isinstance(done.exit, Unknown):
        raise ConnectionLostError(node, exit_sentence(done, argv[0]))
    if not done.ok:
        again = f"PostgreSQL on {node} stays stopped and fenced. Copy it anew: hactl rejoin {node} --clone."
        raise VerbError(exit_sentence(done, f"{argv[0].rsplit('/', 1)[-1]} on {node}"), remedy=again)
    return f"{done.stdout}\n{done.stderr}"


def _is_down(service: PostgresqlService, node: str) -> Doing[None]:
    unit = yield from server.unit(service, node)
    if not unit.down or not unit.fenced:
        fence = "" if unit.fenced else ", and nothing keeps it from being started"
        raise VerbError(f"{commands.unit(service)} on {node} is {unit.active}{fence}: stop and fence it first")


def _sizes(service: PostgresqlService, node: str, primary: str) -> Doing[tuple[int, int]]:
    """Bytes that the primary's data take, and that are free beside the node's."""
    used = yield from run(server.as_postgres(commands.used(service), timeout=120.0), primary)
    free = yield from run(server.as_postgres(commands.free(service)), node)
    try:
        return int(used.stdout.split()[0]), int(free.stdout.split()[-1])
    except (IndexError, ValueError):
        raise VerbError(exit_sentence(used if not used.ok else free, "measuring")) from None
