"""A drill with files: a snapshot restored into scratch space on the node, compared file by file, and taken down again.

One step does all of it, so that no run ends between the restore and the removal. What a killed one has left behind the
next one finds by its marker and removes, as `hactl drill clean` does. What it has shown is one line of the history in
the scratch space.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, TypeVar

from hactl.drivers import restic
from hactl.drivers.reading import Record, json_of
from hactl.drivers.verbs import restic_commands as commands
from hactl.drivers.verbs.command_lines import answered, known
from hactl.drivers.verbs.command_lines import shown as shown_command
from hactl.drivers.verbs.files import LONG, SHORT, holds, kept, objection
from hactl.drivers.verbs.files_compare import Compared, File, compare, read_files
from hactl.drivers.verbs.files_record import Trial, recorded
from hactl.drivers.verbs.files_scratch import acting, cleaned, cleared, done, made, reading
from hactl.model.command import Command
from hactl.model.drill_lines import written
from hactl.model.drills import LATEST, Verdict
from hactl.model.errors import ParseError
from hactl.model.facts import Snapshot
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import ResticService
from hactl.model.parameters import About, ParameterKind
from hactl.model.units import duration, size
from hactl.model.verb import AnyVerb, Doing, Memory, Scene, Shown, Standing, Verb, VerbError, now, run, tell

T = TypeVar("T")

_SPARE = 64 * 2**20  # bytes that stay free on the scratch space's file system
_GONE = re.compile(r"No such file or directory$")
_LOST = re.compile(r"^ignoring error for (.+)$", re.MULTILINE)
_REMEDY = "See how far the repository is damaged: hactl backup verify. Then look at the disks."
_CAP = "the node's answer was cut off: there are too many files to compare here"


@dataclass(frozen=True, slots=True)
class DrillArguments:
    service: Annotated[str, About("the restic service", ParameterKind.SERVICE)]
    snapshot: Annotated[str, About('the snapshot\'s id, or "latest"')] = LATEST


class Drill(Verb[DrillArguments]):
    name = "files.drill"
    summary = "Restore the node's files into scratch space, compare them one by one, and remove them again."
    arguments = DrillArguments
    reads_back = False
    always = True
    leaves = False
    deadline = LONG

    def problem(self, scene: Scene, args: DrillArguments) -> str:
        if why := objection(scene, args.service):
            return why
        sound = args.snapshot == LATEST or re.fullmatch(r"[0-9a-f]{8,64}", args.snapshot)
        return "" if sound else "a snapshot is called by 8 or more digits of its id"

    def seconds(self, args: DrillArguments) -> float:  # noqa: ARG002 - nothing tells
        return 30.0

    def first(self, scene: Scene, args: DrillArguments) -> tuple[Shown, ...]:
        return tuple(shown_command(scene, one) for one in self.rights(scene, args))

    def rights(self, scene: Scene, args: DrillArguments) -> tuple[Command, ...]:
        service, run_id = kept(scene, args.service), scene.run or commands.EXAMPLE
        node, snapshot = scene.target.name, "0" * 64
        return (
            acting(service, commands.make(service, run_id)),
            acting(service, commands.restore(service, node, snapshot, run_id)),
            acting(service, commands.clear(service, run_id)),
        )

    def preflight(self, scene: Scene, args: DrillArguments) -> Doing[tuple[GuardVerdict, ...]]:
        """Every reason at once: a snapshot to restore, scratch space, and room in it for what the snapshot takes."""
        service, refused = kept(scene, args.service), list[GuardVerdict]()

        def refuse(guard: str, sentence: str) -> None:
            refused.append(GuardVerdict(guard, Ruling.REFUSE, f"{scene.target.name}: {sentence}", scene.target.name))

        free = yield from run(reading(service, commands.room(service)))
        if not free.ok:
            refuse("disk-space", f"there is no scratch space {service.scratch}")
        try:
            snapshot = yield from _chosen(scene, service, args.snapshot)
            wanted = yield from _size(scene, service, snapshot)
        except VerbError as error:
            refuse("targets", error.sentence)
            return tuple(refused)
        if free.ok and _number(free.stdout) - _SPARE < wanted:
            room = f"{size(max(0, _number(free.stdout)))} are free in {service.scratch}"
            refuse("disk-space", f"{room}, the files take {size(wanted)}")
        return tuple(refused)

    def check(self, scene: Scene, args: DrillArguments) -> Doing[Standing]:  # noqa: ARG002 - nothing tells
        yield from ()
        return Standing(done=False, sentence="nothing has been restored")

    def do(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service = kept(scene, args.service)
        yield from cleaned(scene, service)
        trial = yield from _tried(scene, service, args.snapshot)
        record = recorded(scene, service, trial)
        line = f"\n{written(record)}"  # whatever was cut off before ends here
        yield from done(scene, acting(service, commands.note(service), stdin=line), "keeping what it has shown")
        if record.verdict is Verdict.FAIL:
            raise VerbError(trial.sentence, remedy=_REMEDY)
        return trial.sentence


def _tried(scene: Scene, service: ResticService, wanted: str) -> Doing[Trial]:
    """Whatever came of it, nothing is left of it afterwards. Raises VerbError where there is nothing to restore."""
    began, phases = (yield from now()), dict[str, float]()
    snapshot = yield from _chosen(scene, service, wanted)
    yield from made(scene, service)
    phases["prepare"] = (yield from now()) - began
    found, failed = None, ""
    try:
        yield from _timed(phases, "restore", _restore(scene, service, snapshot))
        yield from tell(f"restored in {duration(phases['restore'])}; comparing", seconds=phases["restore"])
        phases["check"] = 0.0
        found = yield from _timed(phases, "check", _compared(scene, service, snapshot))
        yield from tell("compared", files=float(found.files), same=float(found.same))
    except VerbError as error:
        failed = error.sentence
    yield from _timed(phases, "teardown", cleared(scene, service, scene.run))
    return Trial(snapshot, wanted, phases, found, failed)


def _timed(phases: dict[str, float], name: str, doing: Doing[T]) -> Doing[T]:
    """Also of one that fails."""
    began = yield from now()
    try:
        result = yield from doing
    except VerbError:
        phases[name] = (yield from now()) - began
        raise
    phases[name] = (yield from now()) - began
    return result


# --- restoring ----------------------------------------------------------------------------------------------------


def _chosen(scene: Scene, service: ResticService, wanted: str) -> Doing[Snapshot]:
    """Raises VerbError where there is no such snapshot of this node's files."""
    snapshots = (yield from holds(scene, service)).snapshots
    if wanted == LATEST and snapshots:
        return snapshots[-1]
    found = [one for one in snapshots if one.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    raise VerbError("there is no snapshot of its files" + (f" {wanted}" if wanted != LATEST else ""))


def _size(scene: Scene, service: ResticService, snapshot: Snapshot) -> Doing[int]:
    asked = reading(service, commands.size(service, scene.target.name, snapshot.id), timeout=600.0)
    done = answered((yield from run(asked)), "restic stats")
    try:
        return Record.of(json_of(done.stdout, "restic stats"), "restic's answer").integer("total_size")
    except ParseError as error:
        raise VerbError(error.message.rstrip(".")) from None


def _number(text: str) -> int:
    """What df says below its heading; 0 for an answer that tells nothing."""
    words = text.split()
    return int(words[-1]) if words and words[-1].isdecimal() else 0


def _restore(scene: Scene, service: ResticService, snapshot: Snapshot) -> Doing[None]:
    yield from tell(f"restoring snapshot {snapshot.id[:SHORT]}")
    argv = commands.restore(service, scene.target.name, snapshot.id, scene.run)
    done = yield from run(acting(service, argv, timeout=LONG))
    if known(scene, done, "restic restore"):
        lost = _LOST.findall(done.stderr)
        said = f"{lost[0]}{f' (and {len(lost) - 1} more)' if len(lost) > 1 else ''}" if lost else restic.words_of(done)
        raise VerbError(f"snapshot {snapshot.id[:SHORT]} cannot be restored: {said}", remedy=_REMEDY)


# --- comparing ----------------------------------------------------------------------------------------------------


def _compared(scene: Scene, service: ResticService, snapshot: Snapshot) -> Doing[Compared]:
    copies = yield from _files(scene, service, scene.run)
    live = yield from _files(scene, service, "")
    return compare(copies, live, snapshot.taken)


def _files(scene: Scene, service: ResticService, run_id: str) -> Doing[dict[str, File]]:
    """Of a run what it has restored, else the live files: of those some may go while they are looked at."""
    roots = commands.roots(service, run_id)
    said = []
    for argv in (commands.listed(roots), commands.summed(roots)):
        done = yield from run(reading(service, argv, timeout=LONG))
        vanished = not run_id and all(_GONE.search(line) for line in done.stderr.splitlines())
        if known(scene, done, argv[0]) and not vanished:
            raise VerbError(f"files cannot be read: {restic.words_of(done)}")
        if done.truncated:
            raise VerbError(_CAP)
        said.append(done.stdout)
    try:
        return dict(read_files(said[0], said[1], commands.restored(service, run_id) if run_id else ""))
    except ValueError as error:
        raise VerbError(str(error)) from None


VERBS: tuple[AnyVerb, ...] = (Drill(),)
