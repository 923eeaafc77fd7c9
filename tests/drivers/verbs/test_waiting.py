from __future__ import annotations

import pytest

from hactl.drivers.verbs.catalogue import VERBS
from hactl.drivers.verbs.waiting import PauseArguments, WaitHttpArguments
from hactl.model.verb import Fetch, Fetched, Scene, Wait
from tests.drivers.verbs.driving import World, answers
from tests.model.builders import Cluster, lab

PAUSE, WAIT_HTTP = VERBS["pause"], VERBS["wait_http"]


def scene() -> Scene:
    return Scene(lab(), lab().nodes["app1"], Cluster().picture())


def test_a_pause_is_one_stated_wait() -> None:
    world, args = World(), PauseArguments(2.5, "caches to fill")
    assert world.play(PAUSE.do(scene(), args, {})) == "waited 2.5 s: caches to fill"
    assert world.asked == [Wait(2.5, "caches to fill")]
    assert world.play(PAUSE.check(scene(), args)).done
    assert PAUSE.always
    assert PAUSE.seconds(args) == 2.5


@pytest.mark.parametrize(
    ("reply", "arguments", "sentence"),
    [
        (Fetched(200, "ready", 0.0), {}, "app1:9000/: status 200"),
        (Fetched(204, "", 0.0), {"expect_status": 204}, "app1:9000/: status 204"),
        (Fetched(503, "", 0.0), {}, "app1:9000/: status 503, not 200"),
        (Fetched(0, "", 0.0, "refused"), {}, "app1:9000/: refused, not 200"),
        (Fetched(0, "", 0.0), {}, "app1:9000/: no answer, not 200"),
        (Fetched(200, "all is ready", 0.0), {"contains": "ready"}, "app1:9000/: status 200"),
        (Fetched(200, "warming\nup", 0.0), {"contains": "ready"}, '"ready" is not in the answer'),
    ],
)
def test_an_answer_is_waited_for(reply: Fetched, arguments: dict[str, object], sentence: str) -> None:
    world = World(fetch=answers(reply))
    standing = world.play(WAIT_HTTP.check(scene(), WaitHttpArguments(9000, **arguments)))
    assert sentence in standing.sentence
    assert standing.done == ("not" not in standing.sentence)
    assert world.asked == [Fetch(9000, "/", "192.168.56.21")]


def test_whom_it_asks_is_a_word() -> None:
    args = WaitHttpArguments(80, "/x", "shop.example")
    world = World(fetch=answers(Fetched(200, "", 0.0)))
    world.play(WAIT_HTTP.check(scene(), args))
    assert world.asked == [Fetch(80, "/x", "shop.example")]
    assert [one.text for one in WAIT_HTTP.first(scene(), args)] == ["GET http://shop.example:80/x"]


@pytest.mark.parametrize(
    ("arguments", "fine"),
    [
        ({"port": 80}, True),
        ({"port": 70000}, False),
        ({"port": 80, "path": "x"}, False),
        ({"port": 80, "path": "/x y"}, False),
        ({"port": 80, "path": "/\r\nHost: other"}, False),
        ({"port": 80, "host": "a\r\nX: y"}, False),
    ],
)
def test_what_cannot_be_asked_for(arguments: dict[str, object], *, fine: bool) -> None:
    assert (WAIT_HTTP.problem(scene(), WaitHttpArguments(**arguments)) == "") is fine
