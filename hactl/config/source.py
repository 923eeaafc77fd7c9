"""From a file to text and tables: what every TOML file of hactl has in common before anyone asks what it means."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import TypeAlias

import tomli

from hactl.config.positions import find_positions
from hactl.model.suggest import quoted
from hactl.model.text import one_line

RawTable: TypeAlias = Mapping[str, object]


class SourceError(Exception):
    """The one problem that keeps a file from being read as TOML, with its place. Lines and columns count from 1."""

    def __init__(self, before: str, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.line = before.count("\n") + 1
        self.column = len(before) - before.rfind("\n")

    def told(self, shown: str) -> str:
        """As one line, `FILE:LINE:COLUMN: MESSAGE`."""
        return f"{one_line(shown, 300)}:{self.line}:{self.column}: {self.message}"


def read_toml(data: bytes, noun: str) -> tuple[str, RawTable]:
    """The text of `data` and what it says. `noun` is what the file should have been. Raises SourceError."""
    text = _decoded(data)
    try:
        return text, tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise _syntax(text, error) from error
    except RecursionError as error:
        raise SourceError("", f"arrays or tables are nested deeper than any {noun} needs") from error
    except ValueError as error:
        raise SourceError("", "a number has too many digits to be read") from error


def _decoded(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        raise SourceError("", "the file starts with a byte order mark; save it as UTF-8 without one")
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").replace("\r\n", "\n")
        byte = f"0x{data[error.start]:02x}"
        raise SourceError(before, f"the byte {byte} is not UTF-8; save the file as UTF-8") from error


def _syntax(text: str, error: tomli.TOMLDecodeError) -> SourceError:
    """The parser notices a repeated key only at the end of its value; the positions know both places."""
    positions = find_positions(text[: error.pos])
    if positions.repeats:
        path, offset = positions.repeats[0]
        message = f"the key {quoted(str(path[-1]))} is set twice; the first is at line {positions.key(path)[0]}"
        return SourceError(text[:offset], message)
    return SourceError(text[: error.pos], f"not TOML: {_lowered(one_line(error.msg))}")


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence
