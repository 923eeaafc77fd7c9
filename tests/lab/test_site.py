"""A site of the real lab is left: primary, VIP and pool members, under a client that keeps what was confirmed to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.cli.driving import script
from tests.lab.acting import Operator, drained, state, until
from tests.lab.database import HOME, healthy, primaries, switched, writing

pytestmark = [pytest.mark.lab, pytest.mark.timeout(400)]

OK, GUARDED, UNDONE = 0, 7, 8
SOUTH = ("lb1", "app3", "db1")  # a balancer, a member and a server of the database: all that can be taken away


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    script(tmp_path)
    until(lambda: healthy(lab), "one primary that both others stream from")
    one = Operator(lab, tmp_path)
    yield one
    one.kill_runner()
    if HOME not in primaries(lab):
        done = switched(lab, one, HOME)
        assert done.returncode == OK, done.stdout + done.stderr


@pytest.fixture
def southern(lab: Lab, tmp_path: Path) -> Operator:
    """The same lab, of which some nodes are said to stand in a third place."""
    text = lab.paths.inventory.read_text(encoding="utf-8") + '\n[[sites]]\nname = "south"\n'
    for node in SOUTH:
        text = re.sub(rf'(?m)^(name = "{node}"\nsite = )"east"', r'\1"south"', text)
    path = tmp_path / "south.toml"
    path.write_text(text, encoding="utf-8")
    return Operator(lab, tmp_path, path)


def holders(lab: Lab) -> list[str]:
    address = f" {lab.spec.vip}/"
    return [node for node in ("lb1", "lb2") if address in lab.exec(node, ["ip", "-4", "addr"]).stdout]


def ordered(lab: Lab, node: str) -> str:
    """What HAProxy was told of the database's server: 0 for ready."""
    said = "echo show servers state be_pg_primary | socat -t 5 - /run/haproxy/admin.sock"
    rows = [line.split() for line in lab.exec("lb2", ["sh", "-c", said]).stdout.splitlines()]
    return next(row[6] for row in rows if len(row) > 6 and row[3] == node)


def test_a_site_that_carries_too_much_is_not_left(lab: Lab, anna: Operator) -> None:
    done = anna("site", "evacuate", "east", "--yes")
    assert done.returncode == GUARDED, done.stdout + done.stderr
    assert "public (192.168.56.10) has nowhere to go from lb1 and lb2: nobody else may hold it" in done.stderr
    assert "shop would have 0 of 3 available without app1, app2 and app3, minimum 2" in done.stderr
    assert primaries(lab) == [HOME]


@pytest.mark.story
def test_the_far_site_is_left_and_serves_again(lab: Lab, anna: Operator) -> None:
    assert switched(lab, anna, "db3").returncode == OK
    until(lambda: healthy(lab), "both others stream from db3")
    with writing(lab) as client:
        done = anna("site", "evacuate", "west", "--yes", "--reason", "power works")
        assert done.returncode == OK, done.stdout + done.stderr
        client.goes_on()
        (new,) = primaries(lab)
        assert new in {"db1", "db2"}
        client.end()
        assert client.lost(new) == set()
    assert healthy(lab)
    assert ordered(lab, "db3") != "0"
    again = anna("site", "evacuate", "west", "--yes")
    assert (again.returncode, "nothing has to be done" in again.stdout) == (OK, True)
    back = anna("site", "return", "west", "--yes")
    assert back.returncode == OK, back.stdout + back.stderr
    assert ordered(lab, "db3") == "0"


@pytest.mark.story
def test_primary_vip_and_members_leave_and_what_can_be_comes_back(lab: Lab, southern: Operator, anna: Operator) -> None:
    if holders(lab) != ["lb1"]:
        assert anna("vip", "move", "--to", "lb1", "--yes").returncode == OK
    assert primaries(lab) == [HOME]
    with writing(lab) as client:
        done = southern("site", "evacuate", "south", "--yes")
        assert done.returncode == OK, done.stdout + done.stderr
        client.goes_on()
        (new,) = primaries(lab)
        assert new not in SOUTH
        assert holders(lab) == ["lb2"]
        assert drained(lab, "app3")
        client.end()
        assert client.lost(new) == set()
    undone = southern("runs", "undo", "last", "--yes")
    assert undone.returncode == UNDONE, undone.stdout + undone.stderr
    assert f"promote {new} stays" in undone.stdout
    assert state(lab, "app3") == ("UP", "UP")
    assert lab.exec("lb1", ["cat", "/var/lib/keepalived/hold"]).stdout.strip() in {"", "0"}
    assert primaries(lab) == [new]
    assert healthy(lab)
