"""How a restore drill ends: what it made is taken away, whatever came before; what it has shown is judged and kept."""

from __future__ import annotations

from collections.abc import Mapping

from hactl.drivers.drill import argv as history_argv
from hactl.drivers.drill import began, parse
from hactl.drivers.probe import Asked
from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs.drill_check import read_checks
from hactl.drivers.verbs.drill_prepare import DrillArguments, DrillVerb, target_of
from hactl.drivers.verbs.drill_scratch import (
    acting,
    backups,
    done,
    example,
    look,
    objection,
    plan_line,
    reading,
    scratch_of,
    torn_down,
)
from hactl.model.command import Command
from hactl.model.drill_lines import written
from hactl.model.drills import (
    LATEST,
    PHASES,
    RTO_PHASES,
    Check,
    CheckOutcome,
    DrillFacts,
    DrillRecord,
    Leftover,
    Verdict,
    judged,
)
from hactl.model.errors import ParseError
from hactl.model.inventory import PgbackrestService
from hactl.model.units import duration
from hactl.model.verb import Came, Doing, Memory, Scene, Shown, Standing, VerbError, run

_DEADLINE = 900.0  # seconds: a big database takes its time to be removed


class Teardown(DrillVerb):
    name = "drill.teardown"
    summary = "Stop the restored server and remove all that the drill has made."
    urgent = True
    deadline = _DEADLINE

    def first(self, scene: Scene, args: DrillArguments) -> tuple[Shown, ...]:
        scratch = scratch_of(scene, args.service)
        lines = (commands.stop(scratch), commands.remove(scratch))
        return tuple(plan_line(scene, acting(scratch.service, argv)) for argv in lines)

    def check(self, scene: Scene, args: DrillArguments) -> Doing[Standing]:
        scratch = scratch_of(scene, args.service)
        state = yield from look(scene, scratch)
        if state.there:
            return Standing(done=False, sentence=f"{scratch.root} is still there")
        return Standing(done=True, sentence=f"the server is stopped, {scratch.root} is gone")

    def do(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        return (yield from torn_down(scene, scratch_of(scene, args.service)))


class Judge(DrillVerb):
    """The record is written once; where the drill has failed, so does this step, each time."""

    name = "drill.verdict"
    summary = "Judge what the drill has shown, and keep it in the history on the node."
    urgent = True

    def first(self, scene: Scene, args: DrillArguments) -> tuple[Shown, ...]:
        service = backups(scene, args.service)
        return (plan_line(scene, acting(service, commands.note(service))),)

    def check(self, scene: Scene, args: DrillArguments) -> Doing[Standing]:
        found = yield from _record(scene, backups(scene, args.service))
        if found is None:
            return Standing(done=False, sentence="nothing is written down yet")
        failed = found.verdict is Verdict.FAIL
        return Standing(not failed, sentence(found), {"verdict": str(found.verdict)}, hopeless=failed)

    def do(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        service = backups(scene, args.service)
        found = yield from _record(scene, service)
        if found is None:
            found = recorded(scene, args)
            line = f"\n{written(found)}"  # whatever was cut off before ends here
            yield from done(scene, acting(service, commands.note(service), stdin=line), "tee")
        if found.verdict is Verdict.FAIL:
            raise VerbError(sentence(found), remedy="See docs/handbook/drill.md.")
        return ""


class Clean(DrillVerb):
    """Only scratch space that says that hactl made it for this cluster and service. Whoever has the cluster's lock
    knows that no other run works in it.
    """

    name = "drill.clean"
    summary = "Remove what drills that were cut off have left behind."
    deadline = _DEADLINE

    def problem(self, scene: Scene, args: DrillArguments) -> str:
        return objection(scene, args.service)

    def first(self, scene: Scene, args: DrillArguments) -> tuple[Shown, ...]:
        scratch = scratch_of(scene, args.service)
        return (plan_line(scene, acting(scratch.service, commands.remove(scratch))),)

    def rights(self, scene: Scene, args: DrillArguments) -> tuple[Command, ...]:
        scratch = scratch_of(example(scene), args.service)
        return tuple(acting(scratch.service, argv) for argv in (commands.stop(scratch), commands.remove(scratch)))

    def check(self, scene: Scene, args: DrillArguments) -> Doing[Standing]:
        left = [one.run for one in (yield from _left(scene, args))]
        if not left:
            return Standing(done=True, sentence=f"no drill has left anything on {scene.target.name}")
        return Standing(done=False, sentence=f"left behind on {scene.target.name} by {', '.join(left)}")

    def do(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - none is needed
        left = yield from _left(scene, args)
        for one in left:
            scratch = scratch_of(scene, args.service, one.run)
            if one.marked:
                yield from torn_down(scene, scratch)
            else:
                yield from done(scene, acting(scratch.service, commands.remove_empty(scratch)), "rmdir")
        return f"removed what {', '.join(one.run for one in left)} had left"


def _left(scene: Scene, args: DrillArguments) -> Doing[tuple[Leftover, ...]]:
    """What other runs have left behind."""
    facts = yield from _facts(scene, backups(scene, args.service))
    return tuple(one for one in facts.leftovers if one.run != scene.run)


def _facts(scene: Scene, service: PgbackrestService) -> Doing[DrillFacts]:
    said = yield from run(reading(service, history_argv(service)))
    try:
        return parse(service, scene.inventory.name, said, Asked(0.0, 0.0))
    except ParseError as error:
        raise VerbError(error.message.rstrip(".")) from None


def _record(scene: Scene, service: PgbackrestService) -> Doing[DrillRecord | None]:
    """This run's, when it is written."""
    facts = yield from _facts(scene, service)
    return next((one for one in facts.records if one.run == scene.run), None)


# --- what it has shown --------------------------------------------------------------------------------------------


def recorded(scene: Scene, args: DrillArguments) -> DrillRecord:
    """All that the steps before have found, judged. A phase that was done again has no time of its own."""
    service, target, came = backups(scene, args.service), target_of(scene, args), scene.outcomes
    prepared, facts = scene.remembered.get("prepare", {}), _facts_of(came.get("check"))
    answered = all(_well(came.get(phase)) for phase in RTO_PHASES) and "lsn" in _facts_of(came.get("start"))
    rto = round(sum(came[phase].seconds for phase in RTO_PHASES), 3) if answered else None
    rpo = float(facts["rpo"]) if "rpo" in facts else None
    latest = not (args.time or args.backup)  # how old another state is, is what was wanted
    target_rpo = service.target_rpo if latest else None
    checks = _checks(came, facts, answered=answered)
    return DrillRecord(
        run=scene.run,
        cluster=scene.inventory.name,
        service=service.name,
        repository=target.repository,
        label=prepared.get("label", ""),
        kind=prepared.get("kind", ""),
        target=target.time or target.set or LATEST,
        node=scene.target.name,
        who=scene.who,
        started=began(scene.run),
        phases={phase: round(came[phase].seconds, 3) for phase in PHASES if phase in came and came[phase].attempts},
        rto=rto,
        rpo=rpo if latest else None,
        rpo_bytes=int(facts["rpo_bytes"]) if latest and "rpo_bytes" in facts else None,
        size=int(prepared["size"]) if "size" in prepared else None,
        checks=checks,
        verdict=judged(checks, rto, service.target_rto, rpo if latest else None, target_rpo),
        target_rto=service.target_rto,
        target_rpo=target_rpo,
        reached=float(facts["reached"]) if "reached" in facts else None,
        query=args.query,
        answer=facts.get("answer", ""),
    )


def _facts_of(came: Came | None) -> Mapping[str, str]:
    return came.facts if came is not None else {}


def _well(came: Came | None) -> bool:
    return came is not None and came.done


def _checks(came: Mapping[str, Came], facts: Mapping[str, str], *, answered: bool) -> tuple[Check, ...]:
    """The copy's own; and each phase that has failed, as one."""
    failed = [
        Check(phase, CheckOutcome.FAIL, came[phase].sentence)
        for phase in PHASES
        if phase in came and not came[phase].done
    ]
    if answered and not facts and not failed:
        failed.append(Check("check", CheckOutcome.FAIL, "nothing is known of what was checked"))
    if "unmeasured" in facts:
        failed.append(Check("newest", CheckOutcome.SKIPPED, facts["unmeasured"]))
    return (*failed, *read_checks(facts))


def sentence(record: DrillRecord) -> str:
    """The verdict, and why."""
    whys = [f"{one.name}: {one.sentence}" for one in record.failed or record.skipped]
    whys += ["it took longer than the target"] if record.late else []
    whys += ["more would be lost than the target allows"] if record.stale else []
    parts = [str(record.verdict)]
    if record.rto is not None:
        parts.append(f"RTO {duration(record.rto)}")
    if record.rpo is not None:
        parts.append(f"RPO {duration(record.rpo)}")
    return ", ".join(parts) + (f": {'; '.join(whys)}" if whys and record.verdict is not Verdict.PASS else "")
