"""The user's dashboard.toml: looks, keys and columns of the dashboard, and whether it may act.

It is small and read at every start, so it is checked here by hand and without pydantic. Names of keys, tables and
columns are the dashboard's own: who knows them gives them as `Known`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hactl.config.files import UnreadableError, read_file
from hactl.config.folders import config_folder
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem, headed, told
from hactl.config.source import RawTable, SourceError, read_toml
from hactl.model.dashboard import THEMES, ColumnChoice, KeyHelp, Settings
from hactl.model.errors import SettingsError
from hactl.model.suggest import did_you_mean, quoted
from hactl.model.text import one_line

_TOP = ("theme", "read_only", "bell", "keys", "columns")
_CHOICES = ("hide", "show")
_MODIFIERS = ("ctrl", "shift", "alt", "super", "meta", "hyper")
_NAMED = (
    *("enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"),
    *("up", "down", "left", "right", "comma", "slash", "colon", "question_mark", "plus"),
    *(f"f{number}" for number in range(1, 25)),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to be named. `clash` tells why a key map will not do: names of keys with a sentence each."""

    keys: Mapping[str, KeyHelp]
    columns: Mapping[str, Collection[str]]
    clash: Callable[[Mapping[str, str]], Mapping[str, str]] = field(default=lambda _keys: {})


def settings_file(env: Mapping[str, str] = os.environ) -> Path:
    """The user's dashboard.toml, existing or not."""
    return config_folder(env) / "dashboard.toml"


def load_settings(path: Path, known: Known | None = None) -> Settings:
    """What the file says; the defaults where there is none. Raises SettingsError with every problem.

    Without `known` names are taken as they are.
    """
    if not path.exists():
        return Settings()
    try:
        data = read_file(path, "dashboard's settings")
    except UnreadableError as error:
        line = f"{one_line(str(path), 300)}: {error.reason}"
        raise SettingsError(f"{line}.", (line,)) from error
    try:
        text, document = read_toml(data, "file of settings")
    except SourceError as error:
        raise _failure((error.told(str(path)),), path) from error
    reader = _Reader(known)
    settings = reader.read(document, str(path))
    if reader.problems:
        raise _failure(told(reader.problems, text, str(path)), path)
    return settings


def _failure(lines: tuple[str, ...], path: Path) -> SettingsError:
    return SettingsError(headed(lines, str(path)), lines, remedy="`hactl config keys` lists the names of keys.")


class _Reader:
    def __init__(self, known: Known | None) -> None:
        self._known = known
        self.problems: list[Problem] = []

    def read(self, document: RawTable, file: str) -> Settings:
        for key in document:
            if key not in _TOP:
                self._wrong((key,), f"unknown key {quoted(key)}{did_you_mean(key, _TOP)}", at_key=True)
        theme = document.get("theme")
        if theme is not None and theme not in THEMES:
            hint = did_you_mean(theme, THEMES) if isinstance(theme, str) else ""
            self._wrong(("theme",), f"theme is {_shown(theme)}, and must be one of {', '.join(THEMES)}{hint}")
            theme = None
        return Settings(
            theme=theme if isinstance(theme, str) else None,
            read_only=self._flag(document, "read_only", default=False),
            bell=self._flag(document, "bell", default=True),
            keys=self._keys(self._table(document, ("keys",))),
            columns=self._columns(self._table(document, ("columns",))),
            file=file,
        )

    def _wrong(self, path: KeyPath, message: str, *, at_key: bool = False) -> None:
        self.problems.append(Problem(path, message, at_key=at_key))

    def _flag(self, document: RawTable, key: str, *, default: bool) -> bool:
        value = document.get(key, default)
        if isinstance(value, bool):
            return value
        self._wrong((key,), f"{key} must be true or false, not {_shown(value)}")
        return default

    def _table(self, holder: RawTable, path: KeyPath) -> RawTable:
        value = holder.get(str(path[-1]), {})
        if isinstance(value, dict):
            return value
        self._wrong(path, f"{'.'.join(map(str, path))} must be a table, not {_shown(value)}")
        return {}

    # --- keys ---

    def _keys(self, table: RawTable) -> Mapping[str, str]:
        found: dict[str, str] = {}
        paths: dict[str, KeyPath] = {}
        for name, path, value in _flat(table, "", ("keys",)):
            if self._known is not None and name not in self._known.keys:
                hint = did_you_mean(name, self._known.keys)
                self._wrong(path, f"no key is called {quoted(name)}{hint}", at_key=True)
            elif (keys := self._bound(name, path, value)) is not None:
                found[name], paths[name] = keys, path
        if self._known is not None and not self.problems:
            for name, sentence in self._known.clash(found).items():
                self._wrong(paths[name], sentence)
        return found

    def _bound(self, name: str, path: KeyPath, value: object) -> str | None:
        """One key or several, as Textual writes them; None when there is something wrong."""
        given = value if isinstance(value, list) else [value]
        if not given:
            self._wrong(path, f"{name} needs a key; leave it out to have its own")
            return None
        keys = []
        for index, one in enumerate(given):
            if (problem := _key_problem(one)) is not None:
                self._wrong((*path, index) if isinstance(value, list) else path, problem)
            elif isinstance(one, str):
                keys.append("comma" if one == "," else one)
        return ",".join(keys) if len(keys) == len(given) else None

    # --- columns ---

    def _columns(self, table: RawTable) -> Mapping[str, ColumnChoice]:
        known = self._known.columns if self._known is not None else None
        found = {}
        for name in table:
            path = ("columns", name)
            if known is not None and name not in known:
                self._wrong(path, f"no table is called {quoted(name)}{did_you_mean(name, known)}", at_key=True)
                continue
            choice = self._table(table, path)
            for key in choice:
                if key not in _CHOICES:
                    hint = did_you_mean(key, _CHOICES)
                    self._wrong((*path, key), f"unknown key {quoted(key)}{hint}", at_key=True)
            there = known[name] if known is not None else None
            hide, show = (self._names(choice, (*path, key), there) for key in _CHOICES)
            for index, column in enumerate(show):
                if column in hide:
                    self._wrong((*path, "show", index), f"{quoted(column)} is hidden as well")
            found[name] = ColumnChoice(hide, show)
        return found

    def _names(self, choice: RawTable, path: KeyPath, there: Collection[str] | None) -> tuple[str, ...]:
        value = choice.get(str(path[-1]), [])
        if not isinstance(value, list):
            self._wrong(path, f"{path[-1]} must be an array of columns, not {_shown(value)}")
            return ()
        names = []
        for index, name in enumerate(value):
            if not isinstance(name, str):
                self._wrong((*path, index), f"a column's name must be a string, not {_shown(name)}")
            elif there is not None and name not in there:
                hint = did_you_mean(name, there) or f"; there are {', '.join(there)}"
                self._wrong((*path, index), f"{path[1]} has no column {quoted(name)}{hint}")
            else:
                names.append(name)
        return tuple(names)


def _flat(table: RawTable, before: str, path: KeyPath) -> Iterator[tuple[str, KeyPath, object]]:
    """Names of keys may be written with quotes ("nodes.drain") or without, which makes tables of them."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.", (*path, key))
        else:
            yield f"{before}{key}", (*path, key), value


def _key_problem(value: object) -> str | None:
    if not isinstance(value, str):
        return f"a key must be a string, not {_shown(value)}"
    *modifiers, key = value.split("+")
    for modifier in modifiers:
        if modifier not in _MODIFIERS:
            hint = did_you_mean(modifier, _MODIFIERS)
            return f"{quoted(value)}: {quoted(modifier)} is held down with no key{hint}"
    if (len(key) == 1 and key.isprintable() and key != " ") or key in _NAMED:
        return None
    return f"{quoted(value)} is no key{did_you_mean(key, _NAMED)}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)[:60]
    return "an array" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a date or time"
