"""Exercises as data: words in braces, goals against a cluster, the story of a playing, points."""

from dataclasses import replace

import pytest

from hactl.model.codec import plain, restored
from hactl.model.facts import VersionFacts
from hactl.model.observed import Unknown
from hactl.model.scenario import Condition, ConditionKind, Goal, filled
from hactl.model.scenario_goals import NOBODY_COUNTED, Scene, counts_rows, judged, reached
from hactl.model.scenario_places import places_of
from hactl.model.scenario_score import scored
from hactl.model.scenario_sights import Sights, noticed
from hactl.model.scenario_story import Ending, Mark, Session, Traffic
from tests.model.builders import DOWN, DRAINED, EPOCH, NOW, Cluster, primary, slot, standby
from tests.model.scenarios import BEGAN, played, scenario, session, won

LONG_AGO, JUST_NOW = 0.0, EPOCH + NOW
BEFORE = frozenset(Cluster().findings())


def test_words_in_braces_become_nodes_everywhere():
    told = scenario().told({"primary": "db2"})
    assert told.story == "It happens on db2."
    assert told.acts[0].words == ("service-stop", "db2")
    assert told.hints[1].text == "look at db2"
    assert "{failed} of {sent}" in told.debrief  # measured later
    assert filled("{a} {b}", {"a": "1"}) == "1 {b}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda cluster: cluster, {"primary": "db1", "standby": "db2", "far": "db3", "holder": "lb1", "other": "lb2"}),
        (lambda cluster: cluster.addresses("lb1", "192.168.56.11"), "one of several balancers has to hold"),
        (lambda cluster: cluster.down("db1"), "database needs a primary and a standby"),
    ],
)
def test_what_the_words_stand_for_is_seen_on_the_lab(change, said):
    found = places_of(change(Cluster()).picture())
    if isinstance(said, str):
        assert said in found
    else:
        assert found == {"cluster": "lab", **said}


def broken(cluster):
    return cluster.unit("app2", "shop.service", active="inactive", sub="dead")


CONDITIONS = [
    # kind, words, change to a healthy cluster, holds, what is said
    ("healthy", (), lambda c: c, True, "nothing is wrong"),
    ("healthy", (), broken, False, "app2"),
    (
        "drained",
        ("app1",),
        lambda c: c.server("*", "be_shop", "shop-a", **DRAINED),
        True,
        "app1: no new requests on any balancer",
    ),
    ("drained", ("app1",), lambda c: c.server("lb1", "be_shop", "shop-a", **DRAINED), False, "requests on lb2"),
    ("drained", ("app1",), lambda c: c.server("*", "be_shop", "shop-a", **DRAINED).down("lb2"), False, "lb2 cannot be"),
    ("serving", ("app1", "app2"), lambda c: c, True, "app1, app2: up on every balancer"),
    ("serving", ("app1",), lambda c: c.server("lb2", "be_shop", "shop-a", **DOWN), False, "app1 is not up on lb2"),
    ("vip", ("one",), lambda c: c, True, "on lb1"),
    ("vip", ("lb2",), lambda c: c, False, "on lb1"),
    ("vip", ("!lb2",), lambda c: c, True, "on lb1"),
    ("vip", ("!lb1",), lambda c: c, False, "on lb1"),
    ("vip", ("one",), lambda c: c.addresses("lb1", "192.168.56.11"), False, "on nobody"),
    ("vip", ("one",), lambda c: c.addresses("lb2", "192.168.56.10"), False, "on lb1, lb2"),
    ("vip", ("one",), lambda c: c.down("lb2"), False, "lb2 cannot be asked"),
    ("primary", ("db1",), lambda c: c, True, "primary is db1"),
    ("primary", ("!db1",), lambda c: c, False, "primary is db1"),
    ("primary", ("one",), lambda c: c.say("db2", "postgresql:database", primary()), False, "primary is db1, db2"),
    ("primary", ("one",), lambda c: c.down("db3"), False, "db3 cannot be asked"),
    ("primary", ("!db3",), lambda c: c.down("db3"), True, "primary is db1"),
    ("primary", ("!db3",), lambda c: c.down("db2"), False, "db2 cannot be asked"),
    ("streaming", ("all",), lambda c: c, True, "db2, db3 follow db1"),
    ("streaming", ("db3",), lambda c: c.down("db2"), True, "db3 follow db1"),
    ("streaming", ("all",), lambda c: c.down("db2"), False, "db2 is no standby that answers"),
    (
        "streaming",
        ("db2",),
        lambda c: c.say("db2", "postgresql:database", standby(receiver_status="")),
        False,
        "db2 does not stream",
    ),
    (
        "streaming",
        ("db2",),
        lambda c: c.say("db2", "postgresql:database", standby(replay_paused=True)),
        False,
        "db2 does not apply",
    ),
    ("version", ("shop", "1.0.0"), lambda c: c, True, "every node runs shop 1.0.0"),
    ("version", ("shop", "1.1.0"), lambda c: c.say("app1", "version:shop", VersionFacts("1.1.0")), False, "app2 runs"),
    ("version", ("shop", "1.0.0"), lambda c: c.down("app3"), False, "app3 does not tell"),
    ("without", ("slot:*",), lambda c: c, True, "nothing is said of slot:*"),
    (
        "without",
        ("slot:*",),
        lambda c: c.say(
            "db1", "postgresql:database", primary(slots=(slot("abandoned", active=False, retained=2**40),))
        ),
        False,
        "abandoned",
    ),
    ("without", ("unit:*",), broken, False, "shop.service"),
]


@pytest.mark.parametrize(("kind", "words", "change", "holds", "said"), CONDITIONS)
def test_a_condition_is_judged_by_the_cluster(kind, words, change, holds, said):
    goal = Goal("it", (Condition(ConditionKind(kind), words),))
    scene = Scene(change(Cluster()).picture(), LONG_AGO, BEFORE)
    (found,) = judged(goal, scene)
    assert (found.holds, reached(goal, scene)) == (holds, holds), found
    assert said in found.sentence


@pytest.mark.parametrize(
    ("kind", "began", "holds"), [("any", LONG_AGO, True), ("full", LONG_AGO, True), ("any", JUST_NOW, False)]
)
def test_a_backup_counts_when_it_was_begun_after_the_exercise(kind, began, holds):
    goal = Goal("it", (Condition(ConditionKind.BACKUP, (kind,)),))
    assert reached(goal, Scene(Cluster().picture(), began)) is holds


def test_a_trouble_that_was_there_before_is_nobodys_task():
    picture = broken(Cluster()).picture()
    before = frozenset(one.key for one in picture.assessment.findings)
    goal = Goal("it", (Condition(ConditionKind.HEALTHY),))
    assert not reached(goal, Scene(picture, LONG_AGO))
    assert reached(goal, Scene(picture, LONG_AGO, before))


@pytest.mark.parametrize(
    ("lost", "holds", "said"),
    [
        (0, True, "every order"),
        (3, False, "3 orders"),
        (NOBODY_COUNTED, False, "nobody has counted"),
        (Unknown("gone", 0), False, "gone"),
    ],
)
def test_orders_are_counted_and_not_guessed(lost, holds, said):
    goal = Goal("it", (Condition(ConditionKind.HEALTHY), Condition(ConditionKind.ROWS)))
    scene = Scene(Cluster().picture(), LONG_AGO, BEFORE, lost)
    *_, found = judged(goal, scene)
    assert found.holds is holds
    assert said in found.sentence
    assert counts_rows(goal, scene)
    assert not counts_rows(goal, Scene(broken(Cluster()).picture(), LONG_AGO, BEFORE))
    assert not counts_rows(Goal("it", goal.conditions[:1]), scene)


def test_every_kind_of_condition_is_tried_here():
    assert {kind for kind, *_ in CONDITIONS} | {"rows_kept", "backup"} == {kind.value for kind in ConditionKind}


def test_what_comes_goes_and_moves_is_noticed():
    well, sick = Cluster().picture(), broken(Cluster()).picture()
    moved = Cluster().addresses("lb1", "192.168.56.11").addresses("lb2", "192.168.56.12", "192.168.56.10").picture()
    before, after = Sights.of(well, well.assessment.findings), Sights.of(sick, sick.assessment.findings)
    come = list(noticed(before, after))
    assert come
    assert {mark for mark, _ in come} == {Mark.SEEN}
    assert any("app2" in text for _, text in come)
    assert {mark for mark, _ in noticed(after, before)} == {Mark.GONE}
    assert list(noticed(Sights.of(well, ()), Sights.of(moved, ()))) == [(Mark.MOVED, "the VIP public: lb1 -> lb2")]


def test_a_session_is_the_same_after_it_was_written_down():
    assert restored(Session, plain(session())) == session()


def test_how_it_stands_is_folded_from_the_notes():
    standing = played(
        (1, Mark.ACT, "fault", 1), (5, Mark.HINT, "look", 1), (9, Mark.DETECTED, "x", 0), (20, Mark.GOAL, "g", 1)
    )
    assert (standing.acts, standing.hints, standing.reached, standing.over) == (1, 1, 1, False)
    assert (standing.began, standing.detected) == (BEGAN, BEGAN + 9)
    assert standing.goal is not None
    assert standing.goal.title == "well"
    assert won().goal is None
    assert won().ending is Ending.REACHED


def test_a_secret_has_no_name_before_its_end():
    notes = ((9, Mark.ENDED, "stopped", 0),)
    assert played(secret=True).name == "(a surprise)"
    assert played(*notes, secret=True).name == "made-up"


GOOD = Traffic(sent=1000, failed=3, confirmed=400)


@pytest.mark.parametrize(
    ("standing", "traffic", "points", "grade", "lost"),
    [
        (won(), GOOD, 100, "A", {}),
        (won(repair=100.0, detect=60.0), replace(GOOD, failed=10), 100, "A", {}),  # par costs nothing
        (won(repair=200.0), GOOD, 88, "B", {"repair": 12}),  # twice par: half
        (won(repair=5000.0), GOOD, 75, "C", {"repair": 25}),
        (won(), replace(GOOD, failed=20), 88, "B", {"requests": 12}),
        (won(), replace(GOOD, failed=999), 75, "C", {"requests": 25}),
        (won(lost=1), GOOD, 96, "A", {"orders": 4}),
        (won(lost=500), GOOD, 60, "D", {"orders": 40}),
        (won(hints=2), GOOD, 85, "B", {"hints": 15}),
        (won(repair=5000.0, detect=900.0, lost=99, hints=2), replace(GOOD, failed=999), 0, "E", {"detect": 10}),
    ],
)
def test_points(standing, traffic, points, grade, lost):
    score = scored(standing, traffic)
    assert (score.points, score.grade) == (points, grade)
    terms = {term.name: term.lost for term in score.terms}
    assert {name: terms[name] for name in lost} == lost
    assert score.damage == terms["requests"] + terms["orders"]
    assert all(term.sentence and term.lost <= term.weight for term in score.terms)


@pytest.mark.parametrize("ending", [Ending.STOPPED, Ending.TIMEOUT, Ending.GONE])
def test_a_goal_that_was_not_reached_has_no_points(ending):
    score = scored(played((50, Mark.COUNTED, "", 0), (50, Mark.ENDED, ending.value, 0)), GOOD)
    assert (score.points, score.grade, score.repair, score.detect) == (0, "-", None, None)


def test_orders_that_nobody_could_count_are_not_called_safe():
    score = scored(
        played((50, Mark.COUNTED, "no primary", -1), (50, Mark.ENDED, "reached", 0)), replace(GOOD, confirmed=7)
    )
    (orders,) = (term for term in score.terms if term.name == "orders")
    assert orders.lost == orders.weight
    assert "nobody could count" in orders.sentence
