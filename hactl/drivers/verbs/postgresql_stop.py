"""The verb that stops a primary for good: down with everything written, and fenced, so that no boot starts it."""

from __future__ import annotations

from hactl.drivers.verbs import postgresql_commands as commands
from hactl.drivers.verbs import postgresql_server as server
from hactl.drivers.verbs.balancer_servers import listed
from hactl.drivers.verbs.command_lines import as_root
from hactl.drivers.verbs.command_lines import shown as shown_command
from hactl.drivers.verbs.database_verb import DatabaseArguments, DatabaseVerb
from hactl.model.abreast import both
from hactl.model.command import Command
from hactl.model.errors import TransportError
from hactl.model.facts import PostgresqlRole
from hactl.model.inventory import PostgresqlService
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Memory,
    Scene,
    Shown,
    Standing,
    VerbError,
    now,
    tell,
    wait,
)

_DOWN_WITHIN = 45.0  # seconds for the shutdown checkpoint to be written
_UP_WITHIN = 60.0  # seconds to take writes again when it is put back
_POLL = 0.02


class Stop(DatabaseVerb[DatabaseArguments]):
    """Its control file says when it is down; the archiver may work on for a while, and is not waited for."""

    name = "postgresql.stop"
    summary = "Stop the primary with all that it has promised written and sent, and keep it from being started."
    arguments = DatabaseArguments
    has_undo = True
    reads_back = False
    urgent = True
    deadline = 60.0
    usual = 0.8

    def first(self, scene: Scene, args: DatabaseArguments) -> tuple[Shown, ...]:
        return tuple(shown_command(scene, one) for one in _stopping(server.database(scene, args.service)))

    def rights(self, scene: Scene, args: DatabaseArguments) -> tuple[Command, ...]:
        service = server.database(scene, args.service)
        back = (as_root(*commands.unfence(service)), as_root(*commands.start(service)))
        return (*_stopping(service), *back, server.as_postgres(commands.control(service)))

    def check(self, scene: Scene, args: DatabaseArguments) -> Doing[Standing]:
        service, node = server.database(scene, args.service), scene.target.name
        unit = yield from server.unit(service, node)
        if unit.active == "active" or not unit.fenced:
            fence = "it is kept from being started" if unit.fenced else "nothing keeps it from being started"
            return Standing(done=False, sentence=f"{commands.unit(service)} on {node} is {unit.active}, {fence}")
        control = yield from server.control(service, node)
        facts = {"state": control.state, "checkpoint": _lsn(control.checkpoint), "timeline": str(control.timeline)}
        return Standing(control.clean, f"PostgreSQL on {node}: {control.state}, fenced", facts)

    def remember(self, scene: Scene, args: DatabaseArguments) -> Doing[Memory]:
        unit = yield from server.unit(server.database(scene, args.service), scene.target.name)
        return {"active": unit.active, "fenced": str(unit.fenced)}

    def do(self, scene: Scene, args: DatabaseArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - the undo's
        service, node = server.database(scene, args.service), scene.target.name
        yield from server.systemctl(service, node, commands.stop(service))
        fence = server.systemctl(service, node, commands.fence(service))
        control, _ = yield from both(_down(service, node), fence)
        return f"PostgreSQL on {node} is shut down at {_lsn(control.checkpoint)}, and fenced"

    def undo(self, scene: Scene, args: DatabaseArguments, memory: Memory) -> Doing[str]:
        """It serves again as it did; never beside another one that takes writes, or that may do so unseen."""
        service, node = server.database(scene, args.service), scene.target.name
        if memory.get("active") != "active":
            return f"PostgreSQL on {node} did not run before"
        yield from _alone(scene, service, node)
        unit = yield from server.unit(service, node)
        if unit.fenced and memory.get("fenced") != "True":
            yield from server.systemctl(service, node, commands.unfence(service))
        if unit.active != "active":
            yield from server.systemctl(service, node, commands.start(service))
        end = (yield from now()) + _UP_WITHIN
        while True:
            found = yield from server.maybe_facts(service, node)
            if not isinstance(found, str) and found.role is PostgresqlRole.PRIMARY:
                return f"{node} takes writes again, on timeline {found.timeline}"
            if (yield from now()) >= end:
                raise VerbError(
                    f"{node} does not take writes: {found if isinstance(found, str) else 'it is a standby'}"
                )
            yield from tell(f"{node} is starting")
            yield from wait(0.2, f"{node} to take writes")


def _down(service: PostgresqlService, node: str) -> Doing[server.Control]:
    """What its control file says once it is shut down."""
    end = (yield from now()) + _DOWN_WITHIN
    while not (control := (yield from server.control(service, node))).clean:
        if (yield from now()) >= end:
            raise VerbError(f"PostgreSQL on {node} is still {control.state} after {_DOWN_WITHIN:.0f} s")
        yield from wait(_POLL, f"PostgreSQL on {node} to be shut down")
    return control


def _stopping(service: PostgresqlService) -> tuple[Command, ...]:
    return (as_root(*commands.stop(service)), as_root(*commands.fence(service)))


def _lsn(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:08X}"


def _alone(scene: Scene, service: PostgresqlService, node: str) -> Doing[None]:
    """Raises VerbError unless every other server says that it is in recovery, or is proven to be down and fenced."""
    doubt = []
    for other in server.others(scene, service, node):
        found = yield from server.maybe_facts(service, other.name)
        if not isinstance(found, str):
            if found.role is PostgresqlRole.PRIMARY:
                doubt.append(f"{other.name} takes writes by now")
            continue
        try:
            unit = yield from server.unit(service, other.name)
            down = unit.down
        except (VerbError, TransportError):
            down = False
        if not down:
            doubt.append(f"{other.name} cannot be asked ({found})")
    if doubt:
        remedy = f"Bring it back as a standby: hactl rejoin {node}."
        raise VerbError(f"{node} stays fenced: {listed(doubt)}", remedy=remedy)


VERBS: tuple[AnyVerb, ...] = (Stop(),)
