"""`hactl backup`: what is asked for, and what is shown of pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from hactl.cli import live
from hactl.cli.root import root
from hactl.model.picture import Picture
from hactl.view.backups_document import SCHEMA, BackupsDocument
from hactl.view.status_schema import document_schema
from tests.cli.driving import LAB
from tests.cli.playing import play
from tests.model.builders import Cluster, made

BACKUPS = "pgbackrest:backup"


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
        (("run",), "backup", {"kind": "incr"}),
        (("run", "--type", "full", "--repository", "1"), "backup", {"kind": "full", "repository": 1}),
        (("run", "--service", "backup"), "backup", {"kind": "incr", "service": "backup"}),
        (("verify",), "backup-verify", {}),
        (("verify", "--repository", "1"), "backup-verify", {"repository": 1}),
        (("verify", "--repository", "2"), "backup-verify", {"repository": 2, "service": "offsite"}),
        (("run", "--service", "offsite"), "backup", {"kind": "incr", "service": "offsite"}),
    ],
)
def test_arguments_become_a_request(home: Path, args, playbook, parameters) -> None:
    done = play("done", "backup", *args, "--plan", home=home)
    asked = done.only("plan")
    assert (asked["playbook"], asked["parameters"]) == (playbook, parameters)
    assert (done.code, done.whats) == (0, ["plan"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("run", "--repository", "3"), "There is no repository 3 of backup or offsite."),
        (("run", "--repository", "2", "--service", "backup"), "There is no repository 2 of backup."),
        (("run", "--type", "whole"), "'whole' is not one of"),
        (("verify", "--service", "bakcup"), 'did you mean "backup"?'),
        (("list", "--service", "bakcup"), 'did you mean "backup"?'),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(home: Path, args, said: str) -> None:
    done = play("done", "backup", *args, home=home)
    assert (done.code, done.asked) == (2, [])
    assert said in done.err


def test_backups_are_listed(shown: Callable[..., Result]) -> None:
    done = shown(Cluster().picture(), "list")
    assert done.return_value == 0
    lines = [line.split() for line in done.output.splitlines()]
    databases = [(words[0], words[-1]) for words in lines if words[-1] in {"backup", "offsite"}]
    assert databases == [(label, name) for name in ("backup", "offsite") for label in ("2025-diff", "2025-full")]


@pytest.mark.parametrize("command", ["list", "info"])
def test_none_that_can_be_restored_is_no_success(shown: Callable[..., Result], command: str) -> None:
    for cluster, said in (
        (Cluster().change("backup1", BACKUPS, backups=()), "none" if command == "info" else "holds no backup"),
        (Cluster().change("backup1", BACKUPS, backups=(made("incr", 2, prior="gone"),)), "incr"),
        (Cluster().down("backup1"), "is not known"),
    ):
        done = shown(cluster.picture(), command)
        assert done.return_value == 1
        assert said in done.output + done.stderr


def test_info_says_what_is_wrong_and_what_to_do(shown: Callable[..., Result]) -> None:
    done = shown(Cluster().change("backup1", BACKUPS, backups=(made("full", 200),)).picture(), "info")
    assert "last full backup 8 d 8 h ago" in done.output
    assert "> Take one now: hactl backup run" in done.output


def test_the_document(shown: Callable[..., Result]) -> None:
    for cluster, restorable in (
        (Cluster(), [True, True]),
        (Cluster().change("backup1", BACKUPS, backups=(made("incr", 2, prior="gone"),)), [False]),
        (Cluster().down("backup1"), []),
    ):
        told = json.loads(shown(cluster.picture(), "info", "-o", "json").output)
        jsonschema.validate(told, document_schema(BackupsDocument, SCHEMA, ""))
        repository, offsite = (one for one in told["repositories"] if one["service"] in {"backup", "offsite"})
        assert (offsite["number"], offsite["node"], len(offsite["backups"])) == (2, "backup2", 2)
        assert [one["restorable"] for one in repository["backups"]] == restorable
        assert (repository["unknown"] is None) is bool(restorable)
