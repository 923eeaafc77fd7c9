"""The first step of a restore drill: all that could keep it from ending well is looked for, then a place is made.

What is restored is chosen here and remembered, with how far the primary is: that is what the copy is measured by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from hactl.drivers import drill, pgbackrest
from hactl.drivers.probe import Asked
from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs import drill_repository
from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.drill_commands import Scratch, Target
from hactl.drivers.verbs.drill_scratch import (
    ABSENT,
    LONG,
    acting,
    backups,
    claim,
    database,
    done,
    epoch,
    example,
    look,
    moment,
    objection,
    plan_line,
    reading,
    scratch_of,
    torn_down,
)
from hactl.model.backups import primary_facts
from hactl.model.command import Command, Completed, command
from hactl.model.errors import ParseError, TransportError
from hactl.model.facts import Backup, PgbackrestFacts
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.holdings import Holdings
from hactl.model.inventory import PgbackrestService
from hactl.model.parameters import About, ParameterKind
from hactl.model.replication import replication
from hactl.model.units import size
from hactl.model.verb import Doing, Memory, Scene, Shown, Standing, Verb, VerbError, exit_sentence, run

_SPARE = 512 * 1024 * 1024  # bytes beside the database: WAL that is replayed, sockets, logs
_PROGRAMS = ("postgres", "pg_ctl", "pg_controldata", "pg_amcheck", "pg_dumpall")


@dataclass(frozen=True, slots=True)
class DrillArguments:
    service: Annotated[str, About("the pgbackrest service", ParameterKind.SERVICE)]
    repository: Annotated[int, About("the repository's number; 0: the first that the inventory names", minimum=0)] = 0
    backup: Annotated[str, About("the label of the backup; empty: the newest, or the one for `time`")] = ""
    time: Annotated[str, About("the moment to restore to; empty: as far as the archive goes")] = ""
    query: Annotated[str, About("one SQL statement whose answer from the copy is shown and recorded")] = ""
    database: Annotated[str, About("the database that `query` is put to, and `table` is in")] = "postgres"
    table: Annotated[str, About("a table of the copy that is kept as SQL on the node, SCHEMA.TABLE or TABLE")] = ""


def target_of(scene: Scene, args: DrillArguments) -> Target:
    """Raises ValueError for a time that is none."""
    service = backups(scene, args.service)
    return Target(args.repository or service.repositories[0], args.backup, moment(args.time) if args.time else "")


class DrillVerb(Verb[DrillArguments]):
    """What all acts of a drill have in common: one that was cut off keeps nobody waiting."""

    arguments = DrillArguments
    leaves = False

    def problem(self, scene: Scene, args: DrillArguments) -> str:
        """What no node has to be asked for."""
        if problem := objection(scene, args.service):
            return problem
        service = backups(scene, args.service)
        if args.repository and args.repository not in service.repositories:
            return f"{service.name} has no repository {args.repository}"
        try:
            target_of(scene, args)
        except ValueError as error:
            return str(error)
        return _misnamed(args)


def _misnamed(args: DrillArguments) -> str:
    if args.backup and not re.fullmatch(r"\d{8}-\d{6}F(_\d{8}-\d{6}[DI])?", args.backup):
        return f"{args.backup} is no label of a backup: see `hactl backup list`"
    if not re.fullmatch(r"[0-9A-Za-z_.-]+", args.database):
        return f"{args.database} is no name of a database that can be asked"
    if args.table and not re.fullmatch(commands.TABLE, args.table):
        return f"{args.table} is no name of a table that can be kept"
    return ""


class Prepare(DrillVerb):
    name = "drill.prepare"
    summary = "Choose a backup, see that the node can restore it, and make a place for that."
    deadline = LONG
    has_undo = True

    def first(self, scene: Scene, args: DrillArguments) -> tuple[Shown, ...]:
        scratch = scratch_of(scene, args.service)
        return (plan_line(scene, acting(scratch.service, commands.make_root(scratch))),)

    def rights(self, scene: Scene, args: DrillArguments) -> tuple[Command, ...]:
        """Of the whole drill: nobody wants to learn in its middle that it may not be ended."""
        scratch = scratch_of(example(scene), args.service)
        target = target_of(scene, args)
        lines = (
            *(commands.make_root(scratch), commands.restore(scratch, target), commands.start(scratch)),
            *(commands.sql(scratch, args.database), commands.amcheck(scratch), commands.dump(scratch)),
            *(commands.stop(scratch), commands.clear(scratch), commands.remove(scratch)),
            commands.note(scratch.service),
            *((commands.keep(scratch, args.database, args.table),) if args.table else ()),
        )
        return tuple(acting(scratch.service, argv) for argv in lines)

    def preflight(self, scene: Scene, args: DrillArguments) -> Doing[tuple[GuardVerdict, ...]]:
        """Every reason at once."""
        node, scratch = scene.target.name, scratch_of(example(scene), args.service)
        service = scratch.service
        said = [*(yield from _programs(scratch)), *(yield from _port(service))]
        user = yield from run(command("id", "-u", service.drill_user or ""))
        if not user.ok:
            said.append(f"there is no user {service.drill_user}")
            return tuple(_refused(node, one) for one in said)
        _, problems = yield from _configured(service, target_of(scene, args).repository)
        said += problems
        verdicts = [] if problems else [*(yield from _room(scene, args))]
        return (*(_refused(node, one) for one in said), *verdicts)

    def check(self, scene: Scene, args: DrillArguments) -> Doing[Standing]:
        scratch = scratch_of(scene, args.service)
        state = yield from look(scene, scratch)
        if not state.prepared:
            return Standing(done=False, sentence=f"{scratch.root} is not there yet")
        return Standing(done=True, sentence=f"{scratch.root} is there")

    def remember(self, scene: Scene, args: DrillArguments) -> Doing[Memory]:
        scratch, target = scratch_of(scene, args.service), target_of(scene, args)
        state = yield from look(scene, scratch)
        if state.there and not state.ours:
            raise VerbError(f"{scratch.root} is there already, and not hactl's")
        facts = yield from _facts(scratch.service)
        chosen = chosen_backup(facts, target)
        if isinstance(chosen, str):
            raise VerbError(chosen)
        chain = _chain(facts, chosen)
        memory = {
            "scratch": ABSENT if not state.there else "ours",
            "label": chosen.label,
            "kind": chosen.kind,
            "size": str(chosen.size),
            "chain": " ".join(one.label for one in chain),
            "since": str(int(min(one.started for one in chain))),
            "archived": facts.archive_max.get(target.repository, ""),
        }
        told, _ = yield from _configured(scratch.service, target.repository)
        memory |= drill_repository.where(scratch.service, target.repository, told)
        return memory | (yield from _primary(scene, scratch.service))

    def do(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:
        scratch = scratch_of(scene, args.service)
        service = scratch.service
        if not (yield from look(scene, scratch)).there:
            yield from done(scene, acting(service, commands.make_root(scratch)), "mkdir")
        yield from claim(scene, scratch)
        listed = yield from drill_repository.listed(scratch, memory)
        argv = commands.write(scratch, "repository.sha256")
        yield from done(scene, acting(service, argv, stdin=listed, timeout=300.0), "tee")
        return f"{memory['kind']} backup {memory['label']} of {size(int(memory['size']))} goes to {scratch.root}"

    def undo(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - nothing of it
        return (yield from torn_down(scene, scratch_of(scene, args.service)))


# --- what the node has --------------------------------------------------------------------------------------------


def _refused(node: str, sentence: str) -> GuardVerdict:
    return GuardVerdict("targets", Ruling.REFUSE, f"{node}: {sentence}", node=node, can_override=False)


def _programs(scratch: Scratch) -> Doing[list[str]]:
    found = yield from run(command("ls", "--", *map(scratch.program, _PROGRAMS)))
    missing = [one for one in _PROGRAMS if scratch.program(one) not in found.stdout.split()]
    if "postgres" in missing:
        return [f"PostgreSQL {scratch.database.version} is not installed"]
    return [f"{', '.join(missing)} of PostgreSQL {scratch.database.version} is missing"] if missing else []


def _port(service: PgbackrestService) -> Doing[list[str]]:
    """Nothing would listen there but a socket of the drill's own; somebody who does is not expected all the same."""
    said = yield from run(command("ss", "--no-header", "--listening", "--numeric", "--tcp", "--unix"))
    if said.ok and re.search(rf"(:|\.s\.PGSQL\.){service.drill_port}\s", said.stdout):
        return [f"port {service.drill_port} is in use"]
    return [] if said.ok else [exit_sentence(said, "ss")]


def _configured(service: PgbackrestService, repository: int) -> Doing[tuple[Mapping[str, str], list[str]]]:
    """How pgBackRest is configured there, and what keeps a drill from being made with it."""
    said = yield from run(reading(service, commands.config(service)))
    if not said.ok:
        return {}, [exit_sentence(said, f"reading {service.drill_config}")]
    keys = dict(_settings(said.stdout, service.stanza))
    if any(re.fullmatch(r"pg\d+-host", key) for key in keys):
        return keys, [f"{service.drill_config} names a host of a database: pgBackRest would restore there"]
    if not any(key.startswith(f"repo{repository}-") for key in keys):
        return keys, [f"{service.drill_config} names no repository {repository}"]
    return keys, []


def _settings(text: str, stanza: str) -> Iterator[tuple[str, str]]:
    """Of the file's sections that hold for a restore; a stanza's own come last, and win."""
    section, found = "", dict[str, list[tuple[str, str]]]()
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(section, []).append((key.strip(), value.strip()))
    for name in ("global", "global:restore", stanza, f"{stanza}:restore"):
        yield from found.get(name, [])


def _room(scene: Scene, args: DrillArguments) -> Doing[tuple[GuardVerdict, ...]]:
    """Room for the backup that is wanted, and nobody else there."""
    node, service = scene.target.name, backups(scene, args.service)
    asked = yield from run(reading(service, drill.argv(service)))
    try:
        there = drill.parse(service, scene.inventory.name, asked, Asked(0.0, 0.0))
    except ParseError as error:
        return (_refused(node, error.message),)
    verdicts = []
    for left in there.leftovers:
        if left.alive and left.run != scene.run:
            verdicts.append(_refused(node, f"the drill of run {left.run} is under way"))
        elif left.run != scene.run:
            clean = f"`hactl drill clean --service {service.name}`"
            sentence = f"run {left.run} has left a drill behind on {node}: {clean} removes it"
            verdicts.append(GuardVerdict("other-run", Ruling.WARN, sentence, node=node))
    try:
        chosen = chosen_backup((yield from _facts(service)), target_of(scene, args))
    except VerbError as error:
        chosen = error.sentence
    if isinstance(chosen, str):
        return (*verdicts, _refused(node, chosen))
    wanted = chosen.size + chosen.size // 10 + _SPARE
    if there.free is not None and there.free < wanted:
        sentence = (
            f"{service.drill_directory} on {node} has room for {size(there.free)}; backup {chosen.label} of "
            f"{size(chosen.size)} wants {size(wanted)}"
        )
        verdicts.append(GuardVerdict("disk-space", Ruling.REFUSE, sentence, node=node))
    return tuple(verdicts)


# --- which backup -------------------------------------------------------------------------------------------------


def _facts(service: PgbackrestService) -> Doing[PgbackrestFacts]:
    """What the drill's user sees. Raises VerbError."""
    said: Completed = yield from run(reading(service, commands.info(service)))
    try:
        return pgbackrest.parse(service.stanza, said, Asked(0.0, 0.0))
    except ParseError as error:
        raise VerbError(error.message.rstrip(".")) from None


def chosen_backup(facts: PgbackrestFacts, target: Target) -> Backup | str:
    """The backup that pgBackRest will take for this, or why there is none."""
    held = Holdings(target.repository, facts, facts.now)
    if target.set:
        named = next((one for one in held.backups if one.label == target.set), None)
        return named or f"repository {target.repository} holds no backup {target.set}"
    if not held.backups:
        return f"repository {target.repository} holds no backup that {facts.stanza} could be restored from"
    if not target.time:
        return held.backups[-1]
    early = [one for one in held.backups if one.stopped <= epoch(target.time)]
    return early[-1] if early else f"repository {target.repository} holds no backup from before {target.time}"


def _chain(facts: PgbackrestFacts, backup: Backup) -> list[Backup]:
    """The backup and all that it builds on."""
    by_label = {one.label: one for one in facts.backups if one.repository == backup.repository}
    found = [backup]
    while (prior := by_label.get(found[-1].prior)) is not None and prior not in found:
        found.append(prior)
    return found


def _primary(scene: Scene, service: PgbackrestService) -> Doing[dict[str, str]]:
    """How far the primary is when the drill begins: in the WAL, and by its newest row."""
    facts, kept = primary_facts(service, scene.picture), database(scene, service)
    memory = {} if facts is None else {"lsn": str(facts.lsn)}
    if service.newest is None:
        return memory
    node = replication(kept, scene.picture).primary
    if not node:
        return memory | {"unasked": f"{kept.name} has no primary that could be asked"}
    asked = server.sql(replace(kept, database=service.newest.database), service.newest.sql)
    try:
        said = yield from run(asked, node)
    except TransportError as error:
        return memory | {"unasked": error.message}
    if not said.ok:
        return memory | {"unasked": exit_sentence(said, f"asking {node} for its newest row")}
    return memory | {"newest": said.stdout.strip()}
