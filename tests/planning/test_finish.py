"""Finished plans: what looking has shown, the basis, the digest, and why two plans differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.codec import plain, restored
from hactl.model.facts import PostgresqlRole
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.plan import History, Looked, Plan, RunRef
from hactl.model.playbook import Scope, Targets
from hactl.planning.changes import changes
from hactl.planning.finish import carried_over, needless
from tests.model.builders import DOWN, DRAINED, EPOCH, MAINT, Cluster, primary, standby
from tests.planning.playing import (
    WALL,
    drafted,
    drain,
    planned,
    playbook,
    reboot,
    run_command,
    said,
    step,
    upgrade,
)

IS_AT = "shop is at 1.1.0"


def done(*steps: int, sentence: str = IS_AT) -> tuple[Looked, ...]:
    return tuple(Looked(index, done=True, sentence=sentence) for index in steps)


# --- what looking has shown ---------------------------------------------------------------------------------------


def test_a_node_that_needs_nothing_drops_out_and_the_rest_closes_up() -> None:
    verdict = GuardVerdict("package-available", Ruling.REFUSE, "half installed", "app2")
    looked = (*done(5), Looked(4, done=False, sentence="", verdicts=(verdict,)))  # app2's upgrade, and its drain
    plan = planned(upgrade(), looked=looked)
    assert plan.targets == ("app1", "app3")
    assert plan.untouched == {"app2": IS_AT}
    assert plan.batches == (("app1",), ("app3",))
    assert [(one.index, one.segment, one.batch, one.node) for one in plan.steps] == [
        *((index, 0, 1, "app1") for index in range(4)),
        *((index, 1, 2, "app3") for index in range(4, 8)),
    ]
    assert not said(plan, "package-available")
    assert plan.seconds == 16.0


def test_a_step_that_is_so_already_says_why_it_is_probably_skipped() -> None:
    plan = planned(upgrade(), looked=done(0, sentence="out already"))
    assert [one.skip for one in plan.steps[:2]] == ["out already", ""]
    assert plan.targets == ("app1", "app2", "app3")
    assert plan.seconds == 22.0  # one step less


def test_what_was_found_says_nothing_of_steps_after_a_change_to_the_node() -> None:
    """It is in its pool before it is drained, and well before it is upgraded."""
    plan = planned(upgrade(), looked=done(2, 3, sentence="is in"))
    assert [one.skip for one in plan.steps if one.node == "app1"] == ["", "", "", ""]
    assert plan.seconds == 24.0, "they take their time"
    out = planned(upgrade(), looked=done(0, 1, 2, sentence="is so"))
    assert [one.skip for one in out.steps if one.node == "app1"] == []


def test_a_look_changes_nothing_for_the_steps_after_it() -> None:
    book = playbook(step("check.healthy"), step("balancer.drain"), step("node.reboot"), targets=Targets(service="shop"))
    plan = planned(book, looked=done(1, sentence="out already"))
    assert [one.skip for one in plan.steps if one.node == "app1"] == ["", "out already", ""]


def test_nothing_is_left_to_do() -> None:
    plan = planned(upgrade(), looked=done(1, 5, 9))
    assert (plan.targets, plan.batches, plan.steps) == ((), (), ())
    assert set(plan.untouched) == {"app1", "app2", "app3"}
    assert not plan.refusals
    assert not plan.mutates


def test_without_a_word_of_the_playbook_every_change_decides() -> None:
    """But not the taking out of what is brought back."""
    book = replace(upgrade(), targets=Targets(service="shop"))
    assert planned(book, looked=done(1, 3)).targets == ("app2", "app3")  # upgraded, and in its pools
    assert planned(book, looked=done(0, 1)).targets == ("app1", "app2", "app3")  # it is out, and has to come back
    assert planned(drain("app1"), looked=done(0)).targets == ()


def test_the_canary_is_the_first_node_that_is_acted_on() -> None:
    """Not one that has the version already: the rest would be upgraded at once, and nobody had tried."""
    book = upgrade(canary=1, batch="2")
    whole = drafted(book)
    assert whole.batches == (("app1",), ("app2", "app3"))
    looked = (*done(1), Looked(4, done=True, sentence="out already"))
    idle = needless(whole, looked)
    assert idle == {"app1": IS_AT}
    again = drafted(book, idle=idle)
    assert again.batches == (("app2",), ("app3",))
    assert again.untouched == {"app1": IS_AT}
    assert carried_over(looked, whole, again) == (Looked(0, done=True, sentence="out already"),)
    assert needless(whole, done(1, 5, 9)) == {}, "nothing is left to do, and that is said as it always was"


def test_a_share_is_one_of_all_targets_whether_they_need_something_or_not() -> None:
    assert drafted(upgrade(batch="70%"), idle={"app1": IS_AT}).batches == (("app2", "app3"),)


def test_steps_of_the_run_stay_while_something_is_left() -> None:
    book = playbook(
        step("command", "before", scope=Scope.RUN, on="lb1"),
        step("package.upgrade", "upgrade", arguments={"package": "shop"}),
        step("pause", "settle", scope=Scope.BATCH),
        step("command", "after", scope=Scope.RUN, on="lb1"),
        targets=Targets(service="shop", batch="2"),
    )
    names = [one.name for one in drafted(book).steps]
    assert names == ["before", "upgrade", "upgrade", "settle", "upgrade", "settle", "after"]
    some = planned(book, looked=done(1, 2))
    assert [one.label for one in some.steps] == ["before lb1", "upgrade app3", "settle", "after lb1"]
    assert [one.batch for one in some.steps] == [0, 1, 1, 0]
    assert [one.label for one in planned(book, looked=done(1, 2, 4)).steps] == ["before lb1", "after lb1"]
    assert planned(book, looked=done(0, 1, 2, 4, 6)).steps == ()


def test_what_its_verb_objected_to_goes_with_the_node() -> None:
    book = playbook(step("balancer.drain"), targets=Targets(limit="app1,backup1"))
    assert planned(book).refusals
    assert not planned(book, looked=done(1)).refusals


def test_a_plan_survives_the_journal() -> None:
    plan = planned(upgrade(batch="2", canary=1), looked=done(1), limit="role:app", reason="because", who="anna@laptop")
    assert restored(Plan, plain(plan)) == plan


# --- the basis and the digest -------------------------------------------------------------------------------------


def test_the_basis_names_what_the_plan_depends_on() -> None:
    cluster = Cluster().server("lb2", "be_shop", "shop-b", **MAINT).server("lb1", "be_shop", "shop-c", **DOWN)
    cluster.change("app1", "packages", installed={"shop": "1.0.0"}).down("app3")
    plan = planned(upgrade(), cluster)
    assert plan.basis == {
        "package/shop/app1": "1.0.0",
        "package/shop/app2": "absent",
        "package/shop/app3": "unknown",
        "pool/shop/app1/lb1": "ready, up",
        "pool/shop/app1/lb2": "ready, up",
        "pool/shop/app2/lb1": "ready, up",
        "pool/shop/app2/lb2": "maint",
        "pool/shop/app3/lb1": "ready, down",
        "pool/shop/app3/lb2": "ready, up",
        "vip/public": "lb1",
    }
    assert planned(reboot("db2")).basis["primary/database"] == "db1"
    # That the balancers have noticed, too, is nothing new.
    assert (
        planned(reboot("db2"), Cluster().server("*", "be_pg_primary", "db1", **DOWN)).basis
        == planned(reboot("db2")).basis
    )
    history = History(unfinished=(RunRef("r1", "drain", "anna", WALL, alive=False),))
    assert planned(drain(), history=history).basis["run/r1"] == "broken off"


def flap(cluster: Cluster) -> Cluster:
    cluster.server("*", "be_shop", "shop-a", sessions=99, sessions_total=123456, rate=77, last_change=2, check_ms=8)
    cluster.server("*", "be_shop", "shop-b", status="UP 1/3")
    return cluster.change("app1", "host", cpu_busy=1, memory_available=1 << 31)


@pytest.mark.parametrize(
    "change",
    [
        flap,
        lambda cluster: cluster.say("db1", "postgresql:database", primary(lsn=primary().lsn + 4096, connections=50)),
    ],
)
def test_what_moves_all_the_time_is_not_in_the_digest(change) -> None:
    for book in (upgrade(), reboot("db2")):
        assert planned(book, change(Cluster())).digest == planned(book, Cluster()).digest


def test_who_asks_and_why_and_how_long_it_takes_is_not_in_the_digest() -> None:
    plan = planned(upgrade())
    history = History({"balancer.drain": 60.0}, runs=2)
    other = planned(upgrade(), history=history, wall=WALL + 99, who="ben@desk", reason="why not", origin="tui")
    assert other.digest == plan.digest
    assert other.seconds != plan.seconds
    assert not changes(plan, other)


DIFFERENT = [
    (lambda: planned(upgrade(), Cluster().server("lb1", "be_shop", "shop-b", **DRAINED)), "app2 in shop on lb1 was"),
    (lambda: planned(upgrade(), Cluster().server("*", "be_shop", "shop-c", **DOWN)), "app3 in shop on lb2 was ready"),
    (lambda: planned(upgrade(), Cluster().down("lb2")), "app1 in shop on lb2 was ready, up and is unknown"),
    (
        lambda: planned(
            upgrade(), Cluster().addresses("lb1", "192.168.56.11").addresses("lb2", "192.168.56.12", "192.168.56.10")
        ),
        "the holder of public was lb1 and is lb2",
    ),
    (
        lambda: planned(upgrade(), Cluster().change("app1", "packages", installed={"shop": "1.0.0"})),
        "shop on app1 was absent and is 1.0.0",
    ),
    (
        lambda: planned(upgrade(), history=History(unfinished=(RunRef("r1", "drain", "anna", WALL, alive=True),))),
        "run r1 was not there and is under way",
    ),
    (lambda: planned(upgrade(), looked=done(1)), f"app1 was to be worked on and is not: {IS_AT}"),
    (lambda: planned(upgrade(), limit="!app3"), "app3 was to be worked on and is not: it is no target"),
    (lambda: planned(upgrade(), parameters={"to": "1.1.0"}), "the parameters differ"),
    (lambda: planned(upgrade(canary=1, batch="2")), "the nodes would be worked on in another order"),
    (
        lambda: planned(
            upgrade(), Cluster().say("app2", "disk", replace(Cluster().get("app2", "disk"), filesystems=()))
        ),
        "",
    ),
    (
        lambda: planned(
            upgrade(),
            looked=(Looked(1, done=False, sentence="", verdicts=(GuardVerdict("sudo", Ruling.REFUSE, "no", "app1"),)),),
        ),
        "sudo now says refuse: no",
    ),
    (lambda: planned(upgrade(), overrides=frozenset({"sudo"})), "another version"),
]


@pytest.mark.parametrize(("other", "sentence"), DIFFERENT)
def test_changes_are_told(other, sentence: str) -> None:
    confirmed, now = planned(upgrade()), other()
    told = changes(confirmed, now)
    if not sentence:
        assert confirmed.digest == now.digest
        assert told == ()
        return
    assert confirmed.digest != now.digest
    assert any(sentence in one for one in told), told


def test_a_warning_that_comes_or_goes_is_no_change() -> None:
    """Something is critical on a node that the plan has nothing to do with, or slow on one that it works on."""
    full = Cluster().get("backup1", "disk")
    crit = replace(full, filesystems=tuple(replace(one, used_percent=99.0) for one in full.filesystems))
    calm, uneasy = planned(upgrade()), planned(upgrade(), Cluster().say("backup1", "disk", crit))
    assert {one.guard for one in uneasy.verdicts if one.ruling is Ruling.WARN} == {"critical-finding"}
    assert not [one for one in calm.verdicts if one.ruling is Ruling.WARN]
    assert uneasy.digest == calm.digest
    assert not changes(calm, uneasy)


def test_a_refusal_that_was_set_aside_and_is_gone_is_no_change() -> None:
    sudo = GuardVerdict("sudo", Ruling.REFUSE, "no", "app1")
    refused = (Looked(1, done=False, sentence="", verdicts=(sudo,)),)
    confirmed = planned(upgrade(), looked=refused, overrides=frozenset({"sudo"}))
    now = planned(upgrade(), overrides=frozenset({"sudo"}))
    assert not changes(confirmed, now)
    assert any("sudo now set aside: no" in one for one in changes(now, confirmed))


def test_a_failover_is_a_change() -> None:
    cluster = Cluster().say("db1", "postgresql:database", standby()).say("db2", "postgresql:database", primary())
    assert primary().role is PostgresqlRole.PRIMARY
    told = changes(planned(reboot("db3")), planned(reboot("db3"), cluster))
    assert "the primary of database was db1 and is db2" in told


def test_the_digest_is_a_sha256_and_made_at_is_the_wall() -> None:
    plan = planned(run_command())
    assert len(plan.digest) == 64
    assert plan.made_at == WALL > EPOCH
