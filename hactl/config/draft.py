"""The shape check: every table of the file against `schema`, each on its own, so that one mistake hides no other.

What comes out is a Draft: the entries that are sound, each with its path, and, read leniently from the raw document,
the names that exist, so that a reference to a node whose port is wrong is not reported as dangling.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Generic, TypeVar

from pydantic import ValidationError

from hactl.config.entry import Entry
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.schema import (
    SCHEMA,
    ClusterEntry,
    FencingEntry,
    InventoryFile,
    MaintenanceEntry,
    NodeEntry,
    PoolEntry,
    SiteEntry,
    SshEntry,
    ThresholdsEntry,
    ThresholdsTable,
    VipEntry,
)
from hactl.config.service_schema import SERVICES, ServiceEntry
from hactl.config.source import RawTable
from hactl.config.wording import meant_key, reworded, shown
from hactl.model.metrics import METRICS
from hactl.model.suggest import did_you_mean, quoted

E = TypeVar("E", bound=Entry)

_TABLES: dict[str, type[Entry]] = {
    "cluster": ClusterEntry,
    "ssh": SshEntry,
    "fencing": FencingEntry,
    "thresholds": ThresholdsTable,
}
_OPTIONAL = frozenset({"cluster", "fencing"})  # nothing stands for them where they are left away
_LISTS: dict[str, type[Entry]] = {
    "sites": SiteEntry,
    "nodes": NodeEntry,
    "pools": PoolEntry,
    "vips": VipEntry,
    "maintenance": MaintenanceEntry,
}
_KINDS = ("sites", "nodes", "services", "pools", "vips", "maintenance")


@dataclass(frozen=True, slots=True)
class Found(Generic[E]):
    """A sound entry and where it stands; not `whole` when keys with problems were left out of it."""

    path: KeyPath
    entry: E
    whole: bool = True


@dataclass(slots=True)
class Draft:
    """The sound entries of a document, in file order. `names` and `raw_nodes` know the unsound ones too."""

    cluster: ClusterEntry | None = None
    ssh: SshEntry = field(default_factory=SshEntry)
    sites: list[Found[SiteEntry]] = field(default_factory=list)
    nodes: list[Found[NodeEntry]] = field(default_factory=list)
    services: list[Found[ServiceEntry]] = field(default_factory=list)
    pools: list[Found[PoolEntry]] = field(default_factory=list)
    vips: list[Found[VipEntry]] = field(default_factory=list)
    maintenance: list[Found[MaintenanceEntry]] = field(default_factory=list)
    fencing: FencingEntry | None = None
    thresholds: ThresholdsEntry | None = None
    names: dict[str, dict[str, KeyPath]] = field(default_factory=dict)  # kind -> name -> path of its first entry
    raw_nodes: dict[str, RawTable] = field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)  # role -> names of its nodes, in file order

    def members(self, service: ServiceEntry) -> tuple[str, ...]:
        """The nodes of `service`, in file order."""
        if service.role is not None:
            return self.roles.get(service.role, ())
        wanted = set(service.nodes or ())
        return tuple(node for node in self.raw_nodes if node in wanted)

    def is_active(self, node: str) -> bool:
        return self.raw_nodes[node].get("standing", "active") != "spare"


def read_draft(document: RawTable) -> tuple[Draft, list[Problem]]:
    """The sound part of `document` and everything about its shape that is wrong."""
    problems = [*_required(document), *_top_level(document)]
    draft = Draft()
    for kind in _KINDS:
        tables = list(_tables(document, kind))
        draft.names[kind] = _names(tables)
        if kind == "nodes":
            for _, table in filter(_is_named, tables):
                draft.raw_nodes.setdefault(str(table["name"]), table)
            draft.roles = _roles(draft.raw_nodes)
        for path, table in tables:
            model = _service_model(table) if kind == "services" else _LISTS[kind]
            if model is None:
                problems.append(_kind_problem(table, path))
            elif found := checked(model, table, path, problems):
                getattr(draft, kind).append(found)
    for key, model in _TABLES.items():
        value = document.get(key, None if key in _OPTIONAL else {})
        if isinstance(value, dict) and (found := checked(model, value, (key,), problems)):
            setattr(draft, key, found.entry)
    return draft, problems


def _top_level(document: RawTable) -> Iterator[Problem]:
    known = [info.alias or key for key, info in InventoryFile.model_fields.items()]
    for key, value in document.items():
        if key not in known:
            yield Problem((key,), f"unknown key {quoted(key)}{did_you_mean(key, known)}", at_key=True)
        elif key in _KINDS:
            if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                yield Problem((key,), f"{key} is written as tables: [[{key}]]", at_key=True)
        elif key != "schema" and not isinstance(value, dict):
            yield Problem((key,), f"{key} is written as a table: [{key}]", at_key=True)


def _required(document: RawTable) -> Iterator[Problem]:
    schema = document.get("schema")
    if schema is None:
        yield Problem((), f"missing key: schema = {SCHEMA}")
    elif type(schema) is not int or schema != SCHEMA:
        yield Problem(("schema",), f"this hactl reads schema = {SCHEMA}, not {shown(schema)}")
    for key, header in (("cluster", "[cluster]"), ("sites", "[[sites]]"), ("nodes", "[[nodes]]")):
        if key not in document:
            yield Problem((), f"missing table: {header}")
        elif document[key] == []:
            yield Problem((key,), f"needs at least one {header}")


def _tables(document: RawTable, kind: str) -> Iterator[tuple[KeyPath, RawTable]]:
    given = document.get(kind)
    for index, table in enumerate(given if isinstance(given, list) else []):
        if isinstance(table, dict):
            yield (kind, index), table


def _is_named(found: tuple[KeyPath, RawTable]) -> bool:
    return isinstance(found[1].get("name"), str)


def _roles(nodes: Mapping[str, RawTable]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for node, table in nodes.items():
        given = table.get("roles")
        for role in given if isinstance(given, list) else ():
            if isinstance(role, str):
                found.setdefault(role, {})[node] = None
    return {role: tuple(members) for role, members in found.items()}


def _names(tables: Sequence[tuple[KeyPath, RawTable]]) -> dict[str, KeyPath]:
    names: dict[str, KeyPath] = {}
    for path, table in filter(_is_named, tables):
        names.setdefault(str(table["name"]), path)
    return names


def _service_model(table: RawTable) -> type[Entry] | None:
    """The model of the service's kind; None when it has none, so that nothing else can be said about it."""
    kind = table.get("kind")
    return SERVICES.get(kind) if isinstance(kind, str) else None


def checked(model: type[E], table: RawTable, path: KeyPath, problems: list[Problem]) -> Found[E] | None:
    """The entry that `table` is; what is wrong with it goes to `problems`.

    A table with problems is read once more without the keys that have them, so that what is left can be checked too.
    """
    try:
        return Found(path, model.model_validate(table))
    except ValidationError as error:
        details = error.errors(include_url=False)
    unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
    meant = {(*detail["loc"][:-1], meant_key(detail, model)) for detail in unknown}
    told = [detail for detail in details if detail["type"] != "missing" or detail["loc"] not in meant]
    problems.extend(reworded(detail, model, path) for detail in told)
    try:
        return Found(path, model.model_validate(_without(table, [detail["loc"] for detail in details])), whole=False)
    except ValidationError:
        return None


def _without(table: RawTable, locations: Iterable[tuple[int | str, ...]]) -> RawTable:
    """A copy of `table` without what stands at `locations`; of an array, and of a metric's levels, nothing is left."""
    left = copy.deepcopy(table)
    for location in locations:
        keys = list(takewhile(lambda part: isinstance(part, str) and part != "[key]", location))
        metric = next((index for index, key in enumerate(keys) if key in METRICS), len(keys))
        *outer, last = keys[: metric + 1] or [""]
        holder: object = left
        for key in outer:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(last, None)
    return left


def _kind_problem(table: RawTable, path: KeyPath) -> Problem:
    kinds = ", ".join(SERVICES)
    if "kind" not in table:
        return Problem(path, f"missing key: kind, one of {kinds}")
    kind = table["kind"]
    hint = did_you_mean(kind, SERVICES) if isinstance(kind, str) else ""
    return Problem((*path, "kind"), f"kind is {shown(kind)}, and must be one of {kinds}{hint}")
