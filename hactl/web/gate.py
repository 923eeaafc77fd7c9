"""Who may come in: every request passes here first, and every answer leaves with the headers that bind the browser.

Any program on this machine and any page in any browser can reach a loopback port. So:
- a request must call this server by one of its own names (else another's DNS name was pointed at us: rebinding);
- a request that a page makes must come from our own page (else another site uses the visitor's browser);
- whoever shows the token gets a cookie, which no script can read and no other site's request carries. The cookie is
  bound to a path that cannot be guessed: cookies do not know ports, and another user's server on another port of
  this machine would be sent it otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from urllib.parse import urlsplit

from aiohttp import web

from hactl.model.serving import Serving
from hactl.web.door import is_wildcard

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "hactl"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WRONG_TOKEN_PAUSE = 0.5  # seconds: guessing is hopeless anyhow, and no reason to be quick about it

# Nothing is loaded from, sent to or framed by any other place. Styles are also written by the terminal's script.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self' {websocket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers would no longer say that our own form is ours.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "hactl",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """`names`: what browsers may call this server, lower case, without a port: a tunnel may lead here by another.

    `path` is where everything lies that needs the cookie, with slashes at both ends.
    """

    token: str = field(repr=False)
    names: frozenset[str]
    tls: bool
    path: str = field(default_factory=lambda: f"/{secrets.token_urlsafe(24)}/", repr=False)
    _cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def install(self, lobby: web.Application, house: web.Application) -> None:
        """Stand before both applications: into the lobby by this server's names alone, into the house by the cookie."""

        @web.middleware
        async def called_by_name(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._is_ours(request.host):
                raise _forbidden(request, "this server is not called that; --name NAME allows it")
            if not self._is_own_page(request):
                raise _forbidden(request, "the request comes from another site")
            return await handler(request)

        @web.middleware
        async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._has_cookie(request):
                raise _forbidden(request, "show the token first, at the address that `hactl serve` printed")
            return await handler(request)

        lobby.middlewares.append(called_by_name)
        lobby.on_response_prepare.append(self._bind)
        house.middlewares.append(let_in)

    async def _bind(self, request: web.Request, response: web.StreamResponse) -> None:
        """The headers of every answer, before it is sent."""
        own = f"{'wss' if self.tls else 'ws'}://{request.host}" if self._is_ours(request.host) else ""
        response.headers["Content-Security-Policy"] = _POLICY.format(websocket=own)
        response.headers.update(_HEADERS)

    def _is_ours(self, host: str) -> bool:
        """A Host header: only the name counts; behind a tunnel the port is another. Never raises."""
        try:
            parts = urlsplit(f"//{host}")
            name, whole = parts.hostname, parts.netloc == host and parts.username is None
            _ = parts.port  # digits or nothing
        except ValueError:
            return False
        return whole and name is not None and name in self.names

    def _is_own_page(self, request: web.Request) -> bool:
        """Browsers say where a request comes from on all that changes something, and on every WebSocket."""
        origin = request.headers.get("Origin")
        if origin is None:
            opening = request.headers.get("Upgrade") is not None or request.method not in {"GET", "HEAD"}
            return not opening
        scheme, _, netloc = origin.partition("://")
        schemes = {"https"} if self.tls else {"http", "https"}  # a proxy on this machine may add TLS
        return scheme in schemes and netloc == request.host

    def _has_cookie(self, request: web.Request) -> bool:
        return compare_digest(request.cookies.get(COOKIE, "").encode(), self._cookie.encode())

    async def admits(self, request: web.Request, token: str) -> bool:
        """Whether the token is the right one; takes its time over a wrong one."""
        if compare_digest(token.encode("utf-8", "surrogatepass"), self.token.encode()):
            return True
        _log.warning("a wrong token from %s", request.remote)
        await asyncio.sleep(_WRONG_TOKEN_PAUSE)
        return False

    def give_cookie(self, response: web.StreamResponse) -> None:
        response.set_cookie(COOKIE, self._cookie, path=self.path, httponly=True, samesite="Strict", secure=self.tls)


def names(serving: Serving, *, loopback: bool, machine: tuple[str, ...]) -> frozenset[str]:
    """What browsers may call the server: the name it listens as and those that the operator adds; where it listens
    on loopback also loopback's names, and where on every address also `machine`, this machine's own.
    """
    found = {serving.host, *serving.names}
    if is_wildcard(serving.host):
        found |= {*machine, *_LOOPBACK}
    if loopback:
        found |= _LOOPBACK
    return frozenset(name.lower() for name in found)


def _forbidden(request: web.Request, why: str) -> web.HTTPForbidden:
    _log.warning("refused a request from %s: %s", request.remote, why)
    return web.HTTPForbidden(text=f"403: {why}.\n")
