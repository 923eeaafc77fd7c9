"""What must hold for every plan, whatever the cluster looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hactl.model.inventory import Inventory
from hactl.model.plan import Plan, PlannedStep
from hactl.model.playbook import Order, Playbook, Scope, Step, Targets
from hactl.model.verb import Effect
from hactl.planning.changes import changes
from tests.model.builders import DOWN, DRAINED, MAINT, Cluster, lab
from tests.planning.playing import planned, playbook, step

SERVERS = {"app1": "shop-a", "app2": "shop-b", "app3": "shop-c"}
LOOKS = {"up": {}, "down": DOWN, "drained": DRAINED, "maint": MAINT, "weightless": {"weight": 0}}
SHAPES = {
    "upgrade": ("balancer.drain", "package.upgrade", "check.healthy", "balancer.undrain"),
    "drain": ("balancer.drain",),
    "undrain": ("balancer.undrain",),
    "restart": ("service.restart",),
    "reboot, brought back twice": ("balancer.drain", "node.reboot", "balancer.undrain", "balancer.undrain"),
    "command": ("command",),
    "pause between": ("balancer.drain", "PAUSE", "package.upgrade", "balancer.undrain"),
}


def with_minimum(minimum: int) -> Inventory:
    inventory = lab()
    shop, pool = inventory.services["shop"], inventory.pools["shop"]
    return replace(
        inventory,
        services={**inventory.services, "shop": replace(shop, minimum=minimum)},
        pools={**inventory.pools, "shop": replace(pool, minimum=minimum)},
    )


# How each balancer sees each member; mostly well, or nearly every plan would be refused.
looks = st.sampled_from(["up"] * 6 + list(LOOKS))
pools = st.fixed_dictionaries({(lb, node): looks for lb in ("lb1", "lb2") for node in SERVERS})
inventories = st.integers(0, 3).map(with_minimum)
amounts = st.sampled_from(["1", "2", "3", "34%", "70%", "100%"])


def made(verb: str) -> Step:
    if verb == "PAUSE":
        return step("pause", scope=Scope.BATCH)
    return step(verb, arguments={"package": "shop"} if verb == "package.upgrade" else {})


@st.composite
def books(draw: st.DrawFn) -> Playbook:
    shape = draw(st.sampled_from(list(SHAPES)))
    steps = [replace(made(verb), name=f"{number} {verb}") for number, verb in enumerate(SHAPES[shape])]
    targets = Targets(
        limit=draw(st.sampled_from(["role:app", "app1", "app1,app3", "!app2", "role:app,role:lb"])),
        service="shop",
        order=draw(st.sampled_from(list(Order))),
        batch=draw(amounts),
        canary=draw(st.integers(0, 2)),
    )
    return playbook(*steps, targets=targets, name=shape.partition(",")[0])


def cluster(inventory: Inventory, seen: dict[tuple[str, str], str]) -> Cluster:
    made = Cluster(inventory)
    for (lb, node), look in seen.items():
        made.server(lb, "be_shop", SERVERS[node], **LOOKS[look])
    return made


def moments(plan: Plan, serving: set[str]) -> Iterator[set[str]]:
    """Who serves at every moment of the run, for every pace at which the nodes of a segment can go."""
    now = set(serving)
    yield now
    for _, segment in groupby(plan.steps, key=lambda one: one.segment):
        tracks = [list(track(list(lane), now)) for _, lane in groupby(segment, key=lambda one: one.lane)]
        others = now - {node for one in tracks for node, _ in one}
        for at in product(*tracks):
            yield others | {node for node, serves in at if serves}
        now = others | {node for *_, (node, serves) in tracks if serves}


def track(lane: list[PlannedStep], now: set[str]) -> Iterator[tuple[str, bool]]:
    """A lane's node before, during and after each of its steps, and whether it serves then."""
    node = lane[0].node or ""
    serves = node in now
    yield node, serves
    for one in lane:
        if one.effect is Effect.INTERRUPTS:
            yield node, False
        serves = {Effect.TAKES_OUT: False, Effect.BRINGS_BACK: True}.get(one.effect, serves)
        yield node, serves


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inventories, pools, books())
def test_no_plan_that_is_not_refused_goes_below_the_minimum(
    inventory: Inventory, seen: dict[tuple[str, str], str], book: Playbook
) -> None:
    plan = planned(book, cluster(inventory, seen), inventory=inventory)
    if any(verdict.guard == "minimum-available" and verdict.blocks for verdict in plan.verdicts):
        return
    serving = {node for node in SERVERS if all(seen[lb, node] == "up" for lb in ("lb1", "lb2"))}
    floor = min(inventory.pools["shop"].minimum, len(serving))
    assert all(len(there) >= floor for there in moments(plan, serving))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inventories, pools, books(), st.sampled_from(["lb1", "lb2"]), st.sampled_from(list(SERVERS)))
def test_the_digest_is_of_what_is_there(
    inventory: Inventory, seen: dict[tuple[str, str], str], book: Playbook, lb: str, node: str
) -> None:
    plan = planned(book, cluster(inventory, seen), inventory=inventory)
    again = planned(book, cluster(inventory, dict(seen)), inventory=inventory, who="somebody", reason="else")
    assert again.digest == plan.digest
    assert again == replace(plan, request=again.request)
    flipped = {**seen, (lb, node): "up" if seen[lb, node] in {"drained", "maint"} else "drained"}
    other = planned(book, cluster(inventory, flipped), inventory=inventory)
    assert other.digest != plan.digest
    assert any(f"{node} in shop on {lb} was" in sentence for sentence in changes(plan, other))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inventories, pools, books())
def test_the_weakest_moment_is_never_better_than_what_can_happen(
    inventory: Inventory, seen: dict[tuple[str, str], str], book: Playbook
) -> None:
    plan = planned(book, cluster(inventory, seen), inventory=inventory)
    serving = {node for node in SERVERS if all(seen[lb, node] == "up" for lb in ("lb1", "lb2"))}
    (shop,) = (one for one in plan.weakest if one.name == "shop")
    assert shop.available == min(len(there) for there in moments(plan, serving))
