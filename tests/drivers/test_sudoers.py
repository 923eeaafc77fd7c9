from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.config.load import load_inventory
from hactl.drivers import sudoers
from hactl.drivers.probe import ExecProbe
from hactl.drivers.sudoers import Rule
from hactl.drivers.verbs import postgresql_commands
from hactl.drivers.verbs.node_verbs import VERBS
from hactl.model.errors import InputError
from hactl.model.inventory import BecomeMethod, Inventory, PostgresqlManager, PostgresqlService
from hactl.model.parameters import Value, filled
from tests.drivers.verbs.node_scene import scene_of

ROOT = Path(__file__).parents[2]
WORDS = [
    *("--stanza=main", "a b", "a\tb", "a,b", "a:b", "a;b|c&d", "'", '"', "#", "(x)", "%x", "é"),
    *("*", "?", "[abc]", "!x", "^.*$", "$HOME", "~", "back\\slash", "\\\\", "\\*"),
]
UNIT_VERBS = ("service.restart", "service.reload", "service.stop", "service.start")


@pytest.fixture(scope="module")
def lab() -> Inventory:
    return load_inventory(ROOT / "inventory" / "lab.toml")


def visudo(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("visudo", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.skip("no visudo on this machine")
    file = folder / "policy"
    file.write_text(text)
    return subprocess.run([program, "-cf", str(file)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("role", ["lb", "app", "db", "backup"])
def test_the_labs_nodes_have_exactly_the_policy_that_hactl_asks_for(lab: Inventory, role: str) -> None:
    shipped = ROOT / "vagrant" / "provision" / "sudoers" / role
    assert shipped.read_text() == sudoers.policy(lab, role), f"write the output of `hactl sudoers {role}` to {shipped}"


def test_every_role_of_the_lab_has_a_file(lab: Inventory) -> None:
    shipped = {path.name for path in (ROOT / "vagrant" / "provision" / "sudoers").iterdir()}
    assert shipped == set(lab.roles)


def test_policies_are_clean_and_hold_no_wildcard(lab: Inventory, tmp_path: Path) -> None:
    for role in lab.roles:
        policy = sudoers.policy(lab, role)
        assert visudo(policy, tmp_path).returncode == 0
        rules = [line for line in policy.split("\n") if line and not line.startswith("#")]
        literal = [rule for rule in rules if not rule.endswith("$")]
        assert not [rule for rule in literal if re.search(r"(?<!\\)[*?\[!]|ALL\s*$|NOPASSWD: ALL", rule)]
    reads = "hactl ALL=(pgbackrest) NOPASSWD: /usr/bin/pgbackrest --stanza\\=main --output\\=json info\n"
    assert reads in sudoers.policy(lab, "backup")
    managed = replace(lab.services["database"], manager=PostgresqlManager.PATRONI)
    assert "Nothing" in sudoers.policy(replace(lab, services={**lab.services, "database": managed}), "db")


def test_every_sudo_question_of_a_node_has_its_rule(lab: Inventory) -> None:
    """What is asked as another user is granted, word for word, and nothing else is but to act."""
    from hactl.drivers.catalogue import probes_for

    for node in lab.nodes.values():
        asked = {
            (probe.command.as_user, probe.command.argv)
            for probe in probes_for(lab, node)
            if isinstance(probe, ExecProbe) and probe.command.as_user is not None
        }
        granted = [rule for rule in sudoers.rules_for(lab, node) if not rule.acts]
        assert asked == {(rule.as_user, (Path(rule.argv[0]).name, *rule.argv[1:])) for rule in granted}


@pytest.mark.parametrize(
    ("node", "package", "units"),
    [
        ("app1", "shop", ("shop.service",)),
        ("lb1", "haproxy", ("haproxy.service",)),
        ("lb2", "keepalived", ("keepalived.service",)),
    ],
)
def test_what_verbs_do_to_a_nodes_own_services_is_granted(
    lab: Inventory, node: str, package: str, units: tuple[str, ...]
) -> None:
    wanted = {
        *rights(lab, node, "package.upgrade", package=package, refresh=True),
        *rights(lab, node, "package.upgrade", package=package, version="2:1.0~rc1+dfsg-1+deb12u1"),
        *rights(lab, node, "package.upgrade_all", refresh=True),
        *rights(lab, node, "node.reboot"),
        *(right for unit in units for verb in UNIT_VERBS for right in rights(lab, node, verb, unit=unit)),
    }
    policy = sudoers.policy_of(lab, lab.nodes[node]).replace("hactl ALL", "nobody ALL")
    assert len(wanted) == 11
    assert [argv for argv in wanted if not allowed(policy, argv, "root")] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda argv: (*argv, "other"),
        lambda argv: (*argv[:-1], "shop=1.0", "other=1.0"),
        lambda argv: (*argv[:-1], "other=1.0"),
        lambda argv: (*argv[:-1], "shopx=1.0"),
        lambda argv: (*argv[:-1], "shop"),
        lambda argv: (*argv[:-1], "shop="),
        lambda argv: (*argv[:-1], "shop=1.0-"),
        lambda argv: (*argv[:-1], "shop=1.0+"),
        lambda argv: (*argv[:-1], "shop=1.0 other=1.0"),
        lambda argv: (*argv[:-1], "shop=1.0\nother"),
        lambda argv: (*argv[:-1], "shop=-o"),
        lambda argv: (*argv[:-1], "shop/unstable"),
        lambda argv: (*argv[:-1], "/tmp/shop.deb"),
        lambda argv: (*argv[:-2], "remove", "shop=1.0"),
        lambda argv: (argv[0], "-o", "APT::Update::Pre-Invoke::=id", *argv[1:]),
        lambda argv: (*argv[:-2], "-o", "DPkg::Pre-Invoke::=id", *argv[-2:]),
        lambda argv: (*argv, "-o", "DPkg::Pre-Invoke::=id"),
        lambda argv: (argv[0],),
        lambda argv: ("/usr/bin/apt", *argv[1:]),
        lambda _: ("/usr/bin/apt-get", "update"),
        lambda _: ("/usr/bin/systemctl", "restart", "ssh.service"),
        lambda _: ("/usr/bin/systemctl", "restart", "shop.service", "ssh.service"),
        lambda _: ("/usr/bin/systemctl", "--force", "reboot"),
        lambda _: ("/usr/bin/systemctl", "reboot", "--force"),
        lambda _: ("/usr/bin/systemctl", "edit", "shop.service"),
        lambda _: ("/usr/bin/systemctl",),
        lambda _: ("/usr/bin/dpkg", "-i", "x.deb"),
        lambda _: ("/usr/bin/env", "true"),
    ],
)
def test_near_misses_are_refused(lab: Inventory, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
    policy = sudoers.policy_of(lab, lab.nodes["app1"]).replace("hactl ALL", "nobody ALL")
    (install, *_) = rights(lab, "app1", "package.upgrade", package="shop", version="1.0")
    assert allowed(policy, install, "root")
    assert not allowed(policy, change(install), "root")


def test_a_variable_is_not_passed_to_apt(lab: Inventory) -> None:
    """debconf evaluates DEBIAN_FRONTEND: whoever may set it for root is root."""
    assert not [role for role in lab.roles if "env_keep" in sudoers.policy(lab, role)]
    assert not [role for role in lab.roles if "SETENV" in sudoers.policy(lab, role)]


def test_a_databases_packages_stay_with_its_operator_and_what_its_verbs_run_is_granted(lab: Inventory) -> None:
    acting = [rule for rule in sudoers.rules_for(lab, lab.nodes["db1"]) if rule.acts]
    assert not [rule for rule in acting if "apt-get" in rule.argv[0] or "reboot" in rule.argv]
    database = lab.services["database"]
    assert isinstance(database, PostgresqlService)
    source = postgresql_commands.Source("192.168.56.32", 5432, "replicator", "postgres")
    run = {
        *(postgresql_commands.rewind(database, source, dry=dry) for dry in (True, False)),
        *(postgresql_commands.clone(database, source, "db1"), postgresql_commands.aside(database, 1_700_000_000)),
    }
    for argv in run:
        words = " ".join(argv[1:])
        assert any(rule.pattern and re.fullmatch(rule.pattern, words) for rule in acting), argv
        assert not any(rule.pattern and re.fullmatch(rule.pattern, f"{words} --more") for rule in acting), argv


@pytest.mark.parametrize(
    ("words", "granted"),
    [
        ("--stanza=main --repo=1 --type=full --annotation=hactl-run=20261121-143005-k3f backup", True),
        ("--stanza=main --repo=1 --type=diff --annotation=hactl-run=x backup", True),
        ("--stanza=main --repo=2 --type=full --annotation=hactl-run=x backup", False),
        ("--stanza=main --repo=1 --type=full --annotation=hactl-run=x --no-online backup", False),
        ("--stanza=main --repo=1 --type=full --annotation=hactl-run=x expire", False),
        ("--stanza=main --repo=1 --type=full --annotation=hactl-run=x\nbackup", False),
    ],
)
def test_backups_may_be_taken_and_not_expired(lab: Inventory, words: str, granted: bool) -> None:  # noqa: FBT001
    rules = [one for one in sudoers.rules_for(lab, lab.nodes["backup1"]) if one.pattern]
    assert len([one for one in rules if re.search(one.pattern, words)]) == granted


def test_who_logs_in_as_root_needs_no_sudo(lab: Inventory) -> None:
    app = lab.nodes["app1"]
    rules = sudoers.rules_for(lab, replace(app, ssh=replace(app.ssh, user="root")))
    assert {rule.as_user for rule in rules} == {"restic"}  # but to be somebody else


def test_no_rule_where_none_is_needed(lab: Inventory) -> None:
    backup = lab.nodes["backup1"]
    without_sudo = replace(backup, ssh=replace(backup.ssh, become=BecomeMethod.NONE))
    as_owner = replace(backup, ssh=replace(backup.ssh, user="pgbackrest"))
    assert sudoers.rules_for(lab, backup)
    assert sudoers.rules_for(lab, without_sudo) == ()
    assert {rule.as_user for rule in sudoers.rules_for(lab, as_owner)} == {"pgdrill"}


def test_policy_of_a_node_and_of_a_login_that_the_inventory_does_not_name(lab: Inventory) -> None:
    backup = lab.nodes["backup1"]
    unnamed = replace(lab, nodes={"backup1": replace(backup, ssh=replace(backup.ssh, user=None))})
    assert "operator ALL=(pgbackrest)" in sudoers.policy(unnamed, "backup", user="operator")
    assert sudoers.rules_for(lab, backup)[0].line("hactl") in sudoers.policy_of(lab, backup)
    assert "pg_controldata" in sudoers.policy_of(lab, lab.nodes["db1"])


@pytest.mark.parametrize("word", WORDS)
def test_odd_words_stay_one_literal_word(word: str, tmp_path: Path) -> None:
    """visudo accepts the rule; real sudo allows that word, neither what a wildcard would nor no word at all."""
    rule = Rule("daemon", ("/bin/echo", word), "a test")
    line = rule.line("nobody") + "\n"
    assert visudo(line, tmp_path).returncode == 0, line
    assert allowed(line, rule.argv)
    assert not allowed(line, ("/bin/echo", word + "x"))
    assert not allowed(line, ("/bin/echo", "zzz"))
    assert not allowed(line, ("/bin/echo",))


def test_a_command_without_arguments_allows_none() -> None:
    line = Rule("daemon", ("/bin/ls",), "a test").line("nobody") + "\n"
    assert allowed(line, ("/bin/ls",))
    assert not allowed(line, ("/bin/ls", "/root"))


def test_a_user_cannot_be_everybody_or_a_group() -> None:
    with pytest.raises(InputError):
        Rule("ALL", ("/bin/ls",), "a test").line("hactl")
    assert "(\\%wheel)" in Rule("%wheel", ("/bin/ls",), "a test").line("hactl")


def rights(lab: Inventory, node: str, name: str, **values: Value) -> list[tuple[str, ...]]:
    """The command lines that the verb runs as root, as sudo sees them."""
    verb = next(verb for verb in VERBS if verb.name == name)
    scene = replace(scene_of(node), inventory=lab)
    found = verb.rights(scene, filled(verb.arguments, values))
    assert all(one.as_user == "root" for one in found)
    return [(f"/usr/bin/{one.argv[0]}", *one.argv[1:]) for one in found]


def allowed(policy: str, argv: tuple[str, ...], as_user: str = "daemon") -> bool:
    """What real sudo says of a policy, which stands in a mount namespace of its own."""
    if os.geteuid() != 0 or shutil.which("sudo") is None:
        pytest.skip("needs root and sudo")
    script = """
mount -t tmpfs -o mode=755 none /etc/sudoers.d || exit 99
cat >/etc/sudoers.d/trial && chmod 440 /etc/sudoers.d/trial
user=$1; shift
exec setpriv --reuid=nobody --regid=nogroup --clear-groups sudo -n -l -u "$user" -- "$@"
"""
    argv = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", as_user, *argv)
    done = subprocess.run(argv, input=policy, capture_output=True, text=True, check=False)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("needs mount namespaces")
    return done.returncode == 0
