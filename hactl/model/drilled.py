"""The drills of backups, told from the picture. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from hactl.model.drills import DrillFacts, DrillRecord
from hactl.model.errors import InputError
from hactl.model.inventory import Inventory, PgbackrestService, ResticService, Service
from hactl.model.observed import Maybe, Observed
from hactl.model.picture import Picture
from hactl.model.suggest import did_you_mean, quoted

DrilledService: TypeAlias = PgbackrestService | ResticService


@dataclass(frozen=True, slots=True)
class Drilled:
    """A service whose backups are restored in drills, and what a node of its drills says of them, or why nothing."""

    service: DrilledService
    node: str
    facts: Maybe[DrillFacts]

    @property
    def known(self) -> DrillFacts | None:
        return self.facts.value if isinstance(self.facts, Observed) else None

    @property
    def records(self) -> tuple[DrillRecord, ...]:
        """Oldest first; none where nobody knows."""
        return self.known.records if self.known is not None else ()


def drill_nodes(service: Service) -> tuple[str, ...]:
    """Where drills are made of it: of a database on one node, of files on each of theirs; nowhere of anything else."""
    if isinstance(service, ResticService):
        return service.nodes
    if isinstance(service, PgbackrestService) and service.drill_user is not None and service.drill_node is not None:
        return (service.drill_node,)
    return ()


def drill_services(inventory: Inventory) -> tuple[DrilledService, ...]:
    """Those of which drills can be made: there is a node for them, and somebody who makes them there. Databases' first,
    as wherever no service is named.
    """
    able = [one for one in inventory.services.values() if drill_nodes(one)]
    databases = (one for one in able if isinstance(one, PgbackrestService))
    return (*databases, *(one for one in able if isinstance(one, ResticService)))


def drilled(service: DrilledService, picture: Picture, node: str = "") -> Drilled | None:
    """On its only node, or on `node`. None where no drills can be made of it, or not on a node of this picture."""
    known = [one for one in drill_nodes(service) if one in picture.state.nodes and node in {"", one}]
    return _on(service, known[0], picture) if known else None


def _on(service: DrilledService, node: str, picture: Picture) -> Drilled:
    """What it said, with the node's clock as it is now: what it tells of grows older between two answers."""
    answer = picture.state.nodes[node].read(f"drill:{service.name}", DrillFacts, picture.now)
    if isinstance(answer, Observed):
        facts = replace(answer.value, now=answer.value.now + answer.age(picture.now))
        answer = Observed(facts, answer.at)
    return Drilled(service, node, answer)


def all_drilled(picture: Picture, services: Iterable[DrilledService] | None = None) -> tuple[Drilled, ...]:
    """These services' or every one's, node by node, in the inventory's order."""
    wanted = drill_services(picture.state.inventory) if services is None else services
    return tuple(_on(one, node, picture) for one in wanted for node in drill_nodes(one) if node in picture.state.nodes)


def in_time(record: DrillRecord) -> tuple[float, str, bool, str]:
    """What drills are ordered by. Of a run on several nodes the one that failed counts as its last."""
    return record.started, record.run, not record.good, record.node


def newest_first(found: Iterable[Drilled]) -> tuple[DrillRecord, ...]:
    """The drills of several services together."""
    return tuple(sorted((one for each in found for one in each.records), key=in_time, reverse=True))


def chosen(name: str, records: Sequence[DrillRecord]) -> tuple[DrillRecord, ...]:
    """Those of `records` (newest first) that a person means by a run's id, a part of it, or "last": one, or one for
    each node where the run was on several. Raises InputError.
    """
    if not records:
        raise InputError("There was no drill yet.", remedy="hactl drill run makes one.")
    if name == "last":
        return tuple(one for one in records if one.run == records[0].run)
    found = [one for one in records if name and (one.run.startswith(name) or one.run.rpartition("-")[2] == name)]
    runs = {one.run for one in found}
    if len(runs) == 1:
        return tuple(found)
    if runs:
        raise InputError(f"{quoted(name)} may be {len(runs)} drills.", remedy="Give some more of it.")
    hint = did_you_mean(name, list(dict.fromkeys(one.run for one in records)))
    raise InputError(f"There was no drill {quoted(name)}{hint or '.'}", remedy="See `hactl drill list`.")


def before(records: Iterable[DrillRecord], record: DrillRecord) -> DrillRecord | None:
    """The last good drill before this one that its numbers can be compared with: of the same repository, as far, on the
    same node.
    """
    earlier = (one for one in records if one.good and one.started < record.started and _alike(one) == _alike(record))
    return max(earlier, key=in_time, default=None)


def befores(records: Iterable[DrillRecord]) -> dict[str, DrillRecord]:
    """The same of all of `records`, which stand oldest first: by key, where there is one."""
    last, found = dict[tuple[str, int, str, str], DrillRecord](), dict[str, DrillRecord]()
    for one in records:
        if (past := last.get(_alike(one))) is not None:
            found[one.key] = past
        if one.good:
            last[_alike(one)] = one
    return found


def _alike(record: DrillRecord) -> tuple[str, int, str, str]:
    return record.service, record.repository, record.aim, record.node


def change(new: float | None, old: float | None) -> float | None:
    """How much more, as a share of the old: 0.1 is a tenth more. None where that cannot be told."""
    return None if new is None or old is None or old <= 0 else new / old - 1
