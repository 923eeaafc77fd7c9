"""The cluster's lock from outside: who holds it on which node, and ending a holder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from hactl.engine import lock_script
from hactl.engine.lock_hold import ANSWER_WITHIN, PATIENCE
from hactl.engine.lock_script import Said, folder_of
from hactl.model.command import Command
from hactl.model.errors import LockError, TransportError
from hactl.model.lock import LockBroken, LockPicture, NodeLock
from hactl.transport.protocol import Transport

_LOOK_AGAIN = 0.1  # seconds


async def holders(transports: Mapping[str, Transport], cluster: str, *, folder: str | None = None) -> LockPicture:
    """Who holds the lock on each node. Takes nothing."""
    command = lock_script.look(folder or folder_of(cluster), ANSWER_WITHIN)

    async def looked(node: str) -> NodeLock:
        said = await _told(transports[node], command)
        if isinstance(said, str):
            return NodeLock(node, problem=said)
        return NodeLock(node, said.word == "busy", said.holder if said.word == "busy" else None, said.epoch)

    return LockPicture(cluster, tuple(await asyncio.gather(*(looked(node) for node in transports))))


async def break_lock(
    transports: Mapping[str, Transport],
    cluster: str,
    lock_id: str,
    *,
    folder: str | None = None,
    wall: Callable[[], float] = time.time,
) -> LockBroken:
    """End a holder on every node that can be asked, and fence out whatever it may still send.

    Raises LockError when nobody holds the lock under this id.
    """
    picture = await holders(transports, cluster, folder=folder)
    if lock_id not in {holder.id for holder in picture.holders}:
        held = "; ".join(holder.sentence for holder in picture.holders) or "nobody"
        raise LockError(
            f"No lock {lock_id} is held on the nodes of {cluster} that answered; held by: {held}.",
            remedy="See `hactl lock show`.",
        )
    epoch = max(int(wall()), *(node.epoch for node in picture.nodes)) + 1
    command = lock_script.end(folder or folder_of(cluster), lock_id, epoch, ANSWER_WITHIN)
    told = await asyncio.gather(*(_ended(transport, command) for transport in transports.values()))
    said = dict(zip(transports, told, strict=True))
    ended = tuple(node for node, each in said.items() if isinstance(each, Said) and each.word in {"ended", "none"})
    return LockBroken(epoch, ended, tuple(node for node, each in said.items() if isinstance(each, str)))


async def _ended(transport: Transport, command: Command) -> Said | str:
    """As `_told`. Asked again while somebody who only tries to take it is in the way: they let go in a moment."""
    deadline = time.monotonic() + PATIENCE
    while True:
        said = await _told(transport, command)
        if isinstance(said, str) or not _merely_tries(said) or time.monotonic() >= deadline:
            return said
        await asyncio.sleep(_LOOK_AGAIN)


def _merely_tries(said: Said) -> bool:
    """Whoever has a majority has an epoch."""
    return said.word == "other" and (said.holder is None or not said.holder.epoch)


async def _told(transport: Transport, command: Command) -> Said | str:
    """What a script said; or why it did not, as a sentence."""
    try:
        done = await transport.run(command)
    except TransportError as error:
        return error.message
    said = lock_script.heard((done.stdout.splitlines() or [""])[-1])
    return said or f"{transport.node}: the lock cannot be read there: {done.stderr.strip() or f'exit {done.exit}'}"
