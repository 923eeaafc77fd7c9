"""A look at the cluster's lock over connections that are open anyway: for who watches, not for who decides."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from hactl.engine.lock_look import holders
from hactl.model.inventory import Inventory, Standing
from hactl.model.lock import LockPicture, NodeLock

if TYPE_CHECKING:
    from hactl.control.control import Control

_AT_ONCE = 4  # nodes: a look is no reason for a burst of work


async def look(control: Control, inventory: Inventory, connected: Collection[str]) -> LockPicture:
    """The lock as those nodes see it that decide about it and are connected; the others are not waited for."""
    transports, turns = control.transports(), asyncio.Semaphore(_AT_ONCE)

    async def asked(node: str) -> NodeLock:
        if node not in connected or node not in transports:
            return NodeLock(node, problem=f"{node}: not connected")
        async with turns:
            return (await holders({node: transports[node]}, inventory.name)).nodes[0]

    deciding = [name for name, node in inventory.nodes.items() if node.standing is Standing.ACTIVE]
    return LockPicture(inventory.name, tuple(await asyncio.gather(*map(asked, deciding))))
