"""What was last seen of each database's primary, kept in a file: so that a hactl that starts after the primary is gone
can still say how far it was, and that a role changed while nobody looked.

The file is no journal: it may be lost, and a newer sight replaces an older one. It never fails what it serves.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from hactl.model.codec import Json, plain, restored
from hactl.model.picture import Picture
from hactl.model.role_history import RoleChange, Sighting, changed, sightings
from hactl.model.state import Sample

log = logging.getLogger("hactl.engine")

_EVERY = 10.0  # seconds between two writes while nothing changes
_KEPT = 200  # changes of a cluster
_INTERVAL = 2.0  # of the probe that has told: what is recalled is long stale
_SCHEMA = 1


class Sightings:
    """Of one cluster. Used by whoever makes pictures; not thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, Sighting] = {}
        self._changes: list[RoleChange] = []
        self._written = 0.0  # epoch seconds
        self._loaded = False

    @property
    def changes(self) -> tuple[RoleChange, ...]:
        """Changes of roles that were noticed, oldest first."""
        self._load()
        return tuple(self._changes)

    def recalled(self, epoch: float) -> Iterator[Sample]:
        """What was seen, as the answers that they were. `epoch`: the wall clock when the monotonic one read 0."""
        self._load()
        for service, one in self._seen.items():
            yield Sample(one.node, f"postgresql:{service}", one.at - epoch, _INTERVAL, one.facts)

    def take(self, picture: Picture) -> None:
        """Look at a picture: cheap, and writes now and then."""
        self._load()
        news = False
        for service, one in sightings(picture).items():
            before = self._seen.get(service)
            if before is not None and one.at <= before.at:
                continue
            if before is not None and (change := changed(service, before, one)) is not None:
                self._changes = [*self._changes, change][-_KEPT:]
                news = True
            self._seen[service] = one
            news = news or one.at - self._written >= _EVERY
        if news:
            self._write()

    # --- the file ---------------------------------------------------------------------------------------------

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        try:
            document = json.loads(self._path.read_bytes())
            self._seen = {name: restored(Sighting, one) for name, one in document["seen"].items()}
            self._changes = [restored(RoleChange, one) for one in document["changes"]]
            self._written = max((one.at for one in self._seen.values()), default=0.0)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s cannot be read, so nothing is remembered: %s", self._path, error)

    def _write(self) -> None:
        self._written = max((one.at for one in self._seen.values()), default=0.0)
        try:
            _replace(self._path, _document(self._seen, self._changes))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)


def _document(seen: Mapping[str, Sighting], changes: list[RoleChange]) -> Json:
    return {
        "schema": _SCHEMA,
        "seen": {name: plain(one) for name, one in seen.items()},
        "changes": [plain(one) for one in changes],
    }


def _replace(path: Path, document: Json) -> None:
    """In one step, for nobody else to read: what a database is called and how far it is, is nobody's business."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, separators=(",", ":"))
    temporary.replace(path)
