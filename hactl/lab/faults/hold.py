"""A client that will not let go: keeps HTTP requests under way through the lab's VIP for as long as it runs.

    hold.py ADDRESS COUNT

Each of COUNT connections asks for the shop's stream, which never ends, and reads it; when it is cut off it starts
again at once, wherever the balancer then sends it. Run as a script inside the lab's network namespace; only the
standard library.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

_REQUEST = b"GET /api/stream HTTP/1.1\r\nHost: shop\r\nUser-Agent: hactl-lab-hold\r\n\r\n"
_SILENCE = 30.0  # seconds without a line after which the other end counts as gone
_PAUSE = 0.2


async def hold(address: str) -> None:
    while True:
        with contextlib.suppress(OSError):  # also a TimeoutError
            await _one(address)
        await asyncio.sleep(_PAUSE)


async def _one(address: str) -> None:
    """One request, until it is cut off."""
    async with asyncio.timeout(_SILENCE):
        reader, writer = await asyncio.open_connection(address, 80)
    with contextlib.closing(writer):
        writer.write(_REQUEST)
        while True:
            async with asyncio.timeout(_SILENCE):
                if not await reader.read(65536):
                    return


async def main(address: str, count: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(hold(address))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
