"""One visitor's dashboard: its process, from the first byte to the last, and what may pass between it and the browser.

Nothing stays behind: a session has not ended before its process has.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from hactl.model.text import safe

_log = logging.getLogger(__name__)

# The dashboard's own driver, which ends with this process; half of textual-serve's pictures a second.
_DRAWS = {"TEXTUAL_DRIVER": "hactl.tui.browser:BrowserDriver", "TEXTUAL_FPS": "30"}
_READY = b"__GANGLION__\n"  # what a Textual app says on its output before the first packet
_PACKET_LIMIT = 16 << 20  # bytes: a whole screen is some 100 kB
_ENDS_WITHIN = 3.0  # seconds: after it was asked to end, and again after SIGTERM
_STDERR_KEPT = 8192  # bytes of what a process says beside its screen

WIDEST, HIGHEST = 500, 200  # columns and lines: a terminal of any size would take memory of any size
_NARROWEST = 10


class Session(AppService):
    """`argv` is the dashboard's command line; `path` where the browser finds this server's downloads."""

    def __init__(
        self, argv: Sequence[str], websocket: web.WebSocketResponse, downloads: DownloadManager, path: str
    ) -> None:

        async def close() -> None:
            await self._leave("The dashboard was left.")

        super().__init__(
            " ".join(argv),
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=close,
            download_manager=downloads,
        )
        self._argv = argv
        self._websocket = websocket
        self._path = path
        self._ending: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    # --- the process ---

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """No shell, and a session of its own: Ctrl-C on the server's terminal is the server's to pass on."""
        environment = {**self._build_environment(width, height), **_DRAWS}
        process = await asyncio.create_subprocess_exec(
            *self._argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
        )
        if process.stdin is None:
            raise AssertionError("a pipe was asked for")
        self._process, self._stdin = process, process.stdin
        return process

    async def run(self) -> None:
        """Carry the process's packets until its output ends, and log what it said beside them."""
        process = self._process
        if process is None or process.stdout is None or process.stderr is None:
            raise AssertionError("run() comes after start()")
        beside = asyncio.create_task(_last_of(process.stderr))
        try:
            await self._carry(process.stdout)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it has ended; the browser has gone
        except ValueError as error:
            _log.warning("process %d: %s", process.pid, error)
        await self._leave("The dashboard has failed; what it said is in the log of hactl serve.")
        await _read_away(process.stdout)  # nobody sees it any more, and it must not hang on writing
        if said := await beside:
            _log.warning("process %d said: %s", process.pid, safe(said))

    async def _carry(self, stdout: asyncio.StreamReader) -> None:
        while await stdout.readline() != _READY:
            if stdout.at_eof():
                return
        while True:
            kind = await stdout.readexactly(1)
            size = int.from_bytes(await stdout.readexactly(4), "big")
            if size > _PACKET_LIMIT:
                raise ValueError(f"a packet of {size} bytes is more than a dashboard sends")
            payload = await stdout.readexactly(size)
            if kind == b"D":
                await self.on_data(payload)
            elif kind == b"M":
                await self.on_meta(payload)
            elif kind == b"P":
                await self.on_packed(payload)

    async def stop(self) -> None:
        """End it, and come back when its process is gone. May be called again, and by a task that is cancelled."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        asking = asyncio.create_task(self.send_meta({"type": "quit"}))  # waits, if the process has stopped reading
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                await asyncio.wait_for(process.wait(), _ENDS_WITHIN)
                break
            except TimeoutError:
                _log.warning("process %d does not end; it gets %s", process.pid, number.name)
                _signalled(process.pid, number)
        await process.wait()
        asking.cancel()
        _log.info("process %d has ended with status %s", process.pid, process.returncode)
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_ENDS_WITHIN)
            self._task.cancel()

    # --- what the browser says ---

    async def hear(self, message: object) -> bool:
        """One message of the page's script; whether a person was behind it. Raises ValueError for any other."""
        match message:
            case ["stdin", str(text)]:
                await self.send_bytes(text.encode("utf-8", "replace"))
                return True
            case ["resize", {"width": int(width), "height": int(height)}]:
                await self.set_terminal_size(*size(width, height))
            case ["ping", str(said)]:
                await self.remote_write_str(json.dumps(["pong", said]))
            case ["focus"]:
                await self.focus()
            case ["blur"]:
                await self.blur()
            case _:
                raise ValueError("not a message of the dashboard's page")
        return False

    # --- what the dashboard says beside its screen ---

    async def on_meta(self, data: bytes) -> None:
        meta = json.loads(data)
        match meta:
            case {"type": "exit"}:
                await self.remote_close()
            case {"type": "open_url", "url": str(url), "new_tab": bool(new_tab)}:
                if url.startswith(("https://", "http://")):
                    await self._open(url, new_tab=new_tab)
            case {"type": "deliver_file_start", "key": str(key), "path": str(path)}:
                await self._offer(key, path, meta)
            case _:
                _log.warning("process %s: not understood: %s", self.pid, safe(str(meta))[:200])

    async def _leave(self, why: str) -> None:
        """The page shows the reason; only the first counts."""
        await self._websocket.close(message=why.encode())

    async def _offer(self, key: str, path: str, meta: Mapping[str, object]) -> None:
        """A file to be saved; never to be opened, for it would be opened as a page of this server."""
        await self._download_manager.create_download(
            app_service=self,
            delivery_key=key,
            file_name=PurePath(path).name.replace('"', ""),
            open_method="download",
            mime_type="application/octet-stream",
            encoding=str(meta.get("encoding") or "") or None,
            name=None if meta.get("name") is None else str(meta["name"]),
        )
        await self._open(f"{self._path}download/{key}", new_tab=True)

    async def _open(self, url: str, *, new_tab: bool) -> None:
        await self.remote_write_str(json.dumps(["open_url", {"url": url, "new_tab": new_tab}]))


def size(width: int, height: int) -> tuple[int, int]:
    """The size that a browser asks for, within bounds."""
    return max(_NARROWEST, min(width, WIDEST)), max(_NARROWEST, min(height, HIGHEST))


def _signalled(group: int, number: signal.Signals) -> None:
    """The process and what it started in its session; runs have sessions of their own and go on."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)


async def _last_of(stream: asyncio.StreamReader) -> str:
    kept = b""
    while data := await stream.read(4096):
        kept = (kept + data)[-_STDERR_KEPT:]
    return kept.decode("utf-8", "backslashreplace").strip()


async def _read_away(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(1 << 16):
        pass
