"""What `hactl backup list -o json` tells of files that restic keeps."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.assess.base import because
from hactl.model.facts import Snapshot
from hactl.model.observed import Unknown
from hactl.model.snapshots import Kept, run_of
from hactl.model.stores import Files
from hactl.view.rooms import DiskEntry, disk_entry


@dataclass(frozen=True, slots=True)
class SnapshotEntry:
    """`started` is epoch seconds. `bytes` of the files, `stored_bytes` and `took_seconds` are null where restic, before
    version 0.17, does not say. `run`: the run of hactl that took it.
    """

    id: str
    started: float
    age_seconds: float
    took_seconds: float | None
    bytes: int | None
    stored_bytes: int | None
    paths: list[str]
    run: str | None


@dataclass(frozen=True, slots=True)
class FilesRepository:
    """What is kept of the files of `node`. `unknown`: why it cannot be asked. `trouble`: a word for what is wrong with
    the repository (absent, password, unreachable, locked, damaged), null for nothing; `message` in restic's words.
    `disk` is null for one that lies in no folder of a node.
    """

    service: str
    node: str
    repository: str
    unknown: str | None
    trouble: str | None
    message: str | None
    max_age_seconds: float
    disk: DiskEntry | None
    snapshots: list[SnapshotEntry]


def files_repository(one: Files) -> FilesRepository:
    known, service = one.known, one.service
    trouble, message = known.status if known is not None else (None, None)
    return FilesRepository(
        service=service.name,
        node=one.node,
        repository=service.repository_of(one.node),
        unknown=because(one.kept, one.node) if isinstance(one.kept, Unknown) else None,
        trouble=trouble or None,
        message=message,
        max_age_seconds=service.max_age,
        disk=disk_entry(one.disk),
        snapshots=[_entry(known, snapshot) for snapshot in reversed(known.snapshots)] if known is not None else [],
    )


def _entry(kept: Kept, snapshot: Snapshot) -> SnapshotEntry:
    return SnapshotEntry(
        id=snapshot.id,
        started=snapshot.taken,
        age_seconds=round(kept.age(snapshot), 1),
        took_seconds=snapshot.took,
        bytes=snapshot.size,
        stored_bytes=snapshot.stored,
        paths=list(snapshot.paths),
        run=run_of(snapshot) or None,
    )
