from __future__ import annotations

import pytest

from hactl.drivers.verbs.package import Upgrade, UpgradeAll, UpgradeAllArguments, UpgradeArguments
from hactl.drivers.verbs.package_commands import installable
from hactl.model.errors import ConnectionLostError
from hactl.model.guard import Ruling
from hactl.model.observed import Unknown
from hactl.model.verb import RunCommand, Scene, VerbError
from tests.drivers.verbs.driving import World, done
from tests.drivers.verbs.node_scene import scene_of

SHOP = UpgradeArguments("shop", "1.1.0")
NEWEST = UpgradeArguments("shop")


class Node:
    """A node's dpkg and apt, as the scripts' answers tell of it. Installing does what it says, unless `breaks`."""

    def __init__(self, **told: str) -> None:
        self.installed = told.get("installed", "installed 1.0.0")
        self.candidate = told.get("candidate", "1.1.0")
        self.offered = told.get("offered", "1.1.0\n1.0.0")
        self.kept = told.get("kept", "")
        self.age = told.get("age", "5")
        self.plan = told.get("plan", "Inst shop [1.0.0] (1.1.0 lab [all])")
        self.fetch = told.get("fetch", "10")
        self.size = told.get("size", "")
        self.space = told.get("space", "/dev/a 1000000 1 900000 1% /")
        self.audit = told.get("audit", "")
        self.locks = told.get("locks", "")
        self.breaks: list[object] = []  # answers to come instead of success

    def __call__(self, ask: RunCommand) -> object:
        argv = ask.command.argv
        if not ask.command.mutates:
            return done(self._told(argv[2]))
        assert ask.command.as_user == "root"
        if self.breaks:
            return self.breaks.pop(0)
        if "install" in argv:
            self.installed = f"installed {argv[-1].partition('=')[2]}"
        return done("all well")

    def _told(self, script: str) -> str:
        parts = {
            "@installed": f"{self.installed}\n@candidate\n{self.candidate}\n@offered\n {self.offered}\n@kept\n"
            f"{self.kept}\n@age\n{self.age}",
            "@plan": f"{self.plan}\n@fetch\n{self.fetch}",
            "@size": self.size,
            "@space": f"{self.space}\n@audit\n{self.audit}\n@cut\n@locks\n{self.locks}",
        }
        first = next(part for part in parts if part in script)
        return f"{first}\n{parts[first]}\n@end\n"


@pytest.fixture
def scene() -> Scene:
    return scene_of("app1")


@pytest.mark.parametrize(
    ("node", "args", "is_done", "says"),
    [
        (Node(), SHOP, False, "shop is at 1.0.0, wanted is 1.1.0"),
        (Node(installed="installed 1.1.0"), SHOP, True, "shop is at 1.1.0"),
        (Node(), NEWEST, False, "wanted is 1.1.0"),
        (Node(candidate="1.0.0"), NEWEST, True, "shop is at 1.0.0"),
        (Node(candidate="(none)", offered=""), NEWEST, True, "shop is at 1.0.0"),
        (Node(installed=""), SHOP, False, "shop is not installed"),
        (Node(installed="config-files 1.1.0"), SHOP, False, "shop is not installed"),
        (Node(installed="half-configured 1.1.0"), SHOP, False, "shop is half-configured 1.1.0"),
        (Node(candidate="1.0.0", age="9999"), UpgradeArguments("shop", refresh=True), False, "old package lists"),
        (Node(candidate="1.0.0"), UpgradeArguments("shop", refresh=True), True, "shop is at 1.0.0"),
    ],
)
def test_check(node: Node, args: UpgradeArguments, is_done: bool, says: str, scene: Scene) -> None:  # noqa: FBT001
    standing = World(run=node).play(Upgrade().check(scene, args))
    assert standing.done is is_done
    assert says in standing.sentence


@pytest.mark.parametrize(
    ("node", "args", "guard", "says"),
    [
        (Node(installed=""), SHOP, "package-available", "shop is not installed on app1"),
        (Node(offered="1.0.0"), SHOP, "package-available", "run apt-get update"),
        (Node(plan="Remv other [1]"), SHOP, "package-available", "apt would remove other"),
        (Node(plan="E: Unmet dependencies"), SHOP, "package-available", "Unmet dependencies"),
        (Node(locks="apt-get (77)"), SHOP, "package-available", "apt-get (77) is changing packages"),
        (Node(audit="shop  half-configured"), SHOP, "package-available", "half done: shop"),
        (Node(space="/dev/a 100 1 70000 1% /var"), UpgradeArguments("shop", "1.1.0"), None, ""),
        (Node(space="/dev/a 100 1 60000 1% /var"), SHOP, "disk-space", "app1:/var has 58 MB free, 64 MB are needed"),
        (Node(size="900000"), SHOP, "disk-space", "942 MB are needed"),
    ],
)
def test_preflight_refuses_with_the_reason(
    node: Node, args: UpgradeArguments, guard: str | None, says: str, scene: Scene
) -> None:
    world = World(run=node)
    verdicts = world.play(Upgrade().preflight(scene, args))
    refused = [(one.guard, one.sentence) for one in verdicts if one.ruling is Ruling.REFUSE]
    assert [name for name, _ in refused] == ([guard] if guard else [])
    assert all(says in sentence for _, sentence in refused)
    assert world.changed == []


@pytest.mark.parametrize(
    ("node", "warns"),
    [
        (Node(), False),
        (Node(offered="1.1.0"), True),
        (Node(offered="1.1.0", kept="shop_1.0.0_all.deb"), False),
        (Node(offered="1.1.0", installed="installed 1:1.0", kept="shop_1%3a1.0_all.deb"), False),
        (Node(offered="1.1.0", installed="installed 1.0", kept="shop_1.0.0_all.deb"), True),
    ],
)
def test_preflight_warns_where_no_way_leads_back(node: Node, warns: bool, scene: Scene) -> None:  # noqa: FBT001
    verdicts = World(run=node).play(Upgrade().preflight(scene, SHOP))
    assert any("could not be put back" in one.sentence for one in verdicts if one.ruling is Ruling.WARN) is warns


def test_what_is_not_on_offer_may_be_after_a_refresh(scene: Scene) -> None:
    verdicts = World(run=Node(offered="1.0.0")).play(
        Upgrade().preflight(scene, UpgradeArguments("shop", "1.1.0", refresh=True))
    )
    assert [one.ruling for one in verdicts if one.guard == "package-available"] == [Ruling.WARN]


def test_upgrade_and_back(scene: Scene) -> None:
    node, verb = Node(), Upgrade()
    world = World(run=node)
    memory = world.play(verb.remember(scene, NEWEST))
    assert world.play(verb.do(scene, NEWEST, memory)) == "shop 1.1.0 installed over 1.0.0"
    assert world.play(verb.check(scene, NEWEST)).done
    node.offered = "1.1.0"
    assert world.play(verb.undo(scene, NEWEST, memory)) == "shop 1.0.0 is back"
    assert [line.rpartition(" ")[2] for line in world.changed] == ["shop=1.1.0", "shop=1.0.0"]


def test_undo_does_nothing_where_nothing_was_done(scene: Scene) -> None:
    world = World(run=Node())
    assert "as before" in world.play(Upgrade().undo(scene, SHOP, {"installed": "1.0.0", "target": "1.1.0"}))
    assert "as before" in world.play(Upgrade().undo(scene, SHOP, {}))
    assert world.changed == []


def test_undo_that_did_not_come_true_fails(scene: Scene) -> None:
    node = Node(installed="installed 1.1.0")
    node.breaks = [done("all well")]
    with pytest.raises(VerbError, match=r"not back at 1\.0\.0"):
        World(run=node).play(Upgrade().undo(scene, SHOP, {"installed": "1.0.0"}))


def test_a_dpkg_that_was_cut_off_is_ended_first(scene: Scene) -> None:
    node = Node(installed="half-installed 1.1.0")
    node.breaks = [done(exit=100, stderr="E: dpkg was interrupted, you must manually run"), done(exit=1)]
    world = World(run=node)
    assert "installed" in world.play(Upgrade().do(scene, SHOP, {"installed": "1.0.0", "target": "1.1.0"}))
    assert [line.split()[1] for line in world.changed] == ["apt-get", "dpkg", "apt-get"]


def test_a_failure_is_told_by_apts_first_complaint(scene: Scene) -> None:
    node = Node()
    node.breaks = [done("Reading...\n", exit=100, stderr="E: No space left\nE: Sub-process failed\n")]
    with pytest.raises(VerbError, match=r"exit status 100: E: No space left$"):
        World(run=node).play(Upgrade().do(scene, SHOP, {}))


def test_an_exit_that_nobody_learned_is_not_a_failure(scene: Scene) -> None:
    node = Node()
    node.breaks = [done(exit=Unknown("the connection died", 1.0))]  # type: ignore[arg-type]
    with pytest.raises(ConnectionLostError):
        World(run=node).play(Upgrade().do(scene, SHOP, {}))


@pytest.mark.parametrize(
    ("node", "says"),
    [(Node(installed=""), "is not installed"), (Node(offered="1.0.0"), "is not on offer")],
)
def test_what_cannot_be_is_not_tried(node: Node, says: str, scene: Scene) -> None:
    world = World(run=node)
    with pytest.raises(VerbError, match=says):
        world.play(Upgrade().do(scene, SHOP, {}))
    assert world.changed == []


@pytest.mark.parametrize(
    ("version", "good"),
    [
        *(("1.0", True), ("1:2.3-4+deb12u1", True), ("1.0~rc1", True), ("7", True)),
        *(("1.0-", False), ("1.0+", False), ("-o", False), ("1.0 other", False), ("1.0\nx", False)),
        *(("'; touch /tmp/x #", False), ("", False)),
    ],
)
def test_a_version_is_one_word_that_apt_reads_as_a_version(version: str, good: bool, scene: Scene) -> None:  # noqa: FBT001
    assert installable(version) is good
    assert (Upgrade().problem(scene, UpgradeArguments("shop", version)) == "") is (good or version == "")


def test_first_and_rights_are_what_is_run(scene: Scene) -> None:
    args = UpgradeArguments("shop", "1.1.0", refresh=True)
    world = World(run=Node())
    world.play(Upgrade().do(scene, args, {}))
    assert [f"target: {line.text.removeprefix('sudo -u root ')}" for line in Upgrade().first(scene, args)] == (
        world.changed
    )
    asked = {ask.command.argv for ask in world.asked if isinstance(ask, RunCommand) and ask.command.as_user}
    assert asked <= {one.argv for one in Upgrade().rights(scene, args)}


def test_all_upgrades(scene: Scene) -> None:
    node = Node(plan="Inst libc6 [1] (2 Debian [amd64])\nInst linux-image-2 (2 Debian [amd64])", fetch="2000")
    verb, args = UpgradeAll(), UpgradeAllArguments()
    world = World(run=node)
    assert world.play(verb.check(scene, args)).sentence == "2 packages to install"
    memory = world.play(verb.remember(scene, args))
    assert memory == {"libc6": "[1] (2", "linux-image-2": "(2 Debian"}
    assert world.play(verb.do(scene, args, memory)) == "upgraded 2 packages"
    assert world.changed[0].endswith("--no-remove --with-new-pkgs upgrade")
    node.plan = ""
    assert world.play(verb.check(scene, args)).done
    node.plan = "E: The package lists are broken"
    assert not world.play(verb.check(scene, args)).done
