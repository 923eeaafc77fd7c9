"""The journal's file: ours alone, migrated, checked, and never the cause of a crash."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hactl.engine.journal import Journal, default_journal
from hactl.engine.journal_file import MIGRATIONS, ROOM
from hactl.model.errors import JournalError
from hactl.model.events import Said, WishKind
from tests.engine.test_journal import EVENTS, RUN, plan

OTHER = "20261122-090909-abc"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hactl" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path)
    for run in (RUN, OTHER):
        journal.create(run, plan(), "anna")
        for event in EVENTS:
            journal.append(run, event)
    yield journal
    journal.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- ours alone ---


@pytest.mark.parametrize(
    ("env", "where"),
    [
        ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/hactl/journal.db"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/hactl/journal.db"),
        ({"HOME": "/h"}, "/h/.local/state/hactl/journal.db"),
    ],
)
def test_where_it_is(env: dict[str, str], where: str) -> None:
    assert default_journal(env) == Path(where)


def test_nobody_else_can_read_any_of_it(journal: Journal, path: Path) -> None:
    with journal.live(RUN):
        files = sorted(each.name for each in path.parent.iterdir())
        assert files == ["journal.db", "journal.db-shm", "journal.db-wal", "journal.db.head", "runs"]
        for each in path.parent.rglob("*"):
            assert mode(each) == (0o700 if each.is_dir() else 0o600), each
    assert mode(path.parent) == 0o700


def test_a_folder_that_others_could_read_is_closed(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    path.touch(mode=0o644)
    Journal(path).close()
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)


def writable_file(path: Path) -> None:
    Journal(path).close()
    path.chmod(0o620)


def writable_folder(path: Path) -> None:
    Journal(path).close()
    path.parent.chmod(0o777)


def anothers(path: Path) -> None:
    Journal(path).close()
    os.chown(path, 12345, 12345)


def link(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.symlink_to("/etc/hostname")


def rubbish(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"this is no database at all, whatever its name says" * 100)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (writable_file, "Other users can write"),
        (writable_folder, "Other users can write"),
        (link, "no plain file"),
        (rubbish, "is damaged"),
        pytest.param(
            anothers,
            "belongs to another user",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
    ],
)
def test_refused(path: Path, spoil: Callable[[Path], None], says: str) -> None:
    spoil(path)
    with pytest.raises(JournalError, match=says) as error:
        Journal(path)
    assert error.value.remedy


# --- schema ---


def with_tags(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE tags (run TEXT REFERENCES runs (run), tag TEXT)")
    connection.execute("INSERT INTO tags SELECT run, 'old' FROM runs")


def test_an_older_journal_is_taken_along(journal: Journal, path: Path) -> None:
    events = journal.events(RUN)
    journal.close()
    newer = Journal(path, migrations=(*MIGRATIONS, with_tags))
    assert newer.events(RUN) == events
    assert newer.verify() == []
    newer.append(RUN, Said("more"))
    newer.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        assert db.execute("SELECT * FROM tags").fetchall() == [(RUN, "old"), (OTHER, "old")]
    Journal(path, migrations=(*MIGRATIONS, with_tags)).close()  # and only once


def test_a_migration_that_fails_changes_nothing(journal: Journal, path: Path) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        with_tags(connection)
        connection.execute("INSERT INTO nowhere VALUES (1)")

    journal.close()
    with pytest.raises(JournalError, match="nowhere"):
        Journal(path, migrations=(*MIGRATIONS, broken))
    again = Journal(path)
    assert again.verify() == []
    assert again._db.execute("SELECT name FROM sqlite_master WHERE name = 'tags'").fetchall() == []
    again.close()


def test_a_newer_journal_is_left_alone(journal: Journal, path: Path) -> None:
    journal.close()
    Journal(path, migrations=(*MIGRATIONS, with_tags)).close()
    with pytest.raises(JournalError, match="newer hactl") as error:
        Journal(path)
    assert "Upgrade hactl" in error.value.remedy


# --- the chain ---


def test_an_empty_journal_is_whole(tmp_path: Path) -> None:
    assert Journal(tmp_path / "new" / "journal.db").verify() == []


def test_it_only_grows(journal: Journal) -> None:
    journal.wish(RUN, WishKind.STOP, "anna")
    for table in ("runs", "events", "wishes"):
        for verb in (f"DELETE FROM {table}", f"UPDATE {table} SET run = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                journal._db.execute(verb)


TAMPERED = [
    ("UPDATE events SET body = replace(body, 'anna', 'bert') WHERE seq = 2", ["event 1 (RunStarted)", "was changed"]),
    ("UPDATE events SET at = at + 1 WHERE seq = 5", ["event 4 (StepStarted)", "was changed"]),
    ("UPDATE runs SET plan = replace(plan, 'upgrade', 'downgrade') WHERE seq = 1", ["the plan of run", "was changed"]),
    ("UPDATE runs SET who = 'bert' WHERE seq = 12", ["the plan of run", "was changed"]),
    ("DELETE FROM events WHERE seq = 5", ["1 entry is missing before entry 6", "event 5 stands where event 4 should"]),
    ("DELETE FROM events WHERE seq > 20", ["The newest 2 entries are missing"]),
    ("DELETE FROM events", ["entries are missing"]),
    (
        """UPDATE events SET seq = 100 WHERE seq = 5; UPDATE events SET seq = 5 WHERE seq = 6;
        UPDATE events SET seq = 6 WHERE seq = 100""",
        ["does not follow the one before it"],
    ),
    ("UPDATE events SET hash = 'x' WHERE seq = 22", ["has another hash than"]),
]


@pytest.mark.parametrize(("statements", "says"), TAMPERED)
def test_what_was_done_to_it_shows(journal: Journal, path: Path, statements: str, says: list[str]) -> None:
    assert journal.verify() == []
    with sqlite3.connect(path) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.executescript(statements)
    told = "\n".join(journal.verify())
    for words in says:
        assert words in told


def test_a_chain_that_was_written_again_shows(journal: Journal, path: Path) -> None:
    """Somebody makes a whole new journal of their own."""
    head = journal.head()
    journal.close()
    kept = (path.parent / "journal.db.head").read_text()
    path.unlink()
    again = Journal(path, wall=lambda: 1.0)
    for run in (RUN, OTHER):
        again.create(run, plan(), "anna")
        for event in EVENTS:
            again.append(run, event)
    assert again.head() != head
    assert again.verify() == []
    (path.parent / "journal.db.head").write_text(kept)
    assert "has another hash" in again.verify()[0]
    (path.parent / "journal.db.head").unlink()
    assert "missing or unreadable" in again.verify()[0]
    again.close()


def test_a_head_that_was_written_before_the_power_went_is_no_problem(journal: Journal, path: Path) -> None:
    head = path.parent / "journal.db.head"
    old = head.read_text()
    journal.append(RUN, Said("one more"))
    head.write_text(old)
    assert journal.verify() == []


# --- room ---


def test_room_is_asked_for(journal: Journal) -> None:
    free = shutil.disk_usage(journal.path.parent).free
    if free > 2 * ROOM:
        journal.check_room()
    with pytest.raises(JournalError, match=r"MiB free; a run wants") as error:
        journal.check_room(free * 2)
    assert "XDG_STATE_HOME" in error.value.remedy


_FULL = """
    import sys
    from pathlib import Path
    from hactl.engine.journal import Journal
    from hactl.model.errors import JournalError
    from hactl.model.events import (Said)
    from tests.engine.test_journal import RUN, plan
    folder = Path(sys.argv[1])
    journal = Journal(folder / "hactl" / "journal.db")
    try:
        journal.check_room()
        print("room")
    except JournalError as error:
        print("no room:", error.message)
    journal.create(RUN, plan(), "anna")
    written = 0
    try:
        while True:
            journal.append(RUN, Said("x" * 1000))
            written += 1
    except JournalError as error:
        print("full:", error)
    events = journal.events(RUN)
    print("kept all:", len(events) == written > 50)
    print("verified:", journal.verify())
    (folder / "ballast").unlink()
    journal.append(RUN, Said("on we go"))
    print("goes on:", len(journal.events(RUN)) == written + 1, journal.verify())
"""


def _private_mounts() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    tried = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(tried, check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not _private_mounts(), reason="needs root and mount namespaces: a full disk was NOT tested")
def test_a_full_disk_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    mounted = 'mount -t tmpfs -o size=1m none "$1" && head -c 300000 /dev/zero >"$1/ballast" && shift && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mounted, "sh", tmp_path, sys.executable, "-c", textwrap.dedent(_FULL), tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    room, full, kept, verified, goes_on = done.stdout.splitlines()
    assert room.startswith("no room: The disk of")
    assert "cannot be written" in full
    assert "Free some space" in full
    assert kept == "kept all: True"
    assert verified == "verified: []"
    assert goes_on == "goes on: True []"
