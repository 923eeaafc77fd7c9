"""Draining and its ways back, against balancers that do what a real HAProxy 2.6 was seen to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hactl.drivers.haproxy import Check, set_state
from hactl.drivers.verbs.balancer_act import PoolArguments
from hactl.drivers.verbs.balancer_back import UndrainArguments
from hactl.drivers.verbs.balancer_emptying import estimate, left_behind
from hactl.drivers.verbs.balancer_out import DrainArguments
from hactl.drivers.verbs.catalogue import VERBS
from hactl.model.errors import CommandTimeoutError, ParseError
from hactl.model.inventory import Inventory
from hactl.model.verb import Doing, Standing, VerbError, Wait
from tests.drivers.verbs.balancers import Balancer, Lab
from tests.model.builders import lab

DRAIN, UNDRAIN = VERBS["balancer.drain"], VERBS["balancer.undrain"]
SILENT = "balancer-unreachable"
EVERYWHERE = {"lb1:be_shop/shop-a": "ready", "lb2:be_shop/shop-a": "ready"}


def drain(world: Lab, *overrides: str, **arguments: object) -> str:
    """The whole step, as the engine does it; the sentence of its `do`."""
    scene, args = world.scene(*overrides), DrainArguments(**arguments)
    memory = world.play(DRAIN.remember(scene, args))
    return world.play(DRAIN.do(scene, args, memory))


def check(world: Lab, *overrides: str, **arguments: object) -> Standing:
    return world.play(DRAIN.check(world.scene(*overrides), DrainArguments(**arguments)))


def undrain(world: Lab, *overrides: str, **arguments: object) -> str:
    return world.play(UNDRAIN.do(world.scene(*overrides), UndrainArguments(**arguments), {}))


def busy(sessions: int = 3) -> Lab:
    world = Lab()
    world.lb1.servers["shop-a"].sessions = sessions
    return world


def leave(count: int) -> object:
    def happens(world: Lab) -> None:
        world.lb1.servers["shop-a"].sessions = count

    return happens


# --- drain ----------------------------------------------------------------------------------------------------


def test_it_is_drained_on_every_balancer_and_empty() -> None:
    world = busy(4)
    world.events = [(2.0, leave(2)), (4.0, leave(0))]
    assert "drained on lb1 and lb2, no sessions left" in drain(world)
    assert world.states == ("drain", "drain")
    assert [one["sessions"] for one in world.numbers][:1] == [4]
    assert any("about" in said for said in world.told), "an estimate once it goes down"
    assert check(world).done


def test_nobody_else_is_touched() -> None:
    world = Lab()
    drain(world)
    assert all("be_shop/shop-a" in one for one in world.changed if one.startswith("lb"))
    assert world.lb1.servers["shop-b"].admin == "ready"


def test_one_count_of_zero_is_not_believed() -> None:
    world = busy(1)
    world.events = [(1.0, leave(0)), (1.4, leave(1)), (3.0, leave(0))]
    drain(world)
    assert world.now >= 3.5


def test_who_drained_it_and_why_is_left_on_the_node() -> None:
    world = Lab()
    drain(world)
    assert list(world.notes) == ["/run/lock/hactl-lab/drained.shop.json"]
    assert world.note == {
        "node": "app1", "pools": ["shop"], "who": "anna@desk", "why": "a 'new' disk", "run": "run-1",
    }  # fmt: skip
    undrain(world)
    assert not world.notes


def two_pools() -> Inventory:
    """app1 also stands in a second pool, under the same server of the same backend."""
    inventory = lab()
    second = replace(inventory.pools["shop"], name="second")
    return replace(inventory, pools={**inventory.pools, "second": second})


def test_a_drain_from_one_pool_leaves_what_is_said_of_another() -> None:
    world, inventory = Lab(), two_pools()
    scene = world.scene(inventory=inventory)
    world.play(DRAIN.do(scene, DrainArguments(), {}))
    both = {f"/run/lock/hactl-lab/drained.{pool}.json": [pool] for pool in ("shop", "second")}
    assert {path: json.loads(said)["pools"] for path, said in world.notes.items()} == both
    world.play(UNDRAIN.do(scene, UndrainArguments(pool="second"), {}))
    assert list(world.notes) == ["/run/lock/hactl-lab/drained.shop.json"]
    world.play(DRAIN.do(scene, DrainArguments(pool="second"), {}))
    assert len(world.notes) == 2
    undo_of_one = DrainArguments(pool="shop")
    world.play(DRAIN.undo(scene, undo_of_one, EVERYWHERE))
    assert list(world.notes) == ["/run/lock/hactl-lab/drained.second.json"]


def test_a_note_that_cannot_be_left_stops_nothing() -> None:
    world = Lab(unwritable=True)
    drain(world)
    assert any("read-only file system" in said for said in world.told)
    assert check(world).done


def test_drained_twice_is_nothing() -> None:
    world = Lab()
    assert not check(world).done
    drain(world)
    assert check(world).done
    assert drain(world)
    assert check(world).done


def test_on_one_balancer_only_is_not_drained() -> None:
    world = Lab()
    world.lb1.servers["shop-a"].admin = "drain"
    assert "on lb2 is UP" in check(world).sentence
    assert not check(world).done


def test_sessions_that_are_left_are_not_drained() -> None:
    world = busy(2)
    world.lb1.servers["shop-a"].admin = world.lb2.servers["shop-a"].admin = "drain"
    assert check(world).sentence == "sessions left: 2"


# --- the policies at the timeout ------------------------------------------------------------------------------


def test_abort_puts_everything_back_as_it_was() -> None:
    world = busy()
    world.lb2.servers["shop-a"].admin = "drain"  # somebody's, from before
    with pytest.raises(
        VerbError, match="3 sessions left after 5 s: 3 of be_shop/shop-a on lb1; everything is as it was"
    ):
        drain(world, timeout=5.0)
    assert world.states == ("ready", "drain")
    assert not world.notes
    assert 5.0 <= world.now < 6.5


def test_shut_ends_them() -> None:
    world = busy()
    said = drain(world, timeout=5.0, on_timeout="shut")
    assert "were shut" in said
    assert "lb1: shutdown sessions server be_shop/shop-a" in world.changed
    assert not any("lb2: shutdown" in one for one in world.changed), "it had none"


def test_sessions_that_cannot_be_shut_are_put_back() -> None:
    world = busy()
    world.lb1.answer = lambda request, now: (  # type: ignore[method-assign]
        "" if request.startswith("shutdown") else Balancer.answer(world.lb1, request, now)
    )
    with pytest.raises(VerbError, match="everything is as it was"):
        drain(world, timeout=5.0, on_timeout="shut")
    assert world.states == ("ready", "ready")


def test_wait_goes_on_and_says_so() -> None:
    world = busy()
    world.events = [(40.0, leave(0))]
    drain(world, timeout=5.0, on_timeout="wait")
    assert world.now > 40
    assert sum("Waiting on, until the step's deadline" in said for said in world.told) == 1


def test_the_deadline_of_the_step_puts_it_back() -> None:
    world = busy()
    scene, args = world.scene(), DrainArguments(timeout=5.0, on_timeout="wait")
    doing = DRAIN.do(scene, args, EVERYWHERE)
    ask = next(doing)
    while not (isinstance(ask, Wait) and world.now > 20):
        ask = doing.send(world._answer(ask))
    ask = doing.throw(CommandTimeoutError("app1", "the time for this step is over."))

    def rest() -> Doing[str]:
        answer = yield ask
        while True:
            answer = yield doing.send(answer)

    with pytest.raises(VerbError, match="the time for this step is over; everything is as it was"):
        world.play(rest())
    assert world.states == ("ready", "ready")


# --- balancers that change or say nothing ---------------------------------------------------------------------


def test_a_reload_that_loses_the_drain_is_noticed_and_drained_again() -> None:
    world = busy()
    world.events = [(2.0, lambda w: w.lb1.reload(w.now, forgets=True)), (4.0, leave(0))]
    assert "reloaded meanwhile: 1" in drain(world)
    assert "lb1 was reloaded in the middle of the drain" in world.told
    assert world.changed.count("lb1: set server be_shop/shop-a state drain") == 2
    assert world.states == ("drain", "drain")


def test_a_balancer_that_keeps_losing_it_is_given_up() -> None:
    world = Lab(lb2=Balancer(deaf=True))
    with pytest.raises(VerbError, match="on lb2 would not stay drained"):
        drain(world)
    assert world.states == ("ready", "ready")


def test_sessions_of_the_process_that_a_reload_replaced_are_waited_for() -> None:
    world = Lab(lb1=Balancer(old_processes=1, since=0.0))
    world.events = [(4.0, lambda w: setattr(w.lb1, "old_processes", 0))]
    assert "nobody counts" not in drain(world)
    assert 4.0 <= world.now < 6.0
    assert any("nobody counts" in said for said in world.told)


def test_a_reload_just_before_the_timeout_fails_no_drain_that_has_no_sessions() -> None:
    world = Lab(lb1=Balancer(old_processes=1, since=0.0))
    assert "no sessions left" in drain(world, timeout=3.0)
    assert world.states == ("drain", "drain")


@pytest.mark.parametrize(("since", "until"), [(0.0, 12.0), (-395.0, 1.0)], ids=["just now", "long ago"])
def test_an_old_process_that_does_not_end_is_said(since: float, until: float) -> None:
    """Its short sessions have ended some seconds after the reload; a long one may keep it for hours."""
    world = Lab(lb1=Balancer(old_processes=1, since=since))
    assert "an old process on lb1 may serve sessions that nobody counts" in drain(world)
    assert world.now < until


@pytest.mark.parametrize("before", [True, False], ids=["from the start", "in the middle"])
def test_a_silent_balancer_blocks_and_what_was_begun_is_put_back(*, before: bool) -> None:
    world = busy()
    world.lb2.down = before
    world.events = [(2.0, lambda w: setattr(w.lb2, "down", True))]
    with pytest.raises(VerbError, match="lb2 cannot be asked: no route to host") as caught:
        drain(world)
    assert f"--override {SILENT}" in caught.value.remedy
    assert world.lb1.servers["shop-a"].admin == "ready"
    if not before:
        assert "not put back: what lb2 has" in str(caught.value)
    assert not check(world).done


def test_with_the_override_it_goes_on_without_it_and_says_so() -> None:
    world = busy()
    world.events = [(2.0, lambda w: setattr(w.lb2, "down", True)), (4.0, leave(0))]
    assert "without lb2: no route to host" in drain(world, SILENT)
    assert check(world, SILENT).done
    assert not check(world).done


def test_with_no_balancer_at_all_nothing_is_drained() -> None:
    world = Lab(lb1=Balancer(down=True), lb2=Balancer(down=True))
    assert not check(world, SILENT).done


def test_a_balancer_that_says_no() -> None:
    world = Lab(lb2=Balancer(says_no="Permission denied"))
    with pytest.raises(VerbError, match=r'lb2 answered "set server \S+ state drain" with "Permission denied"'):
        drain(world)
    assert world.states == ("ready", "ready")


def test_a_server_that_a_balancer_does_not_have() -> None:
    shop = lab().pools["shop"]
    other = replace(lab(), pools={"shop": replace(shop, servers={"app1": "shop-z"})})
    world = Lab()
    with pytest.raises(VerbError, match="lb1 has no server be_shop/shop-z"):
        world.play(DRAIN.remember(world.scene(inventory=other), DrainArguments()))


# --- maint ----------------------------------------------------------------------------------------------------


def test_then_into_maintenance() -> None:
    world = busy()
    world.events = [(3.0, leave(0))]
    assert drain(world, maint=True).endswith("in maintenance")
    assert world.states == ("maint", "maint")
    assert not check(Lab(), maint=True).done
    assert check(world, maint=True).done
    first = world.changed.index("lb1: set server be_shop/shop-a state maint")
    assert world.changed.index("lb1: set server be_shop/shop-a state drain") < first


def test_a_server_in_maintenance_stays_there() -> None:
    """Draining it would let checks and users that stick to it back in."""
    world = Lab()
    world.lb1.servers["shop-a"].admin = "maint"
    drain(world)
    assert world.states == ("maint", "drain")
    assert check(world).done


def test_plain_ones() -> None:
    world = Lab()
    for name, state in (("balancer.maint", "maint"), ("balancer.ready", "ready")):
        verb, args = VERBS[name], PoolArguments()
        assert not world.play(verb.check(world.scene(), args)).done
        memory = world.play(verb.remember(world.scene(), args))
        world.play(verb.do(world.scene(), args, memory))
        assert world.states == (state, state)
        assert world.play(verb.check(world.scene(), args)).done


# --- undrain --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["drain", "maint"])
def test_back_after_a_check_that_began_since(state: str) -> None:
    """Whatever it comes out of, it is in drain while HAProxy has not yet checked it anew."""
    world = Lab()
    for balancer in world.balancers.values():
        balancer.servers["shop-a"].admin = state
    undrain(world)
    assert world.states == ("ready", "ready")
    changed = [one for one in world.changed if one.startswith("lb1")]
    assert changed[-2:] == [f"lb1: set server be_shop/shop-a state {word}" for word in ("drain", "ready")]
    assert world.lb1.servers["shop-a"].checked_at > 1.0
    assert world.play(UNDRAIN.check(world.scene(), UndrainArguments())).done


def test_a_check_from_new_goes_on_while_other_steps_do() -> None:
    world, args = Lab(), PoolArguments()
    for balancer in world.balancers.values():
        balancer.servers["shop-a"].admin = "drain"
    recheck = VERBS["balancer.recheck"]
    assert "checked from new" in world.play(recheck.do(world.scene(), args, {}))
    assert world.states == ("drain", "drain")
    assert not world.lb1.servers["shop-a"].checked_at > 1.0
    assert world.play(recheck.check(world.scene(), args)).done
    changed = len(world.changed)
    undrain(world, rechecked=True)
    assert [one for one in world.changed[changed:] if "maint" in one] == []
    assert world.lb1.servers["shop-a"].checked_at > 1.0  # it was waited for
    assert world.states == ("ready", "ready")


@pytest.mark.parametrize("states", [("maint", "drain"), ("maint", "maint"), ("drain", "maint")])
def test_a_check_from_new_that_was_cut_off_is_brought_to_its_end(states: tuple[str, str]) -> None:
    world, args = Lab(), PoolArguments()
    world.lb1.servers["shop-a"].admin, world.lb2.servers["shop-a"].admin = states
    recheck = VERBS["balancer.recheck"]
    assert not world.play(recheck.check(world.scene(), args)).done
    world.play(recheck.do(world.scene(), args, {}))
    assert world.states == ("drain", "drain")
    assert world.play(recheck.check(world.scene(), args)).done


def test_a_check_that_was_not_asked_for_from_new_does_not_pass_by_itself() -> None:
    world = Lab(lb2=Balancer(well=False))
    world.lb1.servers["shop-a"].admin = world.lb2.servers["shop-a"].admin = "drain"
    world.play(VERBS["balancer.recheck"].do(world.scene(), PoolArguments(), {}))
    with pytest.raises(VerbError, match=r"checks have not passed: be_shop/shop-a on lb2"):
        undrain(world, patience=8.0, rechecked=True)


def test_up_by_the_grace_of_having_left_maint_is_not_up() -> None:
    world = Lab()
    for balancer in world.balancers.values():
        balancer.servers["shop-a"].health = 2
        balancer.servers["shop-a"].checked_at = 1.0
    standing = world.play(UNDRAIN.check(world.scene(), UndrainArguments()))
    assert not standing.done
    assert "UP 1/3" in standing.sentence


def test_a_sick_service_is_not_let_in_and_nothing_is_changed() -> None:
    world = Lab(healthy=False)
    world.lb1.servers["shop-a"].admin = world.lb2.servers["shop-a"].admin = "drain"
    with pytest.raises(VerbError, match=r'shop on app1 is not well: status 500 "no price list"; nothing was changed'):
        undrain(world, patience=5.0)
    assert not world.changed


def test_one_whose_check_fails_on_a_balancer_stays_as_it_was() -> None:
    world = Lab(lb2=Balancer(well=False))
    world.lb1.servers["shop-a"].admin, world.lb2.servers["shop-a"].admin = "drain", "maint"
    with pytest.raises(VerbError, match=r"checks have not passed: be_shop/shop-a on lb2 is DOWN \(L7STS\)"):
        undrain(world, patience=8.0)
    assert world.states == ("drain", "maint")


def test_users_that_stick_to_a_drained_server_are_not_cut_off() -> None:
    world = busy(2)
    world.lb1.servers["shop-a"].admin = world.lb2.servers["shop-a"].admin = "drain"
    undrain(world)
    assert "lb1: set server be_shop/shop-a state maint" not in world.changed
    assert world.states == ("ready", "ready")


# --- undo -----------------------------------------------------------------------------------------------------


def undo(world: Lab, verb: str, args: object, memory: dict[str, str]) -> str:
    return world.play(VERBS[verb].undo(world.scene(), args, memory))


def test_a_drain_is_undone_until_it_is_up() -> None:
    world = Lab()
    drain(world, maint=True)
    said = undo(world, "balancer.drain", DrainArguments(maint=True), EVERYWHERE)
    assert "is as it was" in said
    assert world.states == ("ready", "ready")
    assert not world.notes
    assert world.play(UNDRAIN.check(world.scene(), UndrainArguments())).done


def test_each_is_put_back_as_it_was_on_its_balancer() -> None:
    world = Lab()
    world.lb2.servers["shop-a"].admin = "drain"
    memory = world.play(DRAIN.remember(world.scene(), DrainArguments(maint=True)))
    drain(world, maint=True)
    undo(world, "balancer.drain", DrainArguments(maint=True), dict(memory))
    assert world.states == ("ready", "drain")
    assert world.notes, "it is still drained somewhere"


def test_the_undo_of_what_never_began_touches_nothing() -> None:
    world = Lab(healthy=False)
    undo(world, "balancer.drain", DrainArguments(), EVERYWHERE)
    assert not world.changed


def test_a_sick_node_is_not_put_back() -> None:
    world = Lab()
    drain(world)
    world.healthy = False
    with pytest.raises(VerbError, match="it stays out of balancing"):
        undo(world, "balancer.drain", DrainArguments(), EVERYWHERE)
    assert world.states == ("drain", "drain")


def test_one_that_was_down_before_is_not_waited_for() -> None:
    world = Lab(lb1=Balancer(well=False), lb2=Balancer(well=False), healthy=False, now=3.0)
    memory = world.play(DRAIN.remember(world.scene(), DrainArguments()))
    assert set(memory.values()) == {"ready, not up"}
    drain(world)
    undo(world, "balancer.drain", DrainArguments(), dict(memory))
    assert world.states == ("ready", "ready")


def test_an_undrain_is_undone_by_a_drain_that_waits_for_users() -> None:
    world = Lab()
    drain(world)
    memory = world.play(UNDRAIN.remember(world.scene(), UndrainArguments()))
    undrain(world)
    world.lb1.servers["shop-a"].sessions = 2
    world.events = [(world.now + 5, leave(0))]
    began = world.now
    undo(world, "balancer.undrain", UndrainArguments(), dict(memory))
    assert world.states == ("drain", "drain")
    assert world.now >= began + 5
    assert world.notes


# --- what is refused ------------------------------------------------------------------------------------------


def renamed(server: str) -> Inventory:
    return replace(lab(), pools={"shop": replace(lab().pools["shop"], servers={"app1": server})})


@pytest.mark.parametrize(
    ("node", "pool", "problem"),
    [
        ("app1", "", ""),
        ("app1", "shop", ""),
        ("app1", "database-primary", "app1 is not in the pool database-primary"),
        ("backup1", "", "backup1 is in no pool"),
        (
            "db1",
            "",
            "db1 is the one that database-primary routes to: a switchover relieves it, a drain would cut it off",
        ),
        ("db2", "", ""),  # a standby is kept out of a pool that does not route to it
    ],
)
def test_what_speaks_against_a_drain(node: str, pool: str, problem: str) -> None:
    assert DRAIN.problem(Lab().scene(node=node), DrainArguments(pool=pool)) == problem


@pytest.mark.parametrize("name", ["a;disable server be_shop/shop-b", "a b", "a/b", "a\nb", "#1", "", "a\\ b", 'a"b'])
def test_a_name_that_the_admin_socket_would_take_apart(name: str) -> None:
    assert "cannot be named" in DRAIN.problem(Lab().scene(inventory=renamed(name)), DrainArguments())
    with pytest.raises(ParseError, match="cannot be named"):
        set_state("be_shop", name, "drain")


def test_the_plan_shows_the_first_command_on_each_balancer() -> None:
    shown = DRAIN.first(Lab().scene(), DrainArguments())
    assert [(one.node, one.text, one.socket) for one in shown] == [
        ("lb1", "set server be_shop/shop-a state drain", True),
        ("lb2", "set server be_shop/shop-a state drain", True),
    ]


# --- small ones -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "health", "rise", "fall", "passed"),
    [
        ("L7OK", 4, 2, 3, True),
        ("L7OK", 2, 2, 3, False),  # out of maint: "UP 1/3"
        ("L7OK", 3, 2, 3, False),  # one check has failed
        ("L4OK", 2, 1, 2, True),
        ("L7OKC", 4, 2, 3, True),
        ("PROCOK", 4, 2, 3, True),
        ("L7STS", 0, 2, 3, False),
        ("INI", 2, 2, 1, False),
        ("", 0, 0, 0, False),
    ],
)
def test_a_check_that_has_passed(status: str, health: int, rise: int, fall: int, *, passed: bool) -> None:
    assert Check(status, health, rise, fall).passed is passed


@pytest.mark.parametrize(
    ("first", "latest", "left"),
    [((0, 10), (5, 5), 5.0), ((0, 10), (5, 10), None), ((0, 10), (5, 12), None), ((3, 8), (3, 8), None)],
)
def test_an_estimate(first: tuple[float, int], latest: tuple[float, int], left: float | None) -> None:
    assert estimate(first, latest) == left


@pytest.mark.parametrize(
    ("listing", "count"),
    [
        ("266 1\n375 266\n", 0),
        ("266 1\n375 266\n301 266\n", 1),
        ("266 1\n375 266\n40 1\n41 40\n", 0),  # another HAProxy, with a master of its own
        ("266 1\n375 266\n301 \n", 0),  # one that ended while it was looked at
        ("375 1\n301 1\n", 0),  # no master: nothing can be told apart
        ("", 0),
    ],
)
def test_processes_that_a_reload_left_behind(listing: str, count: int) -> None:
    assert left_behind(listing, 375) == count
