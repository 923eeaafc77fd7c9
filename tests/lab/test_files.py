"""Files that users leave with the shop: kept by the real restic of the lab, read as a whole, restored and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.cli.driving import ROOT
from tests.lab.acting import APPS, Operator

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

OK, USAGE, FAILED = 0, 2, 3
DYING = f"{ROOT / 'tests' / 'lab' / 'dying'}:{ROOT}"
SENT = 5  # The run begins, the lock is taken, the guards have spoken, the step has begun, its command is sent.
CLEARING = 8  # ... it is restored, compared
FOLDER, SCRATCH = "/var/lib/shop/uploads", "/var/lib/hactl-drill"


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    """What drills of a test have shown is forgotten afterwards: a last one that failed is a critical finding."""
    (tmp_path / "anna").mkdir()
    one = Operator(lab, tmp_path / "anna")
    yield one
    one.kill_runner()
    for node in APPS:
        sh(lab, node, f"rm -f {SCRATCH}/history.jsonl")


def at(event: int) -> dict[str, str]:
    """What kills a run there."""
    return {"PYTHONPATH": DYING, "HACTL_DIE_AT": str(event)}


def sh(lab: Lab, node: str, script: str, timeout: float = 60) -> str:
    done = lab.exec(node, ["sh", "-c", script], timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def leave(lab: Lab, node: str, name: str, words: str) -> None:
    """A file left with the shop on that node."""
    url = f"http://127.0.0.1:8080/api/uploads?name={name}"
    sh(lab, node, f"yes '{words}' | head -c 30000 | curl -fsS -m 10 --data-binary @- '{url}'")


def by_hand(lab: Lab, node: str, words: str) -> None:
    """restic as somebody runs it who does not know of hactl."""
    base = f"restic --repo=sftp:restic@backup1:/var/lib/restic/{node} --password-file=/etc/restic/password"
    sh(lab, node, f"cd / && runuser -u restic -- {base} {words}")


def snapshots(anna: Operator) -> dict[str, list[dict]]:
    """By node, newest first."""
    found = anna.json("backup", "list", "--service", "uploads")["files"]
    assert [one["trouble"] or one["unknown"] for one in found] == [None] * 3
    return {one["node"]: one["snapshots"] for one in found}


def nothing_left(lab: Lab, node: str) -> bool:
    """But for the history."""
    return sh(lab, node, f"ls -A {SCRATCH} | grep -v history.jsonl || :") == ""


def test_files_are_backed_up_listed_restored_and_the_same(lab: Lab, anna: Operator) -> None:
    for node in APPS:
        sh(lab, node, f"rm -f {FOLDER}/new.txt {FOLDER}/forgotten.txt")
        leave(lab, node, "photo.jpg", node)
        leave(lab, node, "letter.txt", f"from {node}")
    done = anna("backup", "run", "--service", "uploads", "--yes", "-o", "json")
    assert done.returncode == OK, done.stdout + done.stderr
    run = json.loads(done.stdout)["run"]
    assert {node: of[0]["run"] for node, of in snapshots(anna).items()} == dict.fromkeys(APPS, run)
    # What is touched after the snapshot is told apart from what must be the same.
    leave(lab, "app1", "photo.jpg", "another")
    leave(lab, "app1", "new.txt", "new")
    sh(lab, "app1", f"rm {FOLDER}/letter.txt")
    done = anna("drill", "run", "--service", "uploads", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    assert "since then 1 changed, 1 gone, 1 added" in done.stdout
    assert done.stdout.count("all are what they were") == 2
    assert all(nothing_left(lab, node) for node in APPS)
    listed = anna.json("drill", "show", "last", "--service", "uploads")["drills"]
    told = {one["node"]: (one["verdict"], one["type"], [check["name"] for check in one["checks"]]) for one in listed}
    assert told == dict.fromkeys(APPS, ("pass", "files", ["same", "complete"]))
    assert [one["rpo_seconds"] > 0 for one in listed if one["node"] == "app1"] == [True]


@pytest.mark.story
def test_what_is_not_in_the_snapshot_fails_the_drill(lab: Lab, anna: Operator) -> None:
    leave(lab, "app2", "forgotten.txt", "x")
    by_hand(lab, "app2", f"backup --host=app2 --exclude=forgotten.txt {FOLDER}")
    done = anna("drill", "run", "--service", "uploads", "--on", "app2", "--yes")
    assert done.returncode == FAILED, done.stdout
    assert f"1 were not in the snapshot: {FOLDER}/forgotten.txt" in done.stdout
    assert nothing_left(lab, "app2")


def test_killed_in_the_middle_and_resumed_there_is_one_snapshot(lab: Lab, anna: Operator) -> None:
    """And what a killed drill has left behind is told of, and removed by itself or by the next one."""
    killed = anna("drill", "run", "--service", "uploads", "--on", "app2", "--yes", **at(CLEARING))
    assert killed.returncode not in {OK, USAGE, FAILED}, killed.stdout
    assert not nothing_left(lab, "app2")
    sentence, hint = anna.findings()["drill-leftovers:uploads:app2"]
    assert sentence.startswith("a drill was not cleared away: run 2")
    assert hint == "hactl drill clean --service uploads"
    sh(lab, "app2", f"mkdir {SCRATCH}/theirs; touch {SCRATCH}/theirs/.hactl-drill")
    done = anna("drill", "clean", "--service", "uploads", "--yes")
    assert (done.returncode, sh(lab, "app2", f"ls -A {SCRATCH}")) == (OK, "theirs\n"), done.stdout
    sh(lab, "app2", f"rm -r {SCRATCH}/theirs")
    run = ("run", "files-backup", "-p", "service=uploads", "-l", "app2", "--yes")
    killed = anna(*run, **at(SENT))
    assert killed.returncode not in {OK, USAGE, FAILED}, killed.stdout
    done = anna("runs", "resume", "last", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    story = anna.json("runs", "show", "last")
    assert [one["run"] for one in snapshots(anna)["app2"]].count(story["run"]) == 1
    done = anna("drill", "run", "--service", "uploads", "--on", "app2", "--yes")
    assert (done.returncode, nothing_left(lab, "app2")) == (OK, True), done.stdout


@pytest.mark.story
def test_a_flipped_byte_in_the_repository_is_found(lab: Lab, anna: Operator) -> None:
    file = sh(lab, "backup1", "ls -S /var/lib/restic/app3/data/*/* | head -n 1").strip()
    flip = f"""python3 - <<'END'
with open("{file}", "r+b") as file:
    file.seek(100)
    byte = file.read(1)[0]
    file.seek(100)
    file.write(bytes([byte ^ 255]))
END"""
    verify = ("run", "files-verify", "-p", "service=uploads", "-l", "app3", "--yes")
    sh(lab, "backup1", f"chmod u+w {file}; {flip}")
    try:
        done = anna(*verify)
    finally:
        sh(lab, "backup1", f"{flip}\nchmod u-w {file}")
    assert done.returncode == FAILED, done.stdout
    assert "the repository is damaged" in done.stdout
    assert anna(*verify).returncode == OK
