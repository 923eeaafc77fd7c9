"""The picture as the status document: plain JSON types, in the shape that `view.status` declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TypeAlias

from hactl.model.ack import Ack
from hactl.model.assess.members import Member, difference, members, word
from hactl.model.assess.notes import note_of
from hactl.model.facts import DrainNote, HaproxyFacts, HaproxyServer, VersionFacts
from hactl.model.findings import Finding
from hactl.model.inventory import Pool
from hactl.model.observed import Observed
from hactl.model.picture import Picture
from hactl.view import document_databases, document_nodes, status
from hactl.view.document_parts import iso, judgement, level_name, moment

Scalar: TypeAlias = str | int | float | bool | None
Json: TypeAlias = "Scalar | list[Json] | dict[str, Json]"


def document(picture: Picture) -> dict[str, Json]:
    """What `hactl status -o json` prints."""
    plain = as_json(structure(picture))
    if not isinstance(plain, dict):
        raise TypeError("a document is an object")
    return plain


def structure(picture: Picture) -> status.StatusDocument:
    """The same, typed."""
    state, assessment = picture.state, picture.assessment
    return status.StatusDocument(
        schema=status.SCHEMA,
        at=moment(picture, picture.now),
        cluster=status.ClusterStatus(state.inventory.name, judgement(picture, assessment.cluster)),
        sites=[status.SiteStatus(name, judgement(picture, found)) for name, found in assessment.sites.items()],
        services=[_service(picture, name) for name in assessment.services],
        pools=[_pool(picture, pool) for pool in state.inventory.pools.values()],
        vips=[
            status.VipStatus(
                vip.name, vip.address, judgement(picture, vip.verdict), list(vip.holders), list(vip.unknown)
            )
            for vip in assessment.vips.values()
        ],
        databases=document_databases.databases(picture),
        backups=document_databases.backups(picture),
        nodes=[document_nodes.node(picture, node) for node in state.inventory.nodes.values()],
        findings=[_finding(picture, finding) for finding in assessment.findings],
        outside=list(picture.outside),
    )


def as_json(value: object) -> Json:
    """Dataclasses as objects, sequences as arrays, enums as their values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return as_json(value.value)
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [as_json(inner) for inner in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _service(picture: Picture, name: str) -> status.ServiceStatus:
    found = picture.assessment.services[name]
    return status.ServiceStatus(
        name=name,
        kind=picture.state.inventory.services[name].kind.value,
        status=judgement(picture, found.verdict),
        available=found.available,
        unknown=found.unknown,
        total=found.total,
        minimum=found.minimum,
        members=[
            status.MemberStatus(node, judgement(picture, member), _version(picture, node, name))
            for node, member in found.members.items()
        ],
    )


def _version(picture: Picture, node: str, service: str) -> str | None:
    answer = picture.state.nodes[node].read(f"version:{service}", VersionFacts, picture.now)
    return answer.value.version if isinstance(answer, Observed) else None


def _pool(picture: Picture, pool: Pool) -> status.PoolStatus:
    found = picture.assessment.pools[pool.name]
    balancers = picture.state.inventory.services[pool.balancer].nodes
    answers = {
        node: picture.state.nodes[node].read(f"haproxy:{pool.balancer}", HaproxyFacts, picture.now)
        for node in balancers
    }
    asked = {node: answer for node, answer in answers.items() if isinstance(answer, Observed)}
    return status.PoolStatus(
        name=pool.name,
        service=pool.service,
        balancer=pool.balancer,
        backend=pool.backend,
        routing=pool.routing.value,
        status=judgement(picture, found.verdict),
        available=found.available,
        unknown=found.unknown,
        total=found.total,
        minimum=found.minimum,
        drained=list(found.drained),
        disagreements=list(found.disagreements),
        members=[_member(picture, pool, member, balancers) for member in members(pool, asked)],
    )


def _member(picture: Picture, pool: Pool, member: Member, balancers: Sequence[str]) -> status.PoolMember:
    on = [
        _server(name, member.seen[name])
        if name in member.seen
        else status.ServerStatus(
            name, known=False, state=None, available=None, sessions=None, check=None, last_change_seconds=None
        )
        for name in balancers
    ]
    note = note_of(picture.state, pool, member.node, picture.now) if member.drained_on else None
    return status.PoolMember(
        member.node, member.server, agree=not difference(member), taken_out=_note(note) if note else None, on=on
    )


def _note(note: DrainNote) -> status.NoteStatus:
    return status.NoteStatus(note.who, note.why, iso(note.when), note.run)


def _server(balancer: str, row: HaproxyServer | None) -> status.ServerStatus:
    return status.ServerStatus(
        balancer=balancer,
        known=True,
        state=word(row),
        available=row is not None and row.available,
        sessions=row.sessions if row else None,
        check=(row.check_status or None) if row else None,
        last_change_seconds=row.last_change if row else None,
    )


def _finding(picture: Picture, finding: Finding) -> status.FindingStatus:
    return status.FindingStatus(
        key=finding.key,
        level=level_name(finding.level),
        kind=finding.scope.kind.value,
        name=finding.scope.name,
        node=finding.node,
        service=finding.service,
        sentence=finding.sentence,
        hint=finding.hint,
        since=moment(picture, finding.since),
        age_seconds=round(max(0.0, picture.now - finding.since), 3),
        metric=finding.metric,
        value=finding.value,
        acknowledged=_acknowledgement(picture.acks.get(finding.key)),
    )


def _acknowledgement(ack: Ack | None) -> status.AckStatus | None:
    return status.AckStatus(ack.reason, ack.who, iso(ack.at), iso(ack.until)) if ack is not None else None
