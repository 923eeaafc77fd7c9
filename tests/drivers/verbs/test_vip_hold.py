"""Keeping a balancer from taking an address: it stays so, also under a keepalived that preempts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from hactl.drivers.verbs.catalogue import VERBS
from hactl.drivers.verbs.vip_hold import HoldArguments
from hactl.model.command import Completed
from hactl.model.verb import VerbError
from tests.drivers.verbs.test_vip import HOLD, Pair, inventory, scene

KEEP, END = VERBS["vip.hold"], VERBS["vip.unhold"]
ARGS = HoldArguments()


@dataclass
class Held(Pair):
    """Anything but 0 in the file makes the node give the address up."""

    def _set(self, node: str, text: str) -> Completed:
        if text == "1\n" and not self.forbidden:
            text_set = super()._set(node, "254\n")
            self.files[node] = text
            return text_set
        return super()._set(node, text)


def hold(world: Pair) -> dict[str, str]:
    memory = dict(world.play(KEEP.remember(scene(), ARGS)))
    world.play(KEEP.do(scene(), ARGS, memory))
    return memory


@pytest.mark.parametrize("preempts", [False, True])
def test_it_is_given_up_and_stays_away(preempts: bool) -> None:  # noqa: FBT001
    world = Held(preempts=preempts)
    assert not world.play(KEEP.check(scene(), ARGS)).done
    hold(world)
    world.now += 60
    standing = world.play(KEEP.check(scene(), ARGS))
    assert (standing.done, standing.sentence) == (True, "public: held by lb2, lb1 takes it no more")
    assert world.files == {"lb1": "1\n", "lb2": "0\n"}


def test_its_undo_lets_the_node_take_it_again() -> None:
    world = Held()
    memory = hold(world)
    assert world.play(KEEP.undo(scene(), ARGS, memory)) == "lb1 may take addresses as before"
    assert world.files["lb1"] == "0\n"


def test_a_hold_that_was_there_stays_when_it_is_undone() -> None:
    world = Held(holders=["lb2"], files={"lb1": "1\n", "lb2": "0\n"})
    assert world.play(KEEP.check(scene(), ARGS)).done
    memory = hold(world)
    world.play(KEEP.undo(scene(), ARGS, memory))
    assert world.files["lb1"] == "1\n"


def test_nobody_gives_up_what_nobody_would_take() -> None:
    world = Held(files={"lb1": "0\n", "lb2": "1\n"})
    (verdict,) = world.play(KEEP.preflight(scene(), ARGS))
    assert (verdict.guard, verdict.blocks) == ("minimum-available", True)
    with pytest.raises(VerbError, match="lb1 keeps it"):
        world.play(KEEP.do(scene(), ARGS, {HOLD: "0"}))
    assert not world.changed


def test_one_that_nobody_takes_is_given_back() -> None:
    world = Held(stuck=True)
    with pytest.raises(VerbError, match="did not move within 8 s"):
        hold(world)
    assert world.files["lb1"] == "0\n"


def test_a_file_that_may_not_be_written() -> None:
    world = Held(forbidden=True)
    (verdict,) = world.play(KEEP.preflight(scene(), ARGS))
    assert (verdict.guard, verdict.can_override) == ("sudo", False)


def test_a_service_without_a_track_file() -> None:
    of = inventory()
    vrrp = replace(of.services["vrrp"], track_file=None)
    bare = scene(of=replace(of, services={**of.services, "vrrp": vrrp}))
    assert "the inventory names no track_file of vrrp" in KEEP.problem(bare, ARGS)
    assert KEEP.problem(scene("db1"), ARGS) == "db1 is no candidate for any VIP"


@pytest.mark.parametrize(("preempts", "holder"), [(False, "lb2"), (True, "lb1")])
def test_the_end_of_a_hold(preempts: bool, holder: str) -> None:  # noqa: FBT001
    world = Held(holders=["lb2"], files={"lb1": "1\n", "lb2": "0\n"}, preempts=preempts)
    assert world.play(END.check(scene(), ARGS)).sentence == f"{HOLD} on lb1 says 1: it takes no address"
    memory = dict(world.play(END.remember(scene(), ARGS)))
    said = world.play(END.do(scene(), ARGS, memory))
    assert said == f"lb1 may take addresses again; public is held by {holder}"
    assert world.play(END.check(scene(), ARGS)).done
    world.play(END.undo(scene(), ARGS, memory))
    assert world.files["lb1"] == "1\n"
