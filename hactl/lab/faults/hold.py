"""A client that will not let go: keeps HTTP requests under way through the lab's VIP for as long as it runs.

    hold.py ADDRESS COUNT

Each of COUNT connections announces a body and sends it a byte a second; when it is cut off it starts again at once.
Run as a script inside the lab's network namespace; only the standard library.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

_BODY = 3600
_HEAD = (
    "POST /api/orders HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
    f"Content-Length: {_BODY}\r\nUser-Agent: hactl-lab-hold\r\n\r\n"
)


async def hold(address: str) -> None:
    while True:
        with contextlib.suppress(OSError):
            await _one(address)
        await asyncio.sleep(0.2)


async def _one(address: str) -> None:
    reader, writer = await asyncio.open_connection(address, 80)
    with contextlib.closing(writer):
        writer.write(_HEAD.encode())
        answer = asyncio.ensure_future(reader.read(1))
        for _ in range(_BODY):
            writer.write(b" ")
            await writer.drain()
            done, _ = await asyncio.wait({answer}, timeout=1.0)
            if done:
                return
        answer.cancel()


async def main(address: str, count: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(hold(address))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
