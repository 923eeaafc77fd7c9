"""Names: each stands for one thing, and what refers to one finds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hactl.config.draft import Draft
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.service_schema import HaproxyEntry, KeepalivedEntry, PostgresqlEntry, ServiceEntry
from hactl.model.suggest import did_you_mean, quoted

_ONE = {"sites": "site", "nodes": "node", "services": "service", "pools": "pool", "vips": "VIP"}
_KINDS = {"postgresql": PostgresqlEntry, "haproxy": HaproxyEntry, "keepalived": KeepalivedEntry}


def duplicate_names(draft: Draft) -> Iterator[Problem]:
    for kind, one in _ONE.items():
        for found in getattr(draft, kind):
            first = draft.names[kind][found.entry.name]
            if first != found.path:
                yield Problem(
                    (*found.path, "name"),
                    f"another {one} is called {quoted(found.entry.name)}",
                    also=(*first, "name"),
                )
        yield from _alike(draft, kind, one)


def _alike(draft: Draft, kind: str, one: str) -> Iterator[Problem]:
    """Names that differ only in punctuation: people confuse them, and groups in Ansible cannot hold them apart."""
    seen: dict[str, str] = {}
    for name, path in draft.names[kind].items():
        folded = re.sub(r"[-._]", "_", name)
        if folded in seen:
            message = f"the {one} {quoted(name)} differs from {quoted(seen[folded])} only in punctuation"
            yield Problem((*path, "name"), message, also=(*draft.names[kind][seen[folded]], "name"))
        seen.setdefault(folded, name)


def cluster(draft: Draft) -> Iterator[Problem]:
    if draft.cluster is not None and draft.cluster.drill_node is not None:
        yield from dangling(draft, "nodes", draft.cluster.drill_node, ("cluster", "drill_node"))


def maintenance(draft: Draft) -> Iterator[Problem]:
    for found in draft.maintenance:
        yield from repeated((*found.path, "days"), found.entry.days or ())


def dangling(draft: Draft, kind: str, name: str, path: KeyPath) -> Iterator[Problem]:
    if name not in draft.names[kind]:
        known = draft.names[kind]
        yield Problem(path, f"no {_ONE[kind]} is called {quoted(name)}{did_you_mean(name, known)}")


def repeated(path: KeyPath, items: Iterable[str]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        if item in seen:
            yield Problem((*path, index), f"{quoted(item)} stands here twice", also=(*path, seen[item]))
        seen.setdefault(item, index)


def of_kind(draft: Draft, name: str, kind: str, path: KeyPath) -> Iterator[Problem]:
    yield from dangling(draft, "services", name, path)
    service = service_called(draft, name)
    if service is not None and not isinstance(service, _KINDS[kind]):
        yield Problem(path, f"{quoted(name)} is not a service of kind {kind}")


def service_called(draft: Draft, name: str) -> ServiceEntry | None:
    return next((found.entry for found in draft.services if found.entry.name == name), None)
