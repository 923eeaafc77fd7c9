"""What the shop serves.

    GET  /                 a page for people, with a form
    POST /orders           that form
    GET  /api/orders       the newest orders as JSON (?limit=, at most 100)
    GET  /api/orders/N     one order
    POST /api/orders       {"item": ..., "quantity": ...}; header Idempotency-Key makes a repeat harmless
    GET  /api/uploads      the files that users have left on this node, as JSON
    GET  /api/uploads/NAME one of them
    POST /api/uploads      ?name=NAME, the file as the body; the same name again replaces it
    GET  /api/stream       a line a second, for ever: a session that never ends by itself
    GET  /healthz          200 while this process can serve; the body says what is degraded
    GET  /version          the version, alone on a line

A database outage degrades the shop but does not fail /healthz: it hits all nodes alike, and a balancer that took
every node out of the pool would turn a slow page into none. Only what is wrong with *this* node answers 500.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from urllib.parse import parse_qs

import release
from store import KeyReusedError, Order, Store, UnavailableError
from uploads import NAME, FolderError, Uploads
from web import Request, Response, Stream, failure

ONE_ORDER = re.compile(r"/api/orders/[0-9]{1,18}")  # a bigint at most
ONE_UPLOAD = re.compile(rf"/api/uploads/{NAME.pattern}")
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"

STREAM_SECONDS = 1.0  # between two lines: shorter than any balancer's patience with a silent server

Handler = Callable[[Request], Awaitable[Response | Stream]]


class BadOrderError(ValueError):
    """An order, or a file, as sent makes no sense; the message is for its sender."""


class Shop:
    def __init__(self, store: Store, uploads: Uploads, node: str) -> None:
        self._store = store
        self._uploads = uploads
        self._node = node
        self._started = time.monotonic()

        self._routes: Mapping[tuple[str, str], Handler] = {
            ("GET", "/"): self._page,
            ("POST", "/orders"): self._form,
            ("GET", "/healthz"): self._health,
            ("GET", "/version"): self._version,
            ("GET", "/api/orders"): self._list,
            ("GET", "/api/stream"): self._stream,
            ("POST", "/api/orders"): self._create,
            ("GET", "/api/uploads"): self._files,
            ("POST", "/api/uploads"): self._leave,
        }

    async def answer(self, request: Request) -> Response | Stream:
        method = "GET" if request.method == "HEAD" else request.method
        handler = self._routes.get((method, request.path))
        if handler is None and method == "GET" and ONE_ORDER.fullmatch(request.path):
            handler = self._show
        if handler is None and method == "GET" and ONE_UPLOAD.fullmatch(request.path):
            handler = self._fetch
        if handler is None:
            return failure(HTTPStatus.NOT_FOUND)
        try:
            return await handler(request)
        except BadOrderError as bad:
            return reply(HTTPStatus.BAD_REQUEST, {"error": str(bad)})
        except KeyReusedError:
            message = "this Idempotency-Key was used for another order"
            return reply(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": message})
        except FolderError as error:
            message = {"error": "files cannot be kept here", "detail": str(error)}
            return reply(HTTPStatus.INSUFFICIENT_STORAGE, message)
        except UnavailableError as error:
            return reply(
                HTTPStatus.SERVICE_UNAVAILABLE,
                {"error": "the database is unavailable", "detail": str(error)},
                {"Retry-After": "1"},
            )

    async def _version(self, _request: Request) -> Response:
        return Response(HTTPStatus.OK, f"{release.VERSION}\n".encode())

    async def _health(self, _request: Request) -> Response:
        broken = release.problems(time.monotonic() - self._started)
        if broken:
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, ("; ".join(broken) + "\n").encode())
        trouble = self._store.trouble()
        return Response(HTTPStatus.OK, (f"degraded: {trouble}\n" if trouble else "ok\n").encode())

    async def _stream(self, _request: Request) -> Stream:
        return Stream(self._lines())

    async def _lines(self) -> AsyncIterator[bytes]:
        began = time.monotonic()
        while True:
            yield f"{self._node} {time.monotonic() - began:.0f}\n".encode()
            await asyncio.sleep(STREAM_SECONDS)

    async def _list(self, request: Request) -> Response:
        asked = parse_qs(request.query).get("limit", ["20"])[-1]
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= 100):
            raise BadOrderError("limit must be a number from 1 to 100")
        orders = await self._store.newest(int(asked))
        return reply(HTTPStatus.OK, [as_json(order) for order in orders])

    async def _show(self, request: Request) -> Response:
        number = int(request.path.rpartition("/")[2])
        order = await self._store.find(number)
        return reply(HTTPStatus.OK, as_json(order)) if order else failure(HTTPStatus.NOT_FOUND)

    async def _create(self, request: Request) -> Response:
        try:
            sent = json.loads(request.body)
        except ValueError:
            raise BadOrderError("the body must be JSON") from None
        if not isinstance(sent, dict):
            raise BadOrderError("the body must be a JSON object")
        item, quantity = check_order(sent.get("item"), sent.get("quantity"))
        key = check_key(request.headers.get("idempotency-key"))
        order, created = await self._store.add(key, item, quantity)
        return reply(HTTPStatus.CREATED if created else HTTPStatus.OK, as_json(order))

    async def _files(self, _request: Request) -> Response:
        return reply(HTTPStatus.OK, [asdict(one) for one in await self._uploads.names()])

    async def _fetch(self, request: Request) -> Response:
        data = await self._uploads.read(request.path.rpartition("/")[2])
        return failure(HTTPStatus.NOT_FOUND) if data is None else Response(HTTPStatus.OK, data, BYTES)

    async def _leave(self, request: Request) -> Response:
        name = parse_qs(request.query).get("name", [""])[-1]
        if not NAME.fullmatch(name):
            raise BadOrderError("name must be 1 to 100 letters, digits or . _ - and begin with a letter or digit")
        new = await self._uploads.write(name, request.body)
        status = HTTPStatus.CREATED if new else HTTPStatus.OK
        return reply(status, {"name": name, "size": len(request.body), "node": self._node})

    async def _form(self, request: Request) -> Response:
        sent = {name: values[-1] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        number = sent.get("quantity", "")
        quantity = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
        await self._store.add(check_key(sent.get("key")), *check_order(sent.get("item"), quantity))
        return Response(HTTPStatus.SEE_OTHER, b"", headers={"Location": "/"})

    async def _page(self, _request: Request) -> Response:
        try:
            orders = await self._store.newest(10)
            total = f"<p>{await self._store.count()} orders in all.</p>" if release.SHOWS_TOTAL else ""
            state = total + table(orders)
        except UnavailableError:
            state = "<p><strong>Orders cannot be read just now.</strong> Please try again in a moment.</p>"
        page = PAGE.format(
            version=html.escape(release.VERSION), node=html.escape(self._node), state=state, key=uuid.uuid4()
        )
        return Response(HTTPStatus.OK, page.encode(), HTML)


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width">
<style>body {{ font: 1rem/1.5 sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }}
td, th {{ text-align: left; padding: 0 1rem 0 0 }} footer {{ color: #666 }}</style>
<h1>Shop</h1>
<form method="post" action="/orders">
<input type="hidden" name="key" value="{key}">
<input name="item" placeholder="item" required maxlength="100">
<input name="quantity" type="number" value="1" min="1" max="1000">
<button>Order</button></form>
{state}
<footer>version {version}, served by {node}</footer></html>
"""


def table(orders: list[Order]) -> str:
    rows = "".join(
        f"<tr><td>{order.id}<td>{html.escape(order.item)}<td>{order.quantity}"
        f"<td>{order.at:%Y-%m-%d %H:%M:%S}<td>{html.escape(order.node)}"
        for order in orders
    )
    return f"<table><tr><th>No.<th>Item<th>Quantity<th>At (UTC)<th>Taken by{rows}</table>"


def check_order(item: object, quantity: object) -> tuple[str, int]:
    if not isinstance(item, str) or not item.strip() or len(item) > 100 or "\0" in item:
        raise BadOrderError("item must be a text of 1 to 100 characters")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= 1000:
        raise BadOrderError("quantity must be a whole number from 1 to 1000")
    return item.strip(), quantity


def check_key(key: str | None) -> str:
    """The sender's idempotency key, or a fresh one (then a repeat is a second order)."""
    if key is None:
        return str(uuid.uuid4())
    if not 1 <= len(key) <= 200 or not key.isascii() or not key.isprintable():
        raise BadOrderError("Idempotency-Key must be 1 to 200 printable ASCII characters")
    return key


def as_json(order: Order) -> dict[str, object]:
    return {**asdict(order), "at": order.at.isoformat()}


def reply(status: HTTPStatus, value: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, json.dumps(value).encode() + b"\n", JSON, headers or {})
