from __future__ import annotations

import pytest

from hactl.drivers.verbs.node import Reboot, RebootArguments
from hactl.model.errors import BecomeDeniedError, ConnectionLostError, UnreachableError
from hactl.model.verb import RunCommand, Scene, VerbError
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import scene_of

ARGS = RebootArguments()
LOST = ConnectionLostError("app1", "the connection died.")


class Machine:
    """A node that goes down when asked to, is away for some looks, and comes up by and by."""

    def __init__(self, *, answer: object = None, away: int = 3, states: tuple[str, ...] = ("running",)) -> None:
        self.answer = done() if answer is None else answer
        self.away, self.states = away, list(states)
        self.boot, self.asked, self.late = "aaaa", False, 2

    def __call__(self, ask: RunCommand) -> object:
        argv = ask.command.argv
        if argv == ("systemctl", "reboot"):
            self.asked = True
            return self.answer
        if self.asked and self.boot == "aaaa":
            return self._going()
        if argv[0] == "cat":
            return done(f"{self.boot}\n")
        if argv[1] == "is-system-running":
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return done(f"{state}\n", exit=0 if state == "running" else 1)
        self.late -= 1
        active = "active" if self.late < 0 else "activating"
        return done(f"LoadState=loaded\nActiveState={active}\nSubState=running\n")

    def _going(self) -> object:
        self.away -= 1
        if self.away == 0:
            self.boot = "bbbb"
        return done("aaaa\n") if self.away > 1 else UnreachableError("app1", "nobody answers.")


@pytest.fixture
def scene() -> Scene:
    return scene_of("app1")


@pytest.mark.parametrize(
    "machine",
    [
        Machine(),
        Machine(answer=LOST),
        Machine(answer=done(exit=143)),
        Machine(away=60),
        Machine(states=("starting", "starting", "degraded")),
    ],
)
def test_a_reboot_is_done_when_the_node_and_its_services_are_up(machine: Machine, scene: Scene) -> None:
    world = World(run=machine)
    memory = world.play(Reboot().remember(scene, ARGS))
    assert "app1 is up again after" in world.play(Reboot().do(scene, ARGS, memory))
    assert world.changed == ["target: systemctl reboot"]
    assert any("shop.service is activating" in line for line in world.told)


def test_a_node_that_has_rebooted_since_is_not_rebooted_again(scene: Scene) -> None:
    machine = Machine()
    machine.boot = "cccc"
    world = World(run=machine)
    world.play(Reboot().do(scene, ARGS, {"boot": "aaaa"}))
    assert world.changed == []


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (Machine(away=10_000), r"not up again after 300 s: still going down"),
        (Machine(states=("maintenance",)), r"not up again after 300 s: the system is maintenance"),
        (Machine(answer=done(exit=1, stderr="Access denied")), "Access denied"),
    ],
)
def test_a_reboot_that_fails(machine: Machine, says: str, scene: Scene) -> None:
    with pytest.raises(VerbError, match=says):
        World(run=machine).play(Reboot().do(scene, ARGS, {"boot": "aaaa"}))


def test_a_missing_right_is_no_lost_connection(scene: Scene) -> None:
    machine = Machine(answer=BecomeDeniedError("app1", "sudo does not allow it."))
    with pytest.raises(BecomeDeniedError):
        World(run=machine).play(Reboot().do(scene, ARGS, {"boot": "aaaa"}))


def test_the_plan_shows_it_and_asks_for_the_right(scene: Scene) -> None:
    assert [line.text for line in Reboot().first(scene, ARGS)] == ["sudo -u root systemctl reboot"]
    assert [one.argv for one in Reboot().rights(scene, ARGS)] == [("systemctl", "reboot")]
