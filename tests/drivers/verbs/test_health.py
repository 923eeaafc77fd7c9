from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.drivers.verbs.catalogue import VERBS
from hactl.drivers.verbs.health import HealthyArguments, same_version
from hactl.model.command import Completed
from hactl.model.inventory import Inventory
from hactl.model.verb import Fetch, Fetched, RunCommand, Scene, Standing
from tests.drivers.verbs.driving import World, answers, done
from tests.model.builders import Cluster, lab

VERB = VERBS["check.healthy"]
WELL, SICK = Fetched(200, "ok", 0.002), Fetched(500, "no price list\n", 0.002)
GONE = Fetched(0, "", 0.0, "nothing listens on port 8080")


def scene(node: str = "app1", inventory: Inventory | None = None) -> Scene:
    inventory = inventory or lab()
    return Scene(inventory, inventory.nodes[node], Cluster(inventory).picture())


def asked(world: World, inventory: Inventory | None = None, **arguments: object) -> Standing:
    return world.play(VERB.check(scene(inventory=inventory), HealthyArguments(**arguments)))


def test_good_so_often_in_a_row() -> None:
    world = World(fetch=answers(WELL))
    assert asked(world) == Standing(done=True, sentence="shop on app1: well 5 times in a row", facts={})
    fetched = [ask for ask in world.asked if isinstance(ask, Fetch)]
    assert [(one.port, one.path, one.host) for one in fetched] == [(8080, "/healthz", "192.168.56.21")] * 5
    assert world.waited == 4.0


@pytest.mark.parametrize(
    ("replies", "sentence"),
    [
        ([SICK], 'shop on app1 is not well: status 500 "no price list"'),
        ([WELL, WELL, SICK], 'shop on app1 is not well: status 500 "no price list", after 2 good answers'),
        ([GONE], "shop on app1 is not well: nothing listens on port 8080"),
        ([Fetched(204, "", 0.0)], "shop on app1 is not well: status 204"),
    ],
)
def test_one_bad_answer_begins_again(replies: list[Fetched], sentence: str) -> None:
    world = World(fetch=answers(*replies))
    assert asked(world) == Standing(done=False, sentence=sentence)
    assert world.told == [sentence]


def test_a_release_that_is_well_for_three_seconds_is_caught() -> None:
    """The lab's 1.2.0, asked from its first second on with the numbers that are there when nobody says any."""
    world = World()
    world.fetch = lambda _: WELL if world.now < 3.0 else SICK
    assert not asked(world).done


VERSION = Fetched(200, '{"version": "1.1.0"}', 0.0)


def versioned(reply: Fetched) -> World:
    return World(fetch=lambda ask: reply if ask.path == "/version" else WELL)


@pytest.mark.parametrize(
    ("reply", "wanted", "sentence"),
    [
        (VERSION, "1.1.0", "shop 1.1.0 on app1: well 2 times in a row"),
        (VERSION, "1.1.0-1", "shop 1.1.0 on app1: well 2 times in a row"),
        (VERSION, "1.0.0", "shop is 1.1.0, not 1.0.0"),
        (Fetched(404, "", 0.0), "1.1.0", "shop on app1: The version path did not answer with a version: status 404."),
    ],
)
def test_the_version_it_tells(reply: Fetched, wanted: str, sentence: str) -> None:
    standing = asked(versioned(reply), times=2, version=wanted)
    assert (standing.sentence, standing.done) == (sentence, "well" in sentence)


@pytest.mark.parametrize(
    ("installed", "sentence"),
    [
        (done("1.1.0"), "shop 1.1.0 on app1: well once"),
        (done("1:1.1.0-3"), "shop 1.1.0 on app1: well once"),
        (done("1.2.0-1"), "shop is 1.1.0, not 1.2.0-1"),
        (done("", exit=1), "shop on app1: well once"),  # a package that is not there says nothing
    ],
)
def test_where_no_version_is_wanted_it_is_the_packages(installed: Completed, sentence: str) -> None:
    world = versioned(VERSION)
    world.run = answers(installed)
    standing = asked(world, times=1, package="shop")
    assert standing.sentence.replace("1 times in a row", "once") == sentence
    assert [ask.command.argv[-1] for ask in world.asked if isinstance(ask, RunCommand)] == ["shop"]


def test_who_tells_no_version_is_not_asked_for_the_packages() -> None:
    mute = replace(lab().services["shop"], version_path=None)
    inventory = replace(lab(), services={**lab().services, "shop": mute})
    assert asked(World(fetch=answers(WELL)), inventory, times=1, package="shop").done


def test_a_version_that_a_program_tells() -> None:
    shop = replace(lab().services["shop"], version_path=None, version_command=("shop", "--version"))
    inventory = replace(lab(), services={**lab().services, "shop": shop})
    world = World(fetch=answers(WELL), run=answers(done("shop 1.1.0\n\nexit 0")))
    assert asked(world, inventory, times=1, version="1.1.0").done
    world = World(fetch=answers(WELL), run=answers(done("sh: shop: not found\n\nexit 127", exit=127)))
    assert "127" in asked(world, inventory, times=1, version="1.1.0").sentence


@pytest.mark.parametrize(
    ("told", "wanted", "same"),
    [
        ("1.1.0", "1.1.0", True),
        ("1.1.0", "1.1.0-1", True),
        ("1.1.0", "1:1.1.0-1+deb12u1", True),
        ("1.1.0-1", "1.1.0-1", True),
        ("1.1.0-rc", "1.1.0-rc-1", True),
        ("1.1", "1.1.0", False),
        ("1.1.0", "1.1.0.1-1", False),
    ],
)
def test_a_packages_version_holds_its_programs(told: str, wanted: str, *, same: bool) -> None:
    assert same_version(told, wanted) is same


@pytest.mark.parametrize(
    ("node", "arguments", "problem"),
    [
        ("app1", {}, ""),
        ("app1", {"service": "shop"}, ""),
        ("app1", {"service": "database"}, "app1 has no HTTP service database"),
        ("db1", {}, "db1 has no HTTP service"),
    ],
)
def test_what_speaks_against_it(node: str, arguments: dict[str, str], problem: str) -> None:
    assert VERB.problem(scene(node), HealthyArguments(**arguments)) == problem


def test_a_version_that_nothing_tells_is_a_problem() -> None:
    shop = replace(lab().services["shop"], version_path=None)
    inventory = replace(lab(), services={**lab().services, "shop": shop})
    assert "does not say how shop tells its version" in VERB.problem(
        scene(inventory=inventory), HealthyArguments(version="1.1.0")
    )


def test_it_changes_nothing_and_is_always_done() -> None:
    assert (VERB.mutates, VERB.always) == (False, True)
