"""What hactl needs on a node, as data: a question, how its answer is judged, why it matters, what to do about it.

`doctor` asks and prints; it knows none of this itself. A question only reads, and names from the inventory reach a
shell as arguments, never as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeAlias

from hactl.drivers import sudoers, system_journal
from hactl.drivers.sudoers import Rule
from hactl.drivers.system_journal import Access
from hactl.model.command import Command, Completed, command
from hactl.model.findings import Level
from hactl.model.inventory import (
    HaproxyService,
    HttpService,
    Inventory,
    Node,
    PgbackrestService,
    PostgresqlService,
    ResticService,
    Service,
)
from hactl.model.text import one_line


class RequirementKind(StrEnum):
    TOOL = "tool"  # a program, at least of some version
    SOCKET = "socket"  # a Unix socket that the login user may use
    DATABASE = "database"  # something that a PostgreSQL server must be or grant
    SUDO = "sudo"  # a rule in sudoers
    JOURNAL = "journal"  # the system's own, to be looked at


@dataclass(frozen=True, slots=True)
class Judged:
    """What an answer means. `remedy` is one that fits this answer better than the requirement's own, or ""."""

    level: Level
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class CommandQuestion:
    command: Command
    judge: Callable[[Completed], Judged]


@dataclass(frozen=True, slots=True)
class SqlQuestion:
    """A statement that answers with one text value, put to a server as a QueryProbe is."""

    socket_directory: str
    port: int
    user: str | None  # None: the SSH user
    database: str
    sql: str
    judge: Callable[[str], Judged]


Question: TypeAlias = CommandQuestion | SqlQuestion


@dataclass(frozen=True, slots=True)
class Requirement:
    """`key` is unique on a node. `remedy` is what to do when the answer is not ok or there is none."""

    key: str
    kind: RequirementKind
    why: str
    remedy: str
    question: Question


def requirements_for(inventory: Inventory, node: Node) -> tuple[Requirement, ...]:
    """All that hactl needs on `node` for what the inventory says of it, the machine's own first."""
    services = inventory.services_on(node.name)
    asked_here = [
        service
        for service in inventory.services.values()
        if service in services or (isinstance(service, PgbackrestService) and service.repository_host == node.name)
    ]
    found = [*_of_the_machine(packages=any(isinstance(one, HttpService) and one.package for one in services))]
    for service in asked_here:
        found += _of(service, node)
    user = node.ssh.user or "the login user"
    rules = sudoers.rules_for(inventory, node)
    if any(rule.pattern for rule in rules):
        why = "its rules for packages name any version of one package"
        found.append(_tool("sudo", ("sudo", "-V"), sudoers.REGEX_SINCE, why, "sudo", without=Level.WARN))
    found += [_sudo(rule, user) for rule in rules]
    found.append(_journal())
    return tuple({one.key: one for one in found}.values())


# --- tools ----------------------------------------------------------------------------------------------------

_BASIC_TOOLS = ("timeout", "df", "date", "head", "nice")
_MISSING = 'for tool in "$@"; do command -v "$tool" >/dev/null || echo "$tool"; done'
# Servers' programs stand where an ordinary user's PATH may not look. Some print their version on stderr.
_SAY_VERSION = 'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; exec "$@" 2>&1 </dev/null'
_VERSION = re.compile(r"\bv?(\d{1,6}(?:\.\d{1,6})*)")


def _of_the_machine(*, packages: bool) -> Iterator[Requirement]:
    yield Requirement(
        "tool:basic",
        RequirementKind.TOOL,
        "questions to the node are put and bounded with them",
        "Install coreutils.",
        CommandQuestion(command("sh", "-c", _MISSING, "sh", *_BASIC_TOOLS), _judge_missing),
    )
    yield _tool("systemctl", ("systemctl", "--version"), "235", "the states of units", "systemd", without=Level.WARN)
    if packages:
        argv = ("dpkg-query", "--version")
        yield _tool("dpkg-query", argv, "1.17", "installed versions of packages", "dpkg", without=Level.WARN)


def _tool(
    name: str, argv: tuple[str, ...], minimum: str, why: str, package: str, *, without: Level = Level.CRIT
) -> Requirement:
    return Requirement(
        f"tool:{name}",
        RequirementKind.TOOL,
        why,
        f"Install {package} {minimum} or later.",
        CommandQuestion(
            command("sh", "-c", _SAY_VERSION, "sh", *argv), partial(_judge_version, name, minimum, without)
        ),
    )


def _judge_missing(done: Completed) -> Judged:
    missing = done.stdout.split()
    if missing:
        return Judged(Level.CRIT, f"missing: {one_line(' '.join(missing))}")
    return (
        Judged(Level.OK, f"{', '.join(_BASIC_TOOLS)} are there")
        if done.ok
        else Judged(Level.UNKNOWN, "the node's shell could not tell")
    )


def _judge_version(name: str, minimum: str, without: Level, done: Completed) -> Judged:
    if not done.ok:
        return Judged(without, f"{name} cannot be run (exit {done.exit})")
    match = _VERSION.search(done.stdout)
    if match is None:
        return Judged(Level.UNKNOWN, f'{name} does not tell its version: "{one_line(done.stdout, 60)}"')
    if _numbers(match[1]) < _numbers(minimum):
        return Judged(without, f"{name} is {match[1]}, older than {minimum}")
    return Judged(Level.OK, f"{name} {match[1]}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _journal() -> Requirement:
    return Requirement(
        "journal",
        RequirementKind.JOURNAL,
        "the dashboard shows it; nothing is judged by it",
        f"As root: usermod -aG {system_journal.GROUP} on the login user.",
        CommandQuestion(system_journal.access(), _judge_journal),
    )


def _judge_journal(done: Completed) -> Judged:
    """One can watch and act without it: a warning at most."""
    may = system_journal.may_read(done)
    levels = {Access.READABLE: Level.OK, Access.UNKNOWN: Level.UNKNOWN}
    return Judged(levels.get(may.access, Level.WARN), may.sentence, may.remedy)


# --- services -------------------------------------------------------------------------------------------------


def _of(service: Service, node: Node) -> Iterator[Requirement]:
    user = node.ssh.user or "the login user"
    if isinstance(service, HaproxyService):
        yield _tool("haproxy", ("haproxy", "-v"), "2.0", "its runtime API is read", "haproxy", without=Level.WARN)
        why = f"{service.name}: servers, sessions and drains are read from it"
        yield _socket(service.admin_socket, why, "`stats socket PATH mode 660 level admin group GROUP`", user)
    elif isinstance(service, PostgresqlService):
        path = f"{service.socket_directory}/.s.PGSQL.{service.port}"
        yield _socket(
            path, f"{service.name}: the server is asked over it", "`unix_socket_directories` and `port`", user
        )
        yield from _of_database(service, user)
    elif isinstance(service, PgbackrestService) and service.repository_host == node.name:
        yield _tool("pgbackrest", ("pgbackrest", "version"), "2.32", "backups are listed by it", "pgbackrest")
    elif isinstance(service, ResticService):
        yield _tool("restic", ("restic", "version"), "0.12", f"{service.name}: files are backed up by it", "restic")


def _of_database(service: PostgresqlService, user: str) -> Iterator[Requirement]:
    role = service.user or user

    def needs(key: str, why: str, remedy: str, sql: str, judge: Callable[[str], Judged]) -> Requirement:
        question = SqlQuestion(service.socket_directory, service.port, service.user, service.database, sql, judge)
        return Requirement(f"{key}:{service.name}", RequirementKind.DATABASE, why, remedy, question)

    yield needs(
        "server",
        "what is asked exists from version 13 on",
        f"As postgres: CREATE ROLE {_quoted(role)} LOGIN; peer authentication lets a user of that name in.",
        "SELECT current_setting('server_version_num')",
        partial(_judge_server, service.version),
    )
    yield needs(
        "role",
        "without it lags, transactions and the archive's backlog of others are hidden",
        f"As postgres: GRANT pg_monitor TO {_quoted(role)};",
        "SELECT pg_has_role('pg_monitor', 'usage')::text",
        partial(_judge_role, role),
    )


def _judge_server(expected: int, answer: str) -> Judged:
    if not re.fullmatch(r"\d{5,7}", answer):
        return Judged(Level.UNKNOWN, f'the server does not tell its version: "{one_line(answer, 60)}"')
    major = int(answer) // 10000
    if major < 13:
        return Judged(Level.CRIT, f"PostgreSQL {major} is older than 13", "Upgrade PostgreSQL.")
    if major != expected:
        sentence = f"the server is PostgreSQL {major}, the inventory says {expected}"
        return Judged(Level.WARN, sentence, "Correct `version` in the inventory.")
    return Judged(Level.OK, f"PostgreSQL {major}")


def _judge_role(role: str, answer: str) -> Judged:
    if answer == "true":
        return Judged(Level.OK, f"{role} is a member of pg_monitor")
    return Judged(Level.WARN, f"{role} is not a member of pg_monitor")


def _quoted(role: str) -> str:
    """A role's name as SQL wants it."""
    return role if re.fullmatch(r"[a-z_][a-z0-9_]*", role) else '"' + role.replace('"', '""') + '"'


# --- sockets --------------------------------------------------------------------------------------------------

# One word, then the owning group and whether the user database already counts us in (a session keeps the groups that it
# began with).
_SOCKET = r"""
p=$1
if [ -S "$p" ] && [ -r "$p" ] && [ -w "$p" ]; then echo usable
elif [ -S "$p" ]; then
  group=$(stat -c %G "$p")
  case " $(id -nG "$(id -un)") " in *" $group "*) echo "denied $group later" ;; *) echo "denied $group no" ;; esac
elif [ -e "$p" ]; then echo other
elif [ -x "${p%/*}/" ]; then echo absent
elif [ -e "${p%/*}" ]; then echo closed
else echo absent
fi
"""


def _socket(path: str, why: str, setting: str, user: str) -> Requirement:
    return Requirement(
        f"socket:{path}",
        RequirementKind.SOCKET,
        why,
        f"Look at {setting} in the server's configuration, and that it runs.",
        CommandQuestion(command("sh", "-c", _SOCKET, "sh", path), partial(_judge_socket, path, user)),
    )


def _judge_socket(path: str, user: str, done: Completed) -> Judged:
    word, *rest = done.stdout.split() or [""]
    group, later = (one_line(rest[0], 40), rest[1]) if len(rest) == 2 else ("", "")
    if word == "denied" and later == "later":
        remedy = f"{user} is already in group {group}: that counts from the next login, so end hactl's connections."
        return Judged(Level.CRIT, f"{path} may not be used by {user} yet", remedy)
    if word == "denied":
        return Judged(Level.CRIT, f"{path} may not be used by {user}", _join(group, user))
    level, says = _SOCKET_VERDICTS.get(word, (Level.UNKNOWN, "cannot be judged: the node's shell could not tell"))
    return Judged(level, f"{path} {says}")


def _join(group: str, user: str) -> str:
    if group in {"", "root"}:
        return "Give the socket a group of its own and mode 660 in the server's configuration."
    return f"As root: usermod -aG {group} {user}; or give the socket mode 660 and a group that {user} is in."


_SOCKET_VERDICTS = {
    "usable": (Level.OK, "can be used"),
    "absent": (Level.CRIT, "does not exist"),
    "other": (Level.CRIT, "is not a socket"),
    "closed": (Level.CRIT, "is in a folder that may not be entered"),
}


# --- sudo -----------------------------------------------------------------------------------------------------


def _sudo(rule: Rule, user: str) -> Requirement:
    """`sudo -l` with a command says whether it would be allowed, and runs nothing."""
    asked = command("env", "LC_ALL=C.UTF-8", "sudo", "-n", "-l", "-u", rule.as_user, "--", *rule.argv)
    return Requirement(
        f"sudo:{rule.as_user}:{' '.join(rule.argv)}",
        RequirementKind.SUDO,
        rule.why,
        f"Add this line with `visudo -f /etc/sudoers.d/hactl`: {rule.line(user)}",
        CommandQuestion(asked, partial(_judge_sudo, rule)),
    )


def _judge_sudo(rule: Rule, done: Completed) -> Judged:
    """A rule that is only there to act with is no reason to worry on a node that is only watched: a warning."""
    what, level = _named(rule), Level.WARN if rule.acts else Level.CRIT
    if done.ok:
        return Judged(Level.OK, f"{what} may be run as {rule.as_user}")
    if done.exit == 127:
        return Judged(level, "sudo is not installed", 'Install sudo, or set `become = "none"` in the inventory.')
    if "password is required" in done.stderr:
        return Judged(level, f"sudo does not allow {what} as {rule.as_user} without a password")
    return Judged(level, f"sudo does not allow {what} as {rule.as_user}")


def _named(rule: Rule) -> str:
    """The program and what it is to do, without its options: "apt-get install shop=1.0-1"."""
    program = rule.argv[0].rpartition("/")[2]
    plain = [word for word in rule.argv[1:] if not word.startswith("-") and "::" not in word]
    return " ".join([program, *plain]) if rule.acts else program
