"""`hactl db`, `vip`, and what moves roles and addresses: what is asked for, and what is shown of pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from hactl.cli import live
from hactl.cli.root import root
from hactl.control.roles import RoleHistory
from hactl.model.observed import Observed, Unknown
from hactl.model.role_history import RoleChange
from hactl.model.vips import Candidate, Holding
from hactl.view.replication_document import SCHEMA, ReplicationDocument
from hactl.view.role_history import SCHEMA as HISTORY
from hactl.view.role_history import HistoryDocument
from hactl.view.status_schema import document_schema
from hactl.view.vips import SCHEMA as VIPS
from hactl.view.vips import VipsDocument
from tests.cli.driving import LAB
from tests.cli.playing import play
from tests.model.builders import MIB, NOW, WAL, Cluster, lab, primary

DB = "postgresql:database"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command over what is given instead of over what nodes would say."""

    def run(given: object, *args: str) -> Result:
        monkeypatch.setattr(live, "with_control", lambda *_, **__: given)
        return CliRunner().invoke(root, ["-i", str(LAB), *args], standalone_mode=False)

    return run


def gone() -> Cluster:
    cluster = Cluster().say("db1", DB, primary(lsn=WAL + MIB), at=NOW - 14).down("db1", reason="no route.")
    for node in ("db2", "db3"):
        cluster.change(node, DB, receiver_status="", primary_host="", follows="db1")
    return cluster


@pytest.mark.parametrize(
    ("args", "playbook", "parameters"),
    [
        (("switchover",), "switchover", {}),
        (("switchover", "--to", "db2"), "switchover", {"to": "db2"}),
        (("switchover", "--service", "database"), "switchover", {"service": "database"}),
        (("failover", "--to", "db3"), "failover", {"to": "db3"}),
        (("rejoin", "db1"), "rejoin", {"server": "db1"}),
        (("rejoin", "db1", "--clone"), "rejoin", {"server": "db1", "clone": True}),
        (("vip", "move"), "vip-move", {}),
        (("vip", "move", "--to", "lb2", "--vip", "public"), "vip-move", {"to": "lb2", "vip": "public"}),
        (("vip", "release"), "vip-release", {}),
        (("vip", "release", "lb1"), "vip-release", {"holder": "lb1"}),
        (("vip", "release", "lb1", "--end"), "vip-return", {"holder": "lb1"}),
    ],
)
def test_arguments_become_a_request(home: Path, args, playbook, parameters) -> None:
    done = play("done", *args, "--plan", home=home)
    asked = done.only("plan")
    assert (asked["playbook"], asked["parameters"], asked["limit"]) == (playbook, parameters, None)
    assert (done.code, done.whats) == (0, ["plan"])


def test_the_risk_of_a_split_brain_is_an_override_and_wants_its_reason(home: Path) -> None:
    done = play("done", "failover", "--accept-split-brain-risk", "--plan", home=home)
    assert (done.code, done.asked) == (2, [])
    assert "--reason" in done.err
    done = play("done", "failover", "--accept-split-brain-risk", "--plan", "--reason", "it has burnt", home=home)
    assert done.only("plan")["overrides"] == ["split-brain"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("switchover", "--to", "db9"), 'There is no node "db9"'),
        (("switchover", "--to", "app1"), "app1 is no server of database"),
        (("switchover", "--service", "databse"), 'did you mean "database"?'),
        (("rejoin",), "Missing argument"),
        (("vip", "move", "--to", "db1"), "db1 may hold no such address"),
        (("vip", "move", "--vip", "pubic"), 'did you mean "public"?'),
        (("vip", "release", "--end"), "--end wants the NODE"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(home: Path, args, said: str) -> None:
    done = play("done", *args, "--plan", home=home)
    assert (done.code, done.asked) == (2, [])
    assert said in done.err


# --- db status ------------------------------------------------------------------------------------------------


def test_the_tree_the_slots_and_who_could_take_over(shown: Callable[..., Result]) -> None:
    done = shown(Cluster().picture(), "db", "status")
    assert done.return_value == 0
    lines = done.output.splitlines()
    assert lines[0] == "database: primary db1, timeline 1, PostgreSQL 15.14, 2 of 2 standbys stream"
    assert any(line.startswith("└ db2   standby   1  streaming") for line in lines)
    assert "can it take over" in done.output
    assert "archiving on db1: on" in done.output


def test_a_primary_that_is_gone_is_no_success(shown: Callable[..., Result]) -> None:
    done = shown(gone().picture(), "db", "status")
    assert done.return_value == 1
    assert "db1 was last seen as primary 14 s ago" in done.output
    assert "db2 had 1 MiB less then" in done.output


def test_the_document_of_a_database(shown: Callable[..., Result]) -> None:
    for cluster, primary_, lost in ((Cluster(), "db1", None), (gone(), None, "db1")):
        told = json.loads(shown(cluster.picture(), "db", "status", "-o", "json").output)
        jsonschema.validate(told, document_schema(ReplicationDocument, SCHEMA, ""))
        (database,) = told["databases"]
        assert database["primary"] == primary_
        assert (database["lost_primary"] or {}).get("node") == lost
    assert [one["may_lose_bytes"] for one in database["candidates"]] == [MIB, MIB, None]


# --- db history -----------------------------------------------------------------------------------------------

CHANGES = (
    RoleChange("database", "db3", "db2", 3, 1_759_990_000.0, 1_759_990_060.0),
    RoleChange("database", "db2", "db1", 2, 1.0, 2.0, run="r1", playbook="switchover", who="anna", write_downtime=1.4),
)


def test_what_became_of_roles(shown: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    done = shown(RoleHistory(CHANGES, {"db1": "no route"}), "db", "history")
    assert "db2 -> db3" in done.output
    assert "nobody from here" in done.output
    assert "switchover (r1)" in done.output
    assert "db1 does not tell what it remembers: no route." in done.output


def test_the_document_of_a_history(shown: Callable[..., Result]) -> None:
    told = json.loads(shown(RoleHistory(CHANGES, {}), "db", "history", "-o", "json").output)
    jsonschema.validate(told, document_schema(HistoryDocument, HISTORY, ""))
    assert [(one["run"], one["who"], one["lost_bytes"]) for one in told["changes"]] == [
        (None, None, None),
        ("r1", "anna", None),
    ]


# --- vip status -----------------------------------------------------------------------------------------------


def holding(lb1: object, lb2: object) -> tuple[Holding, ...]:
    return (Holding(lab().vips["public"], {"lb1": lb1, "lb2": lb2}),)  # type: ignore[dict-item]


HAS, NOT = Observed(Candidate(has=True, hold=""), 1.0), Observed(Candidate(has=False, hold=""), 1.0)


@pytest.mark.parametrize(
    ("lb1", "lb2", "code", "said"),
    [
        (HAS, NOT, 0, "public  192.168.56.10  lb1   yes     yes"),
        (HAS, Observed(Candidate(has=False, hold="1"), 1.0), 0, "no: its track_file says 1"),
        (HAS, HAS, 1, "public  192.168.56.10  lb2   yes"),
        (NOT, NOT, 1, "public  192.168.56.10  lb1   no"),
        (HAS, Unknown("lb2: no route.", 1.0), 1, "? no route"),
    ],
)
def test_who_has_an_address(shown: Callable[..., Result], lb1: object, lb2: object, code: int, said: str) -> None:
    done = shown(holding(lb1, lb2), "vip", "status")
    assert (done.return_value, said in done.output) == (code, True)
    told = json.loads(shown(holding(lb1, lb2), "vip", "status", "-o", "json").output)
    jsonschema.validate(told, document_schema(VipsDocument, VIPS, ""))
    assert told["vips"][0]["right"] is (code == 0)
