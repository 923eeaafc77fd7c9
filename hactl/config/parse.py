"""The slow, complete way from bytes to Inventory: everything that is wrong is found and told at once."""

from __future__ import annotations

import codecs
from pathlib import Path

import tomli

from hactl.config.build import build
from hactl.config.check import check
from hactl.config.draft import RawTable, read_draft
from hactl.config.positions import find_positions
from hactl.config.problems import failure, told
from hactl.model.errors import InventoryError
from hactl.model.inventory import Inventory
from hactl.model.suggest import quoted
from hactl.model.text import one_line


def parse(data: bytes, path: Path, shown: str) -> Inventory:
    """See `load.parse_inventory`."""
    text = _decoded(data, shown)
    draft, problems = read_draft(_tables(text, shown))
    problems += check(draft)
    if problems:
        raise failure(told(problems, text, shown), shown)
    return build(draft, path)


def _decoded(data: bytes, shown: str) -> str:
    if data.startswith(codecs.BOM_UTF8):
        raise _at("", "the file starts with a byte order mark; save it as UTF-8 without one", shown)
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").replace("\r\n", "\n")
        byte = f"0x{data[error.start]:02x}"
        raise _at(before, f"the byte {byte} is not UTF-8; save the file as UTF-8", shown) from error


def _tables(text: str, shown: str) -> RawTable:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise _syntax(text, error, shown) from error
    except RecursionError as error:
        raise _at("", "arrays or tables are nested deeper than any inventory needs", shown) from error
    except ValueError as error:
        raise _at("", "a number has too many digits to be read", shown) from error


def _syntax(text: str, error: tomli.TOMLDecodeError, shown: str) -> InventoryError:
    """The parser notices a repeated key only at the end of its value; the positions know both places."""
    positions = find_positions(text[: error.pos])
    if positions.repeats:
        path, offset = positions.repeats[0]
        message = f"the key {quoted(str(path[-1]))} is set twice; the first is at line {positions.key(path)[0]}"
        return _at(text[:offset], message, shown)
    return _at(text[: error.pos], f"not TOML: {_lowered(one_line(error.msg))}", shown)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence


def _at(before: str, message: str, shown: str) -> InventoryError:
    """The error that stands after `before`."""
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return failure((f"{one_line(shown, 300)}:{line}:{column}: {message}",), shown)
