"""`hactl backup` and `hactl drill` about files that restic keeps: the same commands, another tool's playbooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hactl.cli import live
from hactl.cli.root import root
from hactl.model.facts import RepositoryTrouble
from hactl.model.picture import Picture
from tests.cli.driving import LAB
from tests.cli.playing import play
from tests.model.builders import Cluster, restic

FILES = "restic:uploads"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command over a picture instead of over what nodes would say."""

    def run(picture: Picture, *args: str) -> Result:
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(live, "snapshot", lambda *_, **__: picture)
        return CliRunner().invoke(root, ["-i", str(LAB), "backup", *args], standalone_mode=False)

    return run


@pytest.mark.parametrize(
    ("args", "playbook", "parameters"),
    [
        (("backup", "run"), "files-backup", {"service": "uploads"}),
        (("backup", "verify"), "files-verify", {"service": "uploads"}),
        (("drill", "run"), "files-drill", {"service": "uploads", "snapshot": "latest"}),
        (("drill", "run", "--backup", "1f3a9c04"), "files-drill", {"service": "uploads", "snapshot": "1f3a9c04"}),
    ],
)
def test_the_services_kind_chooses_the_playbook(home: Path, args, playbook, parameters) -> None:
    asked = play("done", *args, "--service", "uploads", "--plan", home=home).only("plan")
    assert (asked["playbook"], asked["parameters"]) == (playbook, parameters)


def test_a_drill_may_be_on_one_node(home: Path) -> None:
    asked = play("done", "drill", "run", "--service", "uploads", "--on", "app2", "--plan", home=home).only("plan")
    assert asked["limit"] == "app2"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("backup", "run", "--type", "full"), "Backups by restic are of no --type"),
        (("backup", "run", "--repository", "1"), "Repositories of restic have no numbers"),
        (("backup", "verify", "--repository", "1"), "Repositories of restic have no numbers"),
        (("drill", "run", "--time", "2026-11-21 10:00"), "Files have no --time, --query, --table or --repository"),
    ],
)
def test_what_only_databases_have_is_refused(home: Path, args, said: str) -> None:
    done = play("done", *args, "--service", "uploads", "--yes", home=home)
    assert (done.code, done.asked) == (2, [])
    assert said in done.err


def test_snapshots_are_listed_beside_backups(shown: Callable[..., Result]) -> None:
    done = shown(Cluster().picture(), "list")
    assert done.return_value == 0, done.output
    assert "2025-full" in done.output
    assert done.output.count("files") == 6
    only = shown(Cluster().picture(), "list", "--service", "uploads")
    assert "2025-full" not in only.output


def test_one_repository_without_a_snapshot_is_no_success(shown: Callable[..., Result]) -> None:
    broken = Cluster().say("app2", FILES, restic(snapshots=(), trouble=RepositoryTrouble.ABSENT, message="no config"))
    done = shown(broken.picture(), "info", "--service", "uploads")
    assert done.return_value == 1
    assert "uploads of app2, in sftp:restic@backup1:/var/lib/restic/app2" in done.output
    assert "status: no config" in done.output
    assert "there is no repository: no config" in done.output
    document = json.loads(shown(broken.picture(), "list", "-o", "json").output)
    assert [one["trouble"] for one in document["files"]] == [None, "absent", None]
