"""`hactl playbook`, as a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.driving import ROOT, hactl

SHIPPED = sorted(path.stem for path in (ROOT / "playbooks").glob("*.toml"))


def own(home: Path, name: str) -> Path:
    return home / ".config" / "hactl" / "playbooks" / f"{name}.toml"


def test_list_names_those_that_ship_and_ones_own(home: Path) -> None:
    assert hactl("playbook", "new", "mine", home=home).returncode == 0
    assert hactl("playbook", "new", "drain", "--from", "drain", home=home).returncode == 0
    done = hactl("playbook", "list", "-o", "json", home=home)
    found = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert sorted(found) == sorted([*SHIPPED, "mine"])
    assert found["rolling-upgrade"]["shipped"]
    assert "service" in found["rolling-upgrade"]["parameters"]
    assert (found["drain"]["file"], found["drain"]["shadows"]) == (str(own(home, "drain")), True)
    table = hactl("playbook", "list", home=home).stdout
    assert "service*" in table
    assert "you, instead of hactl's" in table


def test_list_shows_a_broken_one_and_tells_why(home: Path) -> None:
    own(home, "broken").parent.mkdir(parents=True)
    own(home, "broken").write_text("schema = 1\n")
    done = hactl("playbook", "list", home=home)
    assert done.returncode == 0
    assert "not valid: 2 problems" in done.stdout
    assert f"{own(home, 'broken')}:1:1: missing table: [playbook]" in done.stderr


def test_show_explains_parameters_targets_and_steps(home: Path) -> None:
    done = hactl("playbook", "show", "rolling-upgrade", home=home)
    assert done.returncode == 0
    for words in ("PARAMETER", "required", "the nodes of $service", "balancer.drain", "when in_pool", "undo the node"):
        assert words in done.stdout
    document = json.loads(hactl("playbook", "show", "rolling-upgrade", "-o", "json", home=home).stdout)
    assert document["schema"] == "hactl.playbook/1"
    assert [step["verb"] for step in document["steps"]][:2] == ["balancer.drain", "package.upgrade"]
    assert document["steps"][1]["with"]["package"] == "$service.package"
    assert next(one for one in document["parameters"] if one["name"] == "drain_timeout")["default"] == 60.0


def test_show_of_what_is_not_there(home: Path) -> None:
    done = hactl("playbook", "show", "drian", home=home)
    assert done.returncode == 2
    assert 'did you mean "drain"?' in done.stderr
    assert done.stdout == ""


def test_validate_tells_every_problem_and_the_exit_status_says_so(home: Path) -> None:
    bad = ROOT / "tests" / "cases" / "playbook" / "bad" / "no-targets.toml"
    done = hactl("playbook", "validate", "drain", str(bad), home=home)
    assert done.returncode == 2
    assert done.stdout == "drain: ok: 5 parameters, 1 step\n"
    assert f"{bad}:15:9: scope" in done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads(hactl("playbook", "validate", str(bad), "-o", "json", home=home).stdout)
    assert (told[0]["valid"], len(told[0]["problems"])) == (False, 3)
    assert hactl("playbook", "validate", *SHIPPED, home=home).returncode == 0


def test_new_writes_a_valid_one_and_never_over_another(home: Path) -> None:
    done = hactl("playbook", "new", "mine", home=home)
    path = own(home, "mine")
    assert done.returncode == 0
    assert str(path) in done.stdout
    assert hactl("playbook", "validate", "mine", str(path), home=home).returncode == 0
    path.write_text("# mine\n")
    again = hactl("playbook", "new", "mine", home=home)
    assert again.returncode == 2
    assert "exists" in again.stderr
    assert path.read_text() == "# mine\n"
    assert [file.name for file in path.parent.iterdir()] == ["mine.toml"]


def test_new_from_one_that_ships(home: Path) -> None:
    assert hactl("playbook", "new", "ours", "--from", "restart", home=home).returncode == 0
    shown = json.loads(hactl("playbook", "show", "ours", "-o", "json", home=home).stdout)
    assert (shown["name"], shown["shipped"]) == ("ours", False)
    for words in (("Up",), ("../up",), ("x", "--from", "nothing")):
        done = hactl("playbook", "new", *words, home=home)
        assert done.returncode == 2, words
        assert "Traceback" not in done.stderr


def test_the_schema_is_the_reference(home: Path) -> None:
    written = (ROOT / "docs" / "reference" / "playbook.schema.json").read_text("utf-8")
    assert json.loads(hactl("playbook", "schema", home=home).stdout) == json.loads(written)
