"""The shop's users while an exercise goes on: orders and looks through the lab's VIP, at a steady rate.

    users.py ADDRESS RATE FOLDER NAME

Requests go out at their own times whatever became of the ones before, every other one is an order; nothing is repeated.
FOLDER/traffic gets a line of JSON a second (at, sent, failed, gap, error), FOLDER/orders the key of each order that was
confirmed, begun with NAME. What is there already is gone on with. Run as a script inside the lab's network namespace;
only the standard library.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
import sys
import time
from pathlib import Path

_PATIENCE = 10.0  # seconds for an answer; later is a failure
_TICK = 1.0
_GOOD = (200, 201)


class _Users:
    def __init__(self, address: str, folder: Path, name: str) -> None:
        self._address = address
        self._name = f"{name}-{secrets.token_hex(3)}"
        self._traffic = (folder / "traffic").open("a", encoding="ascii", buffering=1)
        self._orders = (folder / "orders").open("a", encoding="ascii", buffering=1)
        self._sent = self._failed = 0
        self._error = ""
        self._good = time.monotonic()

    async def request(self, number: int) -> None:
        key = f"{self._name}-{number}" if number % 2 == 0 else ""
        wrong = ""
        try:
            async with asyncio.timeout(_PATIENCE):
                status = await self._exchange(key)
            if status not in _GOOD:
                wrong = f"status {status}"
        except TimeoutError:
            wrong = "no answer"
        except (OSError, EOFError, ValueError, IndexError) as error:
            wrong = type(error).__name__
        self._sent += 1
        if wrong:
            self._failed, self._error = self._failed + 1, wrong
            return
        self._good = time.monotonic()
        if key:
            self._orders.write(f"{key}\n")

    async def _exchange(self, key: str) -> int:
        body = b'{"item": "exercise", "quantity": 1}' if key else b""
        first = "POST /api/orders" if key else "GET /api/orders?limit=1"
        head = f"{first} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        if key:
            head += f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\n"
        reader, writer = await asyncio.open_connection(self._address, 80)
        with contextlib.closing(writer):
            writer.write(f"{head}\r\n".encode() + body)
            await writer.drain()
            said = await reader.read()
        return int(said.split(maxsplit=2)[1])

    async def tell(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            line = {
                "at": round(time.time(), 3),
                "sent": self._sent,
                "failed": self._failed,
                "gap": round(time.monotonic() - self._good, 3),
                "error": self._error,
            }
            self._sent, self._failed, self._error = 0, 0, ""
            self._traffic.write(json.dumps(line) + "\n")


async def main(address: str, rate: float, folder: Path, name: str) -> None:
    users, began = _Users(address, folder, name), time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(users.tell())
        for number in itertools.count():
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            group.create_task(users.request(number))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]))
