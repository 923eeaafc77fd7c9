from __future__ import annotations

import pytest

from hactl.drivers.verbs.package import Upgrade, UpgradeArguments
from hactl.model.verb import RunCommand, Scene, VerbError
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import scene_of
from tests.drivers.verbs.test_package import Node
from tests.drivers.verbs.test_service import Unit

ARGS = UpgradeArguments("shop", "1.1.0", service="shop")
RESTART = "target: systemctl restart shop.service"


class Machine:
    """A package whose code a unit runs. A unit of `Unit` starts every 100 s; what is unpacked is so in between."""

    def __init__(self, *, restarts: bool, unit: Unit | None = None) -> None:
        self.packages, self.unit, self.restarts = Node(), unit or Unit(), restarts

    def __call__(self, ask: RunCommand) -> object:
        argv = ask.command.argv
        if argv[0] == "systemctl" or "/var/lib/dpkg/info/" in argv[2]:
            return self.unit(ask)
        if "install" in argv:
            self.unit.unpacked = self.unit.starts * 100.0 + 50.0
            if self.restarts:
                self.restart()
        return self.packages(ask)

    def restart(self) -> None:
        self.unit._act("restart")


@pytest.fixture
def scene() -> Scene:
    return scene_of("app1")


@pytest.mark.parametrize(
    ("restarts", "by_hand", "wanted"),
    [
        (True, False, []),  # the package has done it, both ways
        (False, False, []),  # the process has lived through both: it never ran the new code
        (False, True, [RESTART]),
        (True, True, []),
    ],
)
def test_undo_brings_the_old_code_back(scene: Scene, restarts: bool, by_hand: bool, wanted: list[str]) -> None:  # noqa: FBT001
    machine, verb = Machine(restarts=restarts), Upgrade()
    world = World(run=machine)
    memory = world.play(verb.remember(scene, ARGS))
    world.play(verb.do(scene, ARGS, memory))
    if by_hand:
        machine.restart()
    said = world.play(verb.undo(scene, ARGS, memory))
    assert said == "shop 1.0.0 is back" + ("; restarted: shop.service is active (running)" if wanted else "")
    assert [line for line in world.changed if "systemctl" in line] == wanted


def test_an_undo_that_was_cut_off_before_the_restart_goes_on_with_it(scene: Scene) -> None:
    machine, verb = Machine(restarts=False), Upgrade()
    world = World(run=machine)
    memory = world.play(verb.remember(scene, ARGS))
    machine.restart()
    machine.unit.unpacked = 250.0  # the old files, over the new code that runs since second 200
    assert world.play(verb.undo(scene, ARGS, memory)).startswith("shop is at 1.0.0 as before; restarted")
    assert world.changed == [RESTART]


def test_what_had_died_is_started_and_what_did_not_run_is_left(scene: Scene) -> None:
    dead = Machine(restarts=False, unit=Unit("failed", result="start-limit-hit"))
    world = World(run=dead)
    memory = {"installed": "1.0.0", "target": "1.1.0"}
    world.play(Upgrade().undo(scene, ARGS, {**memory, "life of shop.service": ""}))
    assert world.changed == []
    world.play(Upgrade().undo(scene, ARGS, {**memory, "life of shop.service": "i1/1/9"}))
    assert world.changed == ["target: systemctl reset-failed shop.service", RESTART]


def test_an_undo_after_which_the_service_does_not_run_has_failed(scene: Scene) -> None:
    machine = Machine(restarts=False, unit=Unit(fate=["failed"] * 9))
    world = World(run=machine)
    memory = world.play(Upgrade().remember(scene, ARGS))
    machine.unit.active = "failed"
    with pytest.raises(VerbError, match=r"shop\.service is failed"):
        world.play(Upgrade().undo(scene, ARGS, memory))


def test_sudo_is_asked_for_the_restart(scene: Scene) -> None:
    rights = {one.argv for one in Upgrade().rights(scene, ARGS)}
    assert {("systemctl", "restart", "shop.service"), ("systemctl", "reset-failed", "shop.service")} <= rights
    assert all(one[0] != "systemctl" for one in (two.argv for two in Upgrade().rights(scene, UpgradeArguments("shop"))))
    assert Upgrade().problem(scene_of("lb1"), ARGS) == "lb1 does not provide shop"


def test_without_a_service_nothing_is_asked_of_systemd(scene: Scene) -> None:
    world = World(run=lambda ask: done() if ask.command.argv[0] == "systemctl" else Node()(ask))
    world.play(Upgrade().remember(scene, UpgradeArguments("shop")))
    assert all(isinstance(ask, RunCommand) and ask.command.argv[0] != "systemctl" for ask in world.asked)
