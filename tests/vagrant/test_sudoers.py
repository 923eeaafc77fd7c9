"""What the lab's nodes grant to hactl's user is what `hactl sudoers` says it needs, and no more."""

import re
import shlex

import pytest

from hactl.config.load import load_inventory
from hactl.drivers.sudoers import policy
from hactl.drivers.verbs import package_commands
from tests.vagrant.places import LAB_INVENTORY, PROVISION, program, run

# The words of an installation, which all but the package's name and version are the same in.
ANY_VERSION = re.compile(
    r"\^[^\[\]()*?$]* install ([a-z]+)=" + re.escape(package_commands.INSTALLABLE) + r"\$",
)
ROLES = sorted(path.name for path in (PROVISION / "sudoers").iterdir())


PROGRAM = r"/usr/(?:bin|lib/postgresql/15/bin)/[a-z0-9_-]+"
SOME_WORD = re.compile(r"\[(?:[0-9A-Za-z.:_-]+|[0-9A-Za-z_/-]+)\]\+|\{\d+\}")


@pytest.mark.parametrize("role", ROLES)
def test_is_what_hactl_prints(role):
    assert (PROVISION / "sudoers" / role).read_text() == policy(load_inventory(LAB_INVENTORY), role)


@pytest.mark.parametrize("role", ROLES)
def test_visudo_takes_it(role):
    done = run(program("visudo", "sudo"), "-cf", PROVISION / "sudoers" / role)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("role", ROLES)
def test_grants_whole_command_lines_only(role):
    """One user, one target user, an absolute path, whole words: no wildcard, no other ALL, nothing kept or set."""
    for line in (PROVISION / "sudoers" / role).read_text().splitlines():
        if not line.startswith("#"):
            rule = re.fullmatch(rf"hactl ALL=\((?!ALL)[a-z]+\) NOPASSWD: {PROGRAM} (.*)", line)
            assert rule, line
            if ANY_VERSION.fullmatch(rule[1]):
                continue
            if rule[1].startswith("^") and rule[1].endswith("$"):  # words that may vary are named by their characters
                assert not re.search(r"(?<!\\)[.*?|()$^]", SOME_WORD.sub("", rule[1][1:-1])), line
            else:
                assert not re.search(r"(?<!\\)[*?\[,^$]|\bALL", rule[1]), line


def test_only_a_version_may_vary():
    text = "".join((PROVISION / "sudoers" / role).read_text() for role in ROLES)
    assert sorted(set(ANY_VERSION.findall(text))) == ["haproxy", "keepalived", "shop"]


@pytest.mark.lab
@pytest.mark.parametrize(("node", "package", "unit"), [("app1", "shop", "shop"), ("lb1", "haproxy", "haproxy")])
def test_a_nodes_sudo_allows_that_and_no_more(lab, node, package, unit):
    install = shlex.join(package_commands.install(package, "9.9-1")[:-1])
    assert "sudo" in run("ssh", "-F", lab.paths.ssh_config, node, "sudo -n true").stderr
    for words, allowed in [
        (f"{install} {package}=9.9-1", True),
        (f"systemctl restart {unit}.service", True),
        ("systemctl reboot", True),
        (f"{install} {package}=9.9-1 other=1", False),
        (f"{install} other=9.9-1", False),
        (f"{install} {package}=9.9-", False),
        (f"{install} -o DPkg::Pre-Invoke::=id {package}=9.9-1", False),
        ("systemctl restart ssh.service", False),
        (f"systemctl restart {unit}.service ssh.service", False),
    ]:
        done = run("ssh", "-F", lab.paths.ssh_config, node, f"sudo -n -l -- {words}")
        assert (done.returncode == 0) is allowed, words
