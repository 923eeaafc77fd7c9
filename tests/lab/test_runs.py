"""Guarded runs on the real lab, driven from a shell, judged by what the lab itself and two outsiders say.

A client that is not hactl sends 200 requests a second to the VIP, and an observer reads HAProxy on both balancers: no
request may fail, and the pool may never be below its minimum, whatever happens to hactl.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.cli.driving import ROOT
from tests.lab.acting import (
    APPS,
    BAD,
    GOOD,
    OLD,
    SERVERS,
    Operator,
    all_up,
    drained,
    set_back,
    state,
    until,
    versions,
)
from tests.lab.load.watching import load, observer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

OK, FAILED, GUARDED, UNDONE, STOPPED, BUSY = 0, 3, 7, 8, 9, 75
RATE = 200.0
MINIMUM = 2
DYING = f"{ROOT / 'tests' / 'lab' / 'dying'}:{ROOT}"  # kills a runner at HACTL_DIE_AT
QUICK = ("--yes", "--pause", "0")


@pytest.fixture
def shop(lab: Lab) -> Iterator[Lab]:
    """The lab with release 1.0.0 everywhere and every server up, before and after."""
    set_back(lab)
    yield lab
    lab.faults.undo()
    set_back(lab)


@pytest.fixture
def anna(shop: Lab, tmp_path: Path) -> Iterator[Operator]:
    yield from _operator(shop, tmp_path / "anna")


@pytest.fixture
def ben(shop: Lab, tmp_path: Path) -> Iterator[Operator]:
    yield from _operator(shop, tmp_path / "ben")


def _operator(lab: Lab, home: Path) -> Iterator[Operator]:
    home.mkdir()
    one = Operator(lab, home)
    yield one
    one.kill_runner()


# --- the main job ---------------------------------------------------------------------------------------------


def test_a_rolling_upgrade_fails_no_request(shop: Lab, anna: Operator) -> None:
    with observer(shop) as seen, load(shop, RATE) as sent:
        done = anna("upgrade", "--to", GOOD, *QUICK)
    assert done.returncode == OK, done.stdout + done.stderr
    assert versions(shop) == dict.fromkeys(APPS, GOOD)
    assert (sent["failed"], sent["failures"]) == (0, [])
    assert min(one["fewest"] for one in seen.values()) >= MINIMUM
    assert all_up(shop)


def test_a_bad_release_is_undone_on_its_canary(shop: Lab, anna: Operator) -> None:
    shop.faults.inject("bad-package")
    with observer(shop) as seen, load(shop, RATE) as sent:
        done = anna("upgrade", "--to", BAD, *QUICK)
    assert done.returncode == UNDONE, done.stdout + done.stderr
    assert versions(shop) == dict.fromkeys(APPS, OLD)
    assert (sent["failed"], sent["failures"]) == (0, [])
    assert min(one["fewest"] for one in seen.values()) >= MINIMUM
    assert all_up(shop)
    report = anna("runs", "show", "last").stdout
    assert "app1" in report
    started = shop.exec("app2", ["systemctl", "show", "shop", "-p", "NRestarts", "--value"])
    assert started.stdout.strip() == "0"


def test_nodes_at_the_version_are_left_alone(shop: Lab, anna: Operator) -> None:
    before = shop.exec("app1", ["systemctl", "show", "shop", "-p", "MainPID", "--value"]).stdout
    done = anna("upgrade", "--to", OLD, *QUICK)
    assert done.returncode == OK, done.stdout + done.stderr
    assert shop.exec("app1", ["systemctl", "show", "shop", "-p", "MainPID", "--value"]).stdout == before


# --- drain and undrain ----------------------------------------------------------------------------------------


def test_drain_twice_and_undrain(shop: Lab, anna: Operator) -> None:
    with load(shop, 50) as sent:
        assert anna("drain", "app2", "--yes", "--reason", "new disk").returncode == OK
        assert drained(shop, "app2")
        again = anna("drain", "app2", "--yes")
        assert again.returncode == OK
        assert drained(shop, "app2")
        assert "new disk" in anna("status").stdout
        assert anna("undrain", "app2", "--yes").returncode == OK
    assert all_up(shop)
    assert sent["failed"] == 0


def test_a_drain_that_leaves_too_few_is_refused(shop: Lab, anna: Operator) -> None:
    assert anna("drain", "app1", "--yes").returncode == OK
    done = anna("drain", "app2", "--yes")
    assert done.returncode == GUARDED
    assert "minimum" in done.stderr + done.stdout
    assert "--override minimum-available" in done.stderr + done.stdout
    assert state(shop, "app2") == ("UP", "UP")
    without = anna("drain", "app2", "--yes", "--override", "minimum-available")
    assert without.returncode == 2  # an override wants its reason
    forced = anna(
        "drain", "app2", "--yes", "--override", "minimum-available", "--override", "other-drain", "--reason", "exercise"
    )
    assert forced.returncode == OK, forced.stdout + forced.stderr
    assert "exercise" in anna("runs", "show", "last").stdout


@pytest.mark.parametrize(
    ("policy", "code", "after"),
    [("abort", FAILED, ("UP", "UP")), ("shut", OK, ("DRAIN", "DRAIN"))],
)
def test_sessions_that_never_end(shop: Lab, anna: Operator, policy: str, code: int, after: tuple[str, str]) -> None:
    node = _held(shop)
    done = anna("drain", node, "--timeout", "4s", "--on-timeout", policy, "--yes")
    assert done.returncode in {code, UNDONE if code == FAILED else code}, done.stdout + done.stderr
    assert state(shop, node) == after
    if policy == "shut":
        assert _sessions(shop, node) == 0


def test_waiting_for_sessions_goes_on_until_they_end(shop: Lab, anna: Operator) -> None:
    node = _held(shop)
    with anna.begin("drain", node, "--timeout", "3s", "--on-timeout", "wait", "--yes") as drain:
        until(lambda: drained(shop, node), "the drain")
        time.sleep(6)
        assert drain.poll() is None  # past its timeout, and it waits
        shop.faults.undo("hold-session")
        assert drain.wait(timeout=60) == OK
    assert drained(shop, node)


def test_a_reload_in_the_middle_is_noticed(shop: Lab, anna: Operator) -> None:
    node = _held(shop)
    with anna.begin("drain", node, "--timeout", "60s", "--on-timeout", "wait", "--yes") as drain:
        until(lambda: drained(shop, node), "the drain")
        # As where no state file is kept: the new process knows nothing of the drain.
        shop.exec("lb1", ["sh", "-c", "systemctl kill -s USR2 --kill-whom=main haproxy"])
        until(lambda: drained(shop, node), "drained again after the reload", 30)
        shop.faults.undo("hold-session")
        assert drain.wait(timeout=60) == OK
        said = drain.stdout.read() if drain.stdout else ""
    assert "reload" in said
    assert drained(shop, node)


def test_a_balancer_out_of_reach_blocks_a_drain(shop: Lab, anna: Operator) -> None:
    shop.faults.inject("partition", "lb2")
    done = anna("drain", "app1", "--yes")
    assert done.returncode == GUARDED
    assert "--override balancer-unreachable" in done.stderr + done.stdout
    assert state(shop, "app1")[0] == "UP"


@pytest.mark.story
def test_a_balancer_lost_in_the_middle_of_a_drain(shop: Lab, anna: Operator) -> None:
    node = _held(shop)
    with anna.begin("drain", node, "--timeout", "20s", "--on-timeout", "abort", "--yes") as drain:
        until(lambda: drained(shop, node), "the drain")
        shop.faults.inject("partition", "lb2")
        code = drain.wait(timeout=120)
    assert code not in {OK, None}
    assert state(shop, node)[0] == "UP"  # put back where it could be reached
    shop.faults.undo()
    until(lambda: all(state(shop, other)[1] == "UP" for other in APPS if other != node), "lb2 sees the others again")
    repaired = anna("undrain", node, "--yes")
    assert repaired.returncode == OK, repaired.stdout + repaired.stderr
    assert state(shop, node) == ("UP", "UP")


# --- killed, stopped, left alone ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", [pytest.param(6, marks=pytest.mark.story), 17, pytest.param(60, marks=pytest.mark.story)]
)
def test_killed_and_resumed(shop: Lab, anna: Operator, number: int) -> None:
    """Killed right after this event is on disk; tests/bench/killed.py does it after every one."""
    with observer(shop) as seen, load(shop, RATE) as sent:
        killed = anna("upgrade", "--to", GOOD, *QUICK, PYTHONPATH=DYING, HACTL_DIE_AT=str(number))
        assert killed.returncode not in {OK, GUARDED}, killed.stdout + killed.stderr
        if "DRAIN" in "".join(state(shop, "app1")):
            assert "resume" in anna("status").stdout
        done = anna("runs", "resume", "last", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    assert versions(shop) == dict.fromkeys(APPS, GOOD)
    assert (sent["failed"], sent["failures"]) == (0, [])
    assert min(one["fewest"] for one in seen.values()) >= MINIMUM
    assert all_up(shop)
    assert anna("audit", "verify").returncode == OK


def test_two_operators(shop: Lab, anna: Operator, ben: Operator) -> None:
    with anna.begin("upgrade", "--to", GOOD, *QUICK, "--reason", "release day") as first:
        until(lambda: "DRAIN" in "".join(state(shop, "app1")), "the first drain")
        second = ben("drain", "app3", "--yes", "--override", "other-drain", "--reason", "me too")
        assert second.returncode == BUSY, second.stdout + second.stderr
        assert "rolling-upgrade" in second.stderr
        assert str(os.uname().nodename) in second.stderr
        assert "rolling-upgrade" in ben("lock", "show").stdout
        anna.kill_runner()  # whoever holds the lock dies: it is free, and the stranded drain is told
        first.wait(timeout=30)
    until(lambda: "free" in ben("lock", "show").stdout.lower(), "the lock is free", 15)
    assert anna("runs", "undo", "last", "--yes").returncode == UNDONE
    assert all_up(shop)
    assert versions(shop) == dict.fromkeys(APPS, OLD)


def test_ctrl_c_stops_at_a_safe_point(shop: Lab, anna: Operator) -> None:
    with anna.begin("upgrade", "--to", GOOD, *QUICK) as upgrade:
        until(lambda: "DRAIN" in "".join(state(shop, "app1")), "the first drain")
        os.killpg(upgrade.pid, signal.SIGINT)
        assert upgrade.wait(timeout=120) == STOPPED
    assert anna("runs", "resume", "last", "--yes").returncode == OK
    assert versions(shop) == dict.fromkeys(APPS, GOOD)


def test_a_closed_terminal_ends_no_run(shop: Lab, anna: Operator) -> None:
    with anna.begin("upgrade", "--to", GOOD, *QUICK) as upgrade:
        until(lambda: "DRAIN" in "".join(state(shop, "app1")), "the first drain")
        os.killpg(upgrade.pid, signal.SIGHUP)
        upgrade.wait(timeout=30)
    attached = anna("runs", "attach", "last")
    assert attached.returncode == OK, attached.stdout + attached.stderr
    assert versions(shop) == dict.fromkeys(APPS, GOOD)


# Waits for the installation, holds it still while every session of hactl on the node is killed, and lets it go on.
CUT = """
until pkill -STOP -f '^apt-get -q -y .*--allow-downgrades install shop'; do sleep 0.02; done
pkill -KILL -f '^sshd: hactl'
sleep 2
pkill -CONT -f '^apt-get -q -y .*--allow-downgrades install shop'
"""


def test_a_connection_lost_in_the_middle_of_a_command(shop: Lab, anna: Operator) -> None:
    with load(shop, 50) as sent, ThreadPoolExecutor() as aside:
        cut = aside.submit(shop.exec, "app1", ["sh", "-c", CUT], timeout=120)
        done = anna("upgrade", "--to", GOOD, *QUICK)
        assert cut.result().returncode == 0
    assert done.returncode == OK, done.stdout + done.stderr
    assert versions(shop) == dict.fromkeys(APPS, GOOD)
    assert sent["failed"] == 0
    told = [json.loads(line) for line in anna("runs", "attach", "last", "-o", "jsonl").stdout.splitlines()]
    assert [one["step"] for one in told if one["event"] == "StepUnknown"] == [1]
    after = told[next(index for index, one in enumerate(told) if one["event"] == "StepUnknown") + 1 :]
    looked = next(one for one in after if one["event"] in {"Said", "StepDone", "CommandStarted"})
    assert looked["event"] != "CommandStarted"  # never done again before somebody has looked


# --- what is refused before anything is touched ---------------------------------------------------------------


def test_a_full_disk_is_found_before_anything_is_touched(shop: Lab, anna: Operator) -> None:
    shop.faults.inject("disk-full", "app1", path="/var/cache/apt", percent="99")
    done = anna("upgrade", "--to", GOOD, *QUICK)
    assert done.returncode == GUARDED, done.stdout + done.stderr
    assert "disk" in done.stderr + done.stdout
    assert versions(shop) == dict.fromkeys(APPS, OLD)


def test_a_version_that_is_not_on_offer_is_refused(shop: Lab, anna: Operator) -> None:
    done = anna("upgrade", "--to", "9.9.9", *QUICK)
    assert done.returncode == GUARDED
    said = done.stderr + done.stdout
    assert all(node in said for node in APPS)


def test_a_plan_touches_nothing(shop: Lab, anna: Operator) -> None:
    document = anna.json("upgrade", "--to", GOOD, "--plan")
    assert document["targets"] == list(APPS)
    assert all_up(shop)
    assert versions(shop) == dict.fromkeys(APPS, OLD)


@pytest.mark.parametrize(
    "text", ["'; touch /tmp/owned #", "$(touch /tmp/owned)", "a\ntouch /tmp/owned", "`touch /tmp/owned`"]
)
def test_a_parameter_is_a_word_and_never_a_script(shop: Lab, anna: Operator, text: str) -> None:
    playbook = anna.home / "say.toml"
    playbook.write_text(
        'schema = 1\n[playbook]\nname = "say"\ntitle = "Say a word"\n'
        '[parameters.word]\ntype = "text"\nhelp = "a word"\n'
        '[targets]\nlimit = "app1"\n[[steps]]\nname = "say"\nverb = "command"\n'
        'with = { argv = ["printf", "%s", "$word"] }\n'
    )
    done = anna("run", str(playbook), "-p", f"word={text}", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    assert shop.exec("app1", ["test", "-e", "/tmp/owned"]).returncode != 0


def test_no_room_for_the_journal(shop: Lab, anna: Operator, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], check=True)
    try:
        done = anna("drain", "app1", "--yes", XDG_STATE_HOME=str(small))
        assert done.returncode == FAILED
        assert "journal" in done.stderr
        assert all_up(shop)
    finally:
        subprocess.run(["umount", small], check=True)


def _held(lab: Lab) -> str:
    """Requests that never end are under way; a node that has one."""
    lab.faults.inject("hold-session", count="6")
    until(lambda: any(_sessions(lab, node) for node in APPS), "a held session")
    return next(node for node in APPS if _sessions(lab, node))


def _sessions(lab: Lab, node: str) -> int:
    """Of a node's server, over both balancers."""
    total = 0
    for balancer in ("lb1", "lb2"):
        words = "echo show stat | socat -t 5 - /run/haproxy/admin.sock"
        for line in lab.exec(balancer, ["sh", "-c", words]).stdout.splitlines():
            cells = line.split(",")
            if cells[:2] == ["be_shop", SERVERS[node]]:
                total += int(cells[4])
    return total
