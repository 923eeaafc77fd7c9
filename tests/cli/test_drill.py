"""`hactl drill`: what is shown of histories, and what may be typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from hactl.cli import live
from hactl.cli.root import root
from hactl.model.drills import Check, CheckOutcome, Verdict
from hactl.model.picture import Picture
from hactl.view.drills_document import SCHEMA, DrillsDocument
from hactl.view.status_schema import document_schema
from tests.cli.driving import LAB
from tests.cli.playing import play
from tests.model.builders import Cluster, drill, drills

DRILL = "drill:backup"
FAILED = drill(1, verdict=Verdict.FAIL, checks=(Check("orders", CheckOutcome.FAIL, "0 is not > 0"),))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command over a picture instead of over what nodes would say."""

    def run(cluster: Cluster, *args: str) -> Result:
        picture: Picture = cluster.picture()
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(live, "snapshot", lambda *_, **__: picture)
        return CliRunner().invoke(root, ["-i", str(LAB), "drill", *args], standalone_mode=False)

    return run


def told(*records: object, **changes: object) -> Cluster:
    return Cluster().say("backup1", DRILL, drills(*records, **changes))


def test_drills_are_listed_newest_first(shown: Callable[..., Result]) -> None:
    done = shown(told(drill(9), drill(2)), "list", "--service", "backup")
    assert done.return_value == 0
    head, *rows = done.output.split("\n\n")[0].splitlines()
    assert head.split()[:4] == ["drill", "verdict", "age", "rto"]
    assert [row.split()[0] for row in rows] == [drill(2).run, drill(9).run]
    assert "last good drill: 2d ago" in done.output


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        (told(drill(9), FAILED), "failed: orders: 0 is not > 0"),
        (told(records=()), "last good drill: none"),
        (Cluster().down("backup1"), "nobody can say"),
    ],
    ids=["the last one failed", "none", "unknown"],
)
def test_no_success_without_a_good_drill(shown: Callable[..., Result], cluster: Cluster, said: str) -> None:
    done = shown(cluster, "list", "--service", "backup")
    assert done.return_value == 1
    assert said in done.output


def test_one_is_shown(shown: Callable[..., Result]) -> None:
    done = shown(told(drill(9), FAILED), "show")
    assert done.return_value == 1
    assert "fail: orders: 0 is not > 0" in done.output
    assert "phases: prepare 1.5 s, restore" in done.output
    assert done.output.splitlines()[-1].split() == ["orders", "fail", "0", "is", "not", ">", "0"]
    assert shown(told(drill(9), FAILED), "show", drill(9).run).return_value == 0


def test_the_document(shown: Callable[..., Result]) -> None:
    schema = document_schema(DrillsDocument, SCHEMA, "")
    for cluster, runs in (
        (told(drill(9), drill(2)), [drill(2).run, drill(9).run]),
        (told(records=()), []),
        (Cluster().down("backup1"), []),
    ):
        document = json.loads(shown(cluster, "list", "--service", "backup", "-o", "json").output)
        jsonschema.validate(document, schema)
        assert [one["run"] for one in document["drills"]] == runs
        (service,) = document["services"]
        assert (service["unknown"] is None) is (cluster.links["backup1"].code != "unreachable")
    document = json.loads(shown(told(drill(9, rto=50.0), FAILED), "show", "last", "-o", "json").output)
    jsonschema.validate(document, schema)
    (one,) = document["drills"]
    assert (one["verdict"], one["why"], one["rto_change"]) == ("fail", "orders: 0 is not > 0", pytest.approx(0.31))


@pytest.mark.parametrize(
    ("args", "parameters"),
    [
        (("--plan",), {"service": "backup"}),
        (("run", "--plan", "--repository", "1"), {"service": "backup", "repository": 1}),
        (("--backup", "2025-full", "--on", "backup2", "--plan"), {"on": "backup2", "backup": "2025-full"}),
    ],
)
def test_without_a_command_a_drill_is_made(home: Path, args: tuple[str, ...], parameters: dict[str, object]) -> None:
    done = play("done", "drill", *args, home=home)
    asked = done.only("plan")
    assert (done.code, asked["playbook"]) == (0, "restore-drill")
    assert parameters.items() <= asked["parameters"].items()


def test_reports(shown: Callable[..., Result], tmp_path: Path) -> None:
    cluster = told(drill(9), FAILED)
    assert shown(cluster, "report").output.startswith("<!doctype html>")
    assert json.loads(shown(cluster, "report", "--format", "json").output)["drills"][0]["run"] == FAILED.run
    out = tmp_path / "drill.xml"
    done = shown(cluster, "report", "last", "-o", "junit", "--out", str(out))
    assert (done.return_value, done.stderr) == (0, f"written: {out}\n")
    assert 'failures="1"' in out.read_text(encoding="utf-8")
    error = shown(cluster, "report", "--out", str(tmp_path / "no" / "where.html")).exception
    assert "cannot be written" in str(error)


def test_a_timer_is_printed_or_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/var/lib/mine")
    words = ["-i", str(LAB), "drill", "--schedule", "--on-calendar", "monthly"]
    printed = CliRunner().invoke(root, words, standalone_mode=False)
    assert printed.output.startswith("# hactl-drill-lab-backup.service\n[Unit]\n")
    for line in (f"-i {LAB} drill run --service backup --yes", "XDG_STATE_HOME=/var/lib/mine", "OnCalendar=monthly"):
        assert line in printed.output
    offsite = [*words[:3], "schedule", "--service", "offsite", "--out", str(tmp_path)]
    assert CliRunner().invoke(root, offsite, standalone_mode=False).return_value == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "hactl-drill-lab-offsite.service",
        "hactl-drill-lab-offsite.timer",
    }


def test_the_same_command_that_prints_it_is_run_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "hactl"
    program.touch(mode=0o755)
    monkeypatch.setattr("sys.argv", [str(program), "drill", "--schedule"])
    done = CliRunner().invoke(root, ["-i", str(LAB), "drill", "--schedule"], standalone_mode=False)
    assert f"ExecStart={program} -i " in done.output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("schedule", "--on-calendar", "%n"), "no time that systemd could take"),
        (("--schedule", "--user", "nobody-like-it"), "There is no account nobody-like-it"),
        (("--schedule", "--service", "bakcup"), 'did you mean "backup"?'),
        (("show", "nothing-like-it"), "There was no drill"),
        (("list", "--service", "bakcup"), 'did you mean "backup"?'),
    ],
)
def test_what_makes_no_sense_is_told(shown: Callable[..., Result], args: tuple[str, ...], said: str) -> None:
    error = shown(told(), *args).exception
    assert said in str(error)


def test_what_nobody_knows_cannot_be_shown(shown: Callable[..., Result]) -> None:
    error = shown(Cluster().down("backup1"), "show", "--service", "backup").exception
    assert str(error) == "Which drills of backup there were is not known: no route to 192.168.56.11."


def test_where_no_drills_can_be_made_the_inventory_is_told_of() -> None:
    bare = LAB.parent / "examples" / "large.toml"
    error = CliRunner().invoke(root, ["-i", str(bare), "drill", "list"], standalone_mode=False).exception
    assert str(error).startswith("The inventory names nowhere to make drills. It wants drill_node")
