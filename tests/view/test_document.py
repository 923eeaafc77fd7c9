"""The status document: its schema, its page, and what is in it when things are known and when they are not."""

from __future__ import annotations

import json

import jsonschema
import pytest

from hactl.model.state import LinkPhase
from hactl.view.document import document
from hactl.view.status_schema import status_schema
from tests.model.assess.cases import CASES, Case
from tests.model.builders import DRAINED, MIB, NOW, Cluster, lab, note
from tests.view import reference

VALIDATOR = jsonschema.Draft202012Validator(status_schema())
BY_NAME = {case.name: case for case in CASES}
DB = "postgresql:database"


def told(cluster: Cluster, now: float = NOW) -> dict[str, object]:
    return document(cluster.picture(now))


def named(items: list[dict[str, object]], name: str, key: str = "name") -> dict[str, object]:
    return next(item for item in items if item[key] == name)


@pytest.mark.parametrize("name", reference.SCHEMAS)
def test_schemas_are_those_of_the_classes(name: str) -> None:
    """If not: `python -m tests.view.reference`."""
    assert reference.schema_path(name).read_text(encoding="utf-8") == reference.schema_text(name)
    jsonschema.Draft202012Validator.check_schema(json.loads(reference.schema_text(name)))


@pytest.mark.parametrize("name", reference.PAGES)
def test_pages_are_those_of_the_classes(name: str) -> None:
    """If not: `python -m tests.view.reference`."""
    assert reference.page_path(name).read_text(encoding="utf-8") == reference.page_text(name)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_picture_is_a_document_of_the_schema(case: Case) -> None:
    found = told(case.cluster())
    VALIDATOR.validate(found)
    assert json.loads(json.dumps(found)) == found
    assert {finding["key"]: finding["level"] for finding in found["findings"]} == {k: v for k, v, _ in case.findings}


def test_the_schema_refuses_what_is_not_a_document() -> None:
    found = told(Cluster())
    for spoil in (
        lambda d: d.pop("findings"),
        lambda d: d.update(schema="hactl.status/2"),
        lambda d: d["cluster"]["status"].update(level="fine"),
        lambda d: d["nodes"][0].update(roles="db"),
    ):
        broken = json.loads(json.dumps(found))
        spoil(broken)
        assert not VALIDATOR.is_valid(broken)


def test_a_healthy_cluster_tells_holder_primary_and_lags() -> None:
    found = told(Cluster().change("db3", DB, replayed=Cluster().get("db3", DB).lsn - MIB))
    assert found["schema"] == "hactl.status/1"
    assert found["at"] == "2025-10-09T09:10:00Z"
    assert found["cluster"]["status"]["level"] == "ok"
    assert found["vips"][0]["holders"] == ["lb1"]
    database = found["databases"][0]
    assert database["primaries"] == ["db1"]
    lags = {
        server["node"]: (server["facts"]["receive_lag_bytes"], server["facts"]["replay_lag_bytes"])
        for server in database["servers"]
    }
    assert lags == {"db1": (None, None), "db2": (0, 0), "db3": (0, MIB)}
    assert found["backups"][0]["repositories"][0]["last_full_age_seconds"] == 20 * 3600 + 1
    assert found["backups"][0]["repositories"][0]["wal_gap_segments"] == 0
    shop = named(found["services"], "shop")
    assert (shop["available"], shop["total"], shop["minimum"]) == (3, 3, 2)
    assert [member["version"] for member in shop["members"]] == ["1.0.0"] * 3
    assert named(found["nodes"], "lb1")["host"]["cpu_percent"] == 10.0


def test_what_is_not_known_is_null_with_a_reason_and_an_age() -> None:
    found = told(Cluster().down("db1").fail("backup1", "pgbackrest:backup", "sudo-denied", "sudo does not allow it."))
    node = named(found["nodes"], "db1")
    assert [node[key] for key in ("host", "disks", "clock", "units", "failed_units", "packages")] == [None] * 6
    assert node["link"]["phase"] == "down"
    assert {(one["known"], one["age_seconds"]) for one in node["answers"]} == {(False, 1.0)}
    server = named(found["databases"][0]["servers"], "db1", "node")
    assert (server["facts"], server["last_role"], server["age_seconds"]) == (None, "primary", 1.0)
    assert server["reason"].startswith("no route")
    assert found["databases"][0]["primaries"] == []
    assert named(found["databases"][0]["servers"], "db2", "node")["facts"]["receive_lag_bytes"] is None
    assert found["backups"][0]["repositories"] == []
    assert found["backups"][0]["reason"].startswith("sudo does not allow")


def test_every_balancer_speaks_for_itself() -> None:
    cluster = Cluster().server("lb1", "be_shop", "shop-a", **DRAINED)
    pool = named(told(cluster)["pools"], "shop")
    member = named(pool["members"], "app1", "node")
    assert [(one["balancer"], one["state"], one["available"]) for one in member["on"]] == [
        ("lb1", "drained", False),
        ("lb2", "up", True),
    ]
    assert (member["server"], member["agree"], pool["drained"]) == ("shop-a", False, ["app1"])
    silent = named(told(cluster.down("lb1"))["pools"], "shop")
    first = named(silent["members"], "app1", "node")["on"][0]
    assert (first["known"], first["state"], first["available"]) == (False, None, None)


def test_who_took_a_member_out_is_told_where_it_is_out() -> None:
    cluster = Cluster().say("app1", "note", note()).say("app2", "note", note("app2"))
    cluster.server("*", "be_shop", "shop-a", **DRAINED).server("*", "be_shop", "shop-c", **DRAINED)
    members = named(told(cluster)["pools"], "shop")["members"]
    assert {one["node"]: one["taken_out"] for one in members} == {
        "app1": {
            "who": "anna@laptop",
            "why": "new disk",
            "at": "2025-10-09T08:57:30Z",
            "run": "20251009-085740-k3f",
        },
        "app2": None,  # in the pool: its note is stale
        "app3": None,  # out, and nobody left a note
    }


def test_nothing_is_known_before_anybody_was_asked() -> None:
    cluster = Cluster()
    for name in lab().nodes:
        cluster.link(name, LinkPhase.IDLE)
        cluster.readings[name].clear()
    found = told(cluster)
    VALIDATOR.validate(found)
    assert found["cluster"]["status"]["level"] == "unknown"
    assert found["vips"][0]["holders"] == []
    assert found["vips"][0]["unknown"] == ["lb1", "lb2"]
    assert all(node["answers"] == [] for node in found["nodes"])
