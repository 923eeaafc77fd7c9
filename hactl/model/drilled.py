"""The drills of backups, told from the picture. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hactl.model.drills import DrillFacts, DrillRecord
from hactl.model.errors import InputError
from hactl.model.inventory import Inventory, PgbackrestService
from hactl.model.observed import Maybe, Observed
from hactl.model.picture import Picture
from hactl.model.suggest import did_you_mean, quoted


@dataclass(frozen=True, slots=True)
class Drilled:
    """A service whose backups are restored in drills, and what the drills' node says of them, or why nothing."""

    service: PgbackrestService
    node: str
    facts: Maybe[DrillFacts]

    @property
    def known(self) -> DrillFacts | None:
        return self.facts.value if isinstance(self.facts, Observed) else None

    @property
    def records(self) -> tuple[DrillRecord, ...]:
        """Oldest first; none where nobody knows."""
        return self.known.records if self.known is not None else ()


def drill_services(inventory: Inventory) -> tuple[PgbackrestService, ...]:
    """Those of which drills can be made: there is a node for them, and somebody who makes them there."""
    found = (one for one in inventory.services.values() if isinstance(one, PgbackrestService))
    return tuple(one for one in found if one.drill_user is not None and one.drill_node is not None)


def drilled(service: PgbackrestService, picture: Picture) -> Drilled | None:
    """None where no drills can be made of it, or not on a node of this picture."""
    node = service.drill_node
    if service.drill_user is None or node is None or node not in picture.state.nodes:
        return None
    return Drilled(service, node, picture.state.nodes[node].read(f"drill:{service.name}", DrillFacts, picture.now))


def all_drilled(picture: Picture) -> tuple[Drilled, ...]:
    """Every service's, in the inventory's order."""
    found = (drilled(one, picture) for one in drill_services(picture.state.inventory))
    return tuple(one for one in found if one is not None)


def in_time(record: DrillRecord) -> tuple[float, str]:
    """What drills are ordered by."""
    return record.started, record.run


def newest_first(found: Iterable[Drilled]) -> tuple[DrillRecord, ...]:
    """The drills of several services together."""
    return tuple(sorted((one for each in found for one in each.records), key=in_time, reverse=True))


def chosen(name: str, records: Sequence[DrillRecord]) -> DrillRecord:
    """The one of `records` (newest first) that a person means by an id, a part of it, or "last". Raises InputError."""
    if not records:
        raise InputError("There was no drill yet.", remedy="hactl drill run makes one.")
    if name == "last":
        return records[0]
    found = [one for one in records if name and (one.run.startswith(name) or one.run.rpartition("-")[2] == name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{quoted(name)} may be {len(found)} drills.", remedy="Give some more of it.")
    hint = did_you_mean(name, [one.run for one in records])
    raise InputError(f"There was no drill {quoted(name)}{hint or '.'}", remedy="See `hactl drill list`.")


def before(records: Iterable[DrillRecord], record: DrillRecord) -> DrillRecord | None:
    """The last good drill before this one that its numbers can be compared with: of the same repository, as far."""
    earlier = (one for one in records if one.good and one.started < record.started and _alike(one) == _alike(record))
    return max(earlier, key=in_time, default=None)


def befores(records: Iterable[DrillRecord]) -> dict[str, DrillRecord]:
    """The same of all of `records`, which stand oldest first: by run, where there is one."""
    last, found = dict[tuple[str, int, str], DrillRecord](), dict[str, DrillRecord]()
    for one in records:
        if (past := last.get(_alike(one))) is not None:
            found[one.run] = past
        if one.good:
            last[_alike(one)] = one
    return found


def _alike(record: DrillRecord) -> tuple[str, int, str]:
    return record.service, record.repository, record.aim


def change(new: float | None, old: float | None) -> float | None:
    """How much more, as a share of the old: 0.1 is a tenth more. None where that cannot be told."""
    return None if new is None or old is None or old <= 0 else new / old - 1
