"""What `hactl backup list -o json` and `... info -o json` print: a document with a version, whose fields stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from hactl.model.assess.base import because
from hactl.model.backups import Repository, primary_lsn
from hactl.model.facts import Backup
from hactl.model.holdings import RUN_NOTE, Holdings
from hactl.model.observed import Unknown
from hactl.model.picture import Picture
from hactl.model.stores import Files
from hactl.view.document import Json
from hactl.view.files_document import FilesRepository, files_repository
from hactl.view.rooms import DiskEntry, disk_entry

SCHEMA = "hactl.backups/1"


@dataclass(frozen=True, slots=True)
class BackupEntry:
    """`started` and `stopped` are epoch seconds. `bytes`: of the database then; `stored_bytes`: what the repository
    took for it, null where it does not say. `prior`: what it builds on. `restorable`: without errors, and with all that
    it builds on. `run`: the run of hactl that took it.
    """

    label: str
    type: str
    started: float
    stopped: float
    age_seconds: float
    bytes: int
    stored_bytes: int | None
    wal_start: str
    wal_stop: str
    prior: str | None
    error: bool
    restorable: bool
    run: str | None


@dataclass(frozen=True, slots=True)
class BackupRepository:
    """`unknown`: why it cannot be asked; then everything below is null or empty. `code` is the tool's own, 0 is ok.
    `oldest_wal` and `newest_wal` are the ends of the archive; `wal_gap_segments` what the primary has finished since.
    `disk` is null for one that lies in no folder of a node.
    """

    service: str
    number: int
    node: str
    stanza: str
    unknown: str | None
    code: int | None
    message: str | None
    running: bool | None
    oldest_wal: str | None
    newest_wal: str | None
    wal_gap_segments: int | None
    max_age_full_seconds: float
    max_age_any_seconds: float
    disk: DiskEntry | None
    backups: list[BackupEntry]


@dataclass(frozen=True, slots=True)
class BackupsDocument:
    """The repositories of a cluster, backups newest first; `files`: those of nodes' files. `at` is epoch seconds."""

    schema: str
    cluster: str
    at: float
    repositories: list[BackupRepository]
    files: list[FilesRepository]


def backups_document(picture: Picture, found: Iterable[Repository], files: Iterable[Files] = ()) -> dict[str, Json]:
    return asdict(
        BackupsDocument(
            SCHEMA,
            picture.state.inventory.name,
            round(picture.state.wall(picture.now), 3),
            [_repository(picture, one) for one in found],
            [files_repository(one) for one in files],
        )
    )


def _repository(picture: Picture, one: Repository) -> BackupRepository:
    service, known = one.service, one.known
    unknown = because(one.holdings, service.repository_host) if isinstance(one.holdings, Unknown) else None
    code, message = known.status if known is not None else (None, None)
    return BackupRepository(
        service=service.name,
        number=one.number,
        node=service.repository_host,
        stanza=service.stanza,
        unknown=unknown,
        code=code,
        message=message,
        running=known.facts.running if known else None,
        oldest_wal=(known.oldest_wal or None) if known else None,
        newest_wal=(known.newest_wal or None) if known else None,
        wal_gap_segments=known.gap(primary_lsn(service, picture)) if known else None,
        max_age_full_seconds=service.max_age_full,
        max_age_any_seconds=service.max_age_any,
        disk=disk_entry(one.disk),
        backups=[_entry(known, backup) for backup in reversed(known.backups)] if known else [],
    )


def _entry(holdings: Holdings, backup: Backup) -> BackupEntry:
    return BackupEntry(
        label=backup.label,
        type=backup.kind,
        started=backup.started,
        stopped=backup.stopped,
        age_seconds=round(holdings.age(backup), 1),
        bytes=backup.size,
        stored_bytes=backup.stored,
        wal_start=backup.wal_start,
        wal_stop=backup.wal_stop,
        prior=backup.prior or None,
        error=backup.error,
        restorable=not backup.error and backup.label not in holdings.broken | holdings.lacking,
        run=backup.notes.get(RUN_NOTE),
    )
