"""The shell that makes the nodes: POSIX, clean, and doing what its comments promise."""

import os
import re

import pytest

from tests.vagrant.places import LAB_ENVIRONMENT, LAB_INVENTORY, PROVISION, VAGRANT, program, run

TOP = VAGRANT.parent
EXTENSIONLESS = {"files/haproxy-state", "shop/debian/postinst", "shop/debian/prerm", "shop/debian/postrm"}
ELSEWHERE = {"dev", ".ci/run", "tests/bench/by_hand.sh", "tests/lab/stub/ssh", "tests/lab/stub/vagrant"}
SCRIPTS = sorted(
    [*VAGRANT.rglob("*.sh"), *(PROVISION / name for name in EXTENSIONLESS), *(TOP / name for name in ELSEWHERE)]
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(TOP)))
def test_is_posix_and_has_no_smells(script):
    first = script.read_text().splitlines()[0]
    assert first == "#!/bin/sh" or first.startswith("# shellcheck shell=sh"), first
    done = run(program("shellcheck"), "--external-sources", script.relative_to(TOP), cwd=TOP)
    assert done.returncode == 0, done.stdout


def test_every_script_is_known_to_these_tests():
    """A new one without the ending .sh must be added to EXTENSIONLESS, one that is elsewhere to ELSEWHERE."""
    kept = run("git", "ls-files", "-z", cwd=TOP).stdout.split("\0")
    tracked = [TOP / name for name in kept if name] or list(VAGRANT.rglob("*"))
    found = {path for path in tracked if path.is_file() and path.open("rb").read(9) == b"#!/bin/sh"}
    assert found <= set(SCRIPTS)


def lib(script, tmp_path, **environment):
    """Runs `script` after common.sh, as the scripts on a node do."""
    return run(
        "sh",
        "-c",
        f'. "{PROVISION}/common.sh"; CHANGED="{tmp_path}/changed"; {script}',
        env={**LAB_ENVIRONMENT, **environment},
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("names_of db", "db-1\ndb-2\n"),
        ("addresses_of db", "192.168.56.31\n192.168.57.32\n"),
        ("first_of db", "db-1\n"),
        ("address_of db-2", "192.168.57.32\n"),
        ("names_of backup", ""),
    ],
)
def test_nodes_are_found_by_role_and_name(script, said, tmp_path):
    assert lib(script, tmp_path).stdout == said


def test_an_unknown_node_is_an_error(tmp_path):
    done = lib("address_of db-3", tmp_path)
    assert (done.returncode, done.stderr) == (1, "db-1: no node is called db-3\n")


@pytest.mark.parametrize("missing", sorted(set(LAB_ENVIRONMENT) - {"PATH"}))
def test_a_missing_variable_is_named(missing, tmp_path):
    done = lib("names_of db", tmp_path, **{missing: ""})
    assert done.returncode != 0
    assert missing in done.stderr


def test_put_writes_only_what_differs(tmp_path):
    target = tmp_path / "file"
    me = f"{os.getuid()}:{os.getgid()}"
    # The owner is compared by name, as everywhere in the scripts.
    owner = run("id", "-un").stdout.strip()
    group = run("id", "-gn").stdout.strip()
    done = lib(
        f"""
        tell() {{ if anything_changed; then echo "$1 changed"; else echo "$1 same"; fi; forget_changes; }}
        echo one | put "{target}" 640 "{owner}:{group}"; tell first
        echo one | put "{target}" 640 "{owner}:{group}"; tell again
        echo one | put "{target}" 600 "{owner}:{group}"; tell mode
        echo two | put "{target}" 600 "{me}"; tell text
        """,
        tmp_path,
    )
    assert done.stdout.split("\n")[:-1] == ["first changed", "again same", "mode changed", "text changed"], done.stderr
    assert (target.read_text(), oct(target.stat().st_mode)[-3:]) == ("two\n", "600")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_quietly_shows_only_failures(tmp_path):
    assert lib("quietly echo words", tmp_path).stdout == ""
    done = lib("quietly sh -c 'echo words; exit 3'", tmp_path)
    assert done.returncode == 1
    assert "words" in done.stderr


def test_bootstrap_steps_exist_and_select_somebody():
    roles = set(re.findall(r'roles = \["(\w+)"\]', LAB_INVENTORY.read_text()))
    known = set(re.findall(r"^([a-z-]+)\) [a-z_]+ ;;$", (PROVISION / "bootstrap.sh").read_text(), re.MULTILINE))
    lines = [line.partition("#")[0].split() for line in (PROVISION / "bootstrap.steps").read_text().splitlines()]
    steps = [line for line in lines if line]
    assert all(len(step) == 2 for step in steps)
    assert {step for _, step in steps} == known
    assert {one.removeprefix("role:") for selector, _ in steps for one in selector.split(",")} <= roles
    assert steps[-1][1] == "ready"


def test_every_role_has_its_script_and_sudoers():
    roles = set(re.findall(r'roles = \["(\w+)"\]', LAB_INVENTORY.read_text()))
    assert roles == {path.stem for path in (PROVISION / "roles").iterdir()}
    assert roles == {path.name for path in (PROVISION / "sudoers").iterdir()}
