"""Services: the nodes that provide them, and what each kind says of itself."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.config.draft import Draft
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.resolve import Scope
from hactl.config.rules.names import dangling, of_kind, repeated
from hactl.config.rules.ways import SOCKET_LIMIT
from hactl.config.service_schema import HttpEntry, PgbackrestEntry, ResticEntry
from hactl.model.suggest import did_you_mean, quoted


def services(draft: Draft) -> Iterator[Problem]:
    for found in draft.services:
        path, service = found.path, found.entry
        if service.role is not None and service.role not in draft.roles:
            yield Problem(
                (*path, "role"), f"no node has the role {quoted(service.role)}{did_you_mean(service.role, draft.roles)}"
            )
            continue
        if service.nodes is not None:
            if not service.nodes:
                yield Problem((*path, "nodes"), "needs at least one node")
            for index, node in enumerate(service.nodes):
                yield from dangling(draft, "nodes", node, (*path, "nodes", index))
            yield from repeated((*path, "nodes"), service.nodes)
        active = sum(draft.is_active(node) for node in draft.members(service))
        if service.minimum is not None and service.minimum > active:
            message = f"minimum is {service.minimum}, but {quoted(service.name)} has {only_active(active)}"
            yield Problem((*path, "minimum"), message)
        if isinstance(service, PgbackrestEntry):
            yield from _backup(draft, path, service)
        if isinstance(service, ResticEntry):
            yield from _files(path, service)
        if isinstance(service, HttpEntry):
            yield from _public(draft, path, service)


def only_active(active: int) -> str:
    return f"only {active} active node{'' if active == 1 else 's'}" if active else "no active node"


def _backup(draft: Draft, path: KeyPath, service: PgbackrestEntry) -> Iterator[Problem]:
    yield from of_kind(draft, service.database, "postgresql", (*path, "database"))
    if service.repository_host is not None:
        yield from dangling(draft, "nodes", service.repository_host, (*path, "repository_host"))
    elif len(draft.members(service)) > 1:
        yield Problem(path, "missing key: repository_host, because the service has several nodes")
    if service.repository_paths is not None and len(service.repository_paths) != len(service.repositories):
        paths, numbers = len(service.repository_paths), len(service.repositories)
        message = f'there are {paths} paths for {numbers} repositories; write "" for one that is in no folder'
        yield Problem((*path, "repository_paths"), message)
    if service.drill_node is not None:
        yield from dangling(draft, "nodes", service.drill_node, (*path, "drill_node"))
    elif service.drill_user is not None and draft.cluster is not None and draft.cluster.drill_node is None:
        yield Problem((*path, "drill_user"), "restores on no node: name a drill_node here or in [cluster]")
    yield from repeated((*path, "checks"), (one.name for one in service.checks))
    if service.drill_user == service.os_user:
        message = f"{quoted(service.os_user)} may write the repository; a drill's user must only read it"
        yield Problem((*path, "drill_user"), message)


def _files(path: KeyPath, service: ResticEntry) -> Iterator[Problem]:
    """A path is named once, alone or by its folder; and what a drill restores is not backed up again."""
    yield from repeated((*path, "paths"), service.paths)
    for index, one in enumerate(service.paths):
        outer = next((other for other in service.paths if one.startswith(f"{other}/")), None)
        if outer is not None:
            yield Problem((*path, "paths", index), f"{quoted(one)} lies in {quoted(outer)}, which stands here too")
    if around := next((one for one in service.paths if f"{service.scratch}/".startswith(f"{one}/")), None):
        message = f"{quoted(service.scratch)} lies in {quoted(around)}: a drill's files would be backed up"
        yield Problem((*path, "scratch") if "scratch" in service.model_fields_set else path, message)


def _public(draft: Draft, path: KeyPath, service: HttpEntry) -> Iterator[Problem]:
    seen: dict[tuple[str, str | None, str | None], int] = {}
    cluster = draft.cluster.name if draft.cluster is not None else ""
    for index, endpoint in enumerate(service.public):
        here = (*path, "public", index)
        key = (endpoint.url, endpoint.socket, endpoint.via)
        if key in seen:
            message = f"{quoted(endpoint.url)} stands here twice"
            yield Problem((*here, "url"), message, also=(*path, "public", seen[key], "url"))
        seen.setdefault(key, index)
        if endpoint.socket is not None:
            yield from _endpoint_socket(endpoint.socket, cluster, (*here, "socket"))
        if endpoint.via is not None:
            yield from dangling(draft, "nodes", endpoint.via, (*here, "via"))


def _endpoint_socket(given: str, cluster: str, path: KeyPath) -> Iterator[Problem]:
    if "{node}" in given:
        yield Problem(path, '"{node}" stands for nothing here: the socket leads to the service, not to a node')
    if len(Scope(cluster, "").expand(given).encode()) > SOCKET_LIMIT:
        yield Problem(path, f"the socket has a path of more than {SOCKET_LIMIT} bytes")
