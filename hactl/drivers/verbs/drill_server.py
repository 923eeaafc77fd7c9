"""The restored server of a drill: how it is configured so that nobody can reach it and it reaches nobody, and asked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hactl.drivers.verbs import drill_commands as commands
from hactl.drivers.verbs.drill_commands import Scratch, Target
from hactl.drivers.verbs.drill_scratch import LONG, reading
from hactl.model.command import Command, Completed
from hactl.model.verb import Doing, Scene, VerbError, exit_sentence, run

HBA = "# Written by hactl: whoever may enter the directory of the socket is the drill's user.\nlocal all all trust\n"

# A standby has to have at least as much of these as the primary whose WAL it replays.
_AT_LEAST = {
    "max_connections setting": "max_connections",
    "max_worker_processes setting": "max_worker_processes",
    "max_wal_senders setting": "max_wal_senders",
    "max_prepared_xacts setting": "max_prepared_transactions",
    "max_locks_per_xact setting": "max_locks_per_transaction",
}
_LOG = re.compile(r"\b(FATAL|PANIC|ERROR): +(?!the database system is )(.*)$")  # that is said to whoever asks too early
_NAMEDATALEN = 64


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the copy is. `at`: epoch second of its last transaction; None: it has replayed none."""

    recovering: bool
    lsn: int
    at: float | None


def settings(scratch: Scratch, target: Target, needed: dict[str, int]) -> str:
    """The whole configuration: the primary's own is not read."""
    plain: dict[str, str | int] = {
        "listen_addresses": "",
        "port": scratch.service.drill_port,
        "unix_socket_directories": scratch.socket,
        "unix_socket_permissions": "0700",
        "hba_file": f"{scratch.root}/pg_hba.conf",
        "cluster_name": f"{scratch.root}/"[: _NAMEDATALEN - 1],  # so that every process says whose it is
        "archive_mode": "off",
        "archive_command": "",
        "restore_command": commands.fetch(scratch, target.repository),
        "recovery_target_timeline": "latest",
        **_target(target),
        "primary_conninfo": "",
        "primary_slot_name": "",
        "hot_standby": "on",
        "shared_preload_libraries": "",
        "session_preload_libraries": "",
        "local_preload_libraries": "",
        "max_logical_replication_workers": 0,  # a subscription would take from its publisher what is not for a copy
        "autovacuum": "off",
        "ssl": "off",
        "jit": "off",
        "huge_pages": "off",
        "restart_after_crash": "off",
        "log_destination": "stderr",
        "logging_collector": "off",
        "lc_messages": "C",
        "timezone": "UTC",
        **needed,
    }
    return "# Written by hactl.\n" + "".join(f"{name} = {_quoted(value)}\n" for name, value in plain.items())


def _target(target: Target) -> dict[str, str]:
    if target.time:
        return {"recovery_target_time": target.time, "recovery_target_action": "promote"}
    if target.set:
        return {"recovery_target": "immediate", "recovery_target_action": "promote"}
    return {}


def _quoted(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def read_needed(text: str) -> dict[str, int]:
    """What pg_controldata says that the server has to have at least. Raises VerbError."""
    told = dict(line.partition(":")[::2] for line in text.splitlines())
    try:
        return {name: int(told[label]) for label, name in _AT_LEAST.items()}
    except (KeyError, ValueError):
        raise VerbError("pg_controldata did not tell what the restored server needs") from None


# --- asking it ----------------------------------------------------------------------------------------------------


def statement(scratch: Scratch, database: str, text: str, *, timeout: float = LONG) -> Command:
    asked = reading(scratch.service, commands.sql(scratch, database), timeout=timeout)
    return Command(asked.argv, stdin=f"{text}\n".encode(), as_user=asked.as_user, timeout=timeout)


_REACHED = """SELECT pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn() - '0/0', 0),
coalesce(extract(epoch FROM pg_last_xact_replay_timestamp()), 0)"""


def reached(scratch: Scratch) -> Doing[Reached | None]:
    """None while it answers nobody."""
    said: Completed = yield from run(statement(scratch, "postgres", _REACHED, timeout=30.0))
    if not said.ok:
        return None
    try:
        recovering, lsn, at = said.stdout.strip().split("|")
        return Reached(recovering == "t", int(lsn), float(at) or None)
    except ValueError:
        raise VerbError("the restored server did not tell how far it is") from None


def running(scratch: Scratch) -> Doing[bool]:
    said: Completed = yield from run(reading(scratch.service, commands.status(scratch)))
    if said.exit not in {0, 3, 4}:
        raise VerbError(exit_sentence(said, "pg_ctl status"))
    return said.ok


def why_not(scene: Scene, scratch: Scratch) -> Doing[str]:
    """The last complaint in the server's log."""
    said: Completed = yield from run(reading(scratch.service, commands.said(scratch)))
    found = [match for line in said.stdout.splitlines() if (match := _LOG.search(line))]
    grave = [match[2] for match in found if match[1] != "ERROR"] or [match[2] for match in found]
    # The first: what follows from it comes later.
    return grave[0] if grave else f"see {scratch.log} on {scene.target.name}"
