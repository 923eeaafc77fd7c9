"""The shape check: every table of the file against `schema`, each on its own, so that one bad table hides nothing.

What comes out is a Draft: the entries that are sound, each with its path, and, read leniently from the raw document,
the names that exist, so that a reference to a node whose port is wrong is not reported as dangling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from pydantic import ValidationError

from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.schema import (
    SCHEMA,
    SERVICES,
    ClusterEntry,
    Entry,
    InventoryFile,
    NodeEntry,
    PoolEntry,
    ServiceEntry,
    SiteEntry,
    SshEntry,
    ThresholdsEntry,
    ThresholdsTable,
    VipEntry,
)
from hactl.config.wording import reworded, shown
from hactl.model.suggest import did_you_mean, quoted

E = TypeVar("E", bound=Entry)
RawTable: TypeAlias = Mapping[str, object]

_TABLES: dict[str, type[Entry]] = {"cluster": ClusterEntry, "ssh": SshEntry, "thresholds": ThresholdsTable}
_LISTS: dict[str, type[Entry]] = {"sites": SiteEntry, "nodes": NodeEntry, "pools": PoolEntry, "vips": VipEntry}
_KINDS = ("sites", "nodes", "services", "pools", "vips")


@dataclass(frozen=True, slots=True)
class Found(Generic[E]):
    """A sound entry and where it stands."""

    path: KeyPath
    entry: E


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
    thresholds: ThresholdsEntry | None = None
    names: dict[str, dict[str, KeyPath]] = field(default_factory=dict)  # kind -> name -> path of its first entry
    raw_nodes: dict[str, RawTable] = field(default_factory=dict)

    def roles(self) -> dict[str, list[str]]:
        """Role -> names of its nodes, in file order."""
        found: dict[str, list[str]] = {}
        for node, table in self.raw_nodes.items():
            given = table.get("roles")
            for role in given if isinstance(given, list) else ():
                if isinstance(role, str):
                    found.setdefault(role, []).append(node)
        return found

    def members(self, service: ServiceEntry) -> tuple[str, ...]:
        """The nodes of `service`, in file order."""
        wanted = self.roles().get(service.role, []) if service.role is not None else (service.nodes or [])
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
        for path, table in tables:
            model = _service_model(table) if kind == "services" else _LISTS[kind]
            entry = _checked(model, table, path, problems)
            if entry is not None:
                getattr(draft, kind).append(Found(path, entry))
    for key, model in _TABLES.items():
        value = document.get(key, {} if key != "cluster" else None)
        entry = _checked(model, value, (key,), problems) if isinstance(value, dict) else None
        if entry is not None:
            setattr(draft, key, entry)
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


def _names(tables: Sequence[tuple[KeyPath, RawTable]]) -> dict[str, KeyPath]:
    names: dict[str, KeyPath] = {}
    for path, table in filter(_is_named, tables):
        names.setdefault(str(table["name"]), path)
    return names


def _service_model(table: RawTable) -> type[Entry]:
    """The model of the service's kind; for a wrong kind one that reports it, and that alone."""
    kind = table.get("kind")
    return SERVICES.get(kind, _KindOnly) if isinstance(kind, str) else _KindOnly


class _KindOnly(Entry):
    """Stands in for a service whose kind is missing or unknown; never sound."""


def _checked(model: type[Entry], table: RawTable, path: KeyPath, problems: list[Problem]) -> Entry | None:
    if model is _KindOnly:
        problems.append(_kind_problem(table, path))
        return None
    try:
        return model.model_validate(table)
    except ValidationError as error:
        problems.extend(reworded(detail, model, path) for detail in error.errors(include_url=False))
        return None


def _kind_problem(table: RawTable, path: KeyPath) -> Problem:
    kinds = ", ".join(SERVICES)
    if "kind" not in table:
        return Problem(path, f"missing key: kind, one of {kinds}")
    kind = table["kind"]
    hint = did_you_mean(kind, SERVICES) if isinstance(kind, str) else ""
    return Problem((*path, "kind"), f"kind is {shown(kind)}, and must be one of {kinds}{hint}")
