"""Asks PostgreSQL over its own Unix socket on the node, through SSH, in one session that stays open.

asyncpg speaks the protocol; it is imported with the first question, so that clusters without PostgreSQL do not pay for
it. Statements that are asked in this way only read, so one that met a session which had ended meanwhile is asked again.
"""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from hactl.drivers.probe import QueryProbe
from hactl.model.command import command
from hactl.model.errors import ConnectionLostError, DatabaseDownError, ParseError, QueryError
from hactl.model.text import one_line, safe
from hactl.transport.bridge import bridge_unix
from hactl.transport.protocol import Transport

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = asyncpg.Connection

# Seconds in which a session has to be there, over a bridge that is.
_CONNECT = 5.0
_APPLICATION = "hactl"
# The server stops, crashed, starts, or is full: it takes no sessions, whoever asks.
_NO_SESSIONS = ("57P0", "53")


class Database:
    """One session, made when first needed. Not to be used by two askers at once."""

    def __init__(self, transport: Transport, probe: QueryProbe, login: str | None) -> None:
        """`login` is the SSH user where the inventory names it: the role when the probe names none."""
        self._transport = transport
        self._name = f".s.PGSQL.{probe.port}"  # what a client of PostgreSQL makes of a folder and a port
        self._path = str(PurePosixPath(probe.socket_directory) / self._name)
        self._port = probe.port
        self._role = probe.user or login
        self._database = probe.database
        self._bound = probe.deadline
        self._connection: Connection | None = None
        self._bridge: asyncio.Task[None] | None = None

    async def query(self, sql: str) -> str:
        """The one text value that `sql` answers with, safe.

        Raises SocketUnavailableError (no server there), QueryError (it refused), ConnectionLostError or ParseError.
        When cancelled, the session is closed, because the answer may still be on its way.
        """
        kept_open = self._connection is not None
        try:
            return await self._query(sql)
        except ConnectionLostError:
            if not kept_open:
                raise
        return await self._query(sql)

    def close(self) -> None:
        """End the session at once. Idempotent; does not wait."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            bridge.cancel()

    async def _query(self, sql: str) -> str:
        import asyncpg  # noqa: PLC0415 - see the module's docstring

        try:
            connection = self._connection or await self._open()
            value = await connection.fetchval(sql)
        except asyncpg.PostgresError as error:
            self.close()
            raise self._refused(error) from error
        except (asyncpg.InterfaceError, OSError) as error:
            self.close()
            raise ConnectionLostError(
                self._node, f"the session on {self._path} ended: {one_line(str(error))}"
            ) from error
        except BaseException:
            self.close()
            raise
        if not isinstance(value, str):
            raise ParseError(f"PostgreSQL answered with a {type(value).__name__}, not with a text.")
        return safe(value)

    async def _open(self) -> Connection:
        import asyncpg  # noqa: PLC0415 - see the module's docstring

        if self._role is None:
            self._role = (await self._transport.run(command("id", "-un"))).stdout.strip()
        path = await self._local_path()
        self._connection = await asyncpg.connect(
            host=str(path.parent),
            port=self._port,
            user=self._role,
            database=self._database,
            ssl=False,
            timeout=_CONNECT,
            # The statement is large and cheap: compiling it would cost the server more than running it.
            server_settings={
                "application_name": _APPLICATION,
                "statement_timeout": f"{int(self._bound * 1000)}",
                "jit": "off",
                "search_path": "pg_catalog",  # nobody's function stands in for one of the server's own
            },
        )
        return self._connection

    async def _local_path(self) -> Path:
        """A local socket that leads to the server. It stays until `close` cancels the task that holds it."""
        ready: asyncio.Future[Path] = asyncio.get_running_loop().create_future()

        async def hold() -> None:
            try:
                async with bridge_unix(self._transport, self._path, self._name) as path:
                    ready.set_result(path)
                    await asyncio.Event().wait()
            except Exception as error:
                if ready.done():
                    raise
                ready.set_exception(error)

        self._bridge = asyncio.create_task(hold(), name=f"bridge to {self._path} on {self._node}")
        return await ready

    def _refused(self, error: Exception) -> QueryError:
        """What the server said, in its words. It says the class of the error in five letters and digits."""
        state = getattr(error, "sqlstate", "") or ""
        remedy = ""
        if state.startswith("28"):  # invalid authorization: no such role, or not for this user
            remedy = f'Create the role for monitoring: CREATE ROLE "{self._role}" LOGIN IN ROLE pg_monitor;'
        kind = DatabaseDownError if state.startswith(_NO_SESSIONS) else QueryError
        return kind(self._node, f"PostgreSQL on {self._path}: {one_line(str(error))}", remedy=remedy)

    @property
    def _node(self) -> str:
        return self._transport.node
