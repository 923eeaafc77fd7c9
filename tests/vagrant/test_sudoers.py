"""What the lab's nodes grant to hactl's user is what `hactl sudoers` says it needs, and no more."""

import re

import pytest

from hactl.config.load import load_inventory
from hactl.drivers.sudoers import policy
from tests.vagrant.places import LAB_INVENTORY, PROVISION, program, run

ROLES = sorted(path.name for path in (PROVISION / "sudoers").iterdir())


@pytest.mark.parametrize("role", ROLES)
def test_is_what_hactl_prints(role):
    assert (PROVISION / "sudoers" / role).read_text() == policy(load_inventory(LAB_INVENTORY), role)


@pytest.mark.parametrize("role", ROLES)
def test_visudo_takes_it(role):
    done = run(program("visudo", "sudo"), "-cf", PROVISION / "sudoers" / role)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("role", ROLES)
def test_grants_whole_command_lines_only(role):
    """One user, one target user that is not root, an absolute path, no wildcard and no other ALL."""
    for line in (PROVISION / "sudoers" / role).read_text().splitlines():
        if not line.startswith("#"):
            rule = re.fullmatch(r"hactl ALL=\((?!root|ALL)[a-z]+\) NOPASSWD: (/usr/bin/.*)", line)
            assert rule, line
            assert not re.search(r"(?<!\\)[*?\[,]|ALL", rule[1]), line
