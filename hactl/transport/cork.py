"""One system call for what is sent together.

asyncssh sends each packet by itself. Held back until the next turn of the event loop, those of one turn go out as one
segment: fewer system calls here and on the node, and no waiting for acknowledgements in between.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hactl.transport.asyncssh_lib import asyncssh


class Cork:
    """Stands before a connection's asyncio transport and gathers what one turn of the loop writes."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """As of any transport: what was written is sent first."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            self._transport.write(data)


def cork(connection: asyncssh.SSHClientConnection) -> None:
    """Put a cork on a connection. asyncssh has no hook for it: the one place that reaches into it."""
    held = connection._transport  # noqa: SLF001 - see above
    if isinstance(held, asyncio.Transport):
        connection._transport = Cork(held, asyncio.get_running_loop())  # type: ignore[assignment] # noqa: SLF001 - see above
