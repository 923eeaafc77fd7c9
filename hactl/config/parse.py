"""The slow, complete way from bytes to Inventory: everything that is wrong is found and told at once."""

from __future__ import annotations

from pathlib import Path

from hactl.config.build import build
from hactl.config.check import check
from hactl.config.draft import read_draft
from hactl.config.problems import headed, told
from hactl.config.source import SourceError, read_toml
from hactl.model.errors import InventoryError
from hactl.model.inventory import Inventory


def parse(data: bytes, path: Path, shown: str) -> Inventory:
    """See `load.parse_inventory`."""
    try:
        text, document = read_toml(data, "inventory")
    except SourceError as error:
        raise failure((error.told(shown),), shown) from error
    draft, problems = read_draft(document)
    problems += check(draft)
    if problems:
        raise failure(told(problems, text, shown), shown)
    return build(draft, path)


def failure(lines: tuple[str, ...], shown: str) -> InventoryError:
    """The error that carries `lines`."""
    return InventoryError(headed(lines, shown), lines)
