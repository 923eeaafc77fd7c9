"""One PostgreSQL server as verbs see it: asked by psql on its own node, its control file, its unit.

SQL goes through standard input, so that neither a process list nor a journal shows a connection string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hactl.drivers import postgresql
from hactl.drivers.probe import Asked
from hactl.drivers.verbs import postgresql_commands as commands
from hactl.drivers.verbs.command_lines import as_root, mutating
from hactl.drivers.verbs.postgresql_commands import OS_USER
from hactl.model.command import Command, Completed, command
from hactl.model.errors import ConnectionLostError, ParseError, TransportError
from hactl.model.facts import PostgresqlFacts, PostgresqlRole
from hactl.model.inventory import Node, PostgresqlManager, PostgresqlService
from hactl.model.observed import Unknown
from hactl.model.verb import Doing, Scene, Shown, VerbError, exit_sentence, run

SHUT_DOWN = "shut down"
_WORK = 90.0  # seconds that systemctl may take


def database(scene: Scene, name: str) -> PostgresqlService:
    service = scene.inventory.services.get(name)
    if not isinstance(service, PostgresqlService):
        raise VerbError(f"{name} is no postgresql service")
    return service


def objection(scene: Scene, name: str, *nodes: str) -> str:
    """Why these verbs can never act on this service and these nodes; "" when they can."""
    service = scene.inventory.services.get(name)
    if not isinstance(service, PostgresqlService):
        return f"{name} is no postgresql service"
    if service.manager is not PostgresqlManager.PLAIN:
        return f"{service.manager} manages {name}: nothing is done behind its back"
    strangers = [node for node in nodes if node and node not in service.nodes]
    if strangers:
        return f"{strangers[0]} does not provide {name}"
    twice = len(set(filter(None, nodes))) < len([node for node in nodes if node])
    return f"{nodes[0]} cannot take the place of itself" if twice else ""


# --- SQL ----------------------------------------------------------------------------------------------------------


def sql(service: PostgresqlService, text: str, *, mutates: bool = False, timeout: float = 10.0) -> Command:
    user = ("-U", service.user) if service.user is not None else ()
    where = ("-h", service.socket_directory, "-p", str(service.port), "-d", service.database, *user)
    argv = ("psql", "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", *where, "-f", "-")
    return Command(argv, stdin=f"{text}\n".encode(), mutates=mutates, timeout=timeout)


def shown(node: str, statement: str) -> Shown:
    return Shown(node, f"psql -c {statement!r}" if "'" not in statement else f'psql -c "{statement}"')


def literal(text: str) -> str:
    """A string in SQL."""
    return "'" + text.replace("'", "''") + "'"


def query(service: PostgresqlService, node: str, text: str) -> Doing[str]:
    """What it answers. Raises VerbError."""
    return _answer((yield from run(sql(service, text), node)), node)


def maybe_query(service: PostgresqlService, node: str, text: str) -> Doing[str]:
    """The same; "" where it does not answer."""
    try:
        return (yield from query(service, node, text))
    except (VerbError, TransportError):
        return ""


def order(service: PostgresqlService, node: str, text: str, timeout: float = 30.0) -> Doing[str]:
    """The same, of a statement that changes something. Raises ConnectionLostError where its outcome is unknown."""
    done = yield from run(sql(service, text, mutates=True, timeout=timeout), node)
    if isinstance(done.exit, Unknown):
        raise ConnectionLostError(node, exit_sentence(done, "psql"))
    return _answer(done, node)


def _answer(done: Completed, node: str) -> str:
    if done.ok:
        return done.stdout.strip()
    said = [line for line in done.stderr.splitlines() if "ERROR:" in line or "FATAL:" in line]
    why = said[0].split(":", 3)[-1].strip() if said else exit_sentence(done, "psql")
    denied = "permission denied" in why or "must be" in why
    remedy = "docs/database.md lists what hactl's role has to be granted." if denied else ""
    raise VerbError(f"PostgreSQL on {node}: {why}", remedy=remedy)


def facts(service: PostgresqlService, node: str) -> Doing[PostgresqlFacts]:
    """All that it says of itself now. Raises VerbError, TransportError."""
    text = yield from query(service, node, postgresql.SQL)
    try:
        return postgresql.parse(text, Asked(0.0, 0.0))
    except ParseError as error:
        raise VerbError(f"PostgreSQL on {node}: {error.message}") from None


def maybe_facts(service: PostgresqlService, node: str) -> Doing[PostgresqlFacts | str]:
    """The same; or why it does not answer."""
    try:
        return (yield from facts(service, node))
    except VerbError as error:
        return error.sentence
    except TransportError as error:
        return error.message.rstrip(".")


def others(scene: Scene, service: PostgresqlService, but: str) -> tuple[Node, ...]:
    return tuple(scene.inventory.nodes[name] for name in service.nodes if name != but)


def primary(found: PostgresqlFacts | str) -> bool:
    return not isinstance(found, str) and found.role is PostgresqlRole.PRIMARY


# --- the control file ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Control:
    """What pg_controldata says. `checkpoint` is a position in bytes."""

    state: str
    checkpoint: int
    timeline: int
    system_identifier: str

    @property
    def clean(self) -> bool:
        """Every backend has ended and a checkpoint has been written after them: it takes nothing more."""
        return self.state == SHUT_DOWN


_LABELS: Mapping[str, str] = {
    "Database cluster state": "state",
    "Latest checkpoint location": "checkpoint",
    "Latest checkpoint's TimeLineID": "timeline",
    "Database system identifier": "system",
}


def as_postgres(argv: tuple[str, ...], *, mutates: bool = False, timeout: float = 15.0) -> Command:
    if mutates:
        return mutating(argv, as_user=OS_USER, timeout=timeout)
    return command(*argv, as_user=OS_USER, timeout=timeout)


def control(service: PostgresqlService, node: str) -> Doing[Control]:
    done = yield from run(as_postgres(commands.control(service)), node)
    if not done.ok:
        raise VerbError(exit_sentence(done, f"pg_controldata on {node}"))
    return read_control(done.stdout, node)


def read_control(text: str, node: str) -> Control:
    told = {}
    for line in text.splitlines():
        label, colon, value = line.partition(":")
        if colon and label in _LABELS:
            told[_LABELS[label]] = value.strip()
    try:
        return Control(told["state"], position(told["checkpoint"]), int(told["timeline"]), told["system"])
    except (KeyError, ValueError):
        raise VerbError(f"pg_controldata on {node} did not tell what is wanted") from None


def position(text: str) -> int:
    """Bytes, from "0/3000060". Raises ValueError."""
    found = re.fullmatch(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})", text.strip())
    if found is None:
        raise ValueError(f"no position in the WAL: {text}")
    return (int(found[1], 16) << 32) + int(found[2], 16)


# --- its unit -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unit:
    """`fenced`: no boot starts it."""

    active: str
    fenced: bool

    @property
    def down(self) -> bool:
        return self.active in {"inactive", "failed"}


def unit(service: PostgresqlService, node: str) -> Doing[Unit]:
    """Raises VerbError. Whether it is masked is read from the disk: systemd may not have looked there yet."""
    name = commands.unit(service)
    script = 'systemctl show -p ActiveState --value -- "$1"; systemctl is-enabled -- "$1" || :'
    done = yield from run(command("sh", "-c", script, "sh", name), node)
    active, _, enabled = done.stdout.strip().partition("\n")
    if not done.ok or not active:
        raise VerbError(exit_sentence(done, f"asking systemd on {node} for {name}"))
    return Unit(active.strip(), enabled.strip() in {"masked", "masked-runtime"})


def systemctl(service: PostgresqlService, node: str, argv: tuple[str, ...]) -> Doing[None]:
    done = yield from run(as_root(*argv, timeout=_WORK), node)
    if isinstance(done.exit, Unknown):
        raise ConnectionLostError(node, exit_sentence(done, " ".join(argv)))
    if not done.ok:
        remedy = f"Look at journalctl -u {commands.unit(service)} on {node}."
        raise VerbError(exit_sentence(done, f"{' '.join(argv)} on {node}"), remedy=remedy)
