"""The repositories of a database, told from the picture. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.facts import PgbackrestFacts, PostgresqlFacts
from hactl.model.holdings import Holdings
from hactl.model.inventory import Inventory, PgbackrestService, PostgresqlService
from hactl.model.observed import Maybe, Observed
from hactl.model.picture import Picture
from hactl.model.replication import replication
from hactl.model.rooms import Disk, disks


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of the inventory and what it holds, or why that cannot be told."""

    service: PgbackrestService
    number: int
    holdings: Maybe[Holdings]
    disk: Disk | None = None  # None: it lies in no folder of its host

    @property
    def known(self) -> Holdings | None:
        return self.holdings.value if isinstance(self.holdings, Observed) else None


def backup_services(inventory: Inventory) -> tuple[PgbackrestService, ...]:
    return tuple(one for one in inventory.services.values() if isinstance(one, PgbackrestService))


def repositories(service: PgbackrestService, picture: Picture) -> tuple[Repository, ...]:
    """Those that the inventory names, in its order."""
    state = picture.state.nodes[service.repository_host]
    answer = state.read(f"pgbackrest:{service.name}", PgbackrestFacts, picture.now)
    held = disks(service, picture)
    return tuple(
        Repository(service, number, _holdings(number, answer, picture.now), held.get(str(number)))
        for number in service.repositories
    )


def _holdings(number: int, answer: Maybe[PgbackrestFacts], now: float) -> Maybe[Holdings]:
    if not isinstance(answer, Observed):
        return answer
    return Observed(Holdings(number, answer.value, answer.value.now + answer.age(now)), answer.at)


def primary_lsn(service: PgbackrestService, picture: Picture) -> int | None:
    """Where the one primary of the database that is backed up writes, when that is known."""
    facts = primary_facts(service, picture)
    return None if facts is None else facts.lsn


def primary_facts(service: PgbackrestService, picture: Picture) -> PostgresqlFacts | None:
    """What the one primary of that database says of itself now."""
    database = picture.state.inventory.services[service.database]
    if not isinstance(database, PostgresqlService):
        return None
    found = replication(database, picture)
    return found.servers[found.primary].known if found.primary else None
