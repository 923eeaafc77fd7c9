"""The step of a restore drill that lets pgBackRest restore, with archiving off, into the run's own directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs.command_lines import known
from hactl.drivers.verbs.drill_commands import Scratch
from hactl.drivers.verbs.drill_prepare import DrillArguments, DrillVerb, target_of
from hactl.drivers.verbs.drill_scratch import (
    LONG,
    State,
    acting,
    done,
    look,
    plan_line,
    reading,
    scratch_of,
    working,
)
from hactl.model.command import Completed
from hactl.model.units import size
from hactl.model.verb import (
    Doing,
    Meanwhile,
    Memory,
    Scene,
    Shown,
    Standing,
    VerbError,
    exit_sentence,
    run,
    tell,
    wait,
)

_ASK_AGAIN = 2.0  # seconds


class Restore(DrillVerb):
    """One that goes on from before hactl was killed is waited for. Nothing but scratch space is touched, so no guard is
    asked again: the time that it takes is what the drill measures.
    """

    name = "drill.restore"
    summary = "Restore a backup into the drill's own directory, with archiving off."
    urgent = True
    deadline = LONG

    def seconds(self, args: DrillArguments) -> float:  # noqa: ARG002 - nothing tells before the first drill
        return 30.0

    def first(self, scene: Scene, args: DrillArguments) -> tuple[Shown, ...]:
        scratch = scratch_of(scene, args.service)
        argv = commands.restore(scratch, target_of(scene, args))
        return (plan_line(scene, acting(scratch.service, argv)),)

    def check(self, scene: Scene, args: DrillArguments) -> Doing[Standing]:
        scratch = scratch_of(scene, args.service)
        state = yield from look(scene, scratch)
        if not state.restored:
            return Standing(done=False, sentence=f"{scratch.data} holds no database yet")
        used = yield from run(reading(scratch.service, commands.used(scratch)))
        held = _bytes(used)
        said = f" ({size(held)})" if held is not None else ""
        return Standing(done=True, sentence=f"restored to {scratch.data}{said}")

    def do(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - prepare has it
        scratch = scratch_of(scene, args.service)
        state = yield from _settled(scene, scratch)
        if state.restored:
            return ""
        if not state.prepared:
            raise VerbError(f"{scratch.root} has not been prepared")
        # What was cut off in its middle is begun anew: pgBackRest restores into nothing that holds files.
        yield from done(scene, acting(scratch.service, commands.clear(scratch), timeout=600.0), "rm")
        yield from done(scene, acting(scratch.service, commands.make_folders(scratch)), "mkdir")
        argv = commands.restore(scratch, target_of(scene, args))
        whole = int(scene.remembered.get("prepare", {}).get("size", "0"))
        asked = reading(scratch.service, commands.used(scratch))
        meanwhile = Meanwhile(asked, _told(whole), _ASK_AGAIN)
        restored = yield from run(acting(scratch.service, argv, timeout=LONG), meanwhile=meanwhile)
        if known(scene, restored, "pgbackrest"):
            raise VerbError(reason(restored))
        return ""


def _settled(scene: Scene, scratch: Scratch) -> Doing[State]:
    """What there is once nobody works on it any more."""
    while any("--pg1-path" in line for line in (yield from working(scratch))):
        yield from tell("the restore goes on that was begun before")
        yield from wait(_ASK_AGAIN, "the restore that was begun before")
    return (yield from look(scene, scratch))


def _told(whole: int) -> Callable[[Completed], tuple[str, Mapping[str, float]]]:
    def told(said: Completed) -> tuple[str, Mapping[str, float]]:
        held = _bytes(said)
        if held is None:
            return "restoring", {}
        numbers = {"bytes": float(held)}
        if not whole:
            return f"restored {size(held)}", numbers
        percent = min(100.0, 100.0 * held / whole)
        return f"restored {size(held)} of {size(whole)}", {**numbers, "percent": percent}

    return told


def _bytes(said: Completed) -> int | None:
    """Of `du`, which may have met files that were just being renamed."""
    word = said.stdout.split("\t", 1)[0].strip()
    return int(word) if word.isascii() and word.isdigit() else None


def reason(said: Completed) -> str:
    """Why pgBackRest has failed, in its own words, without the time and process in front of them."""
    lines = (said.stdout + "\n" + said.stderr).splitlines()
    first = next((number for number, line in enumerate(lines) if "ERROR:" in line), None)
    if first is None:
        return exit_sentence(said, "pgbackrest")
    words = [lines[first].split("ERROR:", 1)[1].strip()]
    for line in lines[first + 1 :]:  # what belongs to it is indented
        if not line.startswith("    ") or "HINT" in line:
            break
        words.append(line.strip())
    return f"pgbackrest: {' '.join(words)}"
