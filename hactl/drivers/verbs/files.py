"""Verbs for files of nodes that restic keeps: back them up, and see that their repository is whole.

A snapshot says in a tag which run took it, so that it is known for sure whether it was taken, whatever became of hactl
meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from hactl.drivers import restic
from hactl.drivers.probe import Asked
from hactl.drivers.verbs import restic_commands as commands
from hactl.drivers.verbs.command_lines import known, mutating
from hactl.drivers.verbs.command_lines import shown as shown_command
from hactl.model.command import Command, Completed, command
from hactl.model.errors import ParseError
from hactl.model.facts import RepositoryTrouble, ResticFacts, Snapshot
from hactl.model.inventory import ResticService
from hactl.model.parameters import About, ParameterKind
from hactl.model.snapshots import run_of
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
    run,
    tell,
    wait,
)

LONG = 12 * 3600.0  # seconds that a backup, a restore or a look at all of it may take
SHORT = 8
"""So many digits of a snapshot's id restic shows, and takes for the whole."""
_ASK_AGAIN = 2.0  # seconds
_NOISE = re.compile(r"disabling cache|^Load\(|^Fatal: repository contains errors")
_SKIPPED = re.compile(r"^(.* does not exist), skipping$", re.MULTILINE)
_INCOMPLETE = 3  # restic's exit status: it has taken a snapshot, and some of the files could not be read


@dataclass(frozen=True, slots=True)
class FilesArguments:
    service: Annotated[str, About("the restic service", ParameterKind.SERVICE)]


def kept(scene: Scene, name: str) -> ResticService:
    found = scene.inventory.services[name]
    assert isinstance(found, ResticService), "`problem` has looked"  # noqa: S101 - says so to mypy
    return found


def objection(scene: Scene, name: str) -> str:
    """Why nothing can be done about this service on this node; "" when it can."""
    found = scene.inventory.services.get(name)
    if not isinstance(found, ResticService):
        return f"{name} is no restic service"
    return "" if scene.target.name in found.nodes else f"{name} has no files of {scene.target.name}"


def holds(scene: Scene, service: ResticService) -> Doing[ResticFacts]:
    """What the node's repository holds now. Raises VerbError."""
    done = yield from run(restic.snapshots_command(service, scene.target.name))
    try:
        facts = restic.parse(done, Asked(0.0, 0.0))
    except ParseError as error:
        raise VerbError(error.message.rstrip(".")) from None
    if facts.trouble is not None:
        raise VerbError(f"the repository cannot be used: {facts.message}")
    return facts


def unlocked(scene: Scene, service: ResticService, asked: Command) -> Doing[Completed]:
    """What the command says; where a lock is in its way that nobody holds any more, it is asked once more without."""
    done = yield from run(asked)
    if restic.trouble_of(done) is RepositoryTrouble.LOCKED:
        yield from tell("the repository is locked: ending the locks of those who are gone")
        argv = commands.unlock(service, scene.target.name)
        known(scene, (yield from run(mutating(argv, as_user=service.os_user, timeout=120.0))), "restic unlock")
        done = yield from run(asked)
    return done


class Take(Verb[FilesArguments]):
    name = "files.backup"
    summary = "Back the node's files up into its restic repository."
    arguments = FilesArguments
    deadline = LONG

    def problem(self, scene: Scene, args: FilesArguments) -> str:
        return objection(scene, args.service)

    def seconds(self, args: FilesArguments) -> float:  # noqa: ARG002 - nothing tells
        return 20.0

    def first(self, scene: Scene, args: FilesArguments) -> tuple[Shown, ...]:
        return (shown_command(scene, self._command(scene, args)),)

    def rights(self, scene: Scene, args: FilesArguments) -> tuple[Command, ...]:
        return (self._command(scene, args),)

    def check(self, scene: Scene, args: FilesArguments) -> Doing[Standing]:
        facts = yield from holds(scene, kept(scene, args.service))
        if (mine := _mine(facts, scene.run)) is None:
            return Standing(done=False, sentence="the repository holds no snapshot of this run")
        told = [duration(mine.took)] if mine.took is not None else []
        told += [f"{size(mine.size)} of files"] if mine.size is not None else []
        sentence = f"snapshot {mine.id[:SHORT]}" + (f": {', '.join(told)}" if told else "")
        return Standing(done=True, sentence=sentence, facts={"snapshot": mine.id[:SHORT]})

    def do(self, scene: Scene, args: FilesArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        """One that this run had begun before hactl was killed is waited for, and not taken again."""
        service = kept(scene, args.service)
        while (yield from _at_work(scene.run)):
            yield from tell("the backup is being made already")
            yield from wait(_ASK_AGAIN, "the backup that is being made")
        if (mine := _mine((yield from holds(scene, service)), scene.run)) is not None:
            return f"snapshot {mine.id[:SHORT]} had been taken"
        done = yield from unlocked(scene, service, self._command(scene, args))
        if known(scene, done, "restic backup"):
            raise VerbError(_failed(done), remedy=f"Look at restic and its repository on {scene.target.name}.")
        if skipped := _SKIPPED.search(done.stderr):
            raise VerbError(f"not everything was backed up: {skipped[1]}", remedy="Correct `paths` in the inventory.")
        if processed := re.search(r"^processed (.+)$", done.stdout, re.MULTILINE):
            yield from tell(f"read {processed[1]}")
        return ""  # what is seen then tells more

    @staticmethod
    def _command(scene: Scene, args: FilesArguments) -> Command:
        service = kept(scene, args.service)
        argv = commands.backup(service, scene.target.name, scene.run or commands.EXAMPLE)
        return mutating(argv, as_user=service.os_user, timeout=LONG)


def _at_work(run_id: str) -> Doing[bool]:
    """Whether the node is at a backup of this run, begun before hactl was killed."""
    return (yield from run(command(*commands.running(run_id), timeout=20.0))).ok


def _mine(facts: ResticFacts, run_id: str) -> Snapshot | None:
    """The newest snapshot that this run has taken."""
    return next((one for one in reversed(facts.snapshots) if run_id and run_of(one) == run_id), None)


def _failed(done: Completed) -> str:
    said = restic.words_of(done)
    if done.exit == _INCOMPLETE:
        return f"the snapshot was taken, but some files could not be read: {said}"
    return f"restic: {said}"


class Verify(Verb[FilesArguments]):
    """It changes nothing, but for the locks of those who are gone."""

    name = "files.verify"
    summary = "Read all of the node's restic repository, and see that everything is there and is what it was."
    arguments = FilesArguments
    reads_back = False
    always = True
    leaves = False
    deadline = LONG

    def problem(self, scene: Scene, args: FilesArguments) -> str:
        return objection(scene, args.service)

    def seconds(self, args: FilesArguments) -> float:  # noqa: ARG002 - nothing tells
        return 60.0

    def first(self, scene: Scene, args: FilesArguments) -> tuple[Shown, ...]:
        return (shown_command(scene, self._command(scene, args)),)

    def rights(self, scene: Scene, args: FilesArguments) -> tuple[Command, ...]:
        return (self._command(scene, args),)

    def check(self, scene: Scene, args: FilesArguments) -> Doing[Standing]:  # noqa: ARG002 - nothing tells
        yield from ()
        return Standing(done=False, sentence="the repository has not been read")

    def do(self, scene: Scene, args: FilesArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service = kept(scene, args.service)
        yield from tell("reading the repository")
        done = yield from unlocked(scene, service, self._command(scene, args))
        if known(scene, done, "restic check") == 0:
            return "the repository is whole"
        if restic.trouble_of(done) is not RepositoryTrouble.DAMAGED:
            raise VerbError(f"restic check: {restic.words_of(done)}")
        raise VerbError(
            f"the repository is damaged: {_damage(done)}",
            remedy="Keep it as it is and back up into a new one; then look for what damages the disk.",
        )

    @staticmethod
    def _command(scene: Scene, args: FilesArguments) -> Command:
        service = kept(scene, args.service)
        return mutating(commands.check(service, scene.target.name), as_user=service.os_user, timeout=LONG)


def _damage(done: Completed) -> str:
    """What restic has found, without what it says besides; the first of it, and how much there is."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip() and not _NOISE.search(line)]
    if not lines:
        return "restic does not say how"
    return lines[0] + (f" (and {len(lines) - 1} more)" if len(lines) > 1 else "")


VERBS: tuple[AnyVerb, ...] = (Take(), Verify())
