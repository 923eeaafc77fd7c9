"""Taking backups and reading repositories, against a pgBackRest of plain Python."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest

from hactl.drivers.verbs.backup import TakeArguments, VerifyArguments, read_verified
from hactl.drivers.verbs.catalogue import VERBS
from hactl.model.command import Completed
from hactl.model.errors import ConnectionLostError
from hactl.model.observed import Unknown
from hactl.model.verb import RunCommand, Scene, VerbError
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import RUN, scene_of
from tests.model.builders import Cluster

TAKE, VERIFY = VERBS["backup.run"], VERBS["backup.verify"]
ARGS = TakeArguments("backup", "full")


@pytest.fixture
def scene() -> Scene:
    return scene_of("backup1")


@dataclass
class Repository(World):
    """`runs`: who took each backup. `busy`: for how many questions a backup of somebody is still being made."""

    runs: list[str] = field(default_factory=list)
    busy: int = 0
    error: bool = False
    end: Completed = Completed(0, "", "", 0.01)  # noqa: RUF009 - frozen
    takes: bool = True  # whether the command leaves a backup behind

    def __post_init__(self) -> None:
        self.run = self._run

    def _run(self, ask: RunCommand) -> Completed:
        assert ask.command.as_user == "pgbackrest"
        words = ask.command.argv
        if words[-1] == "info":
            self.busy -= 1
            return done(json.dumps([self._stanza()]))
        assert words[:2] == ("pgbackrest", "--stanza=main")
        if self.takes:
            self.runs.append(next(word for word in words if word.startswith("--annotation=")).rpartition("=")[2])
        return self.end

    def _stanza(self) -> dict[str, object]:
        return {
            "name": "main",
            "db": [{"id": 1, "system-id": 7}],
            "archive": [],
            "repo": [{"key": 1, "status": {"code": 0, "message": "ok"}}],
            "status": {"code": 0, "message": "ok", "lock": {"backup": {"held": self.busy > 0}}},
            "backup": [self._backup(number, run) for number, run in enumerate(self.runs)],
        }

    def _backup(self, number: int, run: str) -> dict[str, object]:
        return {
            "label": f"backup-{number}",
            "type": "full",
            "error": self.error,
            "prior": None,
            "archive": {"start": None, "stop": None},
            "database": {"id": 1, "repo-key": 1},
            "info": {"size": 2048, "repository": {"delta": 1024}},
            "timestamp": {"start": 100 * number, "stop": 100 * number + 9},
            "annotation": {"hactl-run": run} if run else None,
        }


def test_it_is_taken_once_and_known_by_its_run(scene: Scene) -> None:
    world = Repository(runs=["", "another"])
    assert not world.play(TAKE.check(scene, ARGS)).done
    world.play(TAKE.do(scene, ARGS, {}))
    assert world.changed == [
        f"target: pgbackrest --stanza=main --repo=1 --type=full --annotation=hactl-run={RUN} backup"
    ]
    standing = world.play(TAKE.check(scene, ARGS))
    assert standing.done
    assert standing.sentence == "full backup backup-2: 2 KiB in 9 s, 1 KiB in the repository"
    assert standing.facts["label"] == "backup-2"


def test_one_that_was_begun_before_is_waited_for_and_not_taken_again(scene: Scene) -> None:
    world = Repository(runs=[RUN], busy=4)
    assert world.play(TAKE.do(scene, ARGS, {})) == "backup backup-0 had been taken"
    assert (world.changed, world.waited) == ([], 6.0)


def test_one_with_errors_is_none(scene: Scene) -> None:
    standing = Repository(runs=[RUN], error=True).play(TAKE.check(scene, ARGS))
    assert (standing.done, standing.hopeless, standing.sentence) == (False, True, "backup backup-0 has errors")


def test_two_at_once_are_refused(scene: Scene) -> None:
    assert Repository().play(TAKE.preflight(scene, ARGS)) == ()
    (verdict,) = Repository(busy=9).play(TAKE.preflight(scene, ARGS))
    assert (verdict.guard, verdict.blocks) == ("backup-running", True)
    elsewhere = Cluster().change("backup2", "pgbackrest:offsite", running=True).picture()
    (verdict,) = Repository().play(TAKE.preflight(replace(scene, picture=elsewhere), ARGS))
    assert (verdict.node, verdict.sentence) == ("backup2", "another backup of offsite is being made on backup2")


def test_its_reason_is_pgbackrests(scene: Scene) -> None:
    said = "2026-11-21 09:00:00.000 P00  ERROR: [082]: WAL segment 000000010000000000000009 was not archived\n"
    world = Repository(end=done(stderr=said, exit=82), takes=False)
    with pytest.raises(VerbError, match=r"pgbackrest: \[082\]: WAL segment 0{7}1.* was not archived"):
        world.play(TAKE.do(scene, ARGS, {}))
    world = Repository(end=Completed(Unknown("connection lost", 0.0), "", "", 0.1), takes=False)
    with pytest.raises(ConnectionLostError):
        world.play(TAKE.do(scene, ARGS, {}))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("    status: ok (backup/expire running - 65.27% complete)\n", ("the backup is being made: 65 %", 65.27)),
        ("    status: ok (backup/expire running)\n", ("the backup is being made", None)),
    ],
)
def test_how_far_it_is_is_told_meanwhile(scene: Scene, said: str, told: tuple[str, float | None]) -> None:
    world = Repository()
    world.play(TAKE.do(scene, ARGS, {}))
    (asked,) = (ask.meanwhile for ask in world.asked if isinstance(ask, RunCommand) and ask.meanwhile)
    assert asked.command.argv == ("pgbackrest", "--stanza=main", "info")
    sentence, numbers = asked.told(done(said))
    assert (sentence, numbers.get("percent")) == told


@pytest.mark.parametrize(
    ("node", "arguments", "why"),
    [
        ("backup1", TakeArguments("shop"), "shop is no pgbackrest service"),
        ("db1", ARGS, "the repository of backup is on backup1"),
        ("backup1", TakeArguments("backup", repository=2), "backup has no repository 2, but 1"),
        ("backup1", ARGS, ""),
    ],
)
def test_what_can_never_be_done_is_said_in_the_plan(node: str, arguments: TakeArguments, why: str) -> None:
    assert TAKE.problem(scene_of(node), arguments) == why


# --- verify ---

WHOLE = """stanza: main
status: ok
  archiveId: 15-1, total WAL checked: 19, total valid WAL: 19
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261121-191033F, status: valid, total files checked: 1259, total valid files: 1259
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
"""
DAMAGED = WHOLE.replace("status: ok", "status: error").replace(
    "valid WAL: 19\n    missing: 0", "valid WAL: 17\n    missing: 2"
)
INVALID = (
    WHOLE.replace("status: ok", "status: error")
    .replace("status: valid", "status: invalid")
    .replace(
        "valid files: 1259\n    missing: 0, checksum invalid: 0",
        "valid files: 1258\n    missing: 0, checksum invalid: 1",
    )
)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (WHOLE, ()),
        (DAMAGED, ("of 19 WAL files 2 are not valid", "the archive 15-1: 2 missing")),
        (INVALID, ("backup 20261121-191033F is invalid", "backup 20261121-191033F: 1 with another checksum")),
        ("stanza: main\nstatus: error\n  no backups exist in repo1\n", ("status error",)),
    ],
)
def test_what_verify_says(said: str, wrong: tuple[str, ...]) -> None:
    assert read_verified(said).wrong == wrong


def test_what_nobody_understands_is_no_clean_bill() -> None:
    with pytest.raises(VerbError, match="did not say"):
        read_verified("")


def test_a_damaged_repository_fails_the_step(scene: Scene) -> None:
    args = VerifyArguments("backup")
    world = World(run=lambda _: done(WHOLE))
    assert world.play(VERIFY.do(scene, args, {})) == "repository 1 is whole: 19 WAL files, backups: 1, files: 1259"
    assert world.changed == []
    with pytest.raises(VerbError, match="repository 1 is damaged: of 19 WAL files 2"):
        World(run=lambda _: done(DAMAGED)).play(VERIFY.do(scene, args, {}))
    with pytest.raises(VerbError, match="exit status 1"):
        World(run=lambda _: done("", exit=1)).play(VERIFY.do(scene, args, {}))
