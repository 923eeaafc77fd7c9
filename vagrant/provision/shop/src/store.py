"""The orders, kept in PostgreSQL and reached through the balancer, so never at a fixed server.

A switchover shows here as connections that end, refuse, or turn read-only. `Store` waits it out: every
operation is safe to repeat (reads; inserts under an idempotency key) and is repeated on a new connection until
`PATIENCE` is over. Only then does the caller see `UnavailableError`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import asyncpg
from journal import Level, log

PATIENCE = 8.0  # seconds for which an operation is retried before it fails
STATEMENT_SECONDS = 4.0  # one statement; a frozen primary answers no sooner
CONNECT_SECONDS = 3.0
CONNECTIONS = 4  # at most, a process

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    item text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    node text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
SCHEMA_LOCK = 7_301_001  # several nodes start at once; CREATE IF NOT EXISTS alone can still collide
NEWEST = "SELECT id, key, item, quantity, node, at FROM orders ORDER BY id DESC LIMIT $1"
BY_NUMBER = "SELECT id, key, item, quantity, node, at FROM orders WHERE id = $1"
BY_KEY = "SELECT id, key, item, quantity, node, at FROM orders WHERE key = $1"
INSERT = """
INSERT INTO orders (key, item, quantity, node) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO NOTHING RETURNING id, key, item, quantity, node, at
"""

TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, recovering
    asyncpg.ReadOnlySQLTransactionError,  # this was the primary a moment ago
    asyncpg.TooManyConnectionsError,
)

Result = TypeVar("Result")


class UnavailableError(Exception):
    """The database could not be used for `PATIENCE` seconds. Whether an insert took place is unknown."""


class KeyReusedError(Exception):
    """An idempotency key came again with another order."""


@dataclass(frozen=True)
class Order:
    id: int
    key: str
    item: str
    quantity: int
    node: str  # the shop node that took it
    at: datetime


class Store:
    def __init__(self, dsn: str, node: str) -> None:
        self._dsn = dsn
        self._node = node
        self._pool: asyncpg.Pool | None = None
        self._schema_known = False
        self._trouble: tuple[str, float] | None = None  # what, since (monotonic)

    def trouble(self) -> str | None:
        """What is wrong with the database, as the last operation saw it; None when it worked."""
        if self._trouble is None:
            return None
        what, since = self._trouble
        return f"database unavailable for {time.monotonic() - since:.0f} s: {what}"

    async def newest(self, limit: int) -> list[Order]:
        async def read(connection: asyncpg.Connection) -> list[Order]:
            rows = await connection.fetch(NEWEST, limit)
            return [Order(**row) for row in rows]

        return await self._patiently(read)

    async def find(self, number: int) -> Order | None:
        async def read(connection: asyncpg.Connection) -> Order | None:
            row = await connection.fetchrow(BY_NUMBER, number)
            return Order(**row) if row else None

        return await self._patiently(read)

    async def count(self) -> int:
        async def read(connection: asyncpg.Connection) -> int:
            return int(await connection.fetchval("SELECT count(*) FROM orders"))

        return await self._patiently(read)

    async def add(self, key: str, item: str, quantity: int) -> tuple[Order, bool]:
        """Store an order once. Returns it, and whether this call made it. Raises KeyReusedError, UnavailableError."""

        async def insert(connection: asyncpg.Connection) -> tuple[Order, bool]:
            row = await connection.fetchrow(INSERT, key, item, quantity, self._node)
            if row:
                return Order(**row), True
            row = await connection.fetchrow(BY_KEY, key)
            return Order(**row), False

        order, created = await self._patiently(insert)
        if (order.item, order.quantity) != (item, quantity):
            raise KeyReusedError(key)
        return order, created

    async def close(self, patience: float) -> None:
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(patience):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _patiently(self, operation: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
        deadline = time.monotonic() + PATIENCE
        pause = 0.05
        while True:
            try:
                result = await self._once(operation)
            except TRANSIENT as error:
                self._note(error)
                if time.monotonic() + pause > deadline:
                    raise UnavailableError(str(error) or type(error).__name__) from error
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
                pause = min(pause * 2, 0.5)
            else:
                self._note(None)
                return result

    async def _once(self, operation: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
        pool = await self._open()
        async with pool.acquire(timeout=CONNECT_SECONDS) as connection:
            try:
                if not self._schema_known:
                    await make_schema(connection)
                    self._schema_known = True
                return await operation(connection)
            except TRANSIENT:
                # Never hand it back: it may lead to a server that is frozen, or no longer the primary.
                connection.terminate()
                raise

    async def _open(self) -> asyncpg.Pool:
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=0,  # so that the shop starts while the database is down
                max_size=CONNECTIONS,
                timeout=CONNECT_SECONDS,
                command_timeout=STATEMENT_SECONDS,
            )
        return self._pool

    def _note(self, error: BaseException | None) -> None:
        """Remember trouble and its end, and log each change once."""
        if error is None:
            if self._trouble is not None:
                log(Level.NOTICE, f"database usable again after {time.monotonic() - self._trouble[1]:.1f} s")
            self._trouble = None
            return
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        if self._trouble is None:
            log(Level.WARNING, f"database trouble: {what}")
        self._trouble = (what, self._trouble[1] if self._trouble else time.monotonic())


async def make_schema(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", SCHEMA_LOCK)
        await connection.execute(SCHEMA)
