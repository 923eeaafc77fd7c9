"""Who may come in, request by request, and what binds the browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import hdrs
from aiohttp.test_utils import TestClient, TestServer

from hactl.model.serving import Serving
from hactl.web.gate import COOKIE, Gate, names
from hactl.web.server import DashboardServer

TOKEN = "correct-horse-battery-staple"
SERVING = Serving("/nowhere.toml", "lab", TOKEN)
NAMES = frozenset({"localhost", "127.0.0.1", "::1", "ops.example.com"})


_UPGRADE = {
    hdrs.CONNECTION: "Upgrade",
    hdrs.UPGRADE: "websocket",
    hdrs.SEC_WEBSOCKET_VERSION: "13",
    hdrs.SEC_WEBSOCKET_KEY: "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def gate() -> Gate:
    return Gate(TOKEN, NAMES, tls=False)


@pytest.fixture
async def client(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestClient]:
    monkeypatch.setattr("hactl.web.gate._WRONG_TOKEN_PAUSE", 0.0)
    server = DashboardServer(SERVING, gate, ("false",))
    async with TestClient(TestServer(await server.make_app())) as client:
        yield client


async def come_in(client: TestClient) -> None:
    assert (await client.get("/", params={"token": TOKEN})).status == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 401),
        ({"token": ""}, 403),
        ({"token": "wrong"}, 403),
        ({"token": TOKEN[:-1]}, 403),
        ({"token": TOKEN + "x"}, 403),
        ({"token": "\u00e9\u4e2d"}, 403),
        ({"token": TOKEN}, 200),
    ],
)
async def test_only_the_token_gets_a_cookie(client: TestClient, query: dict[str, str], status: int) -> None:
    answer = await client.get("/", params=query)
    assert answer.status == status
    assert ("Set-Cookie" in answer.headers) == (status == 200)


async def test_the_cookie_is_for_this_server_alone(client: TestClient, gate: Gate) -> None:
    answer = await client.get("/", params={"token": TOKEN})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"Path={gate.path}" in cookie
    assert len(gate.path) > 30
    assert TOKEN not in cookie
    assert "Secure" not in cookie


async def test_under_tls_the_cookie_is_secure(gate: Gate) -> None:
    server = DashboardServer(SERVING, replace(gate, tls=True), ("false",))
    async with TestClient(TestServer(await server.make_app())) as client:
        answer = await client.get("/", params={"token": TOKEN})
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "wss://" in answer.headers["Content-Security-Policy"]


async def test_the_token_does_not_stay_in_the_address(client: TestClient, gate: Gate) -> None:
    text = await (await client.get("/", params={"token": TOKEN})).text()
    assert f'url={gate.path}"' in text
    assert TOKEN not in text


async def test_the_token_can_be_typed(client: TestClient) -> None:
    own = {"Origin": f"http://{client.host}:{client.port}"}
    assert (await client.post("/", data={"token": "wrong"}, headers=own)).status == 403
    assert (await client.post("/", data={"token": f" {TOKEN} "}, headers=own)).status == 200
    assert (await client.post("/", data={"token": TOKEN * 1000}, headers=own)).status == 413
    assert (await client.post("/", data={"token": TOKEN})).status == 403  # no page of ours


@pytest.mark.parametrize("path", ["", "static/js/textual.js", "own/page.js", "download/x", "ws"])
async def test_the_house_wants_the_cookie(client: TestClient, gate: Gate, path: str) -> None:
    assert (await client.get(gate.path + path)).status == 403
    forged = {"Cookie": f"{COOKIE}={TOKEN}"}
    assert (await client.get(gate.path + path, headers=forged)).status == 403


async def test_with_the_cookie_the_page_is_there(client: TestClient, gate: Gate) -> None:
    await come_in(client)
    answer = await client.get(gate.path)
    assert answer.status == 200
    text = await answer.text()
    assert "hactl lab, to look at" in text
    for url in re.findall(r'(?:href|src)="([^"]*)"', text):
        assert url == "data:," or (await client.get(url)).status == 200, url
    assert (await client.get(gate.path + "download/none")).status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 401),
        ("localhost:1234", 401),  # through a tunnel
        ("LOCALHOST:80", 401),
        ("127.0.0.1:8070", 401),
        ("[::1]:8070", 401),
        ("ops.example.com", 401),
        ("evil.example.com", 403),
        ("127.0.0.1.evil.example.com", 403),
        ("localhost.evil.example.com:80", 403),
        ("evil.example.com:80@localhost", 403),
        ("localhost@evil.example.com", 403),
        ("localhost:80:80", 403),
        ("localhost:x; script-src *", 403),
        ("localhost/evil", 403),
        ("localhost?", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
async def test_the_server_is_called_by_its_own_names(client: TestClient, host: str, status: int) -> None:
    answer = await client.get("/", headers={"Host": host})
    assert answer.status == status
    if status == 403:
        assert "evil" not in answer.headers["Content-Security-Policy"]
        assert "script-src *" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("origin", "tls", "lets_in"),
    [
        ("http://HOST", False, True),
        ("https://HOST", False, True),  # a proxy on this machine
        ("http://HOST", True, False),
        ("http://evil.example.com", False, False),
        ("http://localhost:1", False, False),  # another server on this machine
        ("null", False, False),
        ("file://", False, False),
        ("chrome-extension://HOST", False, False),
        ("http://HOST/", False, False),
        (None, False, False),  # browsers always say it for a WebSocket
    ],
)
async def test_only_our_own_page_opens_a_websocket(gate: Gate, origin: str | None, *, tls: bool, lets_in: bool) -> None:
    gate = replace(gate, tls=tls)
    server = DashboardServer(SERVING, gate, ("false",))
    async with TestClient(TestServer(await server.make_app())) as client:
        cookie = {"Cookie": f"{COOKIE}={gate._cookie}"}
        says = {hdrs.ORIGIN: origin.replace("HOST", f"{client.host}:{client.port}")} if origin else {}
        answer = await client.get(gate.path + "ws", headers={**cookie, **_UPGRADE, **says})
        assert answer.status == (101 if lets_in else 403)
        answer.close()


async def test_another_sites_request_is_refused(client: TestClient) -> None:
    answer = await client.get("/", params={"token": TOKEN}, headers={"Origin": "https://evil.example.com"})
    assert answer.status == 403


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/lobby/page.css", "/nothing", "/../etc/passwd"])
async def test_every_answer_binds_the_browser(client: TestClient, path: str) -> None:
    answer = await client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers[hdrs.SERVER] == "hactl"


async def test_the_log_has_no_token(client: TestClient, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(0):
        await client.get("/", params={"token": TOKEN})
        await client.get("/", params={"token": "almost-" + TOKEN})
        await client.get(gate.path)
        await client.get("/", params={"token": TOKEN}, headers={"Host": "evil"})
    said = "\n".join(f"{record.name} {record.getMessage()}" for record in caplog.records if "hactl" in record.name)
    assert "a wrong token from 127.0.0.1" in said
    assert TOKEN not in said
    assert gate.path not in said
    for secret in (TOKEN, gate._cookie, gate.path):
        assert secret not in repr(gate)
    assert TOKEN not in repr(SERVING)


@pytest.mark.parametrize(
    ("host", "more", "loopback", "known"),
    [
        ("127.0.0.1", (), True, {"127.0.0.1", "localhost", "::1"}),
        ("Ops.lan", ("Other.lan",), False, {"ops.lan", "other.lan"}),
        ("0.0.0.0", (), False, {"0.0.0.0", "box", "box.lan", "127.0.0.1", "localhost", "::1"}),
        ("192.0.2.1", (), False, {"192.0.2.1"}),
    ],
)
def test_names_by_which_it_is_called(host: str, more: tuple[str, ...], *, loopback: bool, known: set[str]) -> None:
    assert names(replace(SERVING, host=host, names=more), loopback=loopback, machine=("box", "box.LAN")) == known
