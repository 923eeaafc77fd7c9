"""The scripts run for real, on this machine as if it were the node, in a folder of their own."""

from __future__ import annotations

import getpass
import grp
import os
import subprocess
from pathlib import Path

import pytest

from hactl.drivers.verbs.file import Put, PutArguments
from hactl.model.command import Completed
from hactl.model.verb import ReadLocal, RunCommand, Scene, VerbError
from tests.drivers.verbs.driving import World
from tests.drivers.verbs.node_scene import RUN, scene_of

NAMES = ["plain.conf", "two words", "'; touch x #", "new\nline", "-n", "$(id)"]


def here(ask: RunCommand) -> Completed:
    done = subprocess.run(ask.command.argv, input=ask.command.stdin, capture_output=True, check=False)
    return Completed(done.returncode, done.stdout.decode(), done.stderr.decode(), 0.0)


def local(ask: ReadLocal) -> bytes:
    return Path(ask.path).read_bytes()


@pytest.fixture
def scene() -> Scene:
    return scene_of("app1")


@pytest.fixture
def world() -> World:
    return World(run=here, read_local=local)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"new\n\0\xff")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "node"
    path.mkdir()
    return path


def args_of(source: Path, path: Path, mode: str = "0640") -> PutArguments:
    group = grp.getgrgid(os.getgid()).gr_name
    return PutArguments(str(source), str(path), getpass.getuser(), group, mode, as_user="")


@pytest.mark.parametrize("name", NAMES)
def test_put_and_back(name: str, scene: Scene, world: World, source: Path, folder: Path) -> None:
    verb, path = Put(), folder / name
    path.write_text("old\n")
    path.chmod(0o604)
    args = args_of(source, path)
    memory = world.play(verb.remember(scene, args))
    assert not world.play(verb.check(scene, args)).done
    assert world.play(verb.do(scene, args, memory)).endswith(f"{name}.hactl-{RUN}")
    assert (path.read_bytes(), oct(path.stat().st_mode)[-4:]) == (b"new\n\0\xff", "0640")
    assert world.play(verb.check(scene, args)).done
    assert sorted(one.name for one in folder.iterdir()) == sorted([name, f"{name}.hactl-{RUN}"])
    world.play(verb.do(scene, args, memory))  # again, as after an unknown outcome: the kept one is still the first
    assert "what it was" in world.play(verb.undo(scene, args, memory))
    assert (path.read_text(), oct(path.stat().st_mode)[-4:]) == ("old\n", "0604")
    assert [one.name for one in folder.iterdir()] == [name]
    assert "as before" in world.play(verb.undo(scene, args, memory))


def test_what_was_not_there_is_gone_again(scene: Scene, world: World, source: Path, folder: Path) -> None:
    args = args_of(source, folder / "x")
    memory = world.play(Put().remember(scene, args))
    world.play(Put().do(scene, args, memory))
    assert "absent again" in world.play(Put().undo(scene, args, memory))
    assert list(folder.iterdir()) == []


def test_other_rights_are_not_done(scene: Scene, world: World, source: Path, folder: Path) -> None:
    path = folder / "x"
    path.write_bytes(source.read_bytes())
    path.chmod(0o600)
    assert not world.play(Put().check(scene, args_of(source, path))).done
    assert world.play(Put().check(scene, args_of(source, path, "600"))).done


def test_undo_leaves_what_somebody_changed_since(scene: Scene, world: World, source: Path, folder: Path) -> None:
    args = args_of(source, folder / "x")
    memory = world.play(Put().remember(scene, args))
    world.play(Put().do(scene, args, memory))
    (folder / "x").write_text("by hand")
    with pytest.raises(VerbError, match="somebody has changed"):
        world.play(Put().undo(scene, args, memory))
    assert (folder / "x").read_text() == "by hand"


def test_a_source_that_changed_since_it_was_looked_at(scene: Scene, world: World, source: Path, folder: Path) -> None:
    args = args_of(source, folder / "x")
    memory = world.play(Put().remember(scene, args))
    source.write_text("other")
    with pytest.raises(VerbError, match="has changed since"):
        world.play(Put().do(scene, args, memory))
    assert list(folder.iterdir()) == []


def test_half_a_file_is_no_file(scene: Scene, world: World, source: Path, folder: Path) -> None:
    args = args_of(source, folder / "x")
    memory = world.play(Put().remember(scene, args))

    def cut(ask: RunCommand) -> Completed:
        assert ask.command.mutates
        return here(RunCommand(type(ask.command)(ask.command.argv, ask.command.stdin[:-2])))

    with pytest.raises(VerbError, match="did not arrive whole"):
        World(run=cut, read_local=local).play(Put().do(scene, args, memory))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "below a link", "below nothing"])
def test_what_is_no_regular_file_is_left_alone(
    kind: str, scene: Scene, world: World, source: Path, folder: Path
) -> None:
    path = folder / "x"
    if kind == "link":
        path.symlink_to("elsewhere")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "below a link":
        (folder / "real").mkdir()
        path.symlink_to("real")
        path = path / "file"
    else:
        path = path / "file"
    with pytest.raises(VerbError, match=r"symbolic link|no regular file"):
        world.play(Put().check(scene, args_of(source, path)))
    with pytest.raises(VerbError, match=r"symbolic link|no regular file"):
        world.play(Put().do(scene, args_of(source, path), {"before": "", "put": _sum(source), "run": RUN}))
    assert not (folder / "elsewhere").exists()


def _sum(source: Path) -> str:
    import hashlib

    return hashlib.sha256(source.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mode": "rw"}, "not a mode"),
        ({"mode": "0648"}, "not a mode"),
        ({"owner": "a b"}, "not the name"),
        ({"group": "-x"}, "not the name"),
        ({"path": "/etc/"}, "plainly"),
        ({"path": "/etc//x"}, "plainly"),
        ({"path": "/etc/./x"}, "plainly"),
        ({}, ""),
    ],
)
def test_problem(change: dict[str, str], says: str, scene: Scene) -> None:
    given = {"source": "/x", "path": "/etc/x", "owner": "root", "group": "root", "mode": "0644", **change}
    problem = Put().problem(scene, PutArguments(**given))
    assert says in problem
    assert bool(problem) is bool(says)


def test_a_right_is_one_line_that_no_run_changes(scene: Scene) -> None:
    args = PutArguments("/x", "/etc/motd")
    rights = Put().rights(scene, args)
    assert [one.as_user for one in rights] == ["root"] * 3
    assert not any("\n" in word or RUN in word for one in rights for word in one.argv)
    assert Put().rights(scene, PutArguments("/x", "/etc/motd", as_user="")) == ()
