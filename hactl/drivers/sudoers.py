"""What hactl needs sudo for, as rules of exactly one command each, and the policy file that grants them.

sudo compares a rule's words literally as long as no wildcard is in it, and a rule without arguments allows any. So
every character that means something to sudoers(5) is escaped, and no arguments are written as "": a rule grants one
command line and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hactl.drivers import pgbackrest
from hactl.model.errors import InputError
from hactl.model.inventory import BecomeMethod, Inventory, Node, PgbackrestService

# Where sudo finds a command by its default secure_path on Debian: a rule has to name the file.
_DIRECTORY = {"pgbackrest": "/usr/bin"}
_SPECIAL = re.compile(r"[,:=!*?\[\]\s#^]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One command line that the login user may run as `as_user` without a password. `argv[0]` is an absolute path."""

    as_user: str
    argv: tuple[str, ...]
    why: str

    def line(self, user: str) -> str:
        """The sudoers line for the login user `user`."""
        arguments = " ".join(map(_escaped, self.argv[1:])) or '""'
        return f"{_user(user)} ALL=({_user(self.as_user)}) NOPASSWD: {self.argv[0]} {arguments}"


def rules_for(inventory: Inventory, node: Node) -> tuple[Rule, ...]:
    """Everything that hactl runs through sudo on `node`; nothing where its login user needs none."""
    if node.ssh.become is BecomeMethod.NONE:
        return ()
    return tuple(
        Rule(one.os_user, _absolute(pgbackrest.info_argv(one)), f"{one.name}: read what the backup repository holds")
        for one in inventory.services.values()
        if isinstance(one, PgbackrestService)
        if one.repository_host == node.name and one.os_user != node.ssh.user
    )


def policy(inventory: Inventory, role: str, *, user: str = "hactl") -> str:
    """The file for /etc/sudoers.d on nodes with `role`. `user` logs in where the inventory names nobody."""
    nodes = [node for node in inventory.nodes.values() if role in node.roles]
    return _file(f"nodes of role {role}", _grants(inventory, nodes, user))


def policy_of(inventory: Inventory, node: Node, *, user: str = "hactl") -> str:
    """The file for one node, whatever its roles."""
    return _file(f"node {node.name}", _grants(inventory, [node], user))


def _grants(inventory: Inventory, nodes: Iterable[Node], user: str) -> list[str]:
    """Each rule with the comment that says why, once."""
    lines = [
        f"# {_comment(rule.why)}\n{rule.line(node.ssh.user or user)}"
        for node in nodes
        for rule in rules_for(inventory, node)
    ]
    return list(dict.fromkeys(lines))


def _file(where: str, grants: list[str]) -> str:
    head = f"# What hactl may do with sudo on {_comment(where)}: each line allows one command with exactly these words."
    body = "\n".join(grants) or "# Nothing: all that hactl asks there needs no sudo."
    return f"{head}\n{body}\n"


def _comment(text: str) -> str:
    return re.sub(r"[^\w.,:@ -]", "_", text)


def _absolute(argv: tuple[str, ...]) -> tuple[str, ...]:
    return (f"{_DIRECTORY[argv[0]]}/{argv[0]}", *argv[1:])


def _user(name: str) -> str:
    """A user's name, and neither a group, a number nor everybody."""
    if name == "ALL":
        raise InputError('No user may be called "ALL" in a sudo policy: it means everybody.')
    return re.sub(r"[^\w.@-]", r"\\\g<0>", name)


def _escaped(word: str) -> str:
    """One literal argument. A backslash is read twice: by the parser of the file, then as part of a pattern."""
    return _SPECIAL.sub(lambda match: "\\" + match[0], word.replace("\\", "\\" * 4))
