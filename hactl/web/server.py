"""The web server: textual-serve's, behind the gate, with the page, the limits and the end that hactl wants."""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import Sequence
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.server import Server

from hactl.model.serving import Serving
from hactl.web.gate import Gate
from hactl.web.session import Session, size

_log = logging.getLogger(__name__)

_TEMPLATES = Path(__file__).parent / "templates"
_STATIC = Path(__file__).parent / "static"
_MESSAGE_LIMIT = 64 << 10  # bytes of one message of a browser: a large paste
_FORM_LIMIT = 4 << 10
_HEARTBEAT = 15.0  # seconds: a browser that is silent longer is gone
_GOODBYE_WITHIN = 3.0  # seconds for a browser to say that it has heard that a session ends
_ROOM_WITHIN = 5.0  # seconds that a visitor waits for a session that is just ending: a page that is reloaded
_TAKEN_WITHIN = 30.0  # seconds: a dashboard that does not read its keys for longer is stuck


class DashboardServer(Server):
    """Serves the dashboard that `argv` starts, one process a visitor."""

    def __init__(self, serving: Serving, gate: Gate, argv: Sequence[str]) -> None:
        super().__init__(" ".join(argv), title=f"hactl {serving.cluster}", templates_path=_TEMPLATES)
        self._serving = serving
        self._gate = gate
        self._argv = argv
        self._free = asyncio.Semaphore(serving.sessions)
        self._sessions: dict[Session, web.WebSocketResponse] = {}  # those whose processes have not ended

    async def make_app(self) -> web.Application:
        """The lobby, where the token is shown, and behind it what textual-serve serves."""
        lobby = web.Application(client_max_size=_FORM_LIMIT)
        lobby.add_routes([web.get("/", self._lobby), web.post("/", self._enter), web.static("/lobby", _STATIC)])
        house = await self._make_app()
        house.router.add_static("/own", _STATIC)
        self._gate.install(lobby, house)
        lobby.add_subapp(self._gate.path.rstrip("/"), house)
        aiohttp_jinja2.setup(lobby, loader=jinja2.FileSystemLoader(_TEMPLATES))
        return lobby

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is printed here: the command has said where it listens."""

    async def on_shutdown(self, app: web.Application) -> None:  # noqa: ARG002 - textual-serve's signature
        """Every page is told why, every process is ended."""
        await asyncio.gather(
            *(
                self._leave(websocket, WSCloseCode.GOING_AWAY, "hactl serve has stopped.")
                for websocket in self._sessions.values()
            ),
            *(session.stop() for session in self._sessions),
        )

    # --- the lobby ---

    async def _lobby(self, request: web.Request) -> web.StreamResponse:
        token = request.query.get("token")
        if token is None:
            return self._asking(request, 401, "")
        return await self._answer(request, token)

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        return await self._answer(request, str(form.get("token", "")))

    async def _answer(self, request: web.Request, token: str) -> web.StreamResponse:
        """In with the right token, by a page that leads on: the token must not stay in the address, and a redirect
        that another site's link began would not carry the cookie.
        """
        if not await self._gate.admits(request, token.strip()):
            return self._asking(request, 403, "That is not the token.")
        onward = html.escape(self._gate.path, quote=True)
        head = f'<!DOCTYPE html><link rel="icon" href="data:,"><meta http-equiv="refresh" content="0;url={onward}">'
        page = f'{head}<a href="{onward}">hactl</a>\n'
        response = web.Response(text=page, content_type="text/html")
        self._gate.give_cookie(response)
        return response

    def _asking(self, request: web.Request, status: int, problem: str) -> web.Response:
        context = {"title": self.title, "problem": problem}
        return aiohttp_jinja2.render_template("lobby.html", request, context, status=status)

    # --- the dashboard's page ---

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        context = {"title": self.title, "path": self._gate.path, "acting": self._serving.acting}
        return aiohttp_jinja2.render_template("dashboard.html", request, context)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=_MESSAGE_LIMIT, timeout=_GOODBYE_WITHIN)
        await websocket.prepare(request)
        try:
            await asyncio.wait_for(self._free.acquire(), _ROOM_WITHIN)
        except TimeoutError:
            why = f"All {self._serving.sessions} sessions are in use; try again when one has ended."
            _log.warning("no session for %s: %s", request.remote, why)
            await self._leave(websocket, WSCloseCode.TRY_AGAIN_LATER, why)
            return websocket
        try:
            await self._shown(request, websocket)
        finally:
            self._free.release()
        return websocket

    async def _shown(self, request: web.Request, websocket: web.WebSocketResponse) -> None:
        """One session, from its process's start to its end."""
        session = Session(self._argv, websocket, self.download_manager, self._gate.path)
        self._sessions[session] = websocket
        try:
            await session.start(*_asked_size(request))
            _log.info("session for %s: process %s", request.remote, session.pid)
            await self._leave(websocket, *await self._listened(websocket, session))
        finally:
            await session.stop()
            del self._sessions[session]

    async def _listened(self, websocket: web.WebSocketResponse, session: Session) -> tuple[int, str]:
        """Take what the page says until it, the dashboard or patience ends; how to close, and what to say."""
        loop, idle = asyncio.get_running_loop(), self._serving.idle or None
        touched = loop.time()
        while True:
            try:
                message = await websocket.receive(None if idle is None else max(0.0, touched + idle - loop.time()))
            except TimeoutError:
                return WSCloseCode.OK, "No key was pressed for a long time."
            if message.type is not WSMsgType.TEXT:
                return WSCloseCode.OK, "The dashboard was left."
            try:
                if await asyncio.wait_for(session.hear(message.json()), _TAKEN_WITHIN):
                    touched = loop.time()
            except TimeoutError:
                return WSCloseCode.INTERNAL_ERROR, "The dashboard does not answer."
            except (ValueError, RecursionError) as error:  # JSONDecodeError is a ValueError
                _log.warning("session of process %s: %s", session.pid, error)
                return WSCloseCode.UNSUPPORTED_DATA, "Not understood."

    async def _leave(self, websocket: web.WebSocketResponse, code: int, why: str) -> None:
        await websocket.close(code=code, message=why.encode())


def _asked_size(request: web.Request) -> tuple[int, int]:
    try:
        return size(int(request.query.get("width", "80")), int(request.query.get("height", "24")))
    except ValueError:
        return 80, 24
