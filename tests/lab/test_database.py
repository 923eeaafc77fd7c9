"""Switchover, failover and rejoin of the real lab's database, under a client that keeps what was confirmed to it and an
observer of all servers; neither of them is hactl.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.cli.driving import script
from tests.lab.acting import Operator, servers, until
from tests.lab.database import (
    DATABASES,
    HOME,
    Client,
    healthy,
    mend,
    numbers,
    observed,
    others,
    primaries,
    psql,
    switched,
    writing,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(400)]

OK, FAILED, GUARDED = 0, 3, 7
SENT_LATE = 100  # rows: a second's worth, which may have been confirmed and not sent on when a primary dies


def operator(lab: Lab, home: Path) -> Operator:
    script(home)  # a fence asks `hactl lab power`: this one's
    return Operator(lab, home)


@pytest.fixture(scope="module", autouse=True)
def at_home(whole_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Other tests know the primary by name."""
    yield
    if HOME not in primaries(whole_lab):
        done = switched(whole_lab, operator(whole_lab, tmp_path_factory.mktemp("home")), HOME)
        assert done.returncode == OK, done.stdout + done.stderr


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    until(lambda: healthy(lab), "one primary that both others stream from")
    one = operator(lab, tmp_path)
    yield one
    one.kill_runner()
    if not healthy(lab):
        mend(lab, one)


# --- planned ------------------------------------------------------------------------------------------------------


def test_the_role_goes_round_and_nothing_is_lost(lab: Lab, anna: Operator) -> None:
    """Each server in turn, and back to the first."""
    (first,) = primaries(lab)
    with observed(lab) as seen, writing(lab) as client:
        for to in (*others(first), first):
            done = switched(lab, anna, to)
            assert done.returncode == OK, done.stdout + done.stderr
            client.goes_on()
            assert primaries(lab) == [to]
        client.end()
        assert client.lost(first) == set()
        until(lambda: healthy(lab), "both others stream from the new primary")
    assert seen.two == []
    told = re.findall(r"after ([0-9.]+) s", anna("db", "history").stdout)
    print(f"the longest time without a confirmed row: {client.gap():.2f} s; hactl says {told}")


# --- unplanned ----------------------------------------------------------------------------------------------------


def test_a_primary_without_power_is_replaced_and_comes_back_as_a_standby(lab: Lab, anna: Operator) -> None:
    (old,) = primaries(lab)
    with writing(lab) as client:
        lab.faults.inject("power-off", old)
        new = replaced(lab, anna, client)
        lab.faults.undo("power-off")  # it starts as what it was: a primary
        until(lambda: psql(lab, old, "SELECT pg_is_in_recovery()") == "f", "the old primary is back")
        comes_back(lab, anna, client, old, new)


@pytest.mark.story
def test_a_frozen_primary_is_without_power_before_it_is_replaced(lab: Lab, anna: Operator) -> None:
    (old,) = primaries(lab)
    with observed(lab) as seen, writing(lab) as client:
        lab.faults.inject("freeze", old)
        new = replaced(lab, anna, client)
        lab.faults.undo()
        assert old not in primaries(lab)  # thawed it would have gone on; it is off
        assert seen.two == []
        lab.up()
        until(lambda: psql(lab, old, "SELECT pg_is_in_recovery()") == "f", "the old primary is back")
        comes_back(lab, anna, client, old, new)


@pytest.mark.story
def test_the_primary_s_site_is_cut_off(lab: Lab, anna: Operator) -> None:
    """The far site has the primary, and the backups with it: what takes over finds no archive."""
    assert switched(lab, anna, "db3").returncode == OK
    until(lambda: healthy(lab), "both others stream from db3")
    with writing(lab) as client:
        lab.faults.inject("partition", "site:west")
        new = replaced(lab, anna, client, ends=FAILED)
        assert new != "db3"
        lab.faults.undo()
        lab.up()
        done = anna("runs", "resume", "last", "--yes")  # what was left is the proof that it archives
        assert done.returncode == OK, done.stdout + done.stderr
        until(lambda: psql(lab, "db3", "SELECT pg_is_in_recovery()") == "f", "the old primary is back")
        comes_back(lab, anna, client, "db3", new)


@pytest.mark.story
def test_a_risk_that_was_accepted_sends_nobody_to_the_old_primary(lab: Lab, anna: Operator, tmp_path: Path) -> None:
    """Nothing can cut its power: it goes on as a primary, cut off, and comes back as one."""
    text = lab.paths.inventory.read_text(encoding="utf-8")
    powerless = tmp_path / "inventory.toml"
    powerless.write_text(re.sub(r"(?ms)^\[fencing\].*?(?=^\[)", "", text), encoding="utf-8")
    bea = Operator(lab, tmp_path, powerless)
    (old,) = primaries(lab)
    asked = ("failover", "--yes", "--confirm", lab.spec.name, "--reason", "a test")
    with writing(lab) as client:
        lab.faults.inject("partition", old)
        refused_ = bea(*asked)
        assert refused_.returncode == GUARDED, refused_.stdout + refused_.stderr
        assert "split-brain" in refused_.stderr
        done = bea(*asked, "--accept-split-brain-risk")
        assert done.returncode == OK, done.stdout + done.stderr
        client.goes_on()
        new = next(node for node in primaries(lab) if node != old)
        lab.faults.undo()
        until(lambda: set(primaries(lab)) == {old, new}, "the old primary is back")
        comes_back(lab, anna, client, old, new)


def replaced(lab: Lab, anna: Operator, client: Client, *, ends: int = OK) -> str:
    """Somebody takes over. Who it is."""
    begun = time.monotonic()
    done = anna("failover", "--yes", "--confirm", lab.spec.name, "--reason", "a test")
    assert done.returncode == ends, done.stdout + done.stderr
    assert ends == OK or "is not in the archive" in done.stdout
    took = time.monotonic() - begun
    client.goes_on()
    print(f"from the decision to the end of the failover {took:.1f} s; no row was confirmed for {client.gap():.1f} s")
    (new,) = primaries(lab, timeout=2)
    return new


def comes_back(lab: Lab, anna: Operator, client: Client, old: str, new: str) -> None:
    """It takes writes, and nobody is sent to it; then it is a standby, and all is well."""
    served = numbers(lab, old)
    client.goes_on()
    time.sleep(3)  # long enough for a balancer's check to find it
    assert numbers(lab, old) == served
    assert {servers(lab, name, "be_pg_primary")[old] for name in ("lb1", "lb2")} == {"MAINT"}
    assert f"hactl rejoin {old}" in anna("status").stdout
    done = anna("rejoin", old, "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    client.end()
    assert primaries(lab) == [new]
    until(lambda: healthy(lab), "both others stream from the new primary")
    lost = client.lost(new)
    assert len(lost) <= SENT_LATE
    print(f"{len(lost)} confirmed rows are lost")
    until(lambda: anna("status").returncode == OK, "all is well")


# --- what speaks against it ---------------------------------------------------------------------------------------

Provoked = Callable[[Lab, str, str], AbstractContextManager[object]]


def wal(lab: Lab, primary: str, segments: int = 2) -> None:
    """So much that the standby would be behind by more than is allowed, if it took nothing."""
    for _ in range(segments):
        psql(lab, primary, "SELECT pg_logical_emit_message(true, 'test', 'x'), pg_switch_wal()")


@contextmanager
def paused(lab: Lab, primary: str, to: str) -> Iterator[None]:
    lab.faults.inject("pause-replay", to)
    wal(lab, primary)
    yield
    lab.faults.undo()


@contextmanager
def deaf(lab: Lab, primary: str, to: str) -> Iterator[None]:
    """It receives nothing more, and does not know it yet."""
    lab.exec(to, ["pkill", "-STOP", "-f", "walreceiver"])
    wal(lab, primary)
    yield
    lab.exec(to, ["pkill", "-CONT", "-f", "walreceiver"])


@contextmanager
def not_archiving(lab: Lab, primary: str, to: str) -> Iterator[None]:
    failed = (
        "SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) FROM pg_stat_archiver"
    )
    lab.faults.inject("stop-archiving", primary)
    until(lambda: psql(lab, primary, failed) == "t", "archiving fails")
    yield
    lab.faults.undo()
    wal(lab, primary, 1)
    until(lambda: psql(lab, primary, failed) == "f", "archiving goes on")


@contextmanager
def full(lab: Lab, primary: str, to: str) -> Iterator[None]:
    free = "current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots)"
    psql(lab, to, f"SELECT pg_create_physical_replication_slot('full' || n) FROM generate_series(1, {free}) n")
    yield
    dropped = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
    psql(lab, to, f"{dropped} WHERE slot_name LIKE 'full%'")


@contextmanager
def cut_off(lab: Lab, primary: str, to: str) -> Iterator[None]:
    (other,) = set(DATABASES) - {primary, to}
    lab.faults.inject("partition", other)
    yield
    lab.faults.undo()


@contextmanager
def orphaned(lab: Lab, primary: str, to: str) -> Iterator[None]:
    told = psql(lab, to, "SHOW primary_conninfo")
    streams = "SELECT count(*) FROM pg_stat_wal_receiver"
    for text, count in (("", "0"), (told, "1")):
        psql(lab, to, f"ALTER SYSTEM SET primary_conninfo = '{text}'")
        psql(lab, to, "SELECT pg_reload_conf()")
        until(lambda count=count: psql(lab, to, streams) == count, f"{count} receivers")
        if not text:
            yield


@contextmanager
def on_its_own(lab: Lab, primary: str, to: str) -> Iterator[None]:
    """A standby that was promoted by mistake, and is a standby again. The archive does not hear of it."""
    unit, signal = "postgresql@15-main", "/var/lib/postgresql/15/main/standby.signal"
    for text in ("ALTER SYSTEM SET archive_command = 'false'", "SELECT pg_reload_conf()", "SELECT pg_promote()"):
        psql(lab, to, text, timeout=60)
    psql(lab, to, "ALTER SYSTEM RESET archive_command")
    made = f"systemctl stop {unit}; install -o postgres -g postgres -m 600 /dev/null {signal}; systemctl start {unit}"
    lab.exec(to, ["sh", "-c", made])
    yield


@contextmanager
def busy(lab: Lab, primary: str, to: str) -> Iterator[None]:
    slow = ["psql", "-Xc", "BEGIN; SELECT txid_current(), pg_sleep(60)"]
    lab.exec(primary, ["systemd-run", "--unit=slow", "--uid=postgres", "--collect", *slow])
    sleeping = "FROM pg_stat_activity WHERE query LIKE 'BEGIN%' AND now() - xact_start > interval '1 s'"
    until(lambda: psql(lab, primary, f"SELECT count(*) {sleeping}") == "1", "a transaction is open")
    yield
    lab.exec(primary, ["systemctl", "stop", "slow"])
    psql(lab, primary, f"SELECT pg_terminate_backend(pid) {sleeping}")  # it does not notice that its client has gone
    until(lambda: psql(lab, primary, f"SELECT count(*) {sleeping}") == "0", "no transaction is open")


AGAINST: dict[Provoked, set[str]] = {
    paused: {"replay-paused", "lag"},
    deaf: {"lag"},
    not_archiving: {"archiver"},
    full: {"slots"},
    cut_off: {"standby-unreachable"},
    orphaned: {"not-streaming"},
    on_its_own: {"timeline", "not-streaming"},
    busy: {"long-transaction"},
}


@pytest.mark.parametrize("provoked", AGAINST, ids=lambda one: one.__name__)
def test_what_speaks_against_a_switchover_is_said_before_anything_is_touched(
    lab: Lab, anna: Operator, provoked: Provoked
) -> None:
    (primary,) = primaries(lab)
    to = others(primary)[-1]
    with provoked(lab, primary, to):
        done = anna("run", "switchover", "-p", f"to={to}", "-p", "transaction=1s", "--yes")
        assert done.returncode == GUARDED, done.stdout + done.stderr
        assert AGAINST[provoked] <= refused(done.stdout), done.stdout
        assert primaries(lab) == [primary]
    if provoked is on_its_own:
        mend(lab, anna)
    until(lambda: healthy(lab), "all is as it was")


def refused(plan: str) -> set[str]:
    """The guards that refuse."""
    return {line.split()[1].rstrip(":") for line in plan.splitlines() if line.startswith("refuse")}
