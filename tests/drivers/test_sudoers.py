from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.config.load import load_inventory
from hactl.drivers import sudoers
from hactl.drivers.probe import ExecProbe
from hactl.drivers.sudoers import Rule
from hactl.model.errors import InputError
from hactl.model.inventory import BecomeMethod, Inventory

ROOT = Path(__file__).parents[2]
WORDS = [
    *("--stanza=main", "a b", "a\tb", "a,b", "a:b", "a;b|c&d", "'", '"', "#", "(x)", "%x", "é"),
    *("*", "?", "[abc]", "!x", "^.*$", "$HOME", "~", "back\\slash", "\\\\", "\\*"),
]


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
        assert not [rule for rule in rules if re.search(r"(?<!\\)[*?\[!]|ALL\s*$|NOPASSWD: ALL", rule)]
    assert sudoers.policy(lab, "backup").endswith(
        "hactl ALL=(pgbackrest) NOPASSWD: /usr/bin/pgbackrest --stanza\\=main --output\\=json info\n"
    )


def test_every_sudo_question_of_a_node_has_its_rule(lab: Inventory) -> None:
    """What is asked as another user is granted, word for word, and nothing else is."""
    from hactl.drivers.catalogue import probes_for

    for node in lab.nodes.values():
        asked = {
            (probe.command.as_user, probe.command.argv)
            for probe in probes_for(lab, node)
            if isinstance(probe, ExecProbe) and probe.command.as_user is not None
        }
        granted = {(rule.as_user, (Path(rule.argv[0]).name, *rule.argv[1:])) for rule in sudoers.rules_for(lab, node)}
        assert asked == granted


def test_no_rule_where_none_is_needed(lab: Inventory) -> None:
    backup = lab.nodes["backup1"]
    without_sudo = replace(backup, ssh=replace(backup.ssh, become=BecomeMethod.NONE))
    as_owner = replace(backup, ssh=replace(backup.ssh, user="pgbackrest"))
    assert sudoers.rules_for(lab, backup)
    assert sudoers.rules_for(lab, without_sudo) == ()
    assert sudoers.rules_for(lab, as_owner) == ()


def test_policy_of_a_node_and_of_a_login_that_the_inventory_does_not_name(lab: Inventory) -> None:
    backup = lab.nodes["backup1"]
    unnamed = replace(lab, nodes={"backup1": replace(backup, ssh=replace(backup.ssh, user=None))})
    assert "operator ALL=(pgbackrest)" in sudoers.policy(unnamed, "backup", user="operator")
    assert sudoers.rules_for(lab, backup)[0].line("hactl") in sudoers.policy_of(lab, backup)
    assert "Nothing" in sudoers.policy_of(lab, lab.nodes["db1"])


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


def allowed(policy: str, argv: tuple[str, ...]) -> bool:
    """What real sudo says of a policy, which stands in a mount namespace of its own."""
    if os.geteuid() != 0 or shutil.which("sudo") is None:
        pytest.skip("needs root and sudo")
    script = """
mount -t tmpfs -o mode=755 none /etc/sudoers.d || exit 99
cat >/etc/sudoers.d/trial && chmod 440 /etc/sudoers.d/trial
exec setpriv --reuid=nobody --regid=nogroup --clear-groups sudo -n -l -u daemon -- "$@"
"""
    argv = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *argv)
    done = subprocess.run(argv, input=policy, capture_output=True, text=True, check=False)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("needs mount namespaces")
    return done.returncode == 0
