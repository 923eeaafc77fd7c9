from __future__ import annotations

import pytest

from hactl.drivers.verbs.service import Reload, Restart, RestartArguments, Start, Stop, UnitArguments
from hactl.model.errors import ConnectionLostError
from hactl.model.observed import Unknown
from hactl.model.verb import RunCommand, Scene, VerbError
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import scene_of

SHOP = UnitArguments(service="shop")
UNIT = "shop.service"


class Unit:
    """One unit of systemd: what systemctl does to it, and how it then fares."""

    def __init__(self, active: str = "active", **how: object) -> None:
        self.active, self.starts, self.result = active, 1, str(how.get("result", "success"))
        self.works = how.get("works", True)  # False: systemctl says that it did and does nothing
        self.fate = list(how.get("fate", ()))  # type: ignore[call-overload]  # states after a start, look by look
        self.exit = how.get("exit", 0)
        self.unpacked = how.get("unpacked", 0.0)  # second of the node's monotonic clock

    def __call__(self, ask: RunCommand) -> object:
        argv = ask.command.argv
        if argv[0] == "sh":
            return done(f"{1000.0 + float(str(self.unpacked))}\n1500.0\n500.0\n")
        if argv[1] == "show":
            return done(self._shown())
        if self.exit == 0 and self.works:
            self._act(argv[1])
        return done(exit=self.exit, stderr="Job failed.")  # type: ignore[arg-type]

    def _act(self, action: str) -> None:
        self.active = {"stop": "inactive", "reset-failed": "inactive"}.get(action, "active")
        if action in {"start", "restart"}:
            self.starts += 1
            self.result = "success"

    def _shown(self) -> str:
        if self.starts > 1 and self.fate:
            self.active = self.fate.pop(0)
            self.starts += self.active == "active"
        sub = {"active": "running", "inactive": "dead", "not-found": "dead"}.get(self.active, self.active)
        load = "not-found" if self.active == "not-found" else "loaded"
        return (
            f"LoadState={load}\nActiveState={self.active}\nSubState={sub}\nResult={self.result}\nNRestarts=0\n"
            f"InvocationID=i{self.starts}\nMainPID=9\nExecMainStartTimestampMonotonic={self.starts * 100_000_000}\n"
        )


@pytest.fixture
def scene() -> Scene:
    return scene_of("app1")


def test_restart_proves_itself_and_stays_up(scene: Scene) -> None:
    world = World(run=Unit())
    memory = world.play(Restart().remember(scene, SHOP))
    assert not world.play(Restart().check(scene, SHOP)).done
    assert world.play(Restart().do(scene, SHOP, memory)) == "restarted: shop.service is active (running)"
    assert world.changed == ["target: systemctl restart shop.service"]
    assert 2.0 <= world.waited < 4.0


def test_a_restart_that_was_cut_off_is_not_done_twice(scene: Scene) -> None:
    unit = Unit()
    world = World(run=unit)
    memory = world.play(Restart().remember(scene, SHOP))
    unit.starts += 1
    world.play(Restart().do(scene, SHOP, memory))
    assert world.changed == []


@pytest.mark.parametrize(
    ("unit", "error", "says"),
    [
        (Unit(works=False), VerbError, "has not been restarted"),
        (Unit(exit=1), VerbError, "exit status 1: Job failed"),
        (Unit(exit=Unknown("lost", 1.0)), ConnectionLostError, "unknown outcome"),
        (Unit(fate=["active", "failed"]), VerbError, "is failed"),
        (Unit(fate=["activating"] * 200), VerbError, r"after 30 s .* activating"),
        (Unit(fate=["active"] * 200), VerbError, "after 30 s"),  # another start at each look: it flaps
        (Unit("not-found"), VerbError, "systemd knows no shop.service"),
    ],
)
def test_restart_that_does_not_come_true(unit: Unit, error: type[Exception], says: str, scene: Scene) -> None:
    with pytest.raises(error, match=says):
        World(run=unit).play(Restart().do(scene, SHOP, {UNIT: "i1/100000000/9"}))


@pytest.mark.parametrize("unit", [("failed", "start-limit-hit"), ("failed", "exit-code"), ("activating", "exit-code")])
def test_a_unit_that_failed_too_often_is_let_start_again(unit: tuple[str, str], scene: Scene) -> None:
    world = World(run=Unit(unit[0], result=unit[1]))
    memory = world.play(Restart().remember(scene, SHOP))
    world.play(Restart().do(scene, SHOP, memory))
    assert world.changed == ["target: systemctl reset-failed shop.service", "target: systemctl restart shop.service"]


@pytest.mark.parametrize(
    ("unit", "is_done"),
    [
        (Unit(unpacked=99.0), True),
        (Unit(unpacked=101.0), False),
        (Unit("inactive", unpacked=99.0), False),
    ],
)
def test_restart_is_not_needed_when_newer_than_its_package(unit: Unit, is_done: bool, scene: Scene) -> None:  # noqa: FBT001
    args = RestartArguments(service="shop", after_package="shop")
    assert World(run=unit).play(Restart().check(scene, args)).done is is_done


def test_reload(scene: Scene) -> None:
    world = World(run=Unit())
    assert "reloaded" in world.play(Reload().do(scene, SHOP, {}))
    assert world.changed == ["target: systemctl reload shop.service"]


@pytest.mark.parametrize(
    ("before", "act", "undone"),
    [
        ("active", ["stop"], ["start"]),
        ("inactive", ["stop"], []),
        ("failed", ["stop"], []),
    ],
)
def test_stop_and_its_undo(before: str, act: list[str], undone: list[str], scene: Scene) -> None:
    world = World(run=Unit(before))
    memory = world.play(Stop().remember(scene, SHOP))
    world.play(Stop().do(scene, SHOP, memory))
    assert world.play(Stop().check(scene, SHOP)).done
    world.play(Stop().undo(scene, SHOP, memory))
    assert [line.split()[2] for line in world.changed] == act + undone


@pytest.mark.parametrize(("before", "undone"), [("active", []), ("inactive", ["stop"])])
def test_start_and_its_undo(before: str, undone: list[str], scene: Scene) -> None:
    world = World(run=Unit(before))
    memory = world.play(Start().remember(scene, SHOP))
    assert world.play(Start().check(scene, SHOP)).done is (before == "active")
    world.play(Start().do(scene, SHOP, memory))
    assert world.play(Start().check(scene, SHOP)).done
    world.play(Start().undo(scene, SHOP, memory))
    assert [line.split()[2] for line in world.changed] == ["start", *undone]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (UnitArguments(), "either"),
        (UnitArguments(unit=UNIT, service="shop"), "either"),
        (UnitArguments(unit="-f.service"), "like an option"),
        (UnitArguments(service="nothing"), "no service nothing"),
        (UnitArguments(service="database"), "app1 does not provide database"),
        (UnitArguments(unit=UNIT), ""),
        (SHOP, ""),
    ],
)
def test_problem(args: UnitArguments, says: str, scene: Scene) -> None:
    problem = Stop().problem(scene, args)
    assert says in problem
    assert bool(problem) is bool(says)


def test_first_and_rights(scene: Scene) -> None:
    assert [line.text for line in Stop().first(scene, SHOP)] == ["sudo -u root systemctl stop shop.service"]
    assert [one.argv[1] for one in Stop().rights(scene, SHOP)] == ["stop", "start"]
    assert [one.argv[1] for one in Restart().rights(scene, SHOP)] == ["restart", "reset-failed"]
