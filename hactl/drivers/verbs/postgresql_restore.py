"""Verbs for the day on which no server of a database is left: one node gets it back out of a repository.

First it is made sure that no other server takes writes, by the same proof as before a failover. A data directory that
is there is put aside under another name and kept. What the repository lacks is lost, and said before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs import postgresql_commands as commands
from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs import restore_commands
from hactl.drivers.verbs.command_lines import shown as shown_command
from hactl.drivers.verbs.drill_commands import Target
from hactl.drivers.verbs.drill_restore import reason
from hactl.drivers.verbs.drill_scratch import moment
from hactl.drivers.verbs.postgresql_fence import GUARD, Fence, FenceArguments
from hactl.drivers.verbs.postgresql_promote import LOSS
from hactl.model.backups import backup_services, repositories
from hactl.model.command import Command, command
from hactl.model.errors import ConnectionLostError
from hactl.model.facts import Backup, PostgresqlFacts, PostgresqlRole
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.holdings import SEGMENT, Holdings
from hactl.model.inventory import PgbackrestService, PostgresqlService
from hactl.model.observed import Unknown
from hactl.model.parameters import About, ParameterKind
from hactl.model.state import LinkPhase
from hactl.model.units import duration, size
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Memory,
    Scene,
    Shown,
    Standing,
    Verb,
    VerbError,
    exit_sentence,
    now,
    run,
    tell,
    wait,
)

_LONG = 12 * 3600.0  # seconds that a restore, or the replay of all WAL since, may take
_ROOM = 1.1  # times the size of the database that have to be free
_POLL = 1.0  # seconds
_FENCE = Fence()


@dataclass(frozen=True, slots=True)
class IsolateArguments:
    service: Annotated[str, About("the postgresql service", ParameterKind.SERVICE)]


class Isolate(Verb[IsolateArguments]):
    name = "postgresql.isolate"
    summary = "Make sure that no other server of the database than the node takes writes, nor will."
    arguments = IsolateArguments
    deadline = 300.0

    def problem(self, scene: Scene, args: IsolateArguments) -> str:
        return server.objection(scene, args.service, scene.target.name)

    def seconds(self, args: IsolateArguments) -> float:  # noqa: ARG002 - the same for all
        return 4.0

    def first(self, scene: Scene, args: IsolateArguments) -> tuple[Shown, ...]:
        return tuple(shown for fence in _fences(scene, args) for shown in _FENCE.first(scene, fence))

    def preflight(self, scene: Scene, args: IsolateArguments) -> Doing[tuple[GuardVerdict, ...]]:
        """A server that answers is a better primary than any backup: then nothing is restored."""
        service = server.database(scene, args.service)
        found: list[GuardVerdict] = []
        for fence in _fences(scene, args):
            facts = yield from _answer(scene, service, fence.node)
            if isinstance(facts, str):
                found += yield from _FENCE.preflight(scene, fence)
            else:
                said = f"{fence.node} answers, as a {facts.role}: fail over to it, or switch over; it has more"
                found.append(GuardVerdict(GUARD, Ruling.REFUSE, said, fence.node, can_override=False))
        return tuple(found)

    def check(self, scene: Scene, args: IsolateArguments) -> Doing[Standing]:
        for fence in _fences(scene, args):
            standing = yield from _FENCE.check(scene, fence)
            if not standing.done:
                return standing
        others = " and ".join(fence.node for fence in _fences(scene, args))
        return Standing(done=True, sentence=f"{others or 'nobody else'} cannot take writes")

    def do(self, scene: Scene, args: IsolateArguments, memory: Memory) -> Doing[str]:
        service = server.database(scene, args.service)
        for fence in _fences(scene, args):
            if not isinstance((yield from _answer(scene, service, fence.node)), str):
                raise VerbError(f"{fence.node} answers by now: nothing is restored beside it")
            yield from tell((yield from _FENCE.do(scene, fence, memory)))
        return ""


def _answer(scene: Scene, service: PostgresqlService, node: str) -> Doing[PostgresqlFacts | str]:
    """A node that is known not to be reached costs no time."""
    link = scene.picture.state.nodes[node].link
    if link.phase is not LinkPhase.UP:
        return link.reason or "it cannot be reached"
    return (yield from server.maybe_facts(service, node))


def _fences(scene: Scene, args: IsolateArguments) -> tuple[FenceArguments, ...]:
    service = server.database(scene, args.service)
    return tuple(FenceArguments(args.service, one.name) for one in server.others(scene, service, scene.target.name))


@dataclass(frozen=True, slots=True)
class RestoreArguments:
    service: Annotated[str, About("the postgresql service", ParameterKind.SERVICE)]
    backups: Annotated[str, About("the pgbackrest service that keeps it", ParameterKind.SERVICE)]
    repository: Annotated[int, About("the repository's number; 0: the first that the inventory names", minimum=0)] = 0
    backup: Annotated[str, About("the label of a backup; empty: the newest, or the one for the time")] = ""
    time: Annotated[str, About("the moment to restore to, in UTC; empty: as far as the archive goes")] = ""


class Restore(Verb[RestoreArguments]):
    """Begun anew after it was cut off, it puts aside what it had restored until then."""

    name = "postgresql.restore"
    summary = (
        "Restore the whole database on the node and start it as the primary; what is there is put aside, and kept."
    )
    arguments = RestoreArguments
    idempotent = False
    one_way = True
    deadline = _LONG

    def problem(self, scene: Scene, args: RestoreArguments) -> str:
        if problem := server.objection(scene, args.service, scene.target.name):
            return problem
        backups = next((one for one in backup_services(scene.inventory) if one.name == args.backups), None)
        if backups is None or backups.database != args.service:
            return f"{args.backups} is no pgbackrest service of {args.service}"
        if args.repository and args.repository not in backups.repositories:
            return f"{backups.name} has no repository {args.repository}"
        try:
            _target(scene, args)
        except ValueError as error:
            return str(error)
        return ""

    def seconds(self, args: RestoreArguments) -> float:  # noqa: ARG002 - nothing tells
        return 60.0

    def first(self, scene: Scene, args: RestoreArguments) -> tuple[Shown, ...]:
        service = server.database(scene, args.service)
        argvs = (commands.aside(service, 0), _restoring(scene, args))
        return tuple(shown_command(scene, server.as_postgres(argv)) for argv in argvs)

    def rights(self, scene: Scene, args: RestoreArguments) -> tuple[Command, ...]:
        service = server.database(scene, args.service)
        argvs = (commands.free(service), commands.aside(service, 0), *restore_commands.fixed(service))
        return tuple(map(server.as_postgres, (*argvs, _restoring(scene, args))))

    def preflight(self, scene: Scene, args: RestoreArguments) -> Doing[tuple[GuardVerdict, ...]]:
        service, node = server.database(scene, args.service), scene.target.name
        holdings = _holdings(scene, args)
        if isinstance(holdings, str):
            return (GuardVerdict("unknown-data", Ruling.REFUSE, holdings, node, can_override=False),)
        found = []
        unit = yield from server.unit(service, node)
        if not unit.down:
            said = f"PostgreSQL on {node} is {unit.active}: nothing is restored over a server that runs"
            found.append(GuardVerdict(GUARD, Ruling.REFUSE, said, node, can_override=False))
        chosen = _chosen(holdings, args)
        free = yield from _free(service, node)
        if isinstance(chosen, str):
            found.append(GuardVerdict("unknown-data", Ruling.REFUSE, chosen, node, can_override=False))
        elif free < chosen.size * _ROOM:
            said = f"the database was {size(chosen.size)}, and {size(free)} are free on {node}"
            found.append(GuardVerdict("disk-space", Ruling.REFUSE, said, node))
        return (*found, GuardVerdict(LOSS, Ruling.WARN, _loss(scene, service, holdings, args), node))

    def check(self, scene: Scene, args: RestoreArguments) -> Doing[Standing]:
        node = scene.target.name
        found = yield from server.maybe_facts(server.database(scene, args.service), node)
        if isinstance(found, str) or found.role is not PostgresqlRole.PRIMARY:
            return Standing(done=False, sentence=f"{node} is no primary")
        said = f"{node} is the primary, on timeline {found.timeline}"
        return Standing(done=True, sentence=said, facts={"timeline": str(found.timeline)})

    def do(self, scene: Scene, args: RestoreArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service, node = server.database(scene, args.service), scene.target.name
        if not (yield from server.unit(service, node)).down:
            raise VerbError(f"PostgreSQL on {node} runs: nothing is restored over it")
        kept = yield from _made_room(service, node)
        yield from tell(f"restoring {args.service} from {args.backups} on {node}")
        yield from _run(node, _restoring(scene, args))
        yield from server.systemctl(service, node, commands.unfence(service))
        yield from server.systemctl(service, node, commands.start(service))
        yield from _recovered(service, node)
        yield from _run(node, restore_commands.settle(service))
        yield from server.order(service, node, "SELECT pg_reload_conf()")
        return f"{node} is the primary, restored from {args.backups}{kept}"


VERBS: tuple[AnyVerb, ...] = (Isolate(), Restore())


# --- what is restored ---------------------------------------------------------------------------------------------


def _backups(scene: Scene, args: RestoreArguments) -> PgbackrestService:
    return next(one for one in backup_services(scene.inventory) if one.name == args.backups)


def _target(scene: Scene, args: RestoreArguments) -> Target:
    """Raises ValueError for a time that is none."""
    number = args.repository or _backups(scene, args).repositories[0]
    return Target(number, args.backup, moment(args.time) if args.time else "")


def _restoring(scene: Scene, args: RestoreArguments) -> tuple[str, ...]:
    return restore_commands.restore(_backups(scene, args), _target(scene, args))


def _holdings(scene: Scene, args: RestoreArguments) -> Holdings | str:
    """What the repository holds, or why that is not known."""
    backups, number = _backups(scene, args), _target(scene, args).repository
    one = next(one for one in repositories(backups, scene.picture) if one.number == number)
    if isinstance(one.holdings, Unknown):
        return f"what repository {number} of {backups.name} holds is not known: {one.holdings.reason}"
    return one.holdings.value


def _chosen(holdings: Holdings, args: RestoreArguments) -> Backup | str:
    """The backup that the restore begins with as far as that is known before; or why there is none."""
    found = [one for one in holdings.good if not args.backup or one.label == args.backup]
    if found:
        return found[-1]
    return f"there is no backup {args.backup} that can be restored" if args.backup else "no backup can be restored"


def _loss(scene: Scene, service: PostgresqlService, holdings: Holdings, args: RestoreArguments) -> str:
    if args.time or args.backup:
        return f"all that was written after {args.time or f'backup {args.backup}'} is given up"
    key = f"postgresql:{service.name}"
    states = (scene.picture.state.nodes[node].last_known(key, PostgresqlFacts) for node in service.nodes)
    seen = max((one for one in states if one is not None), key=lambda one: one.value.lsn, default=None)
    gap = holdings.gap(seen.value.lsn) if seen is not None else None
    if seen is None or gap is None:
        return f"all that came after {holdings.newest_wal or 'the backup'} is lost; how much that is nobody knows"
    age = duration(scene.picture.now - seen.at)
    return (
        f"the archive ends with {holdings.newest_wal}: of what was last seen, {age} ago, up to "
        f"{size((gap + 1) * SEGMENT)} are lost, and all that came after"
    )


# --- on the node --------------------------------------------------------------------------------------------------


def _free(service: PostgresqlService, node: str) -> Doing[int]:
    done = yield from run(server.as_postgres(commands.free(service)), node)
    try:
        return int(done.stdout.split()[-1])
    except (IndexError, ValueError):
        raise VerbError(exit_sentence(done, f"measuring the room on {node}")) from None


def _made_room(service: PostgresqlService, node: str) -> Doing[str]:
    """An empty directory in the place of the data; where what was there is kept."""
    there = yield from run(command("test", "-e", service.data_directory), node)
    kept = ""
    if there.ok:
        second = yield from run(command("date", "+%s"), node)
        aside = commands.aside(service, int(second.stdout))
        yield from _run(node, aside)
        kept = f"; what it had is kept in {aside[-1]}"
    yield from _run(node, restore_commands.make(service))
    return kept


def _recovered(service: PostgresqlService, node: str) -> Doing[None]:
    """It replays until it has all that was asked for; then it is a primary."""
    end = (yield from now()) + _LONG
    while True:
        found = yield from server.maybe_facts(service, node)
        if not isinstance(found, str) and found.role is PostgresqlRole.PRIMARY:
            return
        if (yield from now()) >= end or (yield from server.unit(service, node)).down:
            why = f"Look at PostgreSQL's log on {node}; the restored files stay there."
            raise VerbError(f"PostgreSQL on {node} has not recovered", remedy=why)
        yield from tell(f"{node} replays what the archive has")
        yield from wait(_POLL, f"{node} to recover")


def _run(node: str, argv: tuple[str, ...]) -> Doing[None]:
    """As postgres. Raises VerbError, ConnectionLostError."""
    done = yield from run(server.as_postgres(argv, mutates=True, timeout=_LONG), node)
    if isinstance(done.exit, Unknown):
        raise ConnectionLostError(node, exit_sentence(done, argv[0]))
    if not done.ok:
        raise VerbError(reason(done) if argv[0] == "pgbackrest" else exit_sentence(done, f"{argv[0]} on {node}"))
