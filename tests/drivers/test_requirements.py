from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.config.load import load_inventory
from hactl.drivers import drill
from hactl.drivers.requirements import (
    CommandQuestion,
    Judged,
    Requirement,
    RequirementKind,
    SqlQuestion,
    requirements_for,
)
from hactl.drivers.sudoers import rules_for
from hactl.model.command import Completed
from hactl.model.findings import Level
from hactl.model.inventory import Inventory, PgbackrestService, ResticService

SNAPSHOTS = (
    *("restic", "--repo=sftp:restic@backup1:/var/lib/restic/app1", "--password-file=/etc/restic/password"),
    *("--json", "--no-lock", "snapshots", "--host=app1", "--path=/var/lib/shop/uploads"),
)
DRILLS = drill.argv(PgbackrestService("backup", ("backup1",), (), 1))
UPLOADS = drill.argv(ResticService("uploads", ("app1",), (), 1))
LAB = Path(__file__).parents[2] / "inventory" / "lab.toml"


@pytest.fixture(scope="module")
def lab() -> Inventory:
    return load_inventory(LAB)


def needs(lab: Inventory, node: str) -> dict[str, Requirement]:
    return {one.key: one for one in requirements_for(lab, lab.nodes[node])}


@pytest.mark.parametrize(
    ("node", "keys"),
    [
        ("lb1", {"tool:haproxy", "socket:/run/haproxy/admin.sock", "tool:sudo"}),
        (
            "app1",
            {
                *("tool:dpkg-query", "tool:sudo", "tool:restic"),
                f"sudo:restic:/usr/bin/{' '.join(SNAPSHOTS)}",
                f"sudo:restic:/usr/bin/{' '.join(UPLOADS)}",
            },
        ),
        ("db1", {"socket:/var/run/postgresql/.s.PGSQL.5432", "server:database", "role:database", "tool:sudo"}),
        (
            "backup1",
            {
                *("tool:pgbackrest", "tool:sudo"),
                "sudo:pgbackrest:/usr/bin/pgbackrest --stanza=main --output=json info",
                f"sudo:pgdrill:/usr/bin/{' '.join(DRILLS)}",
            },
        ),
    ],
)
def test_what_the_labs_nodes_need(lab: Inventory, node: str, keys: set[str]) -> None:
    to_act = {f"sudo:{one.as_user}:{' '.join(one.argv)}" for one in rules_for(lab, lab.nodes[node]) if one.acts}
    assert needs(lab, node).keys() == {"tool:basic", "tool:systemctl", "journal"} | keys | to_act
    assert bool(to_act) is ("tool:sudo" in keys)


def test_every_requirement_says_why_and_what_to_do_and_only_reads(lab: Inventory) -> None:
    for node in lab.nodes:
        for one in needs(lab, node).values():
            assert one.why
            assert one.remedy.endswith((".", ";")) or one.kind is RequirementKind.SUDO
            if isinstance(one.question, CommandQuestion):
                assert not one.question.command.mutates
                assert one.question.command.as_user is None


def judge(requirement: Requirement, out: str = "", exit_code: int = 0, err: str = "") -> Judged:
    if isinstance(requirement.question, SqlQuestion):
        return requirement.question.judge(out)
    return requirement.question.judge(Completed(exit_code, out, err, 0.1))


@pytest.mark.parametrize(
    ("node", "key", "out", "exit_code", "level", "says"),
    [
        ("lb1", "tool:basic", "", 0, Level.OK, "are there"),
        ("lb1", "tool:basic", "timeout\nnice\n", 0, Level.CRIT, "missing: timeout nice"),
        ("lb1", "tool:systemctl", "systemd 252 (252.39-1~deb12u1)\n+PAM +AUDIT\n", 0, Level.OK, "systemctl 252"),
        ("lb1", "tool:systemctl", "systemd 219\n", 0, Level.WARN, "older than 235"),
        ("lb1", "tool:systemctl", "sh: exec: systemctl: not found\n", 127, Level.WARN, "cannot be run"),
        ("lb1", "journal", "readable\n", 0, Level.OK, "may be read"),
        ("lb1", "journal", "denied anna\n", 0, Level.WARN, "may not be read by anna"),
        ("lb1", "journal", "later anna\n", 0, Level.WARN, "may not be read by anna yet"),
        ("lb1", "journal", "absent\n", 0, Level.WARN, "no journalctl"),
        ("lb1", "journal", "", 1, Level.UNKNOWN, "could not tell"),
        ("lb1", "tool:haproxy", "HAProxy version 2.6.12-1+deb12u1 2023/12/16", 0, Level.OK, "2.6.12"),
        ("lb1", "tool:haproxy", "HA-Proxy version 1.8.27-493ce0b 2020/11/06", 0, Level.WARN, "older than 2.0"),
        ("lb1", "tool:haproxy", "HAProxy version 10.0", 0, Level.OK, "10.0"),  # numbers, not text
        ("lb1", "tool:haproxy", "what?", 0, Level.UNKNOWN, "does not tell"),
        ("backup1", "tool:pgbackrest", "pgBackRest 2.45\n", 0, Level.OK, "2.45"),
        ("backup1", "tool:pgbackrest", "pgBackRest 2.4\n", 0, Level.CRIT, "older than 2.32"),
        ("backup1", "tool:pgbackrest", "", 127, Level.CRIT, "cannot be run"),
        ("lb1", "socket:/run/haproxy/admin.sock", "usable\n", 0, Level.OK, "can be used"),
        ("lb1", "socket:/run/haproxy/admin.sock", "absent\n", 0, Level.CRIT, "does not exist"),
        ("lb1", "socket:/run/haproxy/admin.sock", "closed\n", 0, Level.CRIT, "may not be entered"),
        ("lb1", "socket:/run/haproxy/admin.sock", "other\n", 0, Level.CRIT, "is not a socket"),
        ("lb1", "socket:/run/haproxy/admin.sock", "denied haproxy-admin no\n", 0, Level.CRIT, "may not be used"),
        ("lb1", "socket:/run/haproxy/admin.sock", "", 2, Level.UNKNOWN, "cannot be judged"),
        ("db1", "server:database", "150020", 0, Level.OK, "PostgreSQL 15"),
        ("db1", "server:database", "160004", 0, Level.WARN, "the inventory says 15"),
        ("db1", "server:database", "120003", 0, Level.CRIT, "older than 13"),
        ("db1", "server:database", "fifteen", 0, Level.UNKNOWN, "does not tell"),
        ("db1", "role:database", "true", 0, Level.OK, "is a member"),
        ("db1", "role:database", "false", 0, Level.WARN, "is not a member"),
    ],
)
def test_judgement(lab: Inventory, node: str, key: str, out: str, exit_code: int, level: Level, says: str) -> None:
    judged = judge(needs(lab, node)[key], out, exit_code)
    assert (judged.level, says in judged.sentence) == (level, True), judged


def test_sudo_judgement(lab: Inventory) -> None:
    (rule,) = (
        one
        for key, one in needs(lab, "backup1").items()
        if key.endswith("--stanza=main --output=json info") and "pgbackrest:" in key
    )
    assert rule.remedy.endswith(
        "hactl ALL=(pgbackrest) NOPASSWD: /usr/bin/pgbackrest --stanza\\=main --output\\=json info"
    )
    assert judge(rule, "/usr/bin/pgbackrest ...\n").level is Level.OK
    assert judge(rule, exit_code=1, err="sudo: a password is required").level is Level.CRIT
    assert judge(rule, exit_code=1).level is Level.CRIT
    assert "Install sudo" in judge(rule, exit_code=127).remedy


def test_a_missing_right_to_act_is_a_warning_with_its_line(lab: Inventory) -> None:
    found = {key: one for key, one in needs(lab, "app1").items() if key.startswith("sudo:")}
    install = next(one for key, one in found.items() if " install " in key)
    missing = judge(install, exit_code=1, err="sudo: a password is required")
    assert (missing.level, "apt-get install shop=1.0-1 as root" in missing.sentence) == (Level.WARN, True)
    line = next(rule for rule in rules_for(lab, lab.nodes["app1"]) if rule.as_user == "root").line("hactl")
    assert install.remedy.endswith(line)
    restart = next(one for key, one in found.items() if "restart shop" in key)
    assert judge(restart).sentence == "systemctl restart shop.service may be run as root"


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3", Level.OK),
        ("Sudo version 1.9.10", Level.OK),
        ("Sudo version 1.9.5p2", Level.WARN),
        ("Sudo version 1.8.31", Level.WARN),
        ("what?", Level.UNKNOWN),
    ],
)
def test_patterns_need_a_sudo_that_reads_them(lab: Inventory, said: str, level: Level) -> None:
    assert judge(needs(lab, "app1")["tool:sudo"], said).level is level


def test_remedies_of_a_denied_socket(lab: Inventory) -> None:
    admin = needs(lab, "lb1")["socket:/run/haproxy/admin.sock"]
    assert "usermod -aG haproxy-admin hactl" in judge(admin, "denied haproxy-admin no").remedy
    assert "next login" in judge(admin, "denied haproxy-admin later").remedy
    assert "a group of its own" in judge(admin, "denied root no").remedy
    assert "\x1b" not in judge(admin, "denied \x1b[2J no").remedy


def test_a_role_with_an_odd_name_is_quoted(lab: Inventory) -> None:
    odd = replace(lab, services={**lab.services, "database": replace(lab.services["database"], user='Ops"x')})
    assert 'GRANT pg_monitor TO "Ops""x";' in needs(odd, "db1")["role:database"].remedy


# --- the questions, asked for real ----------------------------------------------------------------------------


def ask(requirement: Requirement, *, as_nobody: bool = False) -> Judged:
    assert isinstance(requirement.question, CommandQuestion)
    argv = requirement.question.command.argv
    if as_nobody and os.geteuid() == 0:
        argv = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *argv)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    return judge(requirement, done.stdout, done.returncode, done.stderr)


def test_tools_of_this_machine(lab: Inventory) -> None:
    assert ask(needs(lab, "lb1")["tool:basic"]).level is Level.OK
    installed = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    assert (ask(needs(lab, "lb1")["tool:haproxy"]).level is Level.OK) == (installed is not None)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that others may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="hactl-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.mark.parametrize(
    ("prepare", "level", "says"),
    [
        ("usable", Level.OK, "can be used"),
        ("denied", Level.CRIT, "may not be used by hactl"),
        ("absent", Level.CRIT, "does not exist"),
        ("other", Level.CRIT, "is not a socket"),
        ("closed", Level.CRIT, "in a folder that may not be entered"),
    ],
)
def test_a_real_socket(lab: Inventory, folder: Path, prepare: str, level: Level, says: str) -> None:
    if prepare in {"denied", "closed"} and os.geteuid() != 0:
        pytest.skip("needs root to make what another user may not use")
    inside = folder / "in side"
    inside.mkdir(mode=0o755)
    path = inside / "admin.sock"
    with socket.socket(socket.AF_UNIX) as server:
        if prepare == "other":
            path.touch()
        elif prepare != "absent":
            server.bind(str(path))
            path.chmod(0o600 if prepare == "denied" else 0o666)
        if prepare == "closed":
            inside.chmod(0o700)
        balancer = replace(lab.services["balancer"], admin_socket=str(path))
        here = replace(lab, services={**lab.services, "balancer": balancer})
        judged = ask(needs(here, "lb1")[f"socket:{path}"], as_nobody=True)
    assert (judged.level, says in judged.sentence) == (level, True), judged
