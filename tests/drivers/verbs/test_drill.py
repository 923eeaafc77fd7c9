"""Restore drills against a node of plain Python: what is done, in which order; what is refused and left alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from hactl.drivers.drill import Marker, began
from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs.catalogue import VERBS
from hactl.drivers.verbs.drill_check import judged, read_checks
from hactl.drivers.verbs.drill_end import recorded
from hactl.drivers.verbs.drill_prepare import DrillArguments, chosen_backup
from hactl.drivers.verbs.drill_restore import reason
from hactl.drivers.verbs.drill_scratch import moment, scratch_of
from hactl.drivers.verbs.drill_server import read_needed, settings
from hactl.model.command import Completed
from hactl.model.drills import CheckOutcome, Verdict
from hactl.model.facts import Backup, PgbackrestFacts
from hactl.model.inventory import SqlCheck
from hactl.model.verb import Came, RunCommand, Scene, VerbError
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import RUN, scene_of

ARGS = DrillArguments("backup")
HERE = f"/var/lib/pgdrill/{RUN}"
MARKER = Marker(RUN, "lab", "backup", began(RUN)).text
CHOSEN = {"scratch": "absent", "label": "20261121-020000F", "kind": "full", "size": "4096", "chain": "20261121-020000F"}
CHOSEN |= {"reader": "here", "directory": "/var/lib/pgbackrest"}
CHOSEN |= {"since": "1", "archived": "000000010000000000000005", "lsn": str(0x6000000), "newest": "1000"}
CONTROL = """max_connections setting:              60
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           0
max_locks_per_xact setting:           64
"""


@pytest.fixture
def scene() -> Scene:
    return replace(scene_of("backup1"), remembered={"prepare": CHOSEN})


@dataclass
class Node(World):
    """`files`: what is in the scratch space, path -> content. `working`: processes there, one answer after another."""

    files: dict[str, str] = field(default_factory=dict)
    working: list[str] = field(default_factory=list)
    running: bool = False
    restored: Completed = Completed(0, "", "", 0.01)  # noqa: RUF009 - frozen
    reached: str = "f|100000000|1000"  # 0x5F5E100: in segment 5
    newest: str = "990\n"
    control: str = CONTROL

    def __post_init__(self) -> None:
        self.run = self._run

    def _run(self, ask: RunCommand) -> Completed:
        words = ask.command.argv
        name = words[0].rpartition("/")[2]
        answer = getattr(self, f"_{name}", None)
        assert answer is not None, words
        if name != "pgrep":
            assert ask.command.as_user == "pgdrill"
        result: Completed = answer(words, ask.command.stdin.decode())
        return result

    def _find(self, words: tuple[str, ...], _: str) -> Completed:
        if "sha256sum" in words:
            return done("0f  /var/lib/pgbackrest/x\n")
        if not self.files:
            return done(exit=1, stderr=f"find: '{HERE}': No such file or directory")
        return done("".join(f"{path}\n{text}" for path, text in self.files.items()))

    def _mkdir(self, words: tuple[str, ...], _: str) -> Completed:
        self.files |= {path: "" for path in words if path == HERE}
        return done()

    def _tee(self, words: tuple[str, ...], text: str) -> Completed:
        self.files[words[-1]] = text
        return done(text)

    def _cat(self, words: tuple[str, ...], _: str) -> Completed:
        if words[-1] in self.files:
            return done(self.files[words[-1]])
        return done("[global]\nrepo1-path=/var/lib/pgbackrest\n")

    def _rm(self, words: tuple[str, ...], _: str) -> Completed:
        gone = [path for path in self.files if path.startswith(words[5:])]
        self.files = {path: text for path, text in self.files.items() if path not in gone}
        return done()

    def _pgbackrest(self, *_: object) -> Completed:
        if self.restored.ok:
            self.files[f"{HERE}/data/global/pg_control"] = ""
        return self.restored

    def _pg_ctl(self, words: tuple[str, ...], _: str) -> Completed:
        if words[1] == "status":
            return done(exit=0 if self.running else 3)
        self.running = words[1] == "start"
        return done()

    def _psql(self, _: object, text: str) -> Completed:
        if "pg_is_in_recovery" in text:
            return done(self.reached) if self.running else done(exit=2, stderr="no server")
        answers = {"max(at)": self.newest, "to_regclass": "t\n"}
        return done(next((answer for part, answer in answers.items() if part in text), "0\n"))

    def _pgrep(self, *_: object) -> Completed:
        return done(self.working.pop(0) if self.working else "", exit=0)

    def _du(self, *_: object) -> Completed:
        return done(f"2048\t{HERE}\n")

    def _pg_controldata(self, *_: object) -> Completed:
        return done(self.control)

    def _ok(self, *_: object) -> Completed:
        return done()

    _truncate = _pkill = _pg_amcheck = _pg_dumpall = _ok


def prepared() -> dict[str, str]:
    return {HERE: "", f"{HERE}/.hactl-drill": MARKER, f"{HERE}/repository.sha256": "0f  /var/lib/pgbackrest/x\n"}


def whole() -> dict[str, str]:
    return prepared() | {f"{HERE}/data/global/pg_control": ""}


# --- what is done -------------------------------------------------------------------------------------------------


def test_a_place_is_made_and_says_at_once_whose_it_is(scene: Scene) -> None:
    node, verb = Node(), VERBS["drill.prepare"]
    assert not node.play(verb.check(scene, ARGS)).done
    assert "full backup 20261121-020000F of 4 KiB" in node.play(verb.do(scene, ARGS, CHOSEN))
    assert [line.split(" ")[1] for line in node.changed] == ["mkdir", "tee", "tee"]
    assert node.files[f"{HERE}/.hactl-drill"] == MARKER
    assert node.files[f"{HERE}/repository.sha256"].count("/var/lib/pgbackrest/x") == 2
    assert node.play(verb.check(scene, ARGS)).done


def test_it_is_restored_with_archiving_off_and_into_nothing_else(scene: Scene) -> None:
    node, verb = Node(files=prepared()), VERBS["drill.restore"]
    node.play(verb.do(scene, ARGS, {}))
    (line,) = [one for one in node.changed if "pgbackrest" in one]
    assert f"--pg1-path={HERE}/data --archive-mode=off --tablespace-map-all={HERE}/tablespaces" in line
    assert not {"--delta", "--force", "--type=none", "--link-all"} & set(line.split())
    assert node.play(verb.check(scene, ARGS)).done


def test_one_that_goes_on_is_waited_for_and_what_was_cut_off_begun_anew(scene: Scene) -> None:
    going = f"77 pgbackrest --pg1-path={HERE}/data restore\n"
    node = Node(files=whole(), working=[going, going])
    node.play(VERBS["drill.restore"].do(scene, ARGS, {}))
    assert (node.changed, node.waited) == ([], 4.0)
    node = Node(files=whole() | {f"{HERE}/data/backup.manifest": ""})
    node.play(VERBS["drill.restore"].do(scene, ARGS, {}))
    assert [line.split(" ")[1] for line in node.changed] == ["rm", "mkdir", "pgbackrest"]


def test_its_server_gets_a_configuration_of_its_own(scene: Scene) -> None:
    node, verb = Node(files=whole()), VERBS["drill.start"]
    node.play(verb.do(scene, ARGS, {}))
    assert [line.split(" ")[1].rpartition("/")[2] for line in node.changed] == ["truncate", "tee", "tee", "pg_ctl"]
    standing = node.play(verb.check(scene, ARGS))
    assert (standing.done, dict(standing.facts)) == (True, {"lsn": "100000000", "at": "1000.000"})


@pytest.mark.parametrize(
    "line",
    [
        "listen_addresses = ''",
        f"unix_socket_directories = '{HERE}/socket'",
        "archive_mode = 'off'",
        "primary_conninfo = ''",
        "primary_slot_name = ''",
        "shared_preload_libraries = ''",
        "max_logical_replication_workers = 0",
        "max_connections = 60",
        "recovery_target_time = '2026-11-21 14:30:05+00'",
    ],
)
def test_nobody_reaches_it_and_it_reaches_nobody(scene: Scene, line: str) -> None:
    scratch = scratch_of(scene, "backup")
    target = commands.Target(1, time=moment("2026-11-21 14:30:05"))
    text = settings(scratch, target, read_needed(CONTROL))
    assert line in text.splitlines()
    (fetch,) = [one for one in text.splitlines() if one.startswith("restore_command")]
    assert "--repo=1" in fetch
    assert "--config=/etc/pgbackrest-drill.conf" in fetch


def test_what_was_found_is_kept_beside_the_copy(scene: Scene) -> None:
    node, verb = Node(files=whole(), running=True), VERBS["drill.check"]
    args = replace(ARGS, query="SELECT 1")
    assert not node.play(verb.check(scene, args)).done
    node.play(verb.do(scene, args, {}))
    facts = node.play(verb.check(scene, args)).facts
    assert [(one.name, one.outcome) for one in read_checks(facts)] == [
        (name, CheckOutcome.OK)
        for name in ("recovery", "orders-table", "orders-sound", "amcheck", "dump", "repository")
    ]
    assert (facts["rpo"], facts["rpo_bytes"], facts["answer"]) == ("10.000", str(0x6000000 - 100000000), "0")


def test_recovery_that_ends_before_the_archive_does_is_a_failure(scene: Scene) -> None:
    node = Node(files=whole(), running=True, reached=f"f|{0x4FFFF00}|1000")
    node.play(VERBS["drill.check"].do(scene, ARGS, {}))
    (found, *_) = read_checks(json.loads(node.files[f"{HERE}/found.json"]))
    assert (found.name, found.outcome) == ("recovery", CheckOutcome.FAIL)
    assert found.sentence == "it ends at 0/4FFFF00, though the archive goes to 000000010000000000000005"


def test_all_of_it_is_taken_away_the_note_last(scene: Scene) -> None:
    node, verb = Node(files=whole(), running=True, working=["1 postgres"]), VERBS["drill.teardown"]
    node.play(verb.do(scene, ARGS, {}))
    assert [line.split(" ")[1].rpartition("/")[2] for line in node.changed] == ["pg_ctl", "pkill", "rm", "rm"]
    assert node.changed[-1].endswith(f"-- {HERE}")
    assert node.play(verb.check(scene, ARGS)).done


@pytest.mark.parametrize(
    "files",
    [
        {HERE: "", f"{HERE}/theirs": ""},
        {HERE: "", f"{HERE}/.hactl-drill": Marker(RUN, "other", "backup", 1.0).text},
        {HERE: "", f"{HERE}/.hactl-drill": Marker("20260101-000000-abc", "lab", "backup", 1.0).text},
    ],
    ids=["no note", "another cluster's", "another run's"],
)
def test_what_is_not_ours_is_left_alone(scene: Scene, files: dict[str, str]) -> None:
    node = Node(files=files)
    with pytest.raises(VerbError, match="left alone"):
        node.play(VERBS["drill.teardown"].do(replace(scene, remembered={}), ARGS, {}))
    assert node.changed == []


def test_a_place_that_this_run_made_and_could_not_sign_is_its_own(scene: Scene) -> None:
    node = Node(files={HERE: ""})
    node.play(VERBS["drill.prepare"].undo(scene, ARGS, CHOSEN))
    assert node.files == {}


# --- what follows from a failure ----------------------------------------------------------------------------------


def test_after_a_failure_nothing_is_started_or_checked(scene: Scene) -> None:
    failed = Came(done=False, sentence="pgbackrest: no", facts={}, seconds=3.0, attempts=1)
    after = replace(scene, outcomes={"restore": failed})
    assert Node().play(VERBS["drill.start"].check(after, ARGS)).done
    nothing = Came(done=True, sentence="nothing to start", facts={}, seconds=0.0, attempts=0)
    assert Node().play(VERBS["drill.check"].check(replace(scene, outcomes={"start": nothing}), ARGS)).done
    record = recorded(replace(scene, outcomes={"restore": failed, "start": nothing, "check": nothing}), ARGS)
    assert (record.verdict, record.rto, list(record.phases)) == (Verdict.FAIL, None, ["restore"])
    assert [(one.name, one.sentence) for one in record.failed] == [("restore", "pgbackrest: no")]


def came(seconds: float, **facts: str) -> Came:
    return Came(done=True, sentence="", facts=facts, seconds=seconds, attempts=1)


SOUND = {"check amcheck": "ok: no damage", "rpo": "2.5", "rpo_bytes": "99", "reached": "1000.000"}


@pytest.mark.parametrize(
    ("facts", "seconds", "verdict"),
    [
        (SOUND, 10.0, Verdict.PASS),
        (SOUND | {"check dump": "fail: no"}, 10.0, Verdict.FAIL),
        (SOUND | {"check dump": "skipped: no"}, 10.0, Verdict.PARTIAL),
        (SOUND | {"rpo": "301"}, 10.0, Verdict.PARTIAL),
        (SOUND, 400.0, Verdict.PARTIAL),
        (
            {key: value for key, value in SOUND.items() if key != "rpo"} | {"unmeasured": "no right"},
            10.0,
            Verdict.PARTIAL,
        ),
        ({}, 10.0, Verdict.FAIL),
    ],
)
def test_it_is_judged_by_what_was_found(scene: Scene, facts: dict[str, str], seconds: float, verdict: Verdict) -> None:
    outcomes = {
        "restore": came(seconds),
        "start": came(1.0, lsn="5"),
        "check": came(2.0, **facts),
        "teardown": came(1.0),
    }
    record = recorded(replace(scene, outcomes=outcomes), ARGS)
    assert (record.verdict, record.rto, record.label) == (verdict, seconds + 1.0, "20261121-020000F")


# --- what sudo grants ---------------------------------------------------------------------------------------------


def granted(scene: Scene, argv: tuple[str, ...]) -> bool:
    """Whether a rule has these words."""
    scratch = scratch_of(scene, "backup")
    words = " ".join(argv[1:])
    return any(
        rule[0] == argv[0] and (re.fullmatch(pattern, words) if pattern else rule == argv)
        for rule, pattern, _ in commands.rules(scratch.service, scratch.database)
    )


def test_what_a_drill_runs_is_granted_for_any_run(scene: Scene) -> None:
    scratch, time = scratch_of(scene, "backup"), moment("2026-11-21 14:30:05.25")
    label = "20261121-020000F_20261121-030000I"
    for argv in (
        *(commands.restore(scratch, commands.Target(1, label, time)), commands.restore(scratch, commands.Target(1))),
        *(commands.restore(scratch, commands.Target(1, label)), commands.sql(scratch, "shop"), commands.look(scratch)),
        *(commands.end(scratch), commands.clear(scratch), commands.remove(scratch), commands.start(scratch)),
        *(commands.sums(f"/var/lib/pgbackrest/backup/main/{label}", 7), commands.sums("/srv/b/archive/main", 7)),
        commands.write(scratch, "found.json"),
    ):
        assert granted(scene, argv), argv


@pytest.mark.parametrize(
    "change",
    [
        lambda scratch: (*commands.remove(scratch), "/var/lib/pgbackrest"),
        lambda scratch: (*commands.remove(scratch)[:-1], "/var/lib/pgdrill"),
        lambda scratch: (*commands.remove(scratch)[:-1], f"{scratch.root}/.."),
        lambda scratch: (*commands.remove(scratch)[:-1], "/var/lib/pgdrill/20261121-143005-k3f4"),
        lambda scratch: commands.write(scratch, "../../x"),
        lambda scratch: commands.write(scratch, "data/postgresql.conf"),
        lambda scratch: (*commands.restore(scratch, commands.Target(1))[:-1], "--delta", "restore"),
        lambda scratch: commands.restore(scratch, commands.Target(2)),
        lambda scratch: commands.restore(scratch, commands.Target(1, "x y")),
        lambda scratch: commands.sums("/etc/../archive/main", 1),
        lambda scratch: (*commands.sums("/srv/archive/main", 1)[:-2], "rm", "{}", "+"),
    ],
)
def test_near_misses_are_not(scene: Scene, change: Callable[[commands.Scratch], tuple[str, ...]]) -> None:
    assert not granted(scene, change(scratch_of(scene, "backup")))


# --- words --------------------------------------------------------------------------------------------------------


def backup(label: str, stopped: float) -> Backup:
    return Backup(
        label, "full", 1, stopped - 5, stopped, 10, "", "", error=False, database_id=1, prior="", stored=None, notes={}
    )


def test_the_backup_is_the_one_that_pgbackrest_will_take() -> None:
    both = (backup("20261120-000000F", 100.0), backup("20261121-000000F", 2_000_000_000.0))
    facts = PgbackrestFacts("main", 0, "ok", (), both, {}, {}, "", 0.0, running=False)

    def chosen(target: commands.Target) -> str:
        found = chosen_backup(facts, target)
        return found if isinstance(found, str) else found.label

    assert chosen(commands.Target(1)) == "20261121-000000F"
    assert chosen(commands.Target(1, "20261120-000000F")) == "20261120-000000F"
    assert chosen(commands.Target(1, time="2026-11-21 00:00:00+00")) == "20261120-000000F"
    assert "from before 1970" in chosen(commands.Target(1, time="1970-01-01 00:00:00+00"))
    assert "holds no backup 20260101-000000F" in chosen(commands.Target(1, "20260101-000000F"))
    assert "holds no backup that main" in chosen(commands.Target(2))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-21 14:30:05", "2026-11-21 14:30:05+00"),
        ("2026-11-21T14:30:05Z", "2026-11-21 14:30:05+00"),
        ("2026-11-21 15:30:05.5+01:00", "2026-11-21 14:30:05.500000+00"),
    ],
)
def test_a_moment_is_written_in_utc(text: str, written: str) -> None:
    assert moment(text) == written


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"service": "shop"}, "no pgbackrest service"),
        ({"time": "yesterday"}, "is no time"),
        ({"backup": "latest; rm"}, "is no label of a backup"),
        ({"database": "a b"}, "is no name of a database"),
        ({"repository": 7}, "has no repository 7"),
    ],
)
def test_what_can_never_be_is_said_before_anything_is_asked(scene: Scene, change: dict[str, str], said: str) -> None:
    assert said in VERBS["drill.prepare"].problem(scene, replace(ARGS, **change))
    assert "is a server of database" in VERBS["drill.prepare"].problem(scene_of("db1"), ARGS)


def test_pgbackrests_own_reason() -> None:
    text = (
        "2026-11-21 23:03:25.100 P00   INFO: restore command begin 2.45\n"
        "2026-11-21 23:03:25.200 P01  ERROR: [029]: raised from local-1 protocol: lz4 error\n"
        "            [FormatError] on retry after 0ms\n"
        "2026-11-21 23:03:25.300 P00   INFO: restore command end: aborted\n"
    )
    assert reason(done(text, exit=29)) == (
        "pgbackrest: [029]: raised from local-1 protocol: lz4 error [FormatError] on retry after 0ms"
    )


@pytest.mark.parametrize(
    ("expect", "said", "outcome"),
    [("> 0", done("3\n"), "ok"), ("> 0", done("0\n"), "fail"), ("t", done(exit=3, stderr="no table"), "fail")],
)
def test_the_inventorys_questions(expect: str, said: Completed, outcome: str) -> None:
    assert judged(SqlCheck("x", "shop", "SELECT 1", expect), said).outcome == outcome
