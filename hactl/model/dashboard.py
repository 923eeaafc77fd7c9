"""What the user chooses about the dashboard: looks, keys, columns, and whether it may act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

THEMES = ("dark", "light", "high-contrast")


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Of one table: columns that are not wanted, and columns that are shown first, also those that are extra."""

    hide: tuple[str, ...] = ()
    show: tuple[str, ...] = ()


ALL_COLUMNS = ColumnChoice()


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """A key that has a name: what it is bound to unless the user says otherwise, what it does, what more is to say."""

    keys: tuple[str, ...]
    does: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """`theme` None: the one that was chosen last. `keys`: by name of a key ("nodes.drain"), what it is bound to
    instead, several separated by commas. `columns`: by name of a table. `file`: where all that was said.
    """

    theme: str | None = None
    read_only: bool = False
    bell: bool = True
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    columns: Mapping[str, ColumnChoice] = field(default_factory=lambda: MappingProxyType({}))
    file: str = ""
