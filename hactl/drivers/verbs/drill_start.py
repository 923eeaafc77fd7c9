"""The step of a restore drill that starts the restored server and waits until it has recovered."""

from __future__ import annotations

import re

from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs.command_lines import known
from hactl.drivers.verbs.drill_commands import Scratch
from hactl.drivers.verbs.drill_prepare import DrillArguments, DrillVerb, target_of
from hactl.drivers.verbs.drill_scratch import LONG, acting, done, look, plan_line, reading, scratch_of, working
from hactl.drivers.verbs.drill_server import HBA, reached, read_needed, running, settings, why_not
from hactl.model.verb import Doing, Memory, Scene, Shown, Standing, VerbError, now, run, tell, wait

_SHORTLY, _AT_MOST = 0.1, 1.0  # seconds between two looks
_PART = 0.02  # of the time that it has taken: looking more seldom would measure the looking
_REPLAYING = re.compile(r"startup (?:recovering|waiting for) ([0-9A-F]{24})")


class Start(DrillVerb):
    name = "drill.start"
    summary = "Start the restored server, which nobody else can reach, and wait until it has recovered."
    urgent = True
    deadline = LONG

    def seconds(self, args: DrillArguments) -> float:  # noqa: ARG002 - nothing tells before the first drill
        return 10.0

    def first(self, scene: Scene, args: DrillArguments) -> tuple[Shown, ...]:
        scratch = scratch_of(scene, args.service)
        return (plan_line(scene, acting(scratch.service, commands.start(scratch))),)

    def check(self, scene: Scene, args: DrillArguments) -> Doing[Standing]:
        if (came := scene.outcomes.get("restore")) is not None and not came.done:
            return Standing(done=True, sentence="there is nothing to start: nothing was restored")
        seen = yield from reached(scratch_of(scene, args.service))
        if seen is None:
            return Standing(done=False, sentence="the restored server does not answer")
        if seen.recovering:
            return Standing(done=False, sentence="the restored server is recovering")
        facts = {"lsn": str(seen.lsn)} | ({"at": f"{seen.at:.3f}"} if seen.at is not None else {})
        return Standing(done=True, sentence="the restored server has recovered and answers", facts=facts)

    def do(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - prepare has it
        scratch = scratch_of(scene, args.service)
        if not (yield from running(scratch)):
            yield from _begun(scene, args, scratch)
        begun = yield from now()
        while (seen := (yield from reached(scratch))) is None or seen.recovering:
            if not (yield from running(scratch)):
                raise VerbError(f"the restored server has ended: {(yield from why_not(scene, scratch))}")
            yield from tell((yield from _progress(scratch)))
            taken = (yield from now()) - begun
            yield from wait(min(max(_PART * taken, _SHORTLY), _AT_MOST), "the restored server recovers")
        return ""


def _begun(scene: Scene, args: DrillArguments, scratch: Scratch) -> Doing[None]:
    """Configure it and start it. Raises VerbError when it ends at once."""
    service = scratch.service
    if not (yield from look(scene, scratch)).restored:
        raise VerbError(f"{scratch.data} holds no database")
    yield from done(scene, acting(service, commands.forget_settings(scratch)), "truncate")
    control = yield from done(scene, reading(service, commands.control(scratch)), "pg_controldata")
    text = settings(scratch, target_of(scene, args), read_needed(control.stdout))
    for name, words in (("postgresql.conf", text), ("pg_hba.conf", HBA)):
        yield from done(scene, acting(service, commands.write(scratch, name), stdin=words), "tee")
    started = yield from run(acting(service, commands.start(scratch)))
    # One that recovers for longer than pg_ctl waits has not failed.
    if known(scene, started, "pg_ctl start") and not (yield from running(scratch)):
        raise VerbError(f"the restored server did not start: {(yield from why_not(scene, scratch))}")


def _progress(scratch: Scratch) -> Doing[str]:
    """What its startup process says that it is at."""
    found = [_REPLAYING.search(line) for line in (yield from working(scratch))]
    segments = [match[1] for match in found if match]
    return f"replaying {segments[0]}" if segments else "the restored server starts"
