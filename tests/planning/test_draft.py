"""Drafts: who is meant, in which order and batches, and how steps are spread out over them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.errors import InputError
from hactl.model.inventory import Inventory, Standing
from hactl.model.parameters import Parameter, ParameterKind
from hactl.model.plan import History
from hactl.model.playbook import Condition, Order, Ref, Scope, Targets
from hactl.planning.resolve import with_run
from hactl.planning.targets import SPARE, batches
from tests.model.builders import Cluster, lab
from tests.planning.playing import drafted, drain, playbook, run_command, step, upgrade

NODES = tuple(f"n{number}" for number in range(1, 9))


@pytest.mark.parametrize(
    ("canary", "amount", "sizes"),
    [
        (0, "1", [1] * 8),
        (0, "3", [3, 3, 2]),
        (1, "3", [1, 3, 3, 1]),
        (2, "100%", [1, 1, 6]),
        (0, "25%", [2, 2, 2, 2]),
        (0, "49%", [3, 3, 2]),  # rounded down
        (0, "1%", [1] * 8),  # but at least one
        (20, "2", [1] * 8),
        (0, "99", [8]),
    ],
)
def test_batches(canary: int, amount: str, sizes: list[int]) -> None:
    found = batches(NODES, canary, amount)
    assert [len(batch) for batch in found] == sizes
    assert tuple(node for batch in found for node in batch) == NODES


def with_spare(node: str) -> Inventory:
    inventory = lab()
    spare = replace(inventory.nodes[node], standing=Standing.SPARE)
    return replace(inventory, nodes={**inventory.nodes, node: spare})


def test_targets_are_those_of_service_playbook_and_request() -> None:
    book = upgrade(limit="app*,db1")
    assert drafted(book).targets == ("app1", "app2", "app3")
    assert drafted(book, limit="!app2").targets == ("app1", "app3")
    with pytest.raises(InputError, match="No node of shop is meant"):
        drafted(book, limit="db1")


def test_a_spare_is_left_alone_unless_it_is_named() -> None:
    inventory = with_spare("app3")
    plan = drafted(upgrade(), Cluster(inventory))
    assert plan.targets == ("app1", "app2")
    assert plan.untouched == {"app3": SPARE}
    assert drafted(upgrade(), Cluster(inventory), limit="app3").targets == ("app3",)


@pytest.mark.parametrize(
    ("order", "targets"),
    [
        (Order.INVENTORY, ("lb1", "lb2")),
        (Order.REVERSE, ("lb2", "lb1")),
        (Order.HOLDER_LAST, ("lb2", "lb1")),
    ],
)
def test_order(order: Order, targets: tuple[str, ...]) -> None:
    book = playbook(step("node.reboot"), targets=Targets(limit="role:lb", order=order))
    assert drafted(book).targets == targets


def test_steps_are_spread_out_in_segments_and_lanes() -> None:
    book = playbook(
        step("pause", "first", scope=Scope.RUN),
        step("balancer.drain", "out"),
        step("check.healthy", "look"),
        step("pause", "breathe", scope=Scope.BATCH),
        step("balancer.undrain", "in"),
        step("command", "tell", scope=Scope.RUN, on="role:lb"),
        targets=Targets(service="shop", canary=1, batch="2"),
    )
    plan = drafted(book)
    told = [(one.segment, one.batch, one.lane, one.name, one.node) for one in plan.steps]
    assert told == [
        (0, 0, "", "first", None),
        (1, 1, "app1", "out", "app1"),
        (1, 1, "app1", "look", "app1"),
        (2, 1, "", "breathe", None),
        (3, 1, "app1", "in", "app1"),
        (4, 2, "app2", "out", "app2"),
        (4, 2, "app2", "look", "app2"),
        (4, 2, "app3", "out", "app3"),
        (4, 2, "app3", "look", "app3"),
        (5, 2, "", "breathe", None),
        (6, 2, "app2", "in", "app2"),
        (6, 2, "app3", "in", "app3"),
        (7, 0, "", "tell", "lb1"),
        (7, 0, "", "tell", "lb2"),
    ]
    assert [one.index for one in plan.steps] == list(range(len(plan.steps)))


@pytest.mark.parametrize(
    ("book", "sentence"),
    [
        (
            playbook(step("balancer.drain"), step("pause", scope=Scope.RUN), step("balancer.undrain")),
            '"pause" is done once per run, but stands between',
        ),
        (playbook(step("balancer.drain"), targets=None), "has no targets"),
        (playbook(step("command", scope=Scope.RUN), targets=None), "acts on nodes, and `on` names none"),
        (playbook(step("balancer.drian")), 'no verb "balancer.drian"; did you mean "balancer.drain"?'),
        (
            playbook(step("pause", scope=Scope.RUN, when=Condition("holds_vip"))),
            "`when` asks about a node",
        ),
        (playbook(step("pause", arguments={"seconds": "soon"})), 'Step "pause": seconds: "soon" is not a duration'),
        (playbook(step("pause", arguments={"seconds": Ref("nobody")})), '"$nobody" stands for nothing here'),
    ],
)
def test_what_makes_no_sense_is_said(book, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        drafted(book)
    assert sentence in caught.value.message


def test_a_limit_without_targets_is_an_error() -> None:
    with pytest.raises(InputError, match="no targets that a limit could narrow"):
        drafted(playbook(step("pause", scope=Scope.RUN), targets=None), limit="app1")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"minimum-availabel"}, 'There is no guard "minimum-availabel"; did you mean "minimum-available"?'),
        ({"lock"}, "lock cannot be set aside."),
        ({"targets", "nonsense"}, 'There is no guard "nonsense".\ntargets cannot be set aside.'),
    ],
)
def test_overrides_that_are_none(names: set[str], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        drafted(drain(), overrides=frozenset(names))
    assert caught.value.message == sentence


def test_references_are_whole_values() -> None:
    argv = ("echo", Ref("node"), Ref("cluster"), Ref("run"), Ref("words"), Ref("loud"), "$node")
    book = playbook(
        step("command", arguments={"argv": argv}),
        parameters=(
            Parameter("words", ParameterKind.WORDS, "", ("'; touch /tmp/x #", "two words")),
            Parameter("loud", ParameterKind.BOOLEAN, "", default=True),
        ),
    )
    planned = drafted(book, limit="app1").steps[0]
    spread = ("'; touch /tmp/x #", "two words", "true", "$node")
    assert planned.arguments["argv"] == ("echo", "app1", "lab", "$run", *spread)
    assert with_run(planned.arguments, "r1")["argv"] == ("echo", "app1", "lab", "r1", *spread)


def test_settings_may_be_parameters() -> None:
    book = playbook(
        step("pause", arguments={"seconds": Ref("settle")}, deadline=Ref("settle")),
        targets=Targets(service="shop", batch=Ref("batch"), canary=Ref("canary"), pause=Ref("settle")),
        parameters=(
            Parameter("settle", ParameterKind.DURATION, "", 90.0),
            Parameter("batch", ParameterKind.AMOUNT, "", "100%"),
            Parameter("canary", ParameterKind.INTEGER, "", 1),
        ),
    )
    plan = drafted(book)
    assert plan.batches == (("app1",), ("app2", "app3"))
    assert (plan.pause, plan.steps[0].deadline, plan.steps[0].arguments["seconds"]) == (90.0, 90.0, 90.0)
    assert plan.seconds == 90.0 + 90.0 + 90.0  # two batches and the pause between: side by side counts once


def test_estimates_come_from_earlier_runs_where_there_are_any() -> None:
    history = History({"balancer.drain": 7.0, "balancer.drain app2": 20.0}, runs=3)
    plan = drafted(drain("role:app"), history=history)
    assert [one.seconds for one in plan.steps] == [7.0, 20.0, 7.0]
    assert (plan.seconds, plan.estimated_from) == (34.0, "3 earlier runs")
    assert drafted(drain("app1"), history=replace(history, runs=1)).estimated_from == "1 earlier run"
    others = drafted(drain("app1"), history=replace(history, runs=0)).estimated_from
    assert others == "what its verbs took in runs of other playbooks"
    for nothing in (history, History()):
        assert drafted(run_command(), history=nothing).estimated_from == "the verbs' own figures"


def test_a_drain_says_which_balancers_would_forget_it() -> None:
    whole = lab()
    forgetful = replace(
        whole, services={**whole.services, "balancer": replace(whole.services["balancer"], state_file=None)}
    )
    caution = (
        "balancer has no state_file in the inventory: a reload of lb1 and lb2 "
        "would forget the drain and let users back in."
    )
    assert drafted(drain("app1"), Cluster(forgetful)).notes == (caution,)
    assert caution not in drafted(drain("app1")).notes
    assert caution not in drafted(run_command(), Cluster(forgetful)).notes


def test_what_a_verb_objects_to_is_a_refusal_that_nobody_sets_aside() -> None:
    plan = drafted(drain("backup1"))
    (verdict,) = plan.verdicts
    assert (verdict.guard, verdict.node, verdict.can_override) == ("targets", "backup1", False)
    assert verdict.sentence == "drain backup1: backup1 is in no pool"


def test_the_plan_shows_first_commands_services_and_what_has_to_be_typed() -> None:
    book = replace(upgrade(), confirm="$cluster", notes=("mind the cache",))
    plan = drafted(book, parameters={"to": "1.1.0"})
    assert plan.steps[1].first[0].text == "package.upgrade Package(package='shop', version='1.1.0')"
    assert (plan.services, plan.pools) == (("shop",), ("shop",))
    assert (plan.confirm, plan.notes, plan.irreversible) == ("lab", ("mind the cache",), False)
    assert drafted(playbook(step("node.reboot"))).irreversible


def test_a_command_that_changes_nothing_is_a_look() -> None:
    assert drafted(run_command()).steps[0].mutates
    assert not drafted(playbook(step("command", arguments={"changes": False}))).steps[0].mutates
