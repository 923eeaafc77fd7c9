"""What became of the databases' roles: from the journal, from what was noticed, and from the servers themselves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hactl.config.folders import state_folder
from hactl.model.inventory import Inventory, PostgresqlService

if TYPE_CHECKING:
    from hactl.control.control import Control
    from hactl.engine.sightings import Sightings
    from hactl.model.role_history import RoleChange, TimelineBegun

_RUNS = 300  # of a cluster, looked through for those that moved a role


@dataclass(frozen=True, slots=True)
class RoleHistory:
    """`changes`, newest first. `silent`: servers that were asked what they remember and said nothing, and why."""

    changes: tuple[RoleChange, ...]
    silent: Mapping[str, str]


def remembered(inventory: Inventory, env: Mapping[str, str] = os.environ) -> Sightings | None:
    """What was last seen of the cluster's primaries; None where it has no database."""
    if not any(isinstance(one, PostgresqlService) for one in inventory.services.values()):
        return None
    from hactl.engine.sightings import Sightings  # noqa: PLC0415 - clusters without a database do not load it

    return Sightings(state_folder(env) / "seen" / f"{inventory.name}.json")


async def role_history(
    control: Control, services: tuple[PostgresqlService, ...], env: Mapping[str, str] = os.environ
) -> RoleHistory:
    """Everything that is known, every server asked at the same time. Raises JournalError."""
    from hactl.model.role_history import told  # noqa: PLC0415 - as above

    places = [(service, node) for service in services for node in service.nodes]
    answers = await asyncio.gather(*(_asked(control, service, node) for service, node in places))
    files = [file for answer in answers if not isinstance(answer, str) for file in answer]
    silent = {node: answer for (_, node), answer in zip(places, answers, strict=True) if isinstance(answer, str)}
    names = {service.name for service in services}
    seen = remembered(control.inventory, env)
    noticed = [one for one in (seen.changes if seen is not None else ()) if one.service in names]
    done = [one for one in _done(control.inventory.name, env) if one.service in names]
    return RoleHistory(told(done, noticed, files), silent)


def _done(cluster: str, env: Mapping[str, str]) -> Iterator[RoleChange]:
    """What runs from this machine have changed."""
    from hactl.control.unfinished import existing  # noqa: PLC0415 - as above
    from hactl.model.role_history import PROMOTE, RETURNS, of_run  # noqa: PLC0415 - as above
    from hactl.model.run import folded  # noqa: PLC0415 - as above

    journal = existing(env)
    if journal is None:
        return
    try:
        for summary in journal.runs(cluster, limit=_RUNS):
            plan = journal.plan_of(summary.run)
            if any(step.verb == PROMOTE or step.verb in RETURNS for step in plan.steps):
                yield from of_run(folded(summary.run, plan, journal.events(summary.run)))
    finally:
        journal.close()


async def _asked(control: Control, service: PostgresqlService, node: str) -> tuple[TimelineBegun, ...] | str:
    """The server's answer, or why there is none."""
    from hactl.drivers import postgresql_timelines  # noqa: PLC0415 - as above
    from hactl.model.errors import HactlError  # noqa: PLC0415 - as above

    try:
        answer = await control.ask_database(node, postgresql_timelines.question(service))
        return postgresql_timelines.parse(answer, service.name, node)
    except HactlError as error:
        return error.message.rstrip(".")
