"""Restore drills on the real lab: what passes, what fails, what is refused; that production and strangers' files are
left alone, and that nothing stays behind, wherever hactl is killed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.cli.driving import ROOT
from tests.lab.acting import Done, Operator, until
from tests.lab.database import healthy, primaries, psql

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

OK, FAILED, GUARDED = 0, 3, 7
NODE, HERE = "backup1", "/var/lib/pgdrill"
HISTORY = f"{HERE}/history.jsonl"
ARCHIVE = "/var/lib/pgbackrest/archive/main/15-1"
DYING = f"{ROOT / 'tests' / 'lab' / 'dying'}:{ROOT}"
NOW = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
PREPARE, RESTORE, START, CHECK, TEARDOWN, VERDICT = range(6)


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    """What drills of a test have shown is forgotten afterwards: a last one that failed is a critical finding."""
    (tmp_path / "anna").mkdir()
    one, before = Operator(lab, tmp_path / "anna"), strange(lab)
    sh(lab, f"[ ! -e {HISTORY} ] || cp --preserve {HISTORY} {HISTORY}.before")
    yield one
    one.kill_runner()
    sh(lab, f"rm -f {HISTORY}; [ ! -e {HISTORY}.before ] || mv {HISTORY}.before {HISTORY}")
    assert strange(lab) == before
    assert healthy(lab)


def sh(lab: Lab, text: str, node: str = NODE) -> str:
    done = lab.exec(node, ["sh", "-c", text])
    assert done.returncode == 0, done.stderr
    return done.stdout


def scratch(lab: Lab) -> list[str]:
    """What drills have in their directory, but for the history."""
    return sh(lab, f"find {HERE} -mindepth 1 -maxdepth 1 -name '2*'").split()


def works(lab: Lab) -> str:
    """Processes of the drill's user."""
    return sh(lab, "pgrep --euid pgdrill --list-full || :")


def strange(lab: Lab) -> str:
    """What a copy that archives, or writes where backups are, would leave: files of its own, and timelines."""
    return sh(lab, f"find /var/lib/pgbackrest -user pgdrill; find {ARCHIVE} -name '*.history' | sort")


def write(lab: Lab, text: str) -> str:
    """To the shop's database, wherever its primary is now."""
    (primary,) = primaries(lab)
    return psql(lab, primary, text, database="shop")


def last(lab: Lab) -> dict[str, object]:
    """The newest record."""
    lines = sh(lab, f"cat {HISTORY}").split("\n")
    record: dict[str, object] = json.loads([line for line in lines if line][-1])
    return record


def checks(record: dict[str, object]) -> dict[str, tuple[str, str]]:
    found = record["checks"]
    assert isinstance(found, list)
    return {one["name"]: (one["outcome"], one["sentence"]) for one in found}


def drill(anna: Operator, *args: str, **env: str) -> Done:
    return anna("drill", "run", "--yes", *args, **env)


def archived(lab: Lab) -> str:
    """Write, end the segment, and wait until it is in the archive: its name."""
    write(lab, "INSERT INTO orders (key, item, quantity, node) VALUES (gen_random_uuid(), 'x', 1, 'test')")
    segment = write(lab, "SELECT pg_walfile_name(pg_switch_wal())")
    until(lambda: segment in sh(lab, f"ls {ARCHIVE}/*/"), f"{segment} is archived")
    return segment


def test_a_drill_passes_and_shows_a_row_that_was_lost(lab: Lab, anna: Operator) -> None:
    write(lab, "CREATE TABLE precious AS SELECT 'worth keeping' AS said")
    moment = write(lab, f"SELECT pg_sleep(0.01); {NOW}").splitlines()[-1]
    write(lab, "SELECT pg_sleep(0.01); DROP TABLE precious")
    archived(lab)
    done = drill(anna, "--time", moment, "--database", "shop", "--query", "SELECT said FROM precious")
    assert done.returncode == OK, done.stdout + done.stderr
    assert "worth keeping" in done.stdout
    record = last(lab)
    assert (record["verdict"], record["answer"], record["rpo"]) == ("pass", "worth keeping", None)

    done = drill(anna)
    assert done.returncode == OK, done.stdout + done.stderr
    record = last(lab)
    assert record["verdict"] == "pass", record
    assert {name: outcome for name, (outcome, _) in checks(record).items()} == dict.fromkeys(
        ("recovery", "orders-table", "orders-sound", "amcheck", "dump", "repository"), "ok"
    )
    assert list(record["phases"]) == ["prepare", "restore", "start", "check", "teardown"]  # type: ignore[call-overload]
    assert record["rpo"] == 0.0
    assert (scratch(lab), works(lab)) == ([], "")
    listed = json.loads(anna("drill", "list", "--service", "backup", "-o", "json").stdout)
    told = [listed["drills"][0][key] for key in ("run", "verdict", "rto_seconds", "phases_seconds")]
    assert told == [record[key] for key in ("run", "verdict", "rto", "phases")]
    assert listed["services"][0]["last_good"] == record["run"]


def test_a_damaged_repository_fails_it(lab: Lab, anna: Operator) -> None:
    newest = sh(lab, "ls -d /var/lib/pgbackrest/backup/main/*F | tail -n 1 | xargs basename").strip()
    lab.faults.inject("damage-backup")
    done = drill(anna, "--backup", newest)
    assert done.returncode == FAILED, done.stdout
    outcome, sentence = checks(last(lab))["restore"]
    assert outcome == "fail"
    assert re.match(r"pgbackrest: \[\d{3}\]: ", sentence), f"in its own words, which depend on the byte: {sentence}"
    assert (scratch(lab), works(lab)) == ([], "")


def test_what_is_in_the_way_is_said_at_once(lab: Lab, anna: Operator) -> None:
    """A port in use, and no room: both reasons, and nothing is touched."""
    lab.faults.inject("disk-full", NODE, path=HERE, percent="95")
    sh(lab, "systemd-run --quiet --unit=squatter --collect socat TCP-LISTEN:5499,fork /dev/null")
    try:
        until(lambda: "5499" in sh(lab, "ss -Hltn"), "somebody listens")
        done = drill(anna)
        assert done.returncode == GUARDED, done.stdout + done.stderr
        assert "port 5499 is in use" in done.stdout + done.stderr
        assert "has room for" in done.stdout + done.stderr
        assert scratch(lab) == []
    finally:
        sh(lab, "systemctl stop squatter")


def test_killed_while_it_restores_what_is_left_is_found_and_cleaned_and_strangers_stay(
    lab: Lab, anna: Operator
) -> None:
    sh(lab, f"install -d -o pgdrill {HERE}/20200101-000000-abc && touch {HERE}/20200101-000000-abc/theirs")
    try:
        process = anna.begin("drill", "run", "--yes")
        until(lambda: "pg1-path" in works(lab), "it restores")
        anna.kill_runner()
        process.wait(30)
        assert len(scratch(lab)) == 2
        plan = anna("drill", "clean", "--plan")
        assert plan.returncode == OK, plan.stdout + plan.stderr
        done = anna("drill", "clean", "--yes")
        assert done.returncode == OK, done.stdout + done.stderr
        assert (scratch(lab), works(lab)) == ([f"{HERE}/20200101-000000-abc"], "")
        assert sh(lab, f"ls {HERE}/20200101-000000-abc") == "theirs\n"
    finally:
        sh(lab, f"rm -r {HERE}/20200101-000000-abc")


# --- what takes longer --------------------------------------------------------------------------------------------


@pytest.mark.story
@pytest.mark.parametrize(
    ("step", "event"),
    [
        (PREPARE, 4),
        (RESTORE, 6),
        (RESTORE, 7),
        (START, 7),
        (START, 9),
        (CHECK, 1),
        (TEARDOWN, 3),
        (TEARDOWN, 5),
        (VERDICT, 3),
    ],
)
def test_killed_anywhere_and_resumed_it_ends_as_it_would_have(lab: Lab, anna: Operator, step: int, event: int) -> None:
    killed = drill(anna, PYTHONPATH=DYING, HACTL_DIE_AT=str(event), HACTL_DIE_IN=str(step))
    assert killed.returncode not in {OK, FAILED}, killed.stdout
    done = anna("runs", "resume", "last", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    run = json.loads(anna("runs", "show", "last", "-o", "json").stdout)["run"]
    assert sh(lab, f'grep -c \'"run":"{run}"\' {HISTORY}') == "1\n"
    assert (last(lab)["run"], last(lab)["verdict"]) == (run, "pass")
    assert (scratch(lab), works(lab)) == ([], "")


@pytest.mark.story
@pytest.mark.parametrize(("step", "event"), [(PREPARE, 4), (RESTORE, 7), (START, 9)])
def test_killed_and_undone_nothing_is_left(lab: Lab, anna: Operator, step: int, event: int) -> None:
    drill(anna, PYTHONPATH=DYING, HACTL_DIE_AT=str(event), HACTL_DIE_IN=str(step))
    assert scratch(lab) != []
    done = anna("runs", "undo", "last", "--yes")
    assert (scratch(lab), works(lab)) == ([], ""), done.stdout + done.stderr


@pytest.mark.story
def test_missing_wal_is_no_pass(lab: Lab, anna: Operator) -> None:
    """Recovery ends before the gap, and says nothing of it."""
    segments = [archived(lab) for _ in range(3)]
    sh(lab, f"mkdir /var/lib/aside && mv {ARCHIVE}/*/{segments[1]}-* /var/lib/aside/")
    try:
        done = drill(anna)
        assert done.returncode == FAILED, done.stdout
        outcome, sentence = checks(last(lab))["recovery"]
        assert (outcome, segments[2] in sentence) == ("fail", True), sentence
    finally:
        sh(lab, f"mv /var/lib/aside/* {ARCHIVE}/{segments[1][:16]}/ && rmdir /var/lib/aside")
    assert (scratch(lab), works(lab)) == ([], "")


@pytest.mark.story
def test_an_old_backup_is_no_pass(lab: Lab, anna: Operator) -> None:
    """All that is there is sound, and an hour old."""
    write(lab, "UPDATE orders SET at = least(at, now() - interval '1 hour')")
    assert anna("backup", "run", "--type", "full", "--yes").returncode == OK
    stopped = sh(lab, f"ls {ARCHIVE}/*/ | grep '^0000' | tail -n 1")[:24]
    after = [archived(lab) for _ in range(2)]
    sh(lab, "mkdir /var/lib/aside")
    try:
        for segment in after:
            sh(lab, f"mv {ARCHIVE}/*/{segment}-* /var/lib/aside/")
        done = drill(anna)
        record = last(lab)
        assert record["verdict"] != "pass", (stopped, record)
        assert isinstance(record["rpo"], float)
        assert record["rpo"] > 3000
        assert "more would be lost than the target allows" in done.stdout
    finally:
        sh(lab, f"mv /var/lib/aside/* {ARCHIVE}/{after[0][:16]}/ && rmdir /var/lib/aside")
    assert (scratch(lab), works(lab)) == ([], "")


@pytest.mark.story
def test_a_disk_that_fills_up_fails_it(lab: Lab, anna: Operator) -> None:
    lab.faults.inject("disk-full", NODE, path=HERE, percent="90")
    done = drill(anna, "--override", "disk-space", "--reason", "to see what happens")
    assert done.returncode == FAILED, done.stdout + done.stderr
    assert (scratch(lab), works(lab)) == ([], "")


@pytest.mark.story
def test_when_the_first_repository_is_lost_the_off_site_one_is_tried(lab: Lab, anna: Operator) -> None:
    done = anna("backup", "run", "--service", "offsite", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    lab.faults.inject("power-off", NODE)
    try:
        done = drill(anna, "--service", "offsite")
        assert done.returncode == OK, done.stdout + done.stderr
        (record, *_) = json.loads(anna("drill", "list", "--service", "offsite", "-o", "json").stdout)["drills"]
        told = [record[key] for key in ("service", "repository", "node", "verdict")]
        assert told == ["offsite", 2, "backup2", "pass"], record
        assert sh(lab, f"find {HERE} -mindepth 1 -maxdepth 1 -name '2*'", "backup2") == ""
    finally:
        lab.faults.undo("power-off")
        sh(lab, f"rm -f {HISTORY}", "backup2")


# A drill of backup1's repository on backup2, which reaches it as pgBackRest does: by SSH.
_FAR = """
[global]
repo1-host=backup1
repo1-host-user=pgbackrest
repo1-host-config=/etc/pgbackrest.conf
log-level-console=warn
log-level-file=off
"""


@pytest.mark.story
def test_a_repository_elsewhere_is_compared_where_it_lies(lab: Lab, anna: Operator) -> None:
    """By its own node's user, whom a rule lets read its files and nothing else."""
    key = f"{HERE}/.ssh/id_ed25519"
    known = "/home/pgbackrest/.ssh/known_hosts"
    sh(lab, f"install -d -m 700 {HERE}/.ssh; rm -f {key}; ssh-keygen -q -t ed25519 -N '' -f {key}", "backup2")
    sh(lab, f"cp {known} {HERE}/.ssh/ 2>/dev/null || :; ssh-keyscan backup1 >>{HERE}/.ssh/known_hosts", "backup2")
    sh(lab, f"chown -R pgdrill: {HERE}/.ssh; cat >/etc/pgbackrest-far.conf <<'END'{_FAR}END", "backup2")
    public = sh(lab, f"cat {key}.pub", "backup2")
    authorized = "/home/pgbackrest/.ssh/authorized_keys"
    sh(lab, f"cp --preserve {authorized} {authorized}.before; echo '{public.strip()}' >>{authorized}")
    text = lab.paths.inventory.read_text(encoding="utf-8")
    head, own, rest = text.partition('name = "backup"\n')
    rest = rest.replace("drill_user = ", 'drill_node = "backup2"\ndrill_user = ', 1)
    inventory = anna.home / "far.toml"
    inventory.write_text(head + own + rest.replace("pgbackrest-drill.conf", "pgbackrest-far.conf", 1), encoding="utf-8")
    there = Operator(lab, anna.home, inventory)
    rules = "/etc/sudoers.d/hactl-far"
    try:
        for node in (NODE, "backup2"):
            policy = there("sudoers", "--node", node).stdout
            sh(lab, f"cat >{rules}.new <<'END'\n{policy}END\nchmod 440 {rules}.new && mv {rules}.new {rules}", node)
        done = drill(there)
        assert done.returncode == OK, done.stdout + done.stderr
        (record, *_) = json.loads(there("drill", "list", "--service", "backup", "-o", "json").stdout)["drills"]
        assert (record["node"], record["verdict"]) == ("backup2", "pass"), record
        told = {one["name"]: (one["outcome"], one["sentence"]) for one in record["checks"]}
        assert re.fullmatch(r"its [1-9]\d* files are what they were", told["repository"][1]), told
        assert told["repository"][0] == "ok"
        sh(lab, f"rm {rules}")
        done = drill(there)
        (record, *_) = json.loads(there("drill", "list", "--service", "backup", "-o", "json").stdout)["drills"]
        told = {one["name"]: (one["outcome"], one["sentence"]) for one in record["checks"]}
        assert (record["verdict"], told["repository"][0]) == ("partial", "skipped"), record
        assert "sudo does not run `find" in told["repository"][1]
    finally:
        sh(lab, f"mv {authorized}.before {authorized}; rm -f {rules}")
        sh(lab, f"rm -rf {rules} {HERE}/.ssh /etc/pgbackrest-far.conf {HISTORY}", "backup2")


@pytest.mark.story
def test_a_table_of_the_copy_is_kept_and_brings_it_back(lab: Lab, anna: Operator) -> None:
    write(lab, "CREATE TABLE treasure AS SELECT generate_series(1, 1000) AS coin")
    moment = write(lab, f"SELECT pg_sleep(0.01); {NOW}").splitlines()[-1]
    write(lab, "SELECT pg_sleep(0.01); DROP TABLE treasure")
    archived(lab)
    done = drill(anna, "--time", moment, "--database", "shop", "--table", "treasure")
    assert done.returncode == OK, done.stdout + done.stderr
    run = last(lab)["run"]
    sentence = checks(last(lab))["table"][1]
    assert sentence.startswith(f"treasure of shop is in {NODE}:{HERE}/{run}.sql (")
    assert sentence in " ".join(done.stdout.split())
    try:
        assert sh(lab, f"stat -c '%U %a' {HERE}") == "pgdrill 700\n"
        (primary,) = primaries(lab)
        load = ["runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", "shop"]
        loaded = lab.exec(primary, load, stdin=sh(lab, f"cat {HERE}/{run}.sql"))
        assert loaded.returncode == 0, loaded.stderr
        assert write(lab, "SELECT count(*), sum(coin) FROM treasure") == "1000|500500"
    finally:
        write(lab, "DROP TABLE IF EXISTS treasure")
        sh(lab, f"rm -f {HERE}/*.sql")
    done = drill(anna, "--database", "shop", "--table", "treasure")
    assert done.returncode == FAILED, done.stdout
    assert checks(last(lab))["table"][0] == "fail"
