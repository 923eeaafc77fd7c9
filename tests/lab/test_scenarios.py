"""Exercises played on the real lab, by hactl's own commands and a shell on a node, as an operator would."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from hactl.control.training_diary import Shelf
from hactl.lab import Lab, crowd
from hactl.lab.spec import STATE_ROOT
from tests.cli.driving import hactl, script
from tests.lab.acting import Done, Operator, all_up, until
from tests.lab.database import SWITCHED, healthy, mend, primaries, psql

pytestmark = pytest.mark.lab

PATIENCE = 120.0  # seconds for a goal to be seen to hold, on a busy machine


class Player(Operator):
    """An operator who is at an exercise."""

    def scenario(self, *words: str, timeout: float = 300) -> Done:
        name = f"--name={self.lab.spec.name}"
        return hactl("lab", "scenario", words[0], name, *words[1:], home=self.home, timeout=timeout)

    def start(self, *words: str) -> None:
        done = self.scenario("start", *words)
        assert done.returncode == 0, done.stderr + done.stdout

    def checked(self) -> Done:
        return self.scenario("check")

    def reaches(self) -> dict[str, object]:
        """The report, when the exercise has ended by its goal."""
        until(lambda: self.report()["ending"], "the exercise ends", PATIENCE)
        report = self.report()
        assert report["ending"] == "reached", report
        return report

    def report(self) -> dict[str, object]:
        done = self.scenario("report", "-o", "json")
        assert done.returncode == 0, done.stderr
        document: dict[str, object] = json.loads(done.stdout)
        return document

    def watchers(self) -> list[int]:
        return [
            process.pid
            for process in psutil.process_iter(["cmdline"])
            if "hactl.control.training_watcher" in (process.info["cmdline"] or ())
            and self.lab.spec.name in (process.info["cmdline"] or ())
        ]


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Player]:
    script(tmp_path)  # asks whether a node has power
    player = Player(lab, tmp_path)
    yield player
    if Shelf(lab.spec.name).open() is not None:
        player.scenario("stop")
    until(lambda: not player.watchers(), "the watcher has ended")
    shutil.rmtree(STATE_ROOT / f"{lab.spec.name}.training", ignore_errors=True)
    until(lambda: all_up(lab), "every server up on both balancers")


def gone(lab: Lab) -> bool:
    """Nothing of an exercise is left on the lab."""
    return not lab.faults.active() and not crowd.here(lab)


def marks(report: dict[str, object]) -> list[str]:
    notes = report["notes"]
    assert isinstance(notes, list)
    return [note["mark"] for note in notes]


def test_an_exercise_is_won_though_its_watcher_is_killed(lab: Lab, anna: Player) -> None:
    anna.start("first-look")
    until(lambda: anna.checked().returncode == 1 and "shop.service is not running" in anna.checked().stdout, "it shows")
    assert "Another exercise goes on: first-look" in anna.scenario("start", "vip-on-nobody").stderr
    for pid in anna.watchers():
        os.kill(pid, signal.SIGKILL)
    assert "Hint 1" in anna.scenario("hint").stdout  # and a watcher is there again
    assert len(anna.watchers()) == 1
    lab.exec("app2", ["systemctl", "start", "shop.service"])
    report = anna.reaches()
    assert marks(report).count("act") == 1  # what was done was not done again
    assert marks(report).count("watched") == 2
    assert report["orders"]["lost"] == 0  # type: ignore[index]
    assert report["score"]["points"] >= 60  # type: ignore[index]
    assert "stopped on app2" in str(report["debrief"])
    assert anna.checked().returncode == 0
    assert gone(lab)
    assert "first-look" in anna.scenario("report", "--all").stdout


def test_stopped_half_way_everything_is_put_back(lab: Lab, anna: Player) -> None:
    anna.start("--random", "--seed", "1")
    story = Shelf(lab.spec.name).diaries()[-1].session()
    assert story.secret
    assert story.scenario.name not in anna.scenario("report").stdout
    lab.faults.inject("service-stop", "role:lb", "keepalived.service")  # whatever it was, and more
    done = anna.scenario("stop")
    assert done.returncode == 0, done.stderr
    assert gone(lab)
    report = anna.report()
    assert (report["exercise"], report["ending"]) == (story.scenario.name, "stopped")
    assert report["score"]["grade"] == "-"  # type: ignore[index]
    refused = anna.scenario("hint")
    assert (refused.returncode, "No exercise goes on" in refused.stderr) == (3, True)


def test_what_cannot_be_begun_is_explained(lab: Lab, anna: Player) -> None:
    unknown = anna.scenario("start", "first-lok")
    assert (unknown.returncode, 'did you mean "first-look"' in unknown.stderr) == (2, True)
    lab.faults.inject("service-stop", "app3")
    assert "Faults are active: service-stop app3" in anna.scenario("start", "first-look").stderr
    lab.faults.undo()
    down = hactl("lab", "scenario", "start", "--name", "nosuchlab", "first-look", home=anna.home)
    assert "The lab nosuchlab is not up." in down.stderr


# --- whole stories ------------------------------------------------------------------------------------------------

Story = Callable[[Lab, Player], None]


def _drain(_: Lab, anna: Player) -> None:
    assert anna("drain", "app1", "--yes").returncode == 0
    until(lambda: anna.report()["goals_reached"] == 1, "the first goal is seen")
    assert anna("undrain", "app1", "--yes").returncode == 0


def _upgrade(_: Lab, anna: Player) -> None:
    assert anna("upgrade", "--to", "1.1.0", "--yes", timeout=400).returncode == 0


def _bad_upgrade(_: Lab, anna: Player) -> None:
    assert anna("upgrade", "--yes", timeout=400).returncode == 8
    _upgrade(_, anna)


def _balancer(lab: Lab, anna: Player) -> None:
    (holder,) = (_places(lab)["holder"],)
    until(lambda: "act" in marks(anna.report()), "it has lost its power")
    until(lambda: marks(anna.report()).count("act") == 2, "it is back")
    until(lambda: anna("vip", "move", "--to", holder, "--yes").returncode == 0, "the address is back", PATIENCE)


def _vip(lab: Lab, anna: Player) -> None:
    until(lambda: anna.checked().returncode == 1 and "on nobody" in anna.checked().stdout, "nobody has it")
    for node in ("lb1", "lb2"):
        lab.exec(node, ["systemctl", "start", "keepalived.service"])


def _switchover(lab: Lab, anna: Player) -> None:
    assert anna("switchover", "--to", _places(lab)["standby"], "--yes").returncode == 0


def _failover(lab: Lab, anna: Player) -> None:
    until(lambda: _places(lab)["primary"] not in primaries(lab), "it has lost its power")
    done = anna("failover", "--yes", "--confirm", lab.spec.name, "--reason", "no power")
    assert done.returncode == 0, done.stderr + done.stdout


def _rejoin(lab: Lab, anna: Player) -> None:
    done = anna("rejoin", _places(lab)["primary"], "--yes")
    assert done.returncode == 0, done.stderr + done.stdout


def _wait(_: Lab, anna: Player) -> None:
    until(lambda: marks(anna.report()).count("act") == 2, "the line is back", PATIENCE)


def _sql(lab: Lab, node: str, *statements: str) -> None:
    for statement in statements:
        lab.exec(node, ["runuser", "-u", "postgres", "--", "psql", "-XAtqc", statement])


def _lag(lab: Lab, anna: Player) -> None:
    until(lambda: marks(anna.report()).count("act") == 2, "both have happened")
    until(lambda: "abandoned" in anna.checked().stdout, "the slot shows")
    _sql(lab, _places(lab)["standby"], "SELECT pg_wal_replay_resume()")
    _sql(lab, _places(lab)["primary"], "SELECT pg_drop_replication_slot('abandoned')")


def _archiving(lab: Lab, anna: Player) -> None:
    until(lambda: "act" in marks(anna.report()), "it has happened")
    until(lambda: anna.checked().returncode == 1, "it shows")
    _sql(lab, _places(lab)["primary"], "ALTER SYSTEM RESET archive_command", "SELECT pg_reload_conf()")
    until(lambda: anna("backup", "run", "--yes").returncode == 0, "a backup", PATIENCE)


def _damaged(_: Lab, anna: Player) -> None:
    assert anna("backup", "verify", "--yes").returncode != 0
    assert anna("backup", "run", "--type", "full", "--yes").returncode == 0


def _two(_: Lab, anna: Player) -> None:
    assert anna("upgrade", "--to", "1.1.0", "--yes").returncode == 7
    until(lambda: "act" in marks(anna.report()), "bob tidies up", PATIENCE)
    until(lambda: anna("upgrade", "--to", "1.1.0", "--yes", timeout=400).returncode == 0, "the upgrade", PATIENCE)


def _restore(lab: Lab, anna: Player) -> None:
    """The table out of the archive, kept by a drill to the moment before; loaded by hand."""
    until(lambda: anna.report()["requests"]["failed"], "it is gone", PATIENCE)  # type: ignore[index]
    until(lambda: "act" in marks(anna.report()), "it is noted")
    primary = _places(lab)["primary"]
    before = anna.report()["requests"]["first_failure"] - 2.5  # type: ignore[index]
    segment = psql(lab, primary, "SELECT pg_walfile_name(pg_current_wal_lsn())")
    _sql(lab, primary, "SELECT pg_switch_wal()")
    archived = f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver"
    until(lambda: psql(lab, primary, archived) == "t", "it is archived")
    moment = datetime.fromtimestamp(before, UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
    drill = anna("drill", "run", "--time", moment, "--database", "shop", "--table", "orders", "--yes", timeout=300)
    assert drill.returncode == 0, drill.stdout + drill.stderr
    kept = re.search(r"orders of shop is in backup1:(\S+)", drill.stdout)
    assert kept is not None, drill.stdout
    dump = lab.exec("backup1", ["cat", kept[1]])
    load = ["runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", "shop"]
    done = lab.exec(primary, load, stdin=dump.stdout)
    assert done.returncode == 0, done.stderr


def _places(lab: Lab) -> dict[str, str]:
    return dict(Shelf(lab.spec.name).diaries()[-1].session().places)


PLAYED: dict[str, Story] = {
    "drain-and-undrain": _drain,
    "good-upgrade": _upgrade,
    "bad-upgrade": _bad_upgrade,
    "balancer-dies": _balancer,
    "vip-on-nobody": _vip,
    "planned-switchover": _switchover,
    "primary-power-loss": _failover,
    "old-primary-returns": _rejoin,
    "site-cut-off": _wait,
    "lag-and-slot": _lag,
    "archiving-stopped": _archiving,
    "damaged-backup": _damaged,
    "two-operators": _two,
    "dropped-table": _restore,
}


@pytest.mark.story
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PLAYED)
def test_an_exercise_can_be_won(lab: Lab, anna: Player, name: str) -> None:
    until(lambda: healthy(lab), "one primary that both others stream from", SWITCHED)
    try:
        anna.start(name)
        PLAYED[name](lab, anna)
        report = anna.reaches()
        assert gone(lab)
        assert report["score"]["points"] >= 40, report["score"]  # type: ignore[index]
    finally:
        if not healthy(lab):
            mend(lab, anna)
