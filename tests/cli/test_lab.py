"""The commands against the real lab: ten nodes, every service, and what each command says of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest

from hactl.lab import Lab
from hactl.view.tables import text_width
from tests.cli.driving import ROOT, environment, hactl

pytestmark = pytest.mark.lab

SERVICES = {"balancer", "vrrp", "shop", "database", "backup", "offsite", "uploads"}
PATIENCE = 120  # seconds in which the lab is as it should be, whatever the test before has done to it


@pytest.fixture
def inventory(lab: Lab) -> str:
    return str(lab.paths.inventory)


@pytest.fixture
def schema() -> dict:
    return json.loads((ROOT / "docs" / "reference" / "status.schema.json").read_text())


def told(inventory: str, home: Path, *args: str) -> dict:
    done = hactl("-i", inventory, "status", "-o", "json", *args, home=home)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def healthy(inventory: str, home: Path) -> dict:
    """A document in which every service is ok; faults of earlier tests may take a while to heal."""
    deadline = time.monotonic() + PATIENCE
    while True:
        document = told(inventory, home)
        if all(service["status"]["level"] == "ok" for service in document["services"]):
            return document
        assert time.monotonic() < deadline, document["findings"]
        time.sleep(1)


def test_status_tells_the_truth_about_a_healthy_cluster(inventory: str, home: Path, schema: dict, lab: Lab) -> None:
    document = healthy(inventory, home)
    jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())
    assert {service["name"] for service in document["services"]} == SERVICES
    assert {node["name"] for node in document["nodes"]} == {
        *("lb1", "lb2", "app1", "app2", "app3", "db1", "db2", "db3", "backup1", "backup2")
    }
    (vip,) = document["vips"]
    assert vip["holders"] == [name for name in ("lb1", "lb2") if vip["address"] in addresses(lab, name)]
    (database,) = document["databases"]
    assert database["primaries"] == [name for name in ("db1", "db2", "db3") if is_primary(lab, name)]
    standbys = [one["facts"] for one in database["servers"] if one["node"] not in database["primaries"]]
    assert len(standbys) == 2
    assert all(one["streaming"] and one["receive_lag_bytes"] is not None for one in standbys)


def addresses(lab: Lab, node: str) -> str:
    return lab.exec(node, ["ip", "-o", "addr"]).stdout


def is_primary(lab: Lab, node: str) -> bool:
    asked = ["runuser", "-u", "postgres", "--", "psql", "-Atc", "select pg_is_in_recovery()"]
    return lab.exec(node, asked).stdout.strip() == "f"


def test_the_board_fits_eighty_columns_and_names_everything(inventory: str, home: Path) -> None:
    document = healthy(inventory, home)
    board = hactl("-i", inventory, "status", home=home, COLUMNS="80").stdout
    assert max(map(text_width, board.splitlines())) <= 80
    for name in (*SERVICES, *(node["name"] for node in document["nodes"]), "shop", "public"):
        assert re.search(rf"^{name} ", board, re.MULTILINE), name
    primary = document["databases"][0]["primaries"][0]
    assert re.search(rf"^{primary} +\w+ +primary", board, re.MULTILINE)


def test_watching_writes_valid_documents(inventory: str, home: Path, schema: dict) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hactl", "-i", inventory, "status", "--watch", "1", "-o", "jsonl"],
        env=environment(home),
        cwd=home,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        documents = [json.loads(process.stdout.readline()) for _ in range(3)]
    finally:
        process.kill()
        process.communicate()
    for document in documents:
        jsonschema.validate(document, schema)
    assert documents[-1]["nodes"][0]["host"]["cpu_percent"] is not None


@pytest.mark.parametrize(
    "subject",
    [(), ("--service", "shop"), ("--pool", "shop"), ("--vip", "public"), ("--site", "west"), ("--node", "db1")],
    ids=" ".join,
)
def test_check_knows_every_subject(inventory: str, home: Path, subject: tuple[str, ...]) -> None:
    healthy(inventory, home)
    done = hactl("-i", inventory, "check", *subject, home=home)
    word = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}[done.returncode]
    assert done.stdout.startswith(f"HACTL {word} - ")
    if subject[:1] in {("--service",), ("--pool",), ("--vip",)}:
        assert word == "OK", done.stdout


def test_doctor_finds_a_healthy_lab_healthy(inventory: str, home: Path) -> None:
    healthy(inventory, home)
    done = hactl("-i", inventory, "doctor", "-o", "json", home=home)
    wrong = [check for check in json.loads(done.stdout)["checks"] if check["outcome"] != "ok"]
    assert (done.returncode, wrong) == (0, [])


def failures(inventory: str, home: Path, node: str, about: str) -> list[dict]:
    done = hactl("-i", inventory, "doctor", "--limit", node, "-o", "json", home=home)
    checks = json.loads(done.stdout)["checks"]
    return [check for check in checks if check["about"] == about and check["outcome"] == "fail"]


@contextmanager
def changed(lab: Lab, node: str, do: list[str], undo: list[str]) -> Iterator[None]:
    assert lab.exec(node, do).returncode == 0
    try:
        yield
    finally:
        assert lab.exec(node, undo).returncode == 0


def test_doctor_names_the_sudo_rule_that_is_missing(inventory: str, home: Path, lab: Lab) -> None:
    aside = ["mv", "/etc/sudoers.d/hactl", "/root/hactl.aside"]
    policy = hactl("-i", inventory, "sudoers", "backup", home=home).stdout
    to_watch = next(line for line in policy.splitlines() if line.endswith("=json info"))
    with changed(lab, "backup1", aside, [aside[0], aside[2], aside[1]]):
        missing = failures(inventory, home, "backup1", "sudo")  # those that are there to act with are warnings
    assert [one for one in missing if to_watch in one["remedy"]]
    assert failures(inventory, home, "backup1", "sudo") == []


def test_doctor_tells_a_socket_that_is_denied(inventory: str, home: Path, lab: Lab) -> None:
    path = "/run/haproxy/admin.sock"
    with changed(lab, "lb2", ["chmod", "600", path], ["chmod", "660", path]):
        denied = failures(inventory, home, "lb2", "socket")
    assert denied
    assert all(path in check["sentence"] and check["remedy"] for check in denied)


def test_the_policies_are_what_visudo_accepts(inventory: str, home: Path, lab: Lab) -> None:
    for role in ("lb", "app", "db", "backup"):
        policy = hactl("-i", inventory, "sudoers", role, home=home).stdout
        asked = ["sh", "-c", 'printf "%s" "$1" | visudo -cf -', "sh", policy]
        assert lab.exec("backup1", asked).returncode == 0, policy


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def available(document: dict, service: str) -> tuple[int, int]:
    (one,) = (one for one in document["services"] if one["name"] == service)
    return one["available"], one["total"]


def test_a_node_that_loses_its_power_is_shown_and_comes_back(inventory: str, home: Path, lab: Lab) -> None:
    healthy(inventory, home)
    lab.faults.inject("power-off", "app3")
    document = told(inventory, home)
    (node,) = (one for one in document["nodes"] if one["name"] == "app3")
    assert (node["link"]["phase"], node["host"]) == ("down", None)
    wait_for(lambda: available(told(inventory, home), "shop") == (2, 3), PATIENCE)  # the balancers' checks take a while
    assert hactl("-i", inventory, "check", "--node", "app3", home=home).returncode == 2
    lab.faults.undo()
    wait_for(lambda: told(inventory, home)["services"][2]["status"]["level"] == "ok", PATIENCE)
