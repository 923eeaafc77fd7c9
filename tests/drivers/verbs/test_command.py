from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.drivers.verbs.command import CommandArguments, RunCommand, Script, ScriptArguments
from hactl.model import verb
from hactl.model.command import Completed
from hactl.model.errors import ConnectionLostError
from hactl.model.observed import Unknown
from hactl.model.verb import Scene, VerbError
from tests.drivers.verbs.driving import World, answers, done
from tests.drivers.verbs.node_scene import scene_of

NASTY = ["'; touch /tmp/x #", "two\nlines", "$(id)", "`id`", "*", "", "--", "é"]


@pytest.fixture
def scene() -> Scene:
    return scene_of("app1")


def command_of(world: World) -> tuple[str, ...]:
    (ask,) = (ask for ask in world.asked if isinstance(ask, verb.RunCommand))
    return ask.command.argv


@pytest.mark.parametrize("word", NASTY)
def test_a_word_stays_a_word(word: str, scene: Scene) -> None:
    world = World(run=answers(done("said\n")))
    world.play(RunCommand().do(scene, CommandArguments(("printf", "%s", word)), {}))
    assert command_of(world) == ("printf", "%s", word)


@pytest.mark.parametrize("word", NASTY)
def test_a_scripts_argument_stays_a_word(word: str, scene: Scene) -> None:
    world = World(run=answers(done()), read_local=lambda _: b"echo $1")
    world.play(Script().do(scene, ScriptArguments("/x/s.sh", arguments=(word,)), {}))
    assert command_of(world) == ("sh", "-s", "--", word)
    (ask,) = (ask for ask in world.asked if isinstance(ask, verb.RunCommand))
    assert ask.command.stdin == b"echo $1"


@pytest.mark.parametrize(
    ("expect", "answer", "outcome"),
    [
        (("0",), done("one\ntwo\n\n"), "x ended with exit status 0: two"),
        (("0", "3"), done(exit=3), "x ended with exit status 3"),
        (("0",), done(exit=3, stderr="no luck"), VerbError),
        (("3",), done(exit=0), VerbError),
        (("0",), Completed(Unknown("the session died", 1.0), "", "", 0.1), ConnectionLostError),
    ],
)
def test_exits(expect: tuple[str, ...], answer: Completed, outcome: str | type[Exception], scene: Scene) -> None:
    doing = RunCommand().do(scene, CommandArguments(("x",), expect=expect), {})
    if isinstance(outcome, str):
        assert World(run=answers(answer)).play(doing) == outcome
    else:
        with pytest.raises(outcome):
            World(run=answers(answer)).play(doing)


@pytest.mark.parametrize(("code", "is_done"), [(0, True), (1, False), (127, False)])
def test_unless_says_whether_it_is_done(code: int, is_done: bool, scene: Scene) -> None:  # noqa: FBT001
    world = World(run=answers(done(exit=code)))
    assert world.play(RunCommand().check(scene, CommandArguments(("x",), unless=("test", "-e", "/y")))).done is is_done
    assert world.changed == []


def test_without_unless_nobody_knows(scene: Scene) -> None:
    assert not World().play(RunCommand().check(scene, CommandArguments(("x",)))).done
    assert not RunCommand().idempotent
    assert not RunCommand().reads_back


def test_what_changes_nothing_says_so(scene: Scene) -> None:
    world = World(run=answers(done()))
    world.play(RunCommand().do(scene, CommandArguments(("x",), changes=False), {}))
    assert world.changed == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (CommandArguments(()), "no program"),
        (CommandArguments(("",)), "no program"),
        (CommandArguments(("x",), expect=()), "nothing"),
        (CommandArguments(("x",), expect=("256",)), "'256'"),
        (CommandArguments(("x",), expect=("0", "²")), "'²'"),
        (CommandArguments(("x", "a\0b")), "NUL"),
        (CommandArguments(("x",)), ""),
    ],
)
def test_problem(args: CommandArguments, says: str, scene: Scene) -> None:
    problem = RunCommand().problem(scene, args)
    assert says in problem
    assert bool(problem) is bool(says)


def test_first_and_rights(scene: Scene) -> None:
    args = CommandArguments(("a", "b c"), unless=("u",))
    assert [line.text for line in RunCommand().first(scene, args)] == ["a 'b c'"]
    assert RunCommand().rights(scene, args) == ()
    as_other = replace(args, as_user="postgres")
    assert [line.text for line in RunCommand().first(scene, as_other)] == ["sudo -u postgres a 'b c'"]
    assert [(one.as_user, one.argv) for one in RunCommand().rights(scene, as_other)] == [
        ("postgres", ("a", "b c")),
        ("postgres", ("u",)),
    ]
    (line,) = Script().first(scene, ScriptArguments("/x/my script.sh"))
    assert line.text == "sh -s -- < '/x/my script.sh'"
