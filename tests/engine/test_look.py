"""Planned steps are looked at side by side, and nothing is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.engine.clock import FakeClock
from hactl.engine.hands import Hands
from hactl.engine.look import Looker
from hactl.engine.publisher import Publisher
from hactl.model.command import Command, Completed
from hactl.model.errors import InternalError, UnreachableError
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.inventory import BecomeMethod
from hactl.model.state import Link, LinkChanged, LinkPhase
from hactl.model.verb import run
from tests.engine.acting import NODES, VERBS, Healthy, Switch, World, plan, played
from tests.engine.scripted import inventory


class Sudo(Switch):
    """Needs rights on its node, and has something to say before anything is touched."""

    def rights(self, scene, args):
        root = Command(("apt-get", "install", "x"), as_user="root", mutates=True)
        return root, Command(("id",)), replace(root, argv=("systemctl", "restart", "x"))

    def preflight(self, scene, args):
        yield from run(Command(("get", "version")))
        return (GuardVerdict("disk-space", Ruling.WARN, f"{scene.target.name} has little room"),)


class Reckless(Healthy):
    def check(self, scene, args):
        return (yield from run(Command(("set", "health", "good"), mutates=True)))


VERBS_HERE = {**VERBS, "sudo": Sudo("sudo", "version", "2"), "reckless": Reckless()}


async def look(world: World, asked, monkeypatch, *, ssh=None, down=()):
    clock, everything = FakeClock(), inventory(*NODES, **(ssh or {}))
    monkeypatch.setattr("tests.engine.acting.VERBS", VERBS_HERE)
    publisher = Publisher(everything, clock)
    for node in down:
        publisher.event(LinkChanged(node, Link(LinkPhase.DOWN, 0.0, "unreachable", "no route")))
    picture = publisher.picture()
    looker = Looker(everything, VERBS_HERE, picture, Hands(everything, world.transports(), clock), clock)
    return await played(clock, looker.look(asked()))


def sudo(allows):
    """A node whose sudo allows these programs."""

    def answer(node, command):
        if command.argv[:4] != ("env", "LC_ALL=C.UTF-8", "sudo", "-n"):
            return None
        program = command.argv[command.argv.index("--") + 1]
        return Completed(0 if program in allows else 1, "", "", 0.01)

    return answer


async def test_what_is_done_already_is_seen(monkeypatch):
    world = World()
    world.words["app2"]["version"] = "2"
    looked = await look(world, lambda: plan(["out", "change", "pause"]), monkeypatch)
    assert [one.done for one in looked] == [False, False, False, False, True, False, False, False, False]
    assert looked[4].sentence == "version is 2"
    assert [one.step for one in looked] == list(range(9))
    assert world.acts == {}


async def test_sudo_is_asked_once_a_command_and_what_it_refuses_is_named(monkeypatch):
    world, asked = World(), []
    world.before = sudo({"systemctl"})
    world.after = lambda node, command: None
    before = world.before
    world.before = lambda node, command: asked.append((node, command.argv)) or before(node, command)
    looked = await look(world, lambda: plan(["sudo", "sudo"]), monkeypatch)
    for one in looked:
        assert [(verdict.guard, verdict.ruling) for verdict in one.verdicts] == [
            ("disk-space", Ruling.WARN),
            ("sudo", Ruling.REFUSE),
        ]
        assert "apt-get install x" in one.verdicts[1].sentence
    listings = [argv for _, argv in asked if "sudo" in argv]
    assert len(listings) == len(NODES) * 2
    assert all("-l" in argv for argv in listings)


async def test_where_nobody_needs_sudo_it_is_not_asked(monkeypatch):
    looked = await look(World(), lambda: plan(["sudo"]), monkeypatch, ssh={"become": BecomeMethod.NONE})
    assert [verdict.guard for one in looked for verdict in one.verdicts] == ["disk-space"] * 3


async def test_what_cannot_be_looked_at_refuses(monkeypatch):
    world = World()

    def gone(node, command):
        if node == "app3":
            raise UnreachableError(node, "no route")

    world.before = gone
    looked = await look(world, lambda: plan(["change"]), monkeypatch)
    assert [one.verdicts for one in looked[:2]] == [(), ()]
    (verdict,) = looked[2].verdicts
    assert (verdict.guard, verdict.ruling, verdict.node) == ("unknown-data", Ruling.REFUSE, "app3")
    assert "no route" in verdict.sentence


async def test_who_is_known_to_be_out_of_reach_is_not_asked_again(monkeypatch):
    world, asked = World(), []
    world.before = lambda node, command: asked.append(node)
    looked = await look(world, lambda: plan(["change"]), monkeypatch, down=["app3"])
    assert "app3" not in asked
    assert "no route" in looked[2].verdicts[0].sentence


async def test_a_verb_that_would_change_something_is_a_defect(monkeypatch):
    world = World()
    with pytest.raises(InternalError):
        await look(world, lambda: plan(["reckless"]), monkeypatch)
    assert world.acts == {}
