"""Where copies are kept, whatever tool keeps them: repositories of pgBackRest and of restic look alike here. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hactl.model.backups import Repository, repositories
from hactl.model.facts import ResticFacts
from hactl.model.inventory import Inventory, PgbackrestService, ResticService, Service, ServiceKind
from hactl.model.observed import Maybe, Observed, Unknown
from hactl.model.picture import Picture
from hactl.model.rooms import Disk, disks
from hactl.model.snapshots import Kept


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds. Of copies that cannot be used nothing is counted."""

    newest: float | None  # seconds since the newest usable one; None: there is none
    count: int
    stored: int | None  # bytes that all of them take; None: nobody says
    well: bool  # by the tool's own word
    status: str


@dataclass(frozen=True, slots=True)
class Store:
    """A repository of the inventory. `name` tells it apart from others of its service."""

    service: str
    tool: str
    name: str
    node: str  # that is asked for it
    contents: Maybe[Contents]

    @property
    def key(self) -> str:
        return f"{self.service}/{self.name}"

    @property
    def restorable(self) -> bool:
        """It is known to hold something that can be restored."""
        return isinstance(self.contents, Observed) and self.contents.value.count > 0


@dataclass(frozen=True, slots=True)
class BackupTool:
    """A tool that keeps copies for services of `kind`: its stores, and the playbooks that act on them."""

    kind: ServiceKind
    name: str  # as its makers write it
    take: str
    verify: str
    drill: str
    clean: str
    stores: Callable[[Service, Picture], tuple[Store, ...]]


@dataclass(frozen=True, slots=True)
class Files:
    """A node's repository of files and what it holds, or why that cannot be told."""

    service: ResticService
    node: str
    kept: Maybe[Kept]
    disk: Disk | None = None  # None: it lies in no folder of a node

    @property
    def known(self) -> Kept | None:
        return self.kept.value if isinstance(self.kept, Observed) else None


def files(service: ResticService, picture: Picture) -> tuple[Files, ...]:
    """Those of the service's nodes, in inventory order."""
    held = disks(service, picture)
    return tuple(Files(service, node, _kept(service, node, picture), held.get(node)) for node in service.nodes)


def _kept(service: ResticService, node: str, picture: Picture) -> Maybe[Kept]:
    answer = picture.state.nodes[node].read(f"restic:{service.name}", ResticFacts, picture.now)
    if isinstance(answer, Unknown):
        return answer
    at = answer.value.now + answer.age(picture.now)
    return Observed(Kept(node, answer.value, at), answer.at)


def _of_pgbackrest(service: Service, picture: Picture) -> tuple[Store, ...]:
    if not isinstance(service, PgbackrestService):
        return ()
    return tuple(
        Store(service.name, "pgBackRest", str(one.number), service.repository_host, _held(one))
        for one in repositories(service, picture)
    )


def _held(one: Repository) -> Maybe[Contents]:
    if isinstance(one.holdings, Unknown):
        return one.holdings
    held = one.holdings.value
    code, message = held.status
    newest = min(map(held.age, held.good), default=None)
    return Observed(Contents(newest, len(held.good), held.stored, code == 0, message), one.holdings.at)


def _of_restic(service: Service, picture: Picture) -> tuple[Store, ...]:
    if not isinstance(service, ResticService):
        return ()
    return tuple(Store(service.name, "restic", one.node, one.node, _in_files(one)) for one in files(service, picture))


def _in_files(one: Files) -> Maybe[Contents]:
    if isinstance(one.kept, Unknown):
        return one.kept
    kept = one.kept.value
    wrong, status = kept.status
    newest = min(map(kept.age, kept.snapshots), default=None)
    return Observed(Contents(newest, len(kept.snapshots), kept.stored, not wrong, status), one.kept.at)


TOOLS: Mapping[ServiceKind, BackupTool] = MappingProxyType(
    {
        one.kind: one
        for one in (
            BackupTool(
                ServiceKind.PGBACKREST,
                "pgBackRest",
                *("backup", "backup-verify", "restore-drill", "drill-clean"),
                _of_pgbackrest,
            ),
            BackupTool(
                ServiceKind.RESTIC,
                "restic",
                *("files-backup", "files-verify", "files-drill", "files-clean"),
                _of_restic,
            ),
        )
    }
)


def kept_services(inventory: Inventory) -> tuple[Service, ...]:
    """The services that keep copies, by whatever tool."""
    return tuple(one for one in inventory.services.values() if one.kind in TOOLS)


def files_services(inventory: Inventory) -> tuple[ResticService, ...]:
    return tuple(one for one in inventory.services.values() if isinstance(one, ResticService))


def stores(service: Service, picture: Picture) -> tuple[Store, ...]:
    """Nothing for a service that keeps no copies."""
    tool = TOOLS.get(service.kind)
    return tool.stores(service, picture) if tool is not None else ()
