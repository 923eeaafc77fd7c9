"""That a drill changes nothing in the repository: who reads it where, what differs, and why nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from hactl.drivers import sudoers
from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs import drill_repository as repository
from hactl.drivers.verbs.drill_scratch import scratch_of
from hactl.model.command import Completed
from hactl.model.errors import UnreachableError
from hactl.model.inventory import PgbackrestService
from hactl.model.verb import RunCommand, Scene
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import scene_of

CHAIN = {"chain": "20261121-020000F", "since": "7"}
AT = "/var/lib/pgbackrest"
BEFORE = {f"{AT}/backup/main/20261121-020000F/1": "aa", f"{AT}/archive/main/15-1/2": "bb"}


@pytest.fixture
def scene() -> Scene:
    return scene_of("backup1")


def listing(files: Mapping[str, str]) -> str:
    return "".join(f"{told}  {path}\n" for path, told in files.items())


@dataclass
class Repository(World):
    """Its files now, who asked for them where, and what the scratch space holds of before."""

    files: Mapping[str, str] = field(default_factory=lambda: dict(BEFORE))
    before: str = listing(BEFORE)
    fails: int = 0  # so many times first
    gone: bool = False
    readers: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.run = self._run

    def _run(self, ask: RunCommand) -> Completed | UnreachableError:
        if ask.command.argv[0] == "cat":
            return done(self.before)
        self.readers.add((ask.node or "", ask.command.as_user or ""))
        if self.gone:
            return UnreachableError(ask.node or "", "no route.")
        if self.fails:
            self.fails -= 1
            return done(exit=1, stderr="sha256sum: x: No such file or directory")
        directory = ask.command.argv[1]
        return done(listing({path: told for path, told in self.files.items() if path.startswith(f"{directory}/")}))


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"repo1-path": "/srv/repo"}, {"reader": "here", "directory": "/srv/repo"}),
        ({"repo1-retention-full": "2"}, {"reader": "here", "directory": AT}),
        ({"repo1-host": "backup1", "repo1-path": "/wrong"}, {"reader": "there", "directory": AT}),
        ({"repo1-type": "s3", "repo1-path": "/"}, {"unread": "it is in no folder of any node (s3)"}),
        ({"repo1-path": "/srv/re po"}, {"unread": "no rule of sudo may name /srv/re po"}),
    ],
)
def test_who_can_read_it(scene: Scene, settings: dict[str, str], wanted: dict[str, str]) -> None:
    assert repository.where(scratch_of(scene, "backup").service, 1, settings) == wanted


def test_a_repository_elsewhere_of_which_nobody_says_where_it_lies(scene: Scene) -> None:
    service = replace(scratch_of(scene, "backup").service, repository_paths=("",))
    told = repository.where(service, 1, {"repo1-host": "backup1"})
    assert told == {"unread": "the inventory does not say in which folder of backup1 it lies"}


@pytest.mark.parametrize(("reader", "node", "user"), [("here", "", "pgdrill"), ("there", "backup1", "pgbackrest")])
def test_it_is_read_where_it_lies(scene: Scene, reader: str, node: str, user: str) -> None:
    world, memory = Repository(), CHAIN | {"reader": reader, "directory": AT}
    scratch = scratch_of(scene, "backup")
    assert world.play(repository.listed(scratch, memory)) == listing(BEFORE)
    found = world.play(repository.compared(scratch, memory))
    assert (found.outcome, found.sentence) == ("ok", "its 2 files are what they were")
    assert world.readers == {(node, user)}


@pytest.mark.parametrize(
    ("world", "outcome", "said"),
    [
        (Repository(files=BEFORE | {f"{AT}/archive/main/15-1/3": "cc"}), "ok", "its 2 files are what they were"),
        (Repository(files=dict.fromkeys(BEFORE, "ff")), "fail", "2 files of the repository have changed: "),
        (Repository(files={}), "skipped", "files of it have been removed meanwhile"),
        (Repository(fails=1), "ok", "its 2 files are what they were"),
        (Repository(fails=2), "skipped", "its files cannot be read on backup1: find failed with exit status 1"),
        (Repository(gone=True), "skipped", "backup1: no route"),
        (Repository(before=""), "skipped", "its files could not be read when the drill began"),
        (Repository(before="# it is in no folder\n"), "skipped", "it is in no folder"),
    ],
)
def test_what_it_was_against_what_it_is(scene: Scene, world: Repository, outcome: str, said: str) -> None:
    memory = CHAIN | {"reader": "there", "directory": AT}
    found = world.play(repository.compared(scratch_of(scene, "backup"), memory))
    assert (found.name, found.outcome) == ("repository", outcome)
    assert found.sentence.startswith(said)


def test_where_nobody_can_read_it_the_scratch_space_says_why(scene: Scene) -> None:
    scratch = scratch_of(scene, "backup")
    assert Repository().play(repository.listed(scratch, CHAIN | {"unread": "it is in no folder"})) == (
        "# it is in no folder\n"
    )
    memory = CHAIN | {"reader": "there", "directory": AT}
    assert Repository(fails=2).play(repository.listed(scratch, memory)).startswith("# its files cannot be read on")


def test_the_repositorys_node_lets_nobody_read_more(scene: Scene) -> None:
    """Only where drills are made elsewhere, and only what is below its own folders."""
    inventory = scene.inventory
    backup = inventory.services["backup"]
    assert isinstance(backup, PgbackrestService)
    moved = replace(inventory, services={**inventory.services, "backup": replace(backup, drill_node="backup2")})

    def read(of: object) -> list[str]:
        rules = sudoers.rules_for(of, inventory.nodes["backup1"])  # type: ignore[arg-type]
        return [rule.pattern for rule in rules if rule.as_user == "pgbackrest" and "sha256sum" in rule.argv]

    assert read(inventory) == []
    patterns = read(moved)
    assert len(patterns) == 2
    assert all(pattern.startswith("^/var/lib/pgbackrest/") for pattern in patterns)
    assert len(list(commands.rules_there(backup))) == 2
