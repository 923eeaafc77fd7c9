"""What nodes say together: pools, addresses, databases, backups, and what is left to spare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hactl.model.assess import backup, database, drills, pools, redundancy, rollup, rooms, vip
from hactl.model.assess.base import ClusterCase
from hactl.model.findings import Assessment, Finding, PoolVerdict, ServiceVerdict, VipVerdict
from hactl.model.inventory import PgbackrestService, PostgresqlService


@dataclass(frozen=True, slots=True)
class Shared:
    """`findings` are those that no node could have made alone, in no order."""

    findings: tuple[Finding, ...]
    services: Mapping[str, ServiceVerdict]
    pools: Mapping[str, PoolVerdict]
    vips: Mapping[str, VipVerdict]

    @classmethod
    def judge(cls, case: ClusterCase, before: Assessment | None) -> Shared:
        """`before` gives the ages of verdicts that have not changed."""
        inventory = case.inventory
        findings: list[Finding] = []
        pool_verdicts: dict[str, PoolVerdict] = {}
        for name, pool in inventory.pools.items():
            past = before.pools.get(name) if before else None
            pool_verdicts[name], found = pools.judge(case, pool, past.verdict if past else None)
            findings += found
        vip_verdicts: dict[str, VipVerdict] = {}
        for name, address in inventory.vips.items():
            held = before.vips.get(name) if before else None
            vip_verdicts[name], found = vip.judge(case, address, held.verdict if held else None)
            findings += found
        for service in inventory.services.values():
            if isinstance(service, PostgresqlService):
                findings += database.judge(case, service)
            elif isinstance(service, PgbackrestService):
                findings += backup.judge_archive(case, service)
            findings += drills.judge(case, service)
            findings += rooms.judge(case, service)
        services, spare = _services(case, findings, pool_verdicts, before)
        return cls((*findings, *spare), services, pool_verdicts, vip_verdicts)


def _services(
    case: ClusterCase, shared: list[Finding], pool_verdicts: Mapping[str, PoolVerdict], before: Assessment | None
) -> tuple[dict[str, ServiceVerdict], list[Finding]]:
    """The verdicts, and what the state of the members leaves to spare."""
    about = rollup.by_service(case.inventory, [*(found for own in case.own.values() for found in own), *shared])
    parts = rollup.parts(case, about, before)
    spare = list(redundancy.judge(case, parts))
    for found in spare:
        about[found.scope.name].append(found)
    past = before.services if before else {}
    verdicts = {
        name: rollup.service(case, service, about[name], parts[name], pools=pool_verdicts, before=past.get(name))
        for name, service in case.inventory.services.items()
    }
    return verdicts, spare
