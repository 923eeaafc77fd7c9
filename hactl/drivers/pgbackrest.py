"""pgBackRest: what a stanza holds, by `info` on the repository host; one repository or several."""

from __future__ import annotations

from functools import partial

from hactl.drivers.probe import Asked, Cadence, ExecProbe
from hactl.drivers.reading import Record, explained, json_of
from hactl.model.command import Command, Completed, command
from hactl.model.errors import ParseError
from hactl.model.facts import Backup, PgbackrestFacts, RepositoryStatus
from hactl.model.inventory import PgbackrestService
from hactl.model.text import safe

_WHAT = "pgBackRest's answer"
_TIMEOUT = 30.0  # seconds: a repository in an object store on the other side of the world answers within that


def info_argv(service: PgbackrestService) -> tuple[str, ...]:
    """The one spelling of the question: a sudoers rule allows exactly these words."""
    return ("pgbackrest", f"--stanza={service.stanza}", "--output=json", "info")


def info_command(service: PgbackrestService) -> Command:
    """Asked on the repository host, as the user who may read the repositories."""
    return command(*info_argv(service), as_user=service.os_user, timeout=_TIMEOUT)


def info(service: PgbackrestService) -> ExecProbe:
    """What the repositories hold, asked on the repository host as the user who may read them."""
    asked = info_command(service)
    return ExecProbe(f"pgbackrest:{service.name}", Cadence.SLOW, _TIMEOUT, asked, partial(parse, service.stanza))


def parse(stanza: str, done: Completed, asked: Asked) -> PgbackrestFacts:
    """Facts of one stanza. `now` is by our own clock: backups are hours old, clocks are watched elsewhere."""
    if not done.ok:
        raise ParseError(explained(done, "pgbackrest info"))
    answer = json_of(done.stdout, "pgbackrest info")
    if not isinstance(answer, list):
        raise ParseError(f"{_WHAT} is not a list of stanzas.")
    told = next((one for one in (Record.of(item, _WHAT) for item in answer) if one.text("name", "") == stanza), None)
    if told is None:
        raise ParseError(f"pgBackRest knows no stanza {stanza}.")
    status = told.record("status")
    databases = sorted(told.records("db"), key=lambda row: row.integer("id"))
    newest = databases[-1].integer("id") if databases else 1
    archives = [row for row in told.records("archive") if row.record("database").integer("id") == newest]
    return PgbackrestFacts(
        stanza=stanza,
        code=status.integer("code"),
        message=status.text("message", ""),
        repositories=_repositories(told, status),
        backups=tuple(sorted(map(_backup, told.records("backup")), key=lambda one: (one.stopped, one.label))),
        archive_min=_segments(archives, "min"),
        archive_max=_segments(archives, "max"),
        system_identifier=str(databases[-1].integer("system-id")) if databases else "",
        now=(asked.sent + asked.received) / 2,
        running=_running(status),
    )


def _repositories(told: Record, status: Record) -> tuple[RepositoryStatus, ...]:
    """Each repository's status; before there could be several, the stanza's is that of the only one."""
    rows = told.records("repo")
    if not rows:
        return (RepositoryStatus(1, status.integer("code"), status.text("message", "")),)
    return tuple(
        RepositoryStatus(row.integer("key"), one.integer("code"), one.text("message", ""))
        for row, one in ((row, row.record("status")) for row in rows)
    )


def _backup(row: Record) -> Backup:
    database, archive, times = row.record("database"), row.record("archive"), row.record("timestamp")
    info = row.record("info")
    return Backup(
        label=row.text("label"),
        kind=row.text("type"),
        repository=database.integer("repo-key", 1),
        started=times.number("start"),
        stopped=times.number("stop"),
        size=info.integer("size"),
        wal_start=archive.text("start", ""),
        wal_stop=archive.text("stop", ""),
        error=row.flag("error", default=False),  # older versions do not say
        database_id=database.integer("id"),
        prior=row.text("prior", ""),
        stored=info.record("repository").maybe_integer("delta"),
        notes=_notes(row),
    )


def _notes(row: Record) -> dict[str, str]:
    """Annotations; versions before 2.41 know none."""
    if row.fields.get("annotation") is None:
        return {}
    told = row.record("annotation")
    return {safe(key): told.text(key) for key in told.fields}


def _segments(archives: list[Record], end: str) -> dict[int, str]:
    """The first or last WAL segment of each repository that has any, of the newest database."""
    named = {row.record("database").integer("repo-key", 1): row.text(end, "") for row in archives}
    return {repository: segment for repository, segment in named.items() if segment}


def _running(status: Record) -> bool:
    """Is the backup lock held? Versions before 2.34 do not tell: then no."""
    if status.fields.get("lock") is None:
        return False
    return status.record("lock").record("backup").flag("held")
