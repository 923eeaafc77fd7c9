"""Where in a TOML source a key and its value stand.

The parser gives values without places, and places are wanted only once something is wrong. So this scanner walks a text
that is already known to be valid TOML, understands just enough of it to follow tables, keys, strings, arrays and inline
tables, and notes an offset for every path: ("nodes", 3, "ssh", "port"). It never judges and never fails: should it lose
its way, what it has found until then stands, and a path without a place borrows that of the nearest one around it.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TypeAlias

import tomli

KeyPath: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[^\s=.\[\]{},\"'#]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_STRINGS = {
    '"""': re.compile(r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}', re.DOTALL),
    "'''": re.compile(r"'''(?:[^']++|'{1,2}(?!'))*+'{3,5}"),
    '"': re.compile(r'"(?:[^"\\\n]++|\\.)*+"'),
    "'": re.compile(r"'[^'\n]*'"),
}


class _LostError(Exception):
    """The text is not what the scanner expects; what was found so far stands."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Offsets of keys and values by path. The element of an array of tables has its header as key and as value."""

    text: str
    keys: dict[KeyPath, int]
    values: dict[KeyPath, int]
    repeats: list[tuple[KeyPath, int]] = field(default_factory=list)  # keys that are set again: not valid TOML
    lines: list[int] = field(default_factory=list)  # offsets at which lines start

    def key(self, path: KeyPath) -> tuple[int, int]:
        """Line and column, from 1, of the key at `path`, or of the nearest key around it; (1, 1) at worst."""
        return self._place(self.keys, path)

    def value(self, path: KeyPath) -> tuple[int, int]:
        """Line and column, from 1, of the value at `path`, or of the nearest value around it; (1, 1) at worst."""
        return self._place(self.values, path)

    def _place(self, offsets: dict[KeyPath, int], path: KeyPath) -> tuple[int, int]:
        while path and path not in offsets:
            path = path[:-1]
        offset = offsets.get(path, 0)
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1


def find_positions(text: str) -> Positions:
    """Every place in `text`, which tomli has accepted (for other texts: as many as can be made out)."""
    text = text.replace("\r\n", "\n")
    scanner = _Scanner(text)
    with contextlib.suppress(_LostError, RecursionError):
        scanner.document()
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    return Positions(text, scanner.keys, scanner.values, scanner.repeats, starts)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.keys: dict[KeyPath, int] = {}
        self.values: dict[KeyPath, int] = {}
        self.repeats: list[tuple[KeyPath, int]] = []
        self.last: dict[KeyPath, int] = {}  # index of the open element of each array of tables

    def document(self) -> None:
        table: KeyPath = ()
        while self._blank():
            if self._next("["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        start = self.at
        array = self._next("[[")
        self.at += 2 if array else 1
        path = self._keys((), opens=not array)
        if array:
            self.last[path] = self.last.get(path, -1) + 1
            self.values.setdefault(path, start)
            path = (*path, self.last[path])
            self.keys[path] = start
        self.values.setdefault(path, start)
        self._expect("]]" if array else "]")
        return path

    def _pair(self, table: KeyPath) -> None:
        start = self.at
        path = self._keys(table, opens=False)
        self._expect("=")
        if path in self.values:
            self.repeats.append((path, start))
        self._space()
        self._value(path)

    def _keys(self, table: KeyPath, *, opens: bool) -> KeyPath:
        """Reads a dotted key, notes its parts, and enters the open elements of arrays of tables on the way.

        `opens`: enters also what the last part names, as the header of a table does.
        """
        path = table
        while True:
            self._space()
            start = self.at
            path = (*path, self._part())
            self.keys.setdefault(path, start)
            self._space()
            more = self._next(".")
            if (more or opens) and path in self.last:
                path = (*path, self.last[path])
            if not more:
                return path
            self.values.setdefault(path, start)
            self.at += 1

    def _part(self) -> str:
        if self._next('"') or self._next("'"):
            start = self.at
            self._string()
            return str(tomli.loads(f"x = {self.text[start : self.at]}")["x"])
        return self._match(_BARE)

    def _value(self, path: KeyPath) -> None:
        self.values.setdefault(path, self.at)
        if self._next('"') or self._next("'"):
            self._string()
        elif self._next("["):
            self._array(path)
        elif self._next("{"):
            self._inline(path)
        else:
            self._match(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        index = 0
        self.at += 1
        while self._blank() and not self._next("]"):
            self.keys[*path, index] = self.at
            self._value((*path, index))
            index += 1
            if self._blank() and self._next(","):
                self.at += 1
        self._expect("]")

    def _inline(self, path: KeyPath) -> None:
        self.at += 1
        while self._blank() and not self._next("}"):
            self._pair(path)
            if self._blank() and self._next(","):
                self.at += 1
        self._expect("}")

    def _string(self) -> None:
        quote = self.text[self.at : self.at + 3]
        self._match(_STRINGS[quote if quote in _STRINGS else quote[:1]])

    def _blank(self) -> bool:
        """Skips blanks, newlines and comments; False at the end of the text."""
        self._match(_BLANK)
        return self.at < len(self.text)

    def _space(self) -> None:
        self._match(_SPACE)

    def _next(self, token: str) -> bool:
        return self.text.startswith(token, self.at)

    def _expect(self, token: str) -> None:
        self._space()
        if not self._next(token):
            raise _LostError
        self.at += len(token)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise _LostError
        self.at = found.end()
        return found[0]
