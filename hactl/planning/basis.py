"""The state that a plan depends on, in words, and the digest that a confirmation is for.

Only words that somebody's act changes: never a session count, a lag or an age, or no plan would hold for a second.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from hactl.model.assess.members import is_out
from hactl.model.codec import Json, plain
from hactl.model.facts import AdminState, HaproxyServer, PackageFacts, PostgresqlFacts, PostgresqlRole
from hactl.model.guard import Ruling
from hactl.model.inventory import PostgresqlService, Routing
from hactl.model.observed import Observed, Unknown
from hactl.model.plan import Plan, PlannedStep
from hactl.planning.case import Case

_UNKNOWN = "unknown"
_FILE = "file/"


def basis(case: Case) -> Mapping[str, str]:
    """Words such as "ready, up" under keys such as "pool/shop/app1/lb1", for everything that the plan's steps touch."""
    return dict(sorted([*_members(case), *_holders(case), *_packages(case), *_primaries(case), *_runs(case)]))


def file_key(path: str) -> str:
    """Where the basis has the checksum of a file of the operator's machine."""
    return f"{_FILE}{path}"


def files(plan: Plan) -> Mapping[str, str]:
    """The checksums that the plan was made with, by path."""
    return {key.removeprefix(_FILE): word for key, word in plan.basis.items() if key.startswith(_FILE)}


def digest(plan: Plan) -> str:
    """SHA-256 over what would be done, the refusals, and the basis; not over who asked, why, and how long it takes.

    Nor over warnings: they hold up nobody, and on a busy cluster they come and go.
    """
    text = json.dumps(_content(plan), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _content(plan: Plan) -> Json:
    refusals = [one for one in plan.verdicts if one.ruling is Ruling.REFUSE]
    rulings = sorted({(one.guard, one.node or "", one.pool or "", one.overridden) for one in refusals})
    return plain(
        {
            "schema": plan.schema,
            "cluster": plan.cluster,
            "playbook": plan.playbook,
            "parameters": plan.parameters,
            "targets": plan.targets,
            "batches": plan.batches,
            "steps": [_act(step) for step in plan.steps],
            "budget": plan.budget,
            "pause": plan.pause,
            "endpoints": [endpoint.url for endpoint in plan.endpoints],
            "overrides": plan.request.overrides,
            "guards_off": plan.guards_off,
            "confirm": plan.confirm,
            "rulings": rulings,
            "basis": plan.basis,
        }
    )


def _act(step: PlannedStep) -> Json:
    document = plain(step)
    if not isinstance(document, dict):
        raise TypeError("a step is no object")
    return {name: value for name, value in document.items() if name not in {"skip", "seconds", "note"}}


def _members(case: Case) -> Iterator[tuple[str, str]]:
    for name in case.plan.pools:
        pool = case.inventory.pools[name]
        asked = case.asked(pool)
        for balancer in case.inventory.services[pool.balancer].nodes:
            seen = asked.get(balancer)
            backend = seen.value.backends.get(pool.backend) if seen else None
            for node, server in pool.servers.items():
                row = backend.servers.get(server) if backend else None
                yield f"pool/{name}/{node}/{balancer}", _word(row, pool.routing) if seen else _UNKNOWN


def _word(row: HaproxyServer | None, routing: Routing) -> str:
    """What was ordered of it, and whether it does; of a pool of one that follows from who the primary is."""
    if row is None:
        return "absent"
    admin = row.admin or AdminState.READY
    if is_out(row):
        return "maint" if admin.maintained else "drain"
    if routing is Routing.ONE:
        return "ready"
    return "ready, up" if row.available else "ready, down"


def _holders(case: Case) -> Iterator[tuple[str, str]]:
    touched = set(case.plan.services) | {case.inventory.pools[name].balancer for name in case.plan.pools}
    nodes = {node for name in touched for node in case.inventory.services[name].nodes}
    for vip in case.inventory.vips.values():
        if nodes.isdisjoint(case.inventory.services[vip.service].nodes):
            continue
        seen = case.picture.assessment.vips[vip.name]
        yield f"vip/{vip.name}", ", ".join(sorted(seen.holders)) or (_UNKNOWN if seen.unknown else "nobody")


def _packages(case: Case) -> Iterator[tuple[str, str]]:
    for step in case.plan.steps:
        package = str(step.arguments.get("package", ""))
        if not package or step.node is None:
            continue
        match case.read(step.node, "packages", PackageFacts):
            case Unknown():
                version = _UNKNOWN
            case Observed(value=facts):
                version = facts.installed.get(package, "absent")
        yield f"package/{package}/{step.node}", version


def _primaries(case: Case) -> Iterator[tuple[str, str]]:
    for name in case.plan.services:
        service = case.inventory.services[name]
        if not isinstance(service, PostgresqlService):
            continue
        answers = {node: case.read(node, f"postgresql:{name}", PostgresqlFacts) for node in service.nodes}
        primaries = [
            node
            for node, answer in answers.items()
            if isinstance(answer, Observed) and answer.value.role is PostgresqlRole.PRIMARY
        ]
        yield f"primary/{name}", ", ".join(sorted(primaries)) or _UNKNOWN


def _runs(case: Case) -> Iterator[tuple[str, str]]:
    for ref in case.world.history.unfinished:
        yield f"run/{ref.run}", "under way" if ref.alive else "broken off"
