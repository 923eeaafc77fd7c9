"""Everything of the dashboard that a user's settings may name: keys by name, and the columns of each table.

Knowing all keys takes loading all screens, so this is asked only when there is a key map to check, or to list names.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from textual.binding import Binding
from textual.keys import _normalize_key_list

from hactl.config.dashboard import Known
from hactl.model.dashboard import KeyHelp
from hactl.model.suggest import quoted
from hactl.tui import screens, widgets
from hactl.tui.keys import NamedKeys
from hactl.tui.shell import Shell
from hactl.view.tables import Column

# Tables whose columns may be chosen, by the name of their widget, and where the columns are written down. Of the
# balancers' table the column of each balancer is none that is known before.
_TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "services": ("hactl.view.services", "SERVICE_COLUMNS"),
        "findings": ("hactl.view.findings", "COLUMNS", "MORE_COLUMNS"),
        "recent": ("hactl.view.recent", "_COLUMNS"),
        "nodes": ("hactl.view.nodes", "COLUMNS"),
        "units": ("hactl.view.node_tables", "_UNITS"),
        "balancers": ("hactl.view.balancers", "_BEFORE", "_AFTER"),
        "tree": ("hactl.view.replication", "TREE_COLUMNS"),
        "repositories": ("hactl.view.backups", "REPOSITORY_COLUMNS"),
        "backups": ("hactl.view.backups", "BACKUP_COLUMNS"),
        "drills": ("hactl.view.drills", "COLUMNS"),
        "runs": ("hactl.view.runs", "_COLUMNS"),
        "playbooks": ("hactl.tui.screens.playbooks", "_COLUMNS"),
        "exercises": ("hactl.view.scenarios", "_COLUMNS"),
    }
)

# What has the focus on a screen: its keys and the screen's are there at once.
_FOCUSED = ("table", "text")


def known() -> Known:
    """Keys, columns, and what stands in the way of a key map."""
    helps = key_helps()
    return Known(helps, {name: tuple(column.key for column in columns(name)) for name in _TABLES}, clashes)


def columns(table: str) -> tuple[Column, ...]:
    """The columns of a table, extra ones too."""
    module, *names = _TABLES[table]
    found: Iterator[tuple[Column, ...]] = (getattr(importlib.import_module(module), name) for name in names)
    return tuple(column for part in found for column in part)


@cache
def key_helps() -> Mapping[str, KeyHelp]:
    """Every key by its name: first what holds everywhere, then by screen and widget."""
    found: dict[str, KeyHelp] = {}
    for binding in _bindings():
        name, keys = binding.id or "", tuple(binding.key.split(","))
        if (held := found.get(name)) is not None:  # up and down may be two bindings of one name
            keys = tuple(dict.fromkeys((*held.keys, *keys)))
        found[name] = KeyHelp(keys, binding.description, binding.tooltip)
    return dict(sorted(found.items(), key=lambda item: ("." in item[0], item[0])))


def _bindings() -> Iterator[Binding]:
    for package in (screens, widgets):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for owner in (Shell, *_subclasses(NamedKeys)):
        for binding in owner.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.description:
                yield binding


def _subclasses(base: type[NamedKeys]) -> Iterator[type[NamedKeys]]:
    for one in base.__subclasses__():
        if one.__module__.startswith("hactl."):
            yield one
            yield from _subclasses(one)


def clashes(keys: Mapping[str, str]) -> Mapping[str, str]:
    """Names whose new key already means something where it would be pressed, with the sentence that says what."""
    helps = key_helps()
    first = {name: _plain(",".join(one.keys)) for name, one in helps.items()}
    bound = {name: _plain(keys[name]) if name in keys else first[name] for name in helps}
    return {
        name: f"{quoted(key)} is {quoted(other)} already ({helps[other].does.lower()})"
        for name in keys
        for other in helps
        if other != name and _meet(name, other)
        for key in sorted((bound[name] & bound[other]) - (first[name] & first[other]))
    }


def _plain(keys: str) -> frozenset[str]:
    return frozenset(_normalize_key_list(keys).split(","))


def _meet(name: str, other: str) -> bool:
    """Whether both can be pressed at the same time."""
    one, two = (key.rpartition(".")[0] for key in (name, other))
    if one in _FOCUSED and two in _FOCUSED:
        return one == two
    return one == two or "" in {one, two} or one in _FOCUSED or two in _FOCUSED
