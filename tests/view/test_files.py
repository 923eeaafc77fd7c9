"""Files that restic keeps as rows, sentences and a document, beside the backups of databases."""

from __future__ import annotations

import jsonschema
import pytest

from hactl.model.facts import ResticFacts
from hactl.model.findings import Level
from hactl.model.inventory import ServiceKind
from hactl.model.observed import Observed
from hactl.model.stores import TOOLS, Files, files, files_services, kept_services, stores
from hactl.view.backups_document import SCHEMA, BackupsDocument, backups_document
from hactl.view.files import files_lines, missing_lines, restorable, snapshot_rows, store_rows
from hactl.view.status_schema import document_schema
from tests.model.builders import Cluster, restic, snapshot, with_uploads

FILES = "restic:uploads"
NEWER = snapshot(6, took=4.0, size=3 * 2**20, stored=2**20, tags=("nightly", "hactl-run=20251009-031000-abc"))


def cluster() -> Cluster:
    return Cluster(with_uploads())


def found(of: Cluster) -> tuple[Files, ...]:
    (service,) = files_services(of.inventory)
    return files(service, of.picture())


def test_a_snapshot_a_line_newest_first() -> None:
    rows = snapshot_rows(found(cluster().say("app1", FILES, restic(snapshot(30), NEWER)))[:1]).rows
    assert [[cell.text for cell in row.cells] for row in rows] == [
        ["0000003c", "files", "6h", "4 s", "3 MiB", "1 MiB", "-", "stands alone", "app1", "uploads"],
        ["0000012c", "files", "1d", "?", "?", "?", "-", "stands alone", "app1", "uploads"],
    ]


def test_a_node_a_row_below_the_databases_repositories() -> None:
    here = cluster().change("app2", FILES, snapshots=()).fail("app3", FILES, "parse", "no restic")
    table = store_rows(here.picture())
    rows = {row.key: [cell.text for cell in row.cells] for row in table.rows}
    assert list(rows)[-3:] == ["uploads/app1", "uploads/app2", "uploads/app3"]
    assert "backup/1" in rows
    assert rows["uploads/app1"] == ["uploads", "ok", "app1", "6h", "6h", "?", "?", "2", "12 GiB", "-", "ok"]
    assert rows["uploads/app2"] == ["uploads", "crit", "app2", "none", "none", "-", "0 B", "0", "12 GiB", "-", "ok"]
    assert rows["uploads/app3"][-2:] == ["-", "? no restic"]
    assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_one_in_sentences() -> None:
    assert [line.text for line in files_lines(cluster().picture(), found(cluster())[0])] == [
        "uploads of app1, in sftp:restic@backup1:/var/lib/restic/app1",
        "status: ok",
        "files: /var/lib/shop/uploads",
        "snapshots: 2",
        "can be restored: as they were 6h ago, back to 1d ago",
        "room: 12 GiB free of 20 GiB (40 % in use), in /var/lib/restic on backup1",
        "policy: a snapshot every 1 d 2 h",
    ]


@pytest.mark.parametrize(
    ("facts", "said", "level"),
    [
        (restic(snapshots=()), "uploads of app1: no snapshot", Level.CRIT),
        (restic(unreadable=1), "uploads of app1: 1 snapshot cannot be read", Level.CRIT),
        (None, "uploads of app1: what its repository holds is not known: no restic", Level.UNKNOWN),
    ],
)
def test_what_cannot_be_restored_says_why(facts: ResticFacts | None, said: str, level: Level) -> None:
    here = cluster()
    if facts is None:
        here.fail("app1", FILES, "parse", "app1: no restic.")
    else:
        here.say("app1", FILES, facts)
    assert [(line.text, line.level) for line in missing_lines(found(here))] == [(said, level)]
    assert restorable(here.picture(), ["uploads"]) is (facts is not None and bool(facts.snapshots))


def test_the_document_has_them_too() -> None:
    here = cluster().say("app1", FILES, restic(NEWER)).fail("app2", FILES, "parse", "no restic")
    document = backups_document(here.picture(), (), found(here))
    jsonschema.validate(document, document_schema(BackupsDocument, SCHEMA, "x"))
    app1, app2, _ = document["files"]
    assert (app1["node"], app1["snapshots"][0]["run"]) == ("app1", "20251009-031000-abc")
    assert (app1["repository"], app1["trouble"]) == ("sftp:restic@backup1:/var/lib/restic/app1", None)
    assert (app2["unknown"], app2["snapshots"]) == ("no restic", [])


# --- the seam: what every tool tells alike ---


def test_both_tools_stores_look_alike() -> None:
    picture = cluster().picture()
    told = {one.key: one for each in kept_services(picture.state.inventory) for one in stores(each, picture)}
    database, app1 = told["backup/1"], told["uploads/app1"]
    assert (database.tool, database.node, app1.tool, app1.node) == ("pgBackRest", "backup1", "restic", "app1")
    for one in (database, app1):
        assert isinstance(one.contents, Observed)
        assert (one.contents.value.count, one.contents.value.well, one.restorable) == (2, True, True)
    assert stores(picture.state.inventory.services["shop"], picture) == ()


def test_a_tool_is_its_services_kind_and_names_playbooks() -> None:
    assert set(TOOLS) == {ServiceKind.PGBACKREST, ServiceKind.RESTIC}
    assert all(tool.kind is kind and len({tool.take, tool.verify, tool.drill}) == 3 for kind, tool in TOOLS.items())
