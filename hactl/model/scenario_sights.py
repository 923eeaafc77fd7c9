"""What changed between two looks at the cluster, in sentences: the evidence of a debrief. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from hactl.model.findings import Finding
from hactl.model.inventory import PostgresqlService
from hactl.model.picture import Picture
from hactl.model.replication import replication
from hactl.model.scenario_story import Mark


@dataclass(frozen=True, slots=True)
class Sights:
    """What a look has shown. `wrong`: sentences by the finding's key; `roles`: who, by role."""

    wrong: Mapping[str, str]
    roles: Mapping[str, str]

    @classmethod
    def of(cls, picture: Picture, findings: Iterable[Finding]) -> Self:
        wrong = {one.key: f"{one.node or one.scope.name}: {one.level.word}: {one.sentence}" for one in findings}
        roles = {f"the VIP {name}": _listed(vip.holders) for name, vip in picture.assessment.vips.items()}
        for service in picture.state.inventory.services.values():
            if isinstance(service, PostgresqlService):
                roles[f"the primary of {service.name}"] = _listed(replication(service, picture).primaries)
        return cls(wrong, roles)


def _listed(nodes: Iterable[str]) -> str:
    return ", ".join(nodes) or "nobody"


def noticed(before: Sights, now: Sights) -> Iterator[tuple[Mark, str]]:
    """What is to be noted, in sentences."""
    for key, sentence in now.wrong.items():
        if key not in before.wrong:
            yield Mark.SEEN, sentence
    for key, sentence in before.wrong.items():
        if key not in now.wrong:
            yield Mark.GONE, sentence
    for role, who in now.roles.items():
        was = before.roles.get(role, who)
        if who != was:
            yield Mark.MOVED, f"{role}: {was} -> {who}"
