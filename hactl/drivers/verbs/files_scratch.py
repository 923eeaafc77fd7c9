"""Scratch space of drills with files: made, marked, found again, taken down; and the verb that removes what was left.

Nothing is removed but what lies where hactl puts it and says itself that it is of this cluster and service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.drivers import drill, restic
from hactl.drivers.drill import Marker, began
from hactl.drivers.probe import Asked
from hactl.drivers.verbs import restic_commands as commands
from hactl.drivers.verbs.command_lines import known, mutating
from hactl.drivers.verbs.command_lines import shown as shown_command
from hactl.drivers.verbs.files import LONG, kept, objection
from hactl.model.command import Command, Completed, command
from hactl.model.drills import DrillFacts
from hactl.model.errors import ParseError
from hactl.model.inventory import ResticService
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import AnyVerb, Doing, Memory, Scene, Shown, Standing, Verb, VerbError, run, tell


def reading(service: ResticService, argv: tuple[str, ...], *, timeout: float = 60.0) -> Command:
    return command(*argv, as_user=service.os_user, timeout=timeout)


def acting(service: ResticService, argv: tuple[str, ...], *, stdin: str = "", timeout: float = 60.0) -> Command:
    return mutating(argv, as_user=service.os_user, timeout=timeout, stdin=stdin.encode())


def done(scene: Scene, asked: Command, what: str) -> Doing[Completed]:
    """Raises VerbError where it failed, ConnectionLostError where nobody knows."""
    completed = yield from run(asked)
    if known(scene, completed, what):
        raise VerbError(f"{what}: {restic.words_of(completed)}")
    return completed


def made(scene: Scene, service: ResticService) -> Doing[None]:
    """It says at once whose it is."""
    marker = Marker(scene.run, scene.inventory.name, service.name, began(scene.run))
    yield from done(scene, acting(service, commands.make(service, scene.run)), "making scratch space")
    yield from done(scene, acting(service, commands.mark(service, scene.run), stdin=marker.text), "marking it")


def cleared(scene: Scene, service: ResticService, run_id: str) -> Doing[None]:
    """The note goes last: what is left of it is known as ours whatever happens meanwhile."""
    for argv in (commands.clear(service, run_id), commands.remove(service, run_id)):
        yield from done(scene, acting(service, argv, timeout=LONG), "removing what was restored")


def told(scene: Scene, service: ResticService) -> Doing[DrillFacts]:
    """What drills have left on the node. Raises VerbError."""
    said = yield from run(reading(service, drill.argv(service)))
    try:
        return drill.parse(service, scene.inventory.name, said, Asked(0.0, 0.0))
    except ParseError as error:
        raise VerbError(error.message.rstrip(".")) from None


def cleaned(scene: Scene, service: ResticService) -> Doing[tuple[str, ...]]:
    """The runs whose scratch space was there and is removed. Whoever has the cluster's lock knows that no other run
    works in it.
    """
    left = (yield from told(scene, service)).leftovers
    for one in left:
        yield from tell(f"removing what run {one.run} has left behind")
        if one.marked:
            yield from cleared(scene, service, one.run)
        else:
            yield from done(scene, acting(service, commands.remove_empty(service, one.run)), "rmdir")
    return tuple(one.run for one in left)


@dataclass(frozen=True, slots=True)
class CleanArguments:
    service: Annotated[str, About("the restic service", ParameterKind.SERVICE)]


class Clean(Verb[CleanArguments]):
    name = "files.clean"
    summary = "Remove what drills with files that were cut off have left behind on the node."
    arguments = CleanArguments
    leaves = False
    deadline = LONG

    def problem(self, scene: Scene, args: CleanArguments) -> str:
        return objection(scene, args.service)

    def first(self, scene: Scene, args: CleanArguments) -> tuple[Shown, ...]:
        return tuple(shown_command(scene, one) for one in self.rights(scene, args))

    def rights(self, scene: Scene, args: CleanArguments) -> tuple[Command, ...]:
        service, run_id = kept(scene, args.service), scene.run or commands.EXAMPLE
        return (acting(service, commands.remove(service, run_id)),)

    def check(self, scene: Scene, args: CleanArguments) -> Doing[Standing]:
        left = [one.run for one in (yield from told(scene, kept(scene, args.service))).leftovers]
        if not left:
            return Standing(done=True, sentence=f"no drill has left anything on {scene.target.name}")
        return Standing(done=False, sentence=f"left behind on {scene.target.name} by {', '.join(left)}")

    def do(self, scene: Scene, args: CleanArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        left = yield from cleaned(scene, kept(scene, args.service))
        return f"removed what {', '.join(left)} had left" if left else ""


VERBS: tuple[AnyVerb, ...] = (Clean(),)
