"""What hactl needs sudo for, as rules of exactly one command each, and the policy file that grants them.

sudo compares a rule's words literally as long as no wildcard is in it, and a rule without arguments allows any. So
every character that means something to sudoers(5) is escaped, and no arguments are written as "": a rule grants one
command line and no other.

Where a package's version differs from time to time, the arguments are a regular expression over the whole of them
(sudo 1.9.10 or later): any version of that one package, and still no other word. No environment is passed through:
see `verbs.package_commands`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hactl.drivers import apt, drill, pgbackrest, restic
from hactl.drivers.verbs import (
    drill_commands,
    package_commands,
    pgbackrest_commands,
    postgresql_commands,
    restic_commands,
    restore_commands,
)
from hactl.model.backups import backup_services
from hactl.model.errors import InputError
from hactl.model.inventory import (
    BecomeMethod,
    HaproxyService,
    HttpService,
    Inventory,
    KeepalivedService,
    Node,
    PgbackrestService,
    PostgresqlManager,
    PostgresqlService,
    ResticService,
    UnitService,
)

REGEX_SINCE = "1.9.10"
"""The version of sudo from which on a rule may be a regular expression."""

# Where sudo finds a command by its default secure_path on Debian: a rule has to name the file.
_PROGRAMS = (
    *("apt-get", "cat", "df", "dpkg", "du", "env", "find", "mkdir", "mv", "pgbackrest", "pkill", "psql"),
    *("restic", "rm", "rmdir", "sed", "sha256sum", "systemctl", "tail", "tar", "tee", "touch", "truncate"),
)
_DIRECTORY = dict.fromkeys(_PROGRAMS, "/usr/bin")
_UNIT_ACTIONS = {
    "restart": "restart it",
    "reload": "let it read its configuration again",
    "stop": "stop it",
    "start": "start it",
    "reset-failed": "let it start again after too many failures",
}
_SYSTEM = {
    package_commands.UPDATE: "read the package lists",
    package_commands.CONFIGURE: "end an installation that was cut off",
    package_commands.UPGRADE_ALL: "install all that is on offer, removing nothing",
    ("systemctl", "reboot"): "reboot where they want it",
}
# Services that hactl upgrades, restarts and stops; a database has an operator's care and verbs of its own.
_CARED_FOR = (HttpService, HaproxyService, KeepalivedService, UnitService)
_SPECIAL = re.compile(r"[,:=!*?\[\]\s#^]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One command line that the login user may run as `as_user` without a password. `argv[0]` is an absolute path.

    With `pattern`, an extended regular expression from ^ to $, it is every command line whose arguments match;
    `argv` is then one of them, to ask sudo with. `acts`: wanted only to change the node, not to watch it.
    """

    as_user: str
    argv: tuple[str, ...]
    why: str
    pattern: str = ""
    acts: bool = False

    def line(self, user: str) -> str:
        """The sudoers line for the login user `user`."""
        arguments = self.pattern.replace("#", r"\#") or " ".join(map(_escaped, self.argv[1:])) or '""'
        return f"{_user(user)} ALL=({_user(self.as_user)}) NOPASSWD: {self.argv[0]} {arguments}"


def rules_for(inventory: Inventory, node: Node) -> tuple[Rule, ...]:
    """Everything that hactl runs through sudo on `node`; nothing where its login user needs none."""
    if node.ssh.become is BecomeMethod.NONE:
        return ()
    rules = [
        *_of_backups(inventory, node),
        *_of_drills(inventory, node),
        *_of_files(inventory, node),
        *_of_packages(inventory, node),
        *_of_units(inventory, node),
        *_of_databases(inventory, node),
    ]
    return tuple(rule for rule in rules if rule.as_user != node.ssh.user)


def _of_backups(inventory: Inventory, node: Node) -> Iterator[Rule]:
    for one in inventory.services.values():
        if isinstance(one, PgbackrestService) and one.repository_host == node.name:
            why = f"{one.name}: read what the backup repository holds"
            yield Rule(one.os_user, _absolute(pgbackrest.info_argv(one)), why)
            for argv, pattern, purpose in pgbackrest_commands.rules(one):
                yield Rule(one.os_user, _absolute(argv), f"{one.name}: {purpose}", pattern, acts=True)


def _of_drills(inventory: Inventory, node: Node) -> Iterator[Rule]:
    for one in inventory.services.values():
        if not isinstance(one, PgbackrestService) or one.drill_user is None or one.drill_node is None:
            continue
        if one.drill_node != node.name:
            for argv, pattern, purpose in drill_commands.rules_there(one) if one.repository_host == node.name else ():
                yield Rule(one.os_user, _absolute(argv), f"{one.name} drills: {purpose}", pattern, acts=True)
            continue
        yield Rule(one.drill_user, _absolute(drill.argv(one)), f"{one.name}: read the history of drills")
        database = inventory.services[one.database]
        if isinstance(database, PostgresqlService):
            for argv, pattern, purpose in drill_commands.rules(one, database):
                yield Rule(one.drill_user, _absolute(argv), f"{one.name} drills: {purpose}", pattern, acts=True)


def _of_files(inventory: Inventory, node: Node) -> Iterator[Rule]:
    for one in inventory.services_on(node.name):
        if isinstance(one, ResticService):
            asked = restic.snapshots_argv(one, node.name)
            yield Rule(one.os_user, _absolute(asked), f"{one.name}: read what the repository of its files holds")
            yield Rule(one.os_user, _absolute(drill.argv(one)), f"{one.name}: read the history of drills")
            for argv, pattern, purpose in restic_commands.rules(one, node.name):
                yield Rule(one.os_user, _absolute(argv), f"{one.name}: {purpose}", pattern, acts=True)


def _of_packages(inventory: Inventory, node: Node) -> Iterator[Rule]:
    """The packages of the services here; where there are some, also the system's upgrades and its reboot."""
    here = inventory.services_on(node.name)
    found = {service.name: package for service in here if (package := apt.package_of(service))}
    for name, package in found.items():
        argv = _absolute(package_commands.install(package, "1.0-1"))
        pattern = package_commands.install_pattern(package)
        yield Rule("root", argv, f"{name}: install a version of {package}", pattern, acts=True)
    if found:
        for argv, purpose in _SYSTEM.items():
            yield Rule("root", _absolute(argv), f"upgrades: {purpose}", acts=True)


def _of_units(inventory: Inventory, node: Node) -> Iterator[Rule]:
    for service in inventory.services_on(node.name):
        if isinstance(service, _CARED_FOR):
            for unit in service.units:
                for action, purpose in _UNIT_ACTIONS.items():
                    yield Rule("root", _absolute(("systemctl", action, unit)), f"{service.name}: {purpose}", acts=True)


def _of_databases(inventory: Inventory, node: Node) -> Iterator[Rule]:
    """Switchover, failover and rejoin of a database that nobody else manages."""
    for one in inventory.services_on(node.name):
        if not isinstance(one, PostgresqlService) or one.manager is not PostgresqlManager.PLAIN:
            continue
        for argv, purpose in postgresql_commands.root(one).items():
            yield Rule("root", _absolute(argv), f"{one.name}: {purpose}", acts=True)
        user = postgresql_commands.OS_USER
        for argv, purpose in postgresql_commands.fixed(one).items():
            yield Rule(user, _absolute(argv), f"{one.name}: {purpose}", acts=True)
        for argv, pattern, purpose in postgresql_commands.patterns(one):
            yield Rule(user, _absolute(argv), f"{one.name}: {purpose}", pattern, acts=True)
        kept = [backups for backups in backup_services(inventory) if backups.database == one.name]
        for argv, purpose in restore_commands.fixed(one).items() if kept else ():
            yield Rule(user, _absolute(argv), f"{one.name}: {purpose}", acts=True)
        for backups in kept:
            for argv, pattern, purpose in restore_commands.patterns(backups):
                yield Rule(user, _absolute(argv), f"{backups.name}: {purpose}", pattern, acts=True)


def policy(inventory: Inventory, role: str, *, user: str = "hactl") -> str:
    """The file for /etc/sudoers.d on nodes with `role`. `user` logs in where the inventory names nobody."""
    nodes = [node for node in inventory.nodes.values() if role in node.roles]
    return _file(f"nodes of role {role}", _grants(inventory, nodes, user))


def policy_of(inventory: Inventory, node: Node, *, user: str = "hactl") -> str:
    """The file for one node, whatever its roles."""
    return _file(f"node {node.name}", _grants(inventory, [node], user))


def _grants(inventory: Inventory, nodes: Iterable[Node], user: str) -> list[str]:
    """Each rule once, below the comment that says for whom and why."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for node in nodes:
        for rule in rules_for(inventory, node):
            whom, _, purpose = rule.why.partition(": ")
            found.setdefault(rule.line(node.ssh.user or user), {}).setdefault(purpose, {})[whom] = None
    return ["\n".join((*_whys(whys), line)) for line, whys in found.items()]


def _whys(whys: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for purpose, whom in whys.items():
        yield f"# {_comment(', '.join(whom))}: {_comment(purpose)}"


def _file(where: str, grants: list[str]) -> str:
    head = f"# What hactl may do with sudo on {_comment(where)}: each line allows one command with exactly these words."
    if any(" ^" in grant for grant in grants):
        any_ = "any version of one package, any primary, any run's backup"
        head += f"\n# From ^ to $ it is a pattern of all the words (sudo {REGEX_SINCE}): {any_}."
    body = "\n".join(grants) or "# Nothing: all that hactl asks there needs no sudo."
    return f"{head}\n{body}\n"


def _comment(text: str) -> str:
    return re.sub(r"[^\w.,:@ -]", "_", text)


def _absolute(argv: tuple[str, ...]) -> tuple[str, ...]:
    return argv if argv[0].startswith("/") else (f"{_DIRECTORY[argv[0]]}/{argv[0]}", *argv[1:])


def _user(name: str) -> str:
    """A user's name, and neither a group, a number nor everybody."""
    if name == "ALL":
        raise InputError('No user may be called "ALL" in a sudo policy: it means everybody.')
    return re.sub(r"[^\w.@-]", r"\\\g<0>", name)


def _escaped(word: str) -> str:
    """One literal argument. A backslash is read twice: by the parser of the file, then as part of a pattern."""
    return _SPECIAL.sub(lambda match: "\\" + match[0], word.replace("\\", "\\" * 4))
