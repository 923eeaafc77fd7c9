"""The operator's acknowledgements on disk: several processes, damage, bounds, and who did what."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.control.acks import Acks
from hactl.engine.journal import Journal, default_journal
from hactl.model.ack import MOST
from hactl.model.acks import Ended, Ending
from hactl.model.errors import InputError, StateError
from hactl.model.findings import Finding, Level, Scope, ScopeKind

NOW = 1_760_000_000.0
DISK = Finding("disk:db1:/", Level.WARN, Scope(ScopeKind.NODE, "db1"), "disk / 85 % full", 12.0, node="db1", value=85.0)


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def acks(env: dict[str, str], clock: Clock) -> Acks:
    return Acks("lab", env, clock)


def add(acks: Acks, finding: Finding = DISK, *, reason: str = "grows on Monday", hours: float = 1) -> None:
    acks.add(finding, reason=reason, who="anna@laptop", until=NOW + hours * 3600)


def test_looking_makes_nothing(acks: Acks, tmp_path: Path) -> None:
    assert acks.look() == ()
    assert list(tmp_path.iterdir()) == []


def test_others_see_what_was_acknowledged(acks: Acks, env: dict[str, str], clock: Clock) -> None:
    other = Acks("lab", env, clock)
    assert other.look() == ()
    add(acks)
    (ack,) = other.look()
    assert (ack.finding, ack.reason, ack.who) == (replace(DISK, since=0.0), "grows on Monday", "anna@laptop")
    assert (ack.at, ack.until) == (NOW, NOW + 3600)
    assert Acks("prod", env, clock).look() == ()
    clock.now = NOW + 3600
    assert other.look() == ()


def test_the_file_is_the_operators_alone_and_nothing_is_left_beside_it(acks: Acks) -> None:
    add(acks)
    assert stat.S_IMODE(acks.path.stat().st_mode) == 0o600
    assert {path.name for path in acks.path.parent.iterdir()} >= {"acks.json", "acks.lock", "journal.db"}
    assert not [path for path in acks.path.parent.iterdir() if path.name.startswith(".")]


def test_a_second_one_takes_the_place_of_the_first(acks: Acks) -> None:
    add(acks)
    add(acks, reason="grows on Tuesday")
    assert [ack.reason for ack in acks.look()] == ["grows on Tuesday"]


def test_taking_back(acks: Acks, env: dict[str, str], clock: Clock) -> None:
    add(acks)
    add(Acks("prod", env, clock), reason="another cluster's")
    assert acks.remove(DISK.key, "bert@desk").reason == "grows on Monday"
    assert acks.look() == ()
    assert Acks("prod", env, clock).look()
    with pytest.raises(InputError, match="not acknowledged"):
        acks.remove(DISK.key, "bert@desk")


def test_the_journal_knows_who_and_why(acks: Acks, env: dict[str, str]) -> None:
    assert acks.history() == []
    add(acks)
    acks.remove(DISK.key, "bert@desk")
    assert [(one.kind, one.who, one.about, one.sentence) for one in acks.history()] == [
        ("ack-ended", "bert@desk", DISK.key, "it was taken back"),
        ("ack-added", "anna@laptop", DISK.key, "warn until 09:53:20 UTC: grows on Monday"),
    ]
    assert Journal(default_journal(env)).verify() == []


def test_what_is_over_goes_once_whoever_sees_it(acks: Acks, env: dict[str, str], clock: Clock) -> None:
    add(acks)
    add(acks, replace(DISK, key="disk:db2:/"))
    first, _ = acks.look()
    for each in (acks, Acks("lab", env, clock)):
        each.settle([Ended(first, Ending.GONE)], "anna@laptop")
    assert [ack.key for ack in acks.look()] == ["disk:db2:/"]
    assert acks.history()[0].sentence == "the finding has gone"
    assert len(acks.history()) == 3


def test_one_that_was_given_again_meanwhile_is_not_over(acks: Acks, clock: Clock) -> None:
    add(acks)
    (first,) = acks.look()
    clock.now += 1
    add(acks, reason="again")
    acks.settle([Ended(first, Ending.GONE)], "anna@laptop")
    assert [ack.reason for ack in acks.look()] == ["again"]


def test_there_are_not_too_many(acks: Acks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hactl.control.acks.MOST", 3)
    for node in ("app1", "app2", "app3"):
        add(acks, replace(DISK, key=f"disk:{node}:/"))
    with pytest.raises(InputError, match="3 acknowledgements already"):
        add(acks)
    assert len(acks.look()) == 3
    assert MOST == 200


def test_several_at_the_same_time_lose_nothing(env: dict[str, str], clock: Clock) -> None:
    def one(number: int) -> None:
        add(Acks("lab", env, clock), replace(DISK, key=f"disk:db{number}:/"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Acks("lab", env, clock).look()) == 8
    assert Journal(default_journal(env)).verify() == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "hactl.acks/9"}', '{"schema": "hactl.acks/1", "acks": [1]}']
)
def test_a_file_that_cannot_be_read_says_so_and_is_not_written_over(acks: Acks, text: str) -> None:
    acks.path.parent.mkdir(parents=True)
    acks.path.write_text(text)
    for call in (acks.look, lambda: add(acks), lambda: acks.remove(DISK.key, "anna")):
        with pytest.raises(StateError, match=r"acks\.json"):
            call()
    assert acks.path.read_text() == text


def test_a_folder_that_cannot_be_written(acks: Acks, tmp_path: Path) -> None:
    (tmp_path / "hactl").write_text("a file where the folder should be")
    with pytest.raises(StateError):
        add(acks)


def test_what_somebody_wrote_into_the_file_moves_no_cursor(acks: Acks) -> None:
    add(acks)
    document = json.loads(acks.path.read_text())
    document["acks"][0]["ack"]["reason"] = "\x1b]0;owned\x07"
    acks.path.write_text(json.dumps(document))
    assert acks.look()[0].reason == "␛]0;owned␇"
