"""Files backed up, read and restored by restic, against a restic of plain Python."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest

from hactl.drivers.drill import Marker
from hactl.drivers.verbs import restic_commands as commands
from hactl.drivers.verbs.files import VERBS as KEEPING
from hactl.drivers.verbs.files import FilesArguments
from hactl.drivers.verbs.files_drill import VERBS as DRILLING
from hactl.drivers.verbs.files_drill import DrillArguments
from hactl.drivers.verbs.files_scratch import VERBS as CLEARING
from hactl.drivers.verbs.files_scratch import CleanArguments
from hactl.model.command import Completed
from hactl.model.drill_lines import read_records
from hactl.model.errors import ConnectionLostError
from hactl.model.inventory import ResticService
from hactl.model.observed import Unknown
from hactl.model.verb import RunCommand, Scene, VerbError
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import RUN, scene_of
from tests.model.builders import with_uploads

VERBS = {verb.name: verb for verb in (*KEEPING, *DRILLING, *CLEARING)}
TAKE, VERIFY, DRILL = VERBS["files.backup"], VERBS["files.verify"], VERBS["files.drill"]
CLEAN = VERBS["files.clean"]
ARGS, DRILLED = FilesArguments("uploads"), DrillArguments("uploads")
BASE = "restic --repo=sftp:restic@backup1:/var/lib/restic/app1 --password-file=/etc/restic/password"
SCRATCH = "/var/lib/hactl-drill"
HERE, THERE = "/var/lib/shop/uploads", f"/var/lib/hactl-drill/{RUN}/files/var/lib/shop/uploads"
LOCKED = done(exit=1, stderr="unable to create lock in backend: repository is already locked by PID 7 on app1\n")
DAMAGED = done(
    exit=1,
    stderr="Load(<data/2ebc945f39>, 6, 0) returned error, retrying after 552ms: gone\n"
    "Pack ID does not match, want 2ebc, got 3a92\nerror for tree c88ada27:\nFatal: repository contains errors\n",
)
A, B = "a" * 64, "b" * 64


@pytest.fixture
def scene() -> Scene:
    return on("app1")


def on(node: str) -> Scene:
    return replace(scene_of(node), inventory=with_uploads())


@dataclass
class Restic(World):
    """`runs`: who took each snapshot. `busy`: for how many looks a backup is at work. `says`: how a command ends, once
    or more often; the last for good. `left`: what lies in the scratch space, as `find` tells it. `live`: what the
    shop's file is now. `history`: the lines that were added to it.
    """

    runs: list[str] = field(default_factory=list)
    busy: int = 0
    says: dict[str, list[Completed]] = field(default_factory=dict)
    left: str = ""
    history: list[str] = field(default_factory=list)
    live: str = A
    free: int = 2**30

    def __post_init__(self) -> None:
        self.run = self._run

    def _run(self, ask: RunCommand) -> Completed:
        words = ask.command.argv
        if words[0] == "pgrep":
            assert ask.command.as_user is None
            self.busy -= 1
            return done(exit=0 if self.busy >= 0 else 1)
        assert ask.command.as_user == "restic"
        if words[:2] == ("tee", "--append"):
            self.history.append(ask.command.stdin.decode())
        if words[0] == "rm" and words[-1].count("/") == 4:  # a whole folder
            self.left = "" if words[-1] in self.left else self.left
        does = self._verb(words)
        if (said := self.says.get(does)) is not None:
            ended = said.pop(0) if len(said) > 1 else said[0]
            if not ended.ok:
                return ended
        return self._says(does, words)

    @staticmethod
    def _verb(words: tuple[str, ...]) -> str:
        known = ("snapshots", "backup", "unlock", "check", "stats", "restore")
        return next((word for word in words if word in known), words[0])

    def _says(self, does: str, words: tuple[str, ...]) -> Completed:
        match does:
            case "snapshots":
                return done(json.dumps([self._snapshot(number, run) for number, run in enumerate(self.runs)]))
            case "backup":
                self.runs.append(next(word for word in words if word.startswith("--tag=")).rpartition("=")[2])
                return done("processed 2 files, 3 KiB in 0:01\n")
            case "stats":
                return done('{"total_size": 3072}')
            case "df":
                return done(f"     Avail\n{self.free}\n")
            case "find" if words[1] == SCRATCH:
                return done(f"{SCRATCH}\n     Avail\n{self.free}\n{self.left}")
            case "find":
                return done(self._files(words[1], summed="sha256sum" in words))
        return done()

    def _files(self, root: str, *, summed: bool) -> str:
        sums = A if root == THERE else self.live
        return f"{sums}  {root}/f\n" if summed else f"3:640:900.0:{root}/f\n"

    @staticmethod
    def _snapshot(number: int, run: str) -> dict[str, object]:
        tags = [f"hactl-run={run}"] if run else None
        time = f"1970-01-01T00:{16 + number:02}:40Z"
        return {"time": time, "paths": [HERE], "hostname": "app1", "tags": tags, "id": f"{number:08x}" + "0" * 56}


def lying(run: str, cluster: str = "lab") -> str:
    return f"{SCRATCH}/{run}/.hactl-drill\n{Marker(run, cluster, 'uploads', 1.0).text}4096\t.\n"


# --- backup ---


def test_it_is_taken_once_and_known_by_its_run(scene: Scene) -> None:
    world = Restic(runs=["", "another"])
    assert not world.play(TAKE.check(scene, ARGS)).done
    world.play(TAKE.do(scene, ARGS, {}))
    assert world.changed == [f"target: {BASE} backup --host=app1 --tag=hactl-run={RUN} -- {HERE}"]
    assert world.told == ["read 2 files, 3 KiB in 0:01"]
    standing = world.play(TAKE.check(scene, ARGS))
    assert (standing.done, standing.sentence) == (True, "snapshot 00000002")


def test_one_that_was_begun_before_is_waited_for_and_not_taken_again(scene: Scene) -> None:
    world = Restic(runs=[RUN], busy=2)
    assert world.play(TAKE.do(scene, ARGS, {})) == "snapshot 00000000 had been taken"
    assert (world.changed, world.waited) == ([], 4.0)


def test_whoever_looks_for_a_backup_at_work_does_not_find_itself() -> None:
    argv = commands.running(RUN)
    assert f"--tag=hactl-run={RUN}" not in argv[-1]


def test_a_lock_that_nobody_holds_is_ended_once(scene: Scene) -> None:
    world = Restic(says={"backup": [LOCKED, done()]})
    world.play(TAKE.do(scene, ARGS, {}))
    assert [line.split()[4] for line in world.changed] == ["backup", "unlock", "backup"]
    with pytest.raises(VerbError, match="already locked by PID 7 on app1"):
        Restic(says={"backup": [LOCKED]}).play(TAKE.do(scene, ARGS, {}))


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (done(exit=1, stderr="Fatal: wrong password or no key found\n"), "restic: wrong password or no key found"),
        (done(exit=3, stderr="error: open /f: permission denied\n"), "snapshot was taken, but some files could not be"),
    ],
)
def test_its_reason_is_restics(scene: Scene, end: Completed, why: str) -> None:
    with pytest.raises(VerbError, match=why):
        Restic(says={"backup": [end]}).play(TAKE.do(scene, ARGS, {}))


def test_a_path_that_is_not_there_is_not_passed_over(scene: Scene) -> None:
    """restic ends with 0."""
    world = Restic()
    said = Completed(0, "", f"{HERE} does not exist, skipping\n", 0.1)
    world.run = lambda ask: said if "backup" in ask.command.argv else world._run(ask)
    with pytest.raises(VerbError, match=f"not everything was backed up: {HERE} does not exist"):
        world.play(TAKE.do(scene, ARGS, {}))


def test_an_end_that_nobody_learned_is_no_failure(scene: Scene) -> None:
    world = Restic(says={"backup": [Completed(Unknown("connection lost", 0.0), "", "", 0.1)]})
    with pytest.raises(ConnectionLostError):
        world.play(TAKE.do(scene, ARGS, {}))


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_what_can_never_be_done_is_said_in_the_plan(verb) -> None:
    assert verb.problem(on("app1"), verb.arguments("uploads")) == ""
    assert verb.problem(on("db1"), verb.arguments("uploads")) == "uploads has no files of db1"
    assert verb.problem(on("app1"), verb.arguments("shop")) == "shop is no restic service"


# --- verify ---


def test_a_damaged_repository_fails_the_step_in_restics_words(scene: Scene) -> None:
    assert Restic().play(VERIFY.do(scene, ARGS, {})) == "the repository is whole"
    with pytest.raises(VerbError, match=r"is damaged: Pack ID does not match, want 2ebc, got 3a92 \(and 1 more\)$"):
        Restic(says={"check": [DAMAGED]}).play(VERIFY.do(scene, ARGS, {}))
    with pytest.raises(VerbError, match="restic check: wrong password"):
        Restic(says={"check": [done(exit=12, stderr="Fatal: wrong password")]}).play(VERIFY.do(scene, ARGS, {}))


# --- drill ---


def test_it_is_restored_compared_and_gone_again(scene: Scene) -> None:
    world = Restic(runs=["", ""])
    said = world.play(DRILL.do(scene, DRILLED, {}))
    assert said == "snapshot 00000001: 1 files, 3 B, restored in 0 s; all are what they were"
    root, snapshot = f"/var/lib/hactl-drill/{RUN}", "00000001" + "0" * 56
    assert world.changed == [
        f"target: mkdir --mode=0700 {root}",
        f"target: tee {root}/.hactl-drill",
        f"target: {BASE} --no-lock restore {snapshot} --target={root}/files --include={HERE} --verify",
        f"target: rm --recursive --force -- {root}/files",
        f"target: rm --recursive --force -- {root}",
        f"target: tee --append -- {SCRATCH}/history.jsonl",
    ]
    (record,) = read_records("".join(world.history)).records
    assert (record.verdict, record.kind, record.label, record.node) == ("pass", "files", "00000001", "app1")
    assert (record.size, record.rpo, list(record.phases)) == (3, 0.0, ["prepare", "restore", "check", "teardown"])


def test_what_differs_fails_it_and_the_copy_is_gone_all_the_same(scene: Scene) -> None:
    failed = "same"
    world = Restic(runs=[""], live=B)
    with pytest.raises(VerbError, match=f"1 differ from what was restored: {HERE}/f"):
        world.play(DRILL.do(scene, DRILLED, {}))
    assert f"target: rm --recursive --force -- {SCRATCH}/{RUN}" in world.changed
    (record,) = read_records("".join(world.history)).records
    assert (record.verdict, [one.name for one in record.failed]) == ("fail", [failed])


def test_what_cannot_be_restored_fails_it_too(scene: Scene) -> None:
    failed = "restore"
    lost = done(
        exit=1, stderr=f"ignoring error for {HERE}/f: ciphertext verification failed\nFatal: There were 1 errors\n"
    )
    world = Restic(runs=[""], says={"restore": [lost]})
    with pytest.raises(VerbError, match=f"cannot be restored: {HERE}/f: ciphertext verification failed"):
        world.play(DRILL.do(scene, DRILLED, {}))
    assert f"target: rm --recursive --force -- {SCRATCH}/{RUN}" in world.changed
    (record,) = read_records("".join(world.history)).records
    assert (record.verdict, [one.name for one in record.failed]) == ("fail", [failed])


def test_what_an_earlier_one_has_left_is_removed_and_nothing_else(scene: Scene) -> None:
    ours, others = "20251101-101010-abc", "20251101-101010-xyz"
    world = Restic(runs=[""], left=lying(ours) + lying(others, cluster="other"))
    world.play(DRILL.do(scene, DRILLED, {}))
    removed = [line for line in world.changed if " rm " in line and not line.endswith("/files")]
    assert removed == [f"target: rm --recursive --force -- {SCRATCH}/{run}" for run in (ours, RUN)]


def test_what_was_left_can_be_removed_by_itself(scene: Scene) -> None:
    ours, empty = "20251101-101010-abc", "20251101-101010-xyz"
    world, args = Restic(left=lying(ours) + f"{SCRATCH}/{empty}\n"), CleanArguments("uploads")
    assert world.play(CLEAN.check(scene, args)).sentence == f"left behind on app1 by {ours}, {empty}"
    assert world.play(CLEAN.do(scene, args, {})) == f"removed what {ours}, {empty} had left"
    assert world.changed[-1] == f"target: rmdir -- {SCRATCH}/{empty}"
    assert Restic(left=lying(ours, cluster="other")).play(CLEAN.check(scene, args)).done


@pytest.mark.parametrize(
    ("world", "snapshot", "refused"),
    [
        (Restic(runs=[""]), "latest", []),
        (Restic(runs=[""]), "00000000", []),
        (Restic(runs=[""]), "00000009", [("targets", "app1: there is no snapshot of its files 00000009")]),
        (Restic(), "latest", [("targets", "app1: there is no snapshot of its files")]),
        (
            Restic(
                says={"df": [done(exit=1)], "snapshots": [done(exit=10, stderr="Fatal: repository does not exist")]}
            ),
            "latest",
            [
                ("disk-space", "app1: there is no scratch space /var/lib/hactl-drill"),
                ("targets", "app1: the repository cannot be used: repository does not exist"),
            ],
        ),
        (
            Restic(runs=[""], free=3000),
            "latest",
            [("disk-space", "app1: 2.9 KiB are free in /var/lib/hactl-drill, the files take 3 KiB")],
        ),
    ],
    ids=["latest", "by its id", "another id", "no snapshot", "two reasons", "no room"],
)
def test_every_reason_against_it_is_told_before_anything_is_touched(
    scene: Scene, world: Restic, snapshot: str, refused: list[tuple[str, str]]
) -> None:
    verdicts = world.play(DRILL.preflight(scene, DrillArguments("uploads", snapshot)))
    assert [(one.guard, one.sentence) for one in verdicts] == refused
    assert world.changed == []


def test_a_snapshot_is_called_by_its_id() -> None:
    assert DRILL.problem(on("app1"), DrillArguments("uploads", "--all")) != ""


# --- what sudo grants ---


def test_every_command_is_granted_word_for_word(scene: Scene) -> None:
    import re

    service = scene.inventory.services["uploads"]
    assert isinstance(service, ResticService)
    rules = list(commands.rules(service, "app1"))
    world = Restic(
        runs=[""],
        says={"check": [LOCKED, done()]},
        left=lying("20251101-101010-abc") + f"{SCRATCH}/20251101-101010-xyz\n",
    )
    for doing in (DRILL.preflight(scene, DRILLED), DRILL.do(scene, DRILLED, {}), VERIFY.do(scene, ARGS, {})):
        world.play(doing)
    world.play(TAKE.do(scene, ARGS, {}))
    asked = [ask.command for ask in world.asked if isinstance(ask, RunCommand) and ask.command.as_user]
    # And the questions of two probes; of two runs what was restored is removed, and then the rest.
    assert len({one.argv for one in asked}) == len(rules) + 4
    for one in asked:
        if "snapshots" in one.argv or "/run/lock" in one.argv:
            continue
        arguments = " ".join(one.argv[1:])
        granted = [
            argv
            for argv, pattern, _ in rules
            if argv[0] == one.argv[0] and (re.fullmatch(pattern, arguments) if pattern else argv == one.argv)
        ]
        assert granted, arguments
