"""Where repositories lie, and who is asked how full it is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.inventory import Inventory, PgbackrestService, ResticService
from hactl.model.rooms import Place, asked_on, places
from tests.model.builders import with_uploads


@pytest.mark.parametrize(
    ("repository", "wanted"),
    [
        ("sftp:restic@backup1:/var/lib/restic/{node}", ("backup1", "/var/lib/restic")),
        ("sftp:192.168.57.41:/srv/{node}-files/restic", ("backup1", "/srv")),
        ("sftp://restic@backup1:22//srv/restic/{node}", ("backup1", "/srv/restic")),
        ("sftp:backup1:/srv/shared", ("backup1", "/srv/shared")),
        ("/srv/restic", ("app2", "/srv/restic")),
        ("local:/{node}", ("app2", "/")),
        ("sftp:restic@elsewhere:/srv/restic", None),
        ("sftp:backup1:below-the-home", None),
        ("s3:s3.example.net/bucket", None),
        ("rest:https://backup1/", None),
    ],
)
def test_where_the_files_of_a_node_are_kept(repository: str, wanted: tuple[str, str] | None) -> None:
    inventory = with_uploads()
    service = inventory.services["uploads"]
    assert isinstance(service, ResticService)
    found = places(replace(service, repository=repository), inventory).get("app2")
    assert found == (None if wanted is None else Place(*wanted))


def _with(**changes: object) -> Inventory:
    inventory = with_uploads()
    backup = inventory.services["backup"]
    assert isinstance(backup, PgbackrestService)
    return replace(inventory, services={**inventory.services, "backup": replace(backup, **changes)})


def test_a_databases_repositories_lie_where_the_inventory_says() -> None:
    inventory = _with(repositories=(1, 3, 4), repository_paths=("/srv/a", "", "/srv/b"))
    found = places(inventory.services["backup"], inventory)
    assert found == {"1": Place("backup1", "/srv/a"), "4": Place("backup1", "/srv/b")}


def test_a_node_is_asked_for_each_folder_once() -> None:
    inventory = _with(repositories=(1, 2), repository_paths=("/srv/a", "/srv/a"))
    assert asked_on("backup1", inventory) == {"backup": ("/srv/a",), "uploads": ("/var/lib/restic",)}
    assert asked_on("backup2", inventory) == {"offsite": ("/var/lib/pgbackrest",)}
    assert asked_on("app1", inventory) == {}
