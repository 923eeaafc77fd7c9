"""The step of a restore drill that looks whether the copy is what it should be. Nothing of it fails the step: what was
found is kept beside the copy, for the verdict.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs import drill_repository
from hactl.drivers.verbs.drill_commands import Scratch
from hactl.drivers.verbs.drill_prepare import DrillArguments, DrillVerb
from hactl.drivers.verbs.drill_scratch import LONG, acting, done, look, plan_line, reading, scratch_of
from hactl.drivers.verbs.drill_server import Reached, reached, statement
from hactl.model.command import Completed
from hactl.model.drills import Check, CheckOutcome
from hactl.model.errors import CommandTimeoutError
from hactl.model.expect import met
from hactl.model.holdings import SEGMENT
from hactl.model.inventory import SqlCheck
from hactl.model.text import one_line
from hactl.model.units import size
from hactl.model.verb import Doing, Memory, Scene, Shown, Standing, VerbError, exit_sentence, run, tell

_ANSWER = 2000  # characters that are kept of a query's answer
_OK, _FAIL, _SKIPPED = CheckOutcome.OK, CheckOutcome.FAIL, CheckOutcome.SKIPPED
_TABLE = "table"
_CHECK = "check "  # what a fact's name begins with that is a check


class Verify(DrillVerb):
    name = "drill.check"
    summary = "Look whether the restored database is sound, new enough, and answers as it should."
    urgent = True
    deadline = LONG

    def seconds(self, args: DrillArguments) -> float:  # noqa: ARG002 - nothing tells before the first drill
        return 20.0

    def first(self, scene: Scene, args: DrillArguments) -> tuple[Shown, ...]:
        scratch = scratch_of(scene, args.service)
        lines = (commands.amcheck(scratch), commands.dump(scratch))
        return tuple(plan_line(scene, reading(scratch.service, argv)) for argv in lines)

    def check(self, scene: Scene, args: DrillArguments) -> Doing[Standing]:
        if (came := scene.outcomes.get("start")) is not None and (not came.done or "lsn" not in came.facts):
            return Standing(done=True, sentence="there is nothing to check: no restored server runs")
        state = yield from look(scene, scratch_of(scene, args.service))
        facts = _kept(state.found)
        if not facts:
            return Standing(done=False, sentence="the copy has not been checked")
        checks = read_checks(facts)
        said = "".join(f"; {one.sentence}" for one in checks if one.name == _TABLE and one.outcome is _OK)
        said += f"; asked, the copy says: {one_line(facts['answer'], 200)}" if "answer" in facts else ""
        return Standing(done=True, sentence=_sentence(checks) + said, facts=facts)

    def do(self, scene: Scene, args: DrillArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - prepare has it
        scratch = scratch_of(scene, args.service)
        now = yield from reached(scratch)
        if now is None or now.recovering:
            raise VerbError("the restored server does not answer any more")
        facts = dict(_age(scene, now))
        if not (args.time or args.backup):  # how old another state is, is what was wanted
            facts |= yield from _newest(scene, scratch)
        checks = [_recovered(scene, args, now)]
        checks += yield from _asked(scratch)
        checks.append((yield from _amcheck(scratch)))
        checks.append((yield from _dumped(scratch)))
        checks.append((yield from drill_repository.compared(scratch, scene.remembered.get("prepare", {}))))
        if args.table:
            checks.append((yield from _kept_table(scene, scratch, args)))
        facts |= {f"{_CHECK}{one.name}": f"{one.outcome}: {one.sentence}" for one in checks}
        if args.query:
            facts["answer"] = yield from _answered(scratch, args)
        argv = commands.write(scratch, "found.json")
        yield from done(scene, acting(scratch.service, argv, stdin=f"{json.dumps(facts)}\n"), "tee")
        return ""


def read_checks(facts: Mapping[str, str]) -> tuple[Check, ...]:
    """Of the step's facts, in their order."""
    found = []
    for key, value in facts.items():
        outcome, _, sentence = value.partition(": ")
        if key.startswith(_CHECK) and outcome in set(CheckOutcome):
            found.append(Check(key.removeprefix(_CHECK), CheckOutcome(outcome), sentence))
    return tuple(found)


def _kept(text: str) -> Mapping[str, str]:
    try:
        told = json.loads(text or "{}")
    except ValueError:
        return {}  # cut off while it was written: it is looked for again
    return {str(key): str(value) for key, value in told.items()} if isinstance(told, dict) else {}


def _sentence(checks: tuple[Check, ...]) -> str:
    wrong = [f"{one.name}: {one.sentence}" for one in checks if one.outcome is _FAIL]
    if wrong:
        return f"{len(wrong)} of {len(checks)} checks failed: {'; '.join(wrong)}"
    skipped = [one.name for one in checks if one.outcome is _SKIPPED]
    return f"{len(checks) - len(skipped)} checks passed" + (f", not made: {', '.join(skipped)}" if skipped else "")


# --- how far it is ------------------------------------------------------------------------------------------------


def _recovered(scene: Scene, args: DrillArguments, now: Reached) -> Check:
    """Up to the end of what the archive had when the drill began: recovery ends without a word where WAL is missing."""
    known = scene.remembered.get("prepare", {})
    segment = known.get("archived", "")
    if args.time or args.backup:
        wanted = f"to {args.time}" if args.time else "to the end of the backup"
        return Check("recovery", _OK, f"it has recovered {wanted}")
    if len(segment) != 24 or not _is_hex(segment):
        return Check("recovery", _SKIPPED, "nobody knows how far the archive goes")
    begin = (int(segment[8:16], 16) << 32) + int(segment[16:24], 16) * SEGMENT
    if now.lsn <= begin:
        return Check("recovery", _FAIL, f"it ends at {position(now.lsn)}, though the archive goes to {segment}")
    return Check("recovery", _OK, f"it has recovered to {position(now.lsn)}, where the archive ends")


def _is_hex(text: str) -> bool:
    return all(letter in "0123456789ABCDEF" for letter in text)


def position(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def _age(scene: Scene, now: Reached) -> Iterator[tuple[str, str]]:
    """How much WAL the primary had written more when the drill began."""
    known = scene.remembered.get("prepare", {})
    if now.at is not None:
        yield "reached", f"{now.at:.3f}"
    if "lsn" in known:
        yield "rpo_bytes", str(max(0, int(known["lsn"]) - now.lsn))


def _newest(scene: Scene, scratch: Scratch) -> Doing[dict[str, str]]:
    """How much older its newest row is than the primary's when the drill began."""
    newest, known = scratch.service.newest, scene.remembered.get("prepare", {})
    if newest is None:
        return {}
    if "newest" not in known:
        return {"unmeasured": known.get("unasked", "nobody asked the primary")}
    said = yield from run(statement(scratch, newest.database, newest.sql))
    try:
        here, there = (float(text) if text else 0.0 for text in (said.stdout.strip(), known["newest"]))
    except ValueError:
        return {"unmeasured": "the question for the newest row is not answered with a number"}
    if not said.ok or (there and not here):
        return {"unmeasured": exit_sentence(said, "psql") if not said.ok else "the copy has no rows"}
    return {"rpo": f"{max(0.0, there - here):.3f}"}


# --- whether it is sound ------------------------------------------------------------------------------------------


def _asked(scratch: Scratch) -> Doing[list[Check]]:
    """The inventory's own questions."""
    found = []
    for check in scratch.service.checks:
        yield from tell(f"asking {check.name}")
        said = yield from _bounded(statement_of(scratch, check))
        found.append(judged(check, said))
    return found


def statement_of(scratch: Scratch, check: SqlCheck) -> Doing[Completed]:
    return (yield from run(statement(scratch, check.database, check.sql)))


def judged(check: SqlCheck, said: Completed) -> Check:
    if not said.ok:
        return Check(check.name, _FAIL, exit_sentence(said, "psql"))
    answer = said.stdout.rstrip("\n")
    if met(check.expect, answer):
        return Check(check.name, _OK, one_line(answer, 100))
    return Check(check.name, _FAIL, f"{one_line(answer, 100) or 'nothing'}, and not {check.expect}")


def _amcheck(scratch: Scratch) -> Doing[Check]:
    """It ends with 2 where it has found damage."""
    yield from tell("looking for damage in tables and indexes")
    said = yield from _bounded(_run(scratch, commands.amcheck(scratch)))
    if said.ok:
        return Check("amcheck", _OK, "no damage in any table or index")
    what = one_line(next((line for line in said.stdout.splitlines() if line.strip()), ""), 200)
    found = f"damage: {what}" if said.exit == 2 and what else exit_sentence(said, "pg_amcheck")
    return Check("amcheck", _FAIL, found)


def _dumped(scratch: Scratch) -> Doing[Check]:
    yield from tell("reading every row")
    said = yield from _bounded(_run(scratch, commands.dump(scratch)))
    return (
        Check("dump", _OK, "every row can be read")
        if said.ok
        else Check("dump", _FAIL, exit_sentence(said, "pg_dumpall"))
    )


def _answered(scratch: Scratch, args: DrillArguments) -> Doing[str]:
    yield from tell("asking what was to be shown")
    said = yield from _bounded(run(statement(scratch, args.database, args.query)))
    return said.stdout.rstrip("\n")[:_ANSWER] if said.ok else exit_sentence(said, "psql")


def _kept_table(scene: Scene, scratch: Scratch, args: DrillArguments) -> Doing[Check]:
    """It is there to stay: the operator wants it back in the database that runs."""
    yield from tell(f"keeping table {args.table}")
    said = yield from _bounded(
        run(acting(scratch.service, commands.keep(scratch, args.database, args.table), timeout=LONG))
    )
    if not said.ok:
        return Check(_TABLE, _FAIL, exit_sentence(said, "pg_dump"))
    held = yield from run(reading(scratch.service, commands.measure(scratch)))
    word = held.stdout.split("\t", 1)[0].strip()
    large = f" ({size(int(word))})" if word.isascii() and word.isdigit() else ""
    return Check(_TABLE, _OK, f"{args.table} of {args.database} is in {scene.target.name}:{scratch.table}{large}")


def _run(scratch: Scratch, argv: tuple[str, ...]) -> Doing[Completed]:
    return (yield from run(reading(scratch.service, argv, timeout=LONG)))


def _bounded(asking: Doing[Completed]) -> Doing[Completed]:
    """What takes too long has failed, and not the others."""
    try:
        return (yield from asking)
    except CommandTimeoutError as error:
        return Completed(124, "", error.message, LONG)
