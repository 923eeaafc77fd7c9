"""A whole database out of its repository: what is refused, what is put aside, what is said of the loss."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hactl.drivers.sudoers import rules_for
from hactl.drivers.verbs import restore_commands
from hactl.drivers.verbs.catalogue import VERBS
from hactl.drivers.verbs.drill_commands import Target
from hactl.model.guard import Ruling
from hactl.model.parameters import Value, filled
from hactl.model.verb import RunCommand, Scene, VerbError
from tests.drivers.verbs.databases import Database, database
from tests.drivers.verbs.driving import done
from tests.model.builders import Cluster, lab, made, pgbackrest

NODE = "db1"
ISOLATE, RESTORE = VERBS["postgresql.isolate"], VERBS["postgresql.restore"]
ASIDE = "/var/lib/postgresql/15/main.hactl-aside-1700000000"


@dataclass
class Ruins(Database):
    """db1 is there and stopped, the others are not. `there`: whether it has a data directory."""

    there: bool = True
    ends: int = 0  # what pgbackrest ends with
    words: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.down = {"db2", "db3"}
        self.servers[NODE].active, self.servers[NODE].fenced = "inactive", True
        self.run = self._answered_by_node

    def _answered_by_node(self, ask: RunCommand) -> object:
        match ask.command.argv:
            case ("test", *_):
                return done(exit=0 if self.there else 1)
            case ("date", *_):
                return done("1700000000\n")
            case ("mv" | "mkdir" | "sed", *_) as argv:
                self.words.append(argv)
                return done()
            case ("pgbackrest", *_) as argv:
                self.words.append(argv)
                self.servers[NODE].timeline += 1
                return done(exit=self.ends, stderr="ERROR: [075]: no backup sets found" if self.ends else "")
        return self._command(ask)


def given(verb: object = RESTORE, **values: Value) -> object:
    base: dict[str, Value] = {"service": "database"}
    if verb is RESTORE:
        base["backups"] = "backup"
    return filled(verb.arguments, {**base, **values})  # type: ignore[attr-defined]


def against(world: Ruins, scene: Scene, **values: Value) -> dict[str, tuple[Ruling, str]]:
    found = world.play(RESTORE.preflight(scene, given(**values)))
    return {one.guard: (one.ruling, one.sentence) for one in found}


def test_what_the_node_has_is_put_aside_and_it_becomes_the_primary() -> None:
    world = Ruins()
    said = world.play(RESTORE.do(world.scene(NODE), given(), {}))
    assert said == f"db1 is the primary, restored from backup; what it had is kept in {ASIDE}"
    assert [argv[0] for argv in world.words] == ["mv", "mkdir", "pgbackrest", "sed"]
    assert world.words[0][-2:] == ("/var/lib/postgresql/15/main", ASIDE)
    assert world.words[2] == ("pgbackrest", "--stanza=main", "--repo=1", "--type=default", "restore")
    assert world.play(RESTORE.check(world.scene(NODE), given())).facts == {"timeline": "2"}


def test_an_empty_node_has_nothing_to_put_aside() -> None:
    world = Ruins(there=False)
    world.play(RESTORE.do(world.scene(NODE), given(backups="offsite", time="2026-11-21 14:30:05"), {}))
    assert world.words[1][2:] == (
        *("--repo=2", "--type=time", "--target=2026-11-21 14:30:05+00", "--target-action=promote", "restore"),
    )
    assert [argv[0] for argv in world.words] == ["mkdir", "pgbackrest", "sed"]


def test_a_restore_that_fails_starts_nothing() -> None:
    world = Ruins(ends=75)
    with pytest.raises(VerbError, match="no backup sets found"):
        world.play(RESTORE.do(world.scene(NODE), given(), {}))
    assert (world.servers[NODE].active, world.servers[NODE].fenced) == ("inactive", True)


def test_nothing_is_restored_over_a_server_that_runs() -> None:
    world = Ruins()
    world.servers[NODE].active = "active"
    assert against(world, world.scene(NODE))["split-brain"][0] is Ruling.REFUSE
    with pytest.raises(VerbError, match="nothing is restored over it"):
        world.play(RESTORE.do(world.scene(NODE), given(), {}))
    assert world.words == []


def test_what_is_lost_is_said() -> None:
    world = Ruins()
    (loss,) = against(world, world.scene(NODE)).values()
    assert loss[0] is Ruling.WARN
    assert loss[1].startswith("the archive ends with 00000001000000000000003F: of what was last seen, ")
    assert "up to 16 MiB are lost, and all that came after" in loss[1]
    (loss,) = against(world, world.scene(NODE), time="2026-11-21 14:30:05").values()
    assert loss[1] == "all that was written after 2026-11-21 14:30:05 is given up"


@pytest.mark.parametrize(
    ("cluster", "values", "guard", "said"),
    [
        (Cluster().down("backup1"), {}, "unknown-data", "what repository 1 of backup holds is not known"),
        (Cluster().say("backup1", "pgbackrest:backup", pgbackrest(backups=())), {}, "unknown-data", "no backup can be"),
        (Cluster(), {"backup": "20260101-000000F"}, "unknown-data", "there is no backup 20260101-000000F"),
        (
            Cluster().say("backup1", "pgbackrest:backup", pgbackrest(backups=(made("full", 20, size=10**12),))),
            {},
            "disk-space",
            "the database was 931 GiB, and 8.4 GiB are free on db1",
        ),
    ],
)
def test_what_cannot_be_restored_is_refused(cluster: Cluster, values: dict, guard: str, said: str) -> None:
    world = Ruins()
    scene = Scene(lab(), lab().nodes[NODE], cluster.picture())
    ruling, sentence = against(world, scene, **values)[guard]
    assert ruling is Ruling.REFUSE
    assert sentence.startswith(said)


@pytest.mark.parametrize(
    ("node", "values", "problem"),
    [
        (NODE, {}, ""),
        ("app1", {}, "app1 does not provide database"),
        (NODE, {"backups": "uploads"}, "uploads is no pgbackrest service of database"),
        (NODE, {"repository": 2}, "backup has no repository 2"),
        (NODE, {"time": "noon"}, 'noon is no time: write "2026-11-21 14:30:05", in UTC, or with its zone'),
    ],
)
def test_what_makes_no_sense(node: str, values: dict, problem: str) -> None:
    assert RESTORE.problem(Scene(lab(), lab().nodes[node], Cluster().picture()), given(**values)) == problem


def test_a_server_that_answers_is_better_than_any_backup() -> None:
    world = Ruins()
    world.down = {"db3"}
    verdicts = world.play(ISOLATE.preflight(world.scene(NODE), given(ISOLATE)))
    assert [(one.node, one.ruling, one.can_override) for one in verdicts] == [
        ("db2", Ruling.REFUSE, False),
        ("db3", Ruling.OK, True),
    ]
    with pytest.raises(VerbError, match="db2 answers by now"):
        world.play(ISOLATE.do(world.scene(NODE), given(ISOLATE), {}))


def test_the_others_are_cut_off_and_without_power_first() -> None:
    world = Ruins()
    assert not world.play(ISOLATE.check(world.scene(NODE), given(ISOLATE))).done
    world.play(ISOLATE.do(world.scene(NODE), given(ISOLATE), {}))
    assert world.power == "off"
    assert all(gate.maint == {"db2", "db3"} for gate in world.gates.values())
    assert world.play(ISOLATE.check(world.scene(NODE), given(ISOLATE))).done


def test_every_command_has_its_rule() -> None:
    allowed = {(rule.as_user, rule.argv[1:]) for rule in rules_for(lab(), lab().nodes[NODE])}
    world = Ruins()
    for backups, number in (("backup", 1), ("offsite", 2)):
        for right in RESTORE.rights(world.scene(NODE), given(backups=backups)):
            if "aside" not in right.argv[-1]:
                assert ("postgres", right.argv[1:]) in allowed, right.argv
        service = lab().services[backups]
        assert restore_commands.restore(service, Target(number))[2] == f"--repo={number}"  # type: ignore[arg-type]
    assert restore_commands.make(database())[-1] == "/var/lib/postgresql/15/main"
