from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.control import ansible_play
from hactl.drivers.verbs.ansible import NOT_INSTALLED, Play, PlayArguments
from hactl.model.command import Completed
from hactl.model.errors import ConnectionLostError
from hactl.model.observed import Unknown
from hactl.model.verb import RunLocal, Scene, VerbError
from tests.drivers.verbs.driving import World, answers, done
from tests.drivers.verbs.node_scene import scene_of

ARGS = PlayArguments("/x/site.yml", variables=("word='; touch /tmp/x #", "empty=", "sum=1+1=2", "two=a\nb"))


@pytest.fixture
def scene() -> Scene:
    return scene_of("app1")


def test_what_is_played_goes_through_standard_input(scene: Scene) -> None:
    world = World(run_local=answers(done("TASK\nok=2 changed=1 failures=0\n")))
    assert world.play(Play().do(scene, ARGS, {})) == "site.yml: ok=2 changed=1 failures=0"
    (ask,) = world.asked
    assert isinstance(ask, RunLocal)
    assert ask.command.argv == (sys.executable, "-m", "hactl.control.ansible_play")
    assert ask.command.mutates
    assert json.loads(ask.command.stdin) == {
        "inventory": scene.inventory.path,
        "playbook": "/x/site.yml",
        "node": "app1",
        "variables": {"word": "'; touch /tmp/x #", "empty": "", "sum": "1+1=2", "two": "a\nb"},
    }


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (done("fatal: app1\nok=1 failures=1", exit=2), VerbError, "exit status 2: ok=1 failures=1"),
        (done(exit=NOT_INSTALLED), VerbError, "ansible-runner is not installed"),
        (Completed(Unknown("it was killed", 1.0), "", "", 0.1), ConnectionLostError, "unknown outcome"),
    ],
)
def test_a_play_that_fails(answer: Completed, error: type[Exception], says: str, scene: Scene) -> None:
    with pytest.raises(error, match=says):
        World(run_local=answers(answer)).play(Play().do(scene, ARGS, {}))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (PlayArguments("site.yml"), "not an absolute path"),
        (PlayArguments("/x/site.yml", ("a",)), "NAME=VALUE"),
        (PlayArguments("/x/site.yml", ("@/etc/passwd",)), "NAME=VALUE"),
        (PlayArguments("/x/site.yml", ("a-b=c",)), "NAME=VALUE"),
        (ARGS, ""),
    ],
)
def test_problem(args: PlayArguments, says: str, scene: Scene) -> None:
    problem = Play().problem(scene, args)
    assert says in problem
    assert bool(problem) is bool(says)


def test_an_inventory_that_is_in_no_file_cannot_be_given_on(scene: Scene) -> None:
    assert "in no file" in Play().problem(replace(scene, inventory=replace(scene.inventory, path="")), ARGS)


def test_the_program_reads_its_request_and_says_when_the_extra_is_not_there(scene: Scene) -> None:
    asked = {"inventory": scene.inventory.path, "playbook": "/x", "node": "app1", "variables": {"a": "b"}}
    request = ansible_play.read(json.dumps(asked))
    assert request == ansible_play.Request(Path(scene.inventory.path), Path("/x"), "app1", {"a": "b"})
    if importlib.util.find_spec("ansible_runner") is not None:
        pytest.skip("ansible-runner is installed here")
    assert ansible_play.play(request) == NOT_INSTALLED
