"""Verbs for backups by pgBackRest: take one, and see that what the repository holds is whole.

A backup says in an annotation which run took it, so that it is known for sure whether it was taken, whatever became of
hactl meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from hactl.drivers import pgbackrest
from hactl.drivers.probe import Asked
from hactl.drivers.verbs import pgbackrest_commands as commands
from hactl.drivers.verbs.command_lines import answered, mutating
from hactl.drivers.verbs.command_lines import shown as shown_command
from hactl.model.backups import backup_services, repositories
from hactl.model.command import Command, Completed, command
from hactl.model.errors import ConnectionLostError, ParseError
from hactl.model.facts import Backup, PgbackrestFacts
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.holdings import RUN_NOTE
from hactl.model.inventory import PgbackrestService
from hactl.model.observed import Unknown
from hactl.model.parameters import About, ParameterKind
from hactl.model.units import duration, size
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Meanwhile,
    Memory,
    Scene,
    Shown,
    Standing,
    Verb,
    VerbError,
    exit_sentence,
    run,
    tell,
    wait,
)

_LONG = 12 * 3600.0  # seconds that a backup or a look at all of it may take
_ASK_AGAIN = 2.0  # seconds

_Service = Annotated[str, About("the pgbackrest service", ParameterKind.SERVICE)]
_Number = Annotated[int, About("the repository's number; 0: the first that the inventory names", minimum=0)]


@dataclass(frozen=True, slots=True)
class TakeArguments:
    service: _Service
    kind: Annotated[str, About("how much of the database it copies", choices=commands.KINDS)] = "incr"
    repository: _Number = 0


@dataclass(frozen=True, slots=True)
class VerifyArguments:
    service: _Service
    repository: _Number = 0


Arguments = TakeArguments | VerifyArguments


def _service(scene: Scene, args: Arguments) -> PgbackrestService:
    found = scene.inventory.services[args.service]
    assert isinstance(found, PgbackrestService), "`problem` has looked"  # noqa: S101 - says so to mypy
    return found


def _number(scene: Scene, args: Arguments) -> int:
    return args.repository or _service(scene, args).repositories[0]


def _problem(scene: Scene, args: Arguments) -> str:
    found = scene.inventory.services.get(args.service)
    if not isinstance(found, PgbackrestService):
        return f"{args.service} is no pgbackrest service"
    if found.repository_host != scene.target.name:
        return f"the repository of {found.name} is on {found.repository_host}"
    if args.repository and args.repository not in found.repositories:
        numbers = ", ".join(map(str, found.repositories))
        return f"{found.name} has no repository {args.repository}, but {numbers}"
    return ""


def _runs(scene: Scene, service: PgbackrestService) -> bool:
    """Whether a backup was being made there when it was last asked."""
    return any(one.known is not None and one.known.facts.running for one in repositories(service, scene.picture))


def _facts(service: PgbackrestService) -> Doing[PgbackrestFacts]:
    """What the repositories hold now. Raises VerbError."""
    done = yield from run(pgbackrest.info_command(service))
    try:
        return pgbackrest.parse(service.stanza, done, Asked(0.0, 0.0))
    except ParseError as error:
        raise VerbError(error.message.rstrip(".")) from None


class Take(Verb[TakeArguments]):
    name = "backup.run"
    summary = "Take a backup of the database into one of the repositories on the node."
    arguments = TakeArguments
    deadline = _LONG

    def problem(self, scene: Scene, args: TakeArguments) -> str:
        return _problem(scene, args)

    def seconds(self, args: TakeArguments) -> float:
        return 60.0 if args.kind == "full" else 20.0

    def first(self, scene: Scene, args: TakeArguments) -> tuple[Shown, ...]:
        return (shown_command(scene, self._command(scene, args)),)

    def rights(self, scene: Scene, args: TakeArguments) -> tuple[Command, ...]:
        return (self._command(scene, args),)

    def preflight(self, scene: Scene, args: TakeArguments) -> Doing[tuple[GuardVerdict, ...]]:
        """PgBackRest takes one of a database at a time, into whichever repository."""
        service = _service(scene, args)
        facts = yield from _facts(service)
        busy = [service] if facts.running else []
        busy += [one for one in backup_services(scene.inventory) if one.name != service.name and _runs(scene, one)]
        return tuple(
            GuardVerdict(
                "backup-running",
                Ruling.REFUSE,
                f"another backup of {one.name} is being made on {one.repository_host}",
                one.repository_host,
            )
            for one in busy
            if one.database == service.database
        )

    def check(self, scene: Scene, args: TakeArguments) -> Doing[Standing]:
        service, number = _service(scene, args), _number(scene, args)
        facts = yield from _facts(service)
        mine = _mine(facts, number, scene.run)
        if mine is None:
            return Standing(done=False, sentence=f"repository {number} holds no backup of this run")
        if mine.error:
            return Standing(done=False, sentence=f"backup {mine.label} has errors", hopeless=True)
        seconds = mine.stopped - mine.started
        sentence = f"{mine.kind} backup {mine.label}: {size(mine.size)} in {duration(seconds)}"
        facts_ = {"label": mine.label, "kind": mine.kind, "bytes": str(mine.size)}
        if mine.stored is not None:
            sentence, facts_["stored"] = f"{sentence}, {size(mine.stored)} in the repository", str(mine.stored)
        return Standing(done=True, sentence=sentence, facts=facts_)

    def do(self, scene: Scene, args: TakeArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        """One that was begun by this run before hactl was killed is waited for, and not taken again."""
        service, number = _service(scene, args), _number(scene, args)
        while (facts := (yield from _facts(service))).running:
            yield from tell("a backup is being made already")
            yield from wait(_ASK_AGAIN, "the backup that is being made")
        if (mine := _mine(facts, number, scene.run)) is not None and not mine.error:
            return f"backup {mine.label} had been taken"
        asking = command(*commands.progress(service), as_user=service.os_user, timeout=30.0)
        done = yield from run(self._command(scene, args), meanwhile=Meanwhile(asking, _told, _ASK_AGAIN))
        if isinstance(done.exit, Unknown):
            raise ConnectionLostError(scene.target.name, exit_sentence(done, "pgbackrest"))
        if not done.ok:
            raise VerbError(_words(done), remedy=f"Look at the log of pgBackRest on {scene.target.name}.")
        return ""  # what is seen then tells more

    @staticmethod
    def _command(scene: Scene, args: TakeArguments) -> Command:
        service = _service(scene, args)
        argv = commands.backup(service, _number(scene, args), args.kind, scene.run or "run")
        return mutating(argv, as_user=service.os_user, timeout=_LONG)


def _mine(facts: PgbackrestFacts, number: int, run: str) -> Backup | None:
    """The newest backup that this run has taken."""
    found = [one for one in facts.backups if one.repository == number and run and one.notes.get(RUN_NOTE) == run]
    return found[-1] if found else None


def _told(done: Completed) -> tuple[str, Mapping[str, float]]:
    complete = commands.complete(done.stdout) if done.ok else None
    if complete is None:
        return "the backup is being made", {}
    return f"the backup is being made: {complete:.0f} %", {"percent": complete}


def _words(done: Completed) -> str:
    """The reason that pgBackRest gives, without the time and process in front of it."""
    said = [line for line in (done.stdout + "\n" + done.stderr).splitlines() if "ERROR:" in line]
    return f"pgbackrest: {said[0].split('ERROR:', 1)[1].strip()}" if said else exit_sentence(done, "pgbackrest")


class Verify(Verb[VerifyArguments]):
    """Its program ends with 0 whatever it finds: its words tell."""

    name = "backup.verify"
    summary = "Read all of a repository, and see that every file is there and is what it was."
    arguments = VerifyArguments
    mutates = False
    reads_back = False
    always = True
    deadline = _LONG

    def problem(self, scene: Scene, args: VerifyArguments) -> str:
        return _problem(scene, args)

    def seconds(self, args: VerifyArguments) -> float:  # noqa: ARG002 - nothing tells
        return 60.0

    def first(self, scene: Scene, args: VerifyArguments) -> tuple[Shown, ...]:
        return (shown_command(scene, self._command(scene, args)),)

    def rights(self, scene: Scene, args: VerifyArguments) -> tuple[Command, ...]:
        return (self._command(scene, args),)

    def check(self, scene: Scene, args: VerifyArguments) -> Doing[Standing]:
        yield from ()
        return Standing(done=False, sentence=f"repository {_number(scene, args)} has not been read")

    def do(self, scene: Scene, args: VerifyArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        number = _number(scene, args)
        yield from tell(f"reading repository {number}")
        done = answered((yield from run(self._command(scene, args))), "pgbackrest verify")
        found = read_verified(done.stdout)
        if found.wrong:
            raise VerbError(
                f"repository {number} is damaged: {'; '.join(found.wrong)}",
                remedy="Take a full backup now: hactl backup run --type full. Then look for what damages the disk.",
            )
        return (
            f"repository {number} is whole: {found.segments} WAL files, backups: {found.backups}, files: {found.files}"
        )

    @staticmethod
    def _command(scene: Scene, args: VerifyArguments) -> Command:
        service = _service(scene, args)
        return command(*commands.verify(service, _number(scene, args)), as_user=service.os_user, timeout=_LONG)


@dataclass(frozen=True, slots=True)
class Verified:
    """What `pgbackrest verify` has said. `wrong`: in sentences; empty when all is whole."""

    segments: int
    backups: int
    files: int
    wrong: tuple[str, ...]


_ARCHIVE = re.compile(r"archiveId: (\S+), total WAL checked: (\d+), total valid WAL: (\d+)")
_BACKUP = re.compile(r"backup: (\S+), status: ([^,]+), total files checked: (\d+), total valid files: (\d+)")
_COUNTS = re.compile(r"missing: (\d+), checksum invalid: (\d+), size invalid: (\d+), other: (\d+)")
_FAULTS = ("missing", "with another checksum", "of another size", "unreadable")


def read_verified(text: str) -> Verified:
    """Raises VerbError for words that tell nothing: an answer that nobody understands is no clean bill."""
    segments = backups = files = 0
    wrong: list[str] = []
    about = ""
    for line in text.splitlines():
        if found := _ARCHIVE.search(line):
            about = f"the archive {found[1]}"
            segments += int(found[3])
            if found[2] != found[3]:
                wrong.append(f"of {found[2]} WAL files {int(found[2]) - int(found[3])} are not valid")
        elif found := _BACKUP.search(line):
            about = f"backup {found[1]}"
            backups, files = backups + 1, files + int(found[4])
            if found[2].strip() != "valid":
                wrong.append(f"{about} is {found[2].strip()}")
        elif found := _COUNTS.search(line):
            faults = [f"{count} {fault}" for count, fault in zip(found.groups(), _FAULTS, strict=True) if count != "0"]
            wrong += [f"{about}: {', '.join(faults)}"] if faults else []
    status = re.search(r"^status: (.*)$", text, re.MULTILINE)
    if status is None:
        raise VerbError("pgbackrest verify did not say what it has found: version 2.39 or later does")
    if status[1].strip() != "ok" and not wrong:
        wrong.append(f"status {status[1].strip()}")
    return Verified(segments, backups, files, tuple(wrong))


VERBS: tuple[AnyVerb, ...] = (Take(), Verify())
