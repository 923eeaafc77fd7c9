"""Writes numbered rows through the VIP and keeps what was confirmed. Runs on a node of the lab, which has asyncpg.

    python3 writer.py HOST SECONDS FILE

A hundred rows a second over one connection, each row until it is confirmed; a row that was tried twice is there once.
FILE gets a line for each confirmed row: its number and the second of the node's monotonic clock.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg

RATE = 100.0
PASSWORD = Path("/opt/hactl-lab/keys/shop.password")
MAKE = "CREATE TABLE IF NOT EXISTS numbered (n bigint PRIMARY KEY)"
# The last one: a server that says goodbye to a connection which is idle, just when it is used again.
GONE = (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
WRITE = "INSERT INTO numbered VALUES ($1) ON CONFLICT DO NOTHING"


async def connected(host: str) -> Any:  # asyncpg has no types
    about = {"user": "shop", "database": "shop", "password": PASSWORD.read_text(encoding="ascii").strip()}
    while True:
        try:
            return await asyncpg.connect(host=host, port=5432, timeout=20, **about)
        except GONE:
            await asyncio.sleep(0.05)


async def main(host: str, seconds: float, path: str) -> None:
    connection = await connected(host)
    await connection.execute(MAKE)
    number = await connection.fetchval("SELECT coalesce(max(n), 0) FROM numbered")
    begun, written = time.monotonic(), 0
    with Path(path).open("w", encoding="ascii", buffering=1) as confirmed:
        while time.monotonic() - begun < seconds:
            number, written = number + 1, written + 1
            while True:
                try:
                    await connection.execute(WRITE, number, timeout=20)
                    break
                except GONE:
                    connection.terminate()
                    connection = await connected(host)
            confirmed.write(f"{number} {time.monotonic():.3f}\n")
            # After a gap it does not hurry: the rate is what it is.
            await asyncio.sleep(max(0.0, min(1 / RATE, begun + written / RATE - time.monotonic())))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3]))
