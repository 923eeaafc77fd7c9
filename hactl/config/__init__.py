"""TOML to model: where the inventory is found, what may stand in it, and every problem with file, line and column.

The ways in are `discover` (which file) and `load_inventory` (what it says). A warm start reads a validated copy from
the user's cache and pays for neither pydantic nor tomli; `parse_inventory` is the slow way that always works.
"""

from hactl.config.discover import discover
from hactl.config.load import load_inventory, parse_inventory

__all__ = ["discover", "load_inventory", "parse_inventory"]
