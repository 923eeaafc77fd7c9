"""The scratch space of a restore drill as its verbs see it: whose it is, how far it is, and how it is taken down.

Nothing is removed but what lies where hactl puts it and says itself whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hactl.drivers.drill import MARKER, Marker, began, read_marker
from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs.command_lines import known, mutating
from hactl.drivers.verbs.drill_commands import EXAMPLE, Scratch
from hactl.model.command import Command, Completed, command
from hactl.model.inventory import PgbackrestService, PostgresqlService
from hactl.model.verb import Doing, Scene, Shown, VerbError, exit_sentence, run, wait

LONG = 12 * 3600.0  # seconds that a restore, a recovery or a look at all of it may take
_SHORT = 60.0
_PATIENCE = 60  # looks for processes that are to end, two a second
ABSENT = "absent"
"""What `prepare` remembers of a place where nothing was."""
_NOTHING = "No such file or directory"
_SOCKET_LIMIT = 107  # bytes of sun_path, less the final NUL


def backups(scene: Scene, name: str) -> PgbackrestService:
    found = scene.inventory.services[name]
    assert isinstance(found, PgbackrestService), "`problem` has looked"  # noqa: S101 - says so to mypy
    return found


def database(scene: Scene, service: PgbackrestService) -> PostgresqlService:
    found = scene.inventory.services[service.database]
    assert isinstance(found, PostgresqlService), "`config` has looked"  # noqa: S101 - likewise
    return found


def scratch_of(scene: Scene, name: str, run_id: str = "") -> Scratch:
    """Of this run, or of another one. While a plan is made there is none yet."""
    service = backups(scene, name)
    return Scratch(service, database(scene, service), run_id or scene.run or EXAMPLE)


def objection(scene: Scene, name: str) -> str:
    """Why there can be no drill of this service on this node; "" when there can."""
    service = scene.inventory.services.get(name)
    if not isinstance(service, PgbackrestService):
        return f"{name} is no pgbackrest service"
    if service.drill_user is None:
        return f"the inventory names no drill_user of {name}, so nobody may restore it"
    kept = scene.inventory.services[service.database]
    if isinstance(kept, PostgresqlService) and kept.version < 12:
        return f"{name} is of PostgreSQL {kept.version}: a drill needs 12 or later"
    if scene.target.name in kept.nodes:
        return f"{scene.target.name} is a server of {kept.name}: a drill has to be elsewhere"
    socket = f"{service.drill_directory}/{EXAMPLE}/socket/.s.PGSQL.{service.drill_port}"
    return f"{service.drill_directory} is too long a path for a socket" if len(socket) > _SOCKET_LIMIT else ""


# --- asking and acting as the drill's user ------------------------------------------------------------------------


def reading(service: PgbackrestService, argv: tuple[str, ...], *, timeout: float = 30.0) -> Command:
    return command(*argv, as_user=service.drill_user, timeout=timeout)


def acting(service: PgbackrestService, argv: tuple[str, ...], *, stdin: str = "", timeout: float = _SHORT) -> Command:
    return mutating(argv, as_user=service.drill_user, timeout=timeout, stdin=stdin.encode())


def done(scene: Scene, asked: Command, what: str) -> Doing[Completed]:
    """Raises VerbError where it failed, ConnectionLostError where nobody knows."""
    completed = yield from run(asked)
    if known(scene, completed, what):
        raise VerbError(exit_sentence(completed, what))
    return completed


def plan_line(scene: Scene, asked: Command) -> Shown:
    """As a plan shows it: the run has no name yet."""
    become = f"sudo -u {asked.as_user} " if asked.as_user is not None else ""
    return Shown(scene.target.name, become + asked.shown().replace(EXAMPLE, "RUN"))


def example(scene: Scene) -> Scene:
    """The scene with a run's id that rules allow, where there is none yet."""
    return scene if scene.run else replace(scene, run=EXAMPLE)


# --- how far it is ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """`marked`: it says whose it is; `ours`: hactl made it for this service and run. `prepared`: nothing is missing to
    restore. `restored`: pgBackRest has ended well. `found`: what the checks have given.
    """

    there: bool = False
    marked: bool = False
    ours: bool = False
    prepared: bool = False
    restored: bool = False
    found: str = ""


def look(scene: Scene, scratch: Scratch) -> Doing[State]:
    """Raises VerbError where nobody can tell."""
    completed = yield from run(reading(scratch.service, commands.look(scratch)))
    if not completed.ok and _NOTHING in completed.stderr and not completed.stdout:
        return State()
    if not completed.ok:
        raise VerbError(exit_sentence(completed, f"looking at {scratch.root}"))
    told = _told(completed.stdout, scratch.root)
    marker = read_marker(told.get(scratch.marker, ""))
    ours = marker == Marker(scratch.run, scene.inventory.name, scratch.service.name, marker.since if marker else 0)
    complete = f"{scratch.data}/global/pg_control" in told and f"{scratch.data}/backup.manifest" not in told
    return State(
        there=True,
        marked=scratch.marker in told,
        ours=ours,
        prepared=ours and scratch.sums in told,
        restored=ours and complete,
        found=told.get(scratch.found, ""),
    )


def claim(scene: Scene, scratch: Scratch) -> Doing[None]:
    """Say whose it is."""
    marker = Marker(scratch.run, scene.inventory.name, scratch.service.name, began(scratch.run))
    argv = commands.write(scratch, MARKER)
    yield from done(scene, acting(scratch.service, argv, stdin=marker.text), "tee")


def _told(text: str, root: str) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line == root or line.startswith(f"{root}/"):
            current = found.setdefault(line, [])
        else:
            current.append(line)
    return {path: "\n".join(lines) for path, lines in found.items()}


def working(scratch: Scratch) -> Doing[tuple[str, ...]]:
    """The command lines that work there now."""
    completed = yield from run(command(*commands.working(scratch)))
    if completed.exit not in {0, 1}:
        raise VerbError(exit_sentence(completed, "pgrep"))
    return tuple(line.partition(" ")[2] for line in completed.stdout.splitlines())


# --- taking it down -----------------------------------------------------------------------------------------------


def torn_down(scene: Scene, scratch: Scratch) -> Doing[str]:
    """Stop what works there, remove what is there. Raises VerbError for what is not ours."""
    state = yield from look(scene, scratch)
    if not state.there:
        return f"{scratch.root} is gone"
    if not state.marked and scene.remembered.get("prepare", {}).get("scratch") == ABSENT and scratch.run == scene.run:
        yield from claim(scene, scratch)  # this run made it, and was cut off before it could say so
        state = yield from look(scene, scratch)
    if not state.ours:
        raise VerbError(
            f"{scratch.root} does not say that hactl made it for this: it is left alone",
            remedy=f"Look at it on {scene.target.name}, and remove it by hand.",
        )
    yield from _stopped(scene, scratch)
    yield from done(scene, acting(scratch.service, commands.clear(scratch), timeout=600.0), "rm")
    yield from done(scene, acting(scratch.service, commands.remove(scratch)), "rm")
    return f"the server is stopped, {scratch.root} is gone"


def _stopped(scene: Scene, scratch: Scratch) -> Doing[None]:
    """The server by its own pid file, whatever else by the path in its words."""
    status = yield from run(reading(scratch.service, commands.status(scratch)))
    if status.exit == 0:
        stopping = yield from run(acting(scratch.service, commands.stop(scratch), timeout=90.0))
        known(scene, stopping, "pg_ctl stop")  # whether it has is seen below
    for _ in range(_PATIENCE):
        if not (yield from working(scratch)):
            return
        ending = yield from run(acting(scratch.service, commands.end(scratch)))
        known(scene, ending, "pkill")
        yield from wait(0.5, "the drill's processes end")
    raise VerbError(f"processes of the drill on {scene.target.name} do not end")


# --- when ---------------------------------------------------------------------------------------------------------


def moment(text: str) -> str:
    """A time as pgBackRest takes it, in UTC. Without a zone it is UTC. Raises ValueError."""
    try:
        at = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except ValueError:
        raise ValueError(f'{text} is no time: write "2026-11-21 14:30:05", in UTC, or with its zone') from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S") + (f".{at.microsecond:06d}" if at.microsecond else "") + "+00"


def epoch(text: str) -> float:
    """Of a time as `moment` writes it."""
    return datetime.fromisoformat(text.replace("+00", "+00:00")).timestamp()
