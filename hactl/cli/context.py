"""What the root command hands to every other: the global options, and the inventory they lead to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from hactl.model.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Cli:
    """The global options. The root group stores one of these as `ctx.obj`."""

    inventory: str | None = None  # --inventory, as it was typed

    def path(self) -> Path:
        """The inventory file that this invocation is about. Raises InputError when there is none."""
        from pathlib import Path

        from hactl.config import discover

        return discover(self.inventory, os.environ, Path.cwd())

    def load(self) -> Inventory:
        """The inventory. Raises InputError when there is none and InventoryError when it has problems."""
        from hactl.config import load_inventory

        return load_inventory(self.path())


pass_cli = click.make_pass_decorator(Cli, ensure=True)
