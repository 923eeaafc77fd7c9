"""The shop as a real process over real sockets, without its database; with it, see test_nodes."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.vagrant.places import PROVISION

SHOP = PROVISION / "shop"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(release, folder):
    """The shop as its package lays it out, on a port of its own; its database refuses connections."""
    shutil.copytree(SHOP / "src", folder, dirs_exist_ok=True)
    shutil.copy(SHOP / "releases" / f"{release}.py", folder / "release.py")
    folder.with_name("uploads").mkdir()
    port = free_port()
    environment = {
        **os.environ,
        "SHOP_PORT": str(port),
        "SHOP_NODE": "app9",
        "STATE_DIRECTORY": str(folder.with_name("uploads")),
        "SHOP_DATABASE": f"postgresql://shop@127.0.0.1:{free_port()}/shop",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with subprocess.Popen([sys.executable, folder], env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert f"listens on port {port}" in process.stderr.readline()
            yield process, port
        finally:
            process.kill()


@pytest.fixture
def shop(tmp_path):
    with running("1.0.0", tmp_path / "shop") as (process, port):
        yield process, port


def ask(port, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def raw(port, data):
    """What comes back for these bytes, until the server hangs up or is silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        answer = b""
        with contextlib.suppress(TimeoutError):
            connection.settimeout(1.0)
            while part := connection.recv(65536):
                answer += part
        return answer


@pytest.mark.parametrize("release", ["1.0.0", "1.1.0", "1.2.0"])
def test_says_its_version_and_that_it_is_well(release, tmp_path):
    with running(release, tmp_path / "shop") as (_, port):
        assert ask(port, "GET", "/version") == (200, f"{release}\n")
        assert ask(port, "GET", "/healthz") == (200, "ok\n")


def test_the_bad_release_falls_ill_once_it_is_up(tmp_path):
    with running("1.2.0", tmp_path / "shop") as (process, port):
        deadline = time.monotonic() + 8
        while ask(port, "GET", "/healthz")[0] == 200:
            assert time.monotonic() < deadline, "never fell ill"
            time.sleep(0.2)
        assert ask(port, "GET", "/healthz") == (500, "the price list /usr/lib/shop/prices.json is missing\n")
        assert process.poll() is None


def test_without_its_database_it_degrades_and_stays_in_the_pool(shop):
    process, port = shop
    began = time.monotonic()
    status, body = ask(port, "POST", "/api/orders", json.dumps({"item": "tea", "quantity": 1}))
    assert (status, json.loads(body)["error"]) == (503, "the database is unavailable")
    assert 4 < time.monotonic() - began < 12  # a switchover's length is waited out first
    status, body = ask(port, "GET", "/healthz")
    assert status == 200
    assert body.startswith("degraded: database unavailable for ")
    assert "database trouble: ConnectionRefusedError" in process.stderr.readline()  # once, not for every retry


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "must be JSON"),
        ("[]", "must be a JSON object"),
        ('{"item": "", "quantity": 1}', "item must be"),
        ('{"item": "tea"}', "quantity must be"),
        ('{"item": "tea", "quantity": true}', "quantity must be"),
        ('{"item": "tea", "quantity": 1001}', "quantity must be"),
        ('{"item": "te\\u0000a", "quantity": 1}', "item must be"),
        ('{"item": 7, "quantity": 1}', "item must be"),
    ],
)
def test_a_senseless_order_is_refused_at_once(shop, body, complaint):
    status, said = ask(shop[1], "POST", "/api/orders", body)
    assert status == 400
    assert complaint in json.loads(said)["error"]


@pytest.mark.parametrize("path", ["/nothing", "/api/orders/x", "/api/orders/1/2", "/api/orders/²"])
def test_what_is_not_there(shop, path):
    assert raw(shop[1], f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode()).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbroken\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"POST /api/orders HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST /api/orders HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST /api/orders HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 20000 + b"\r\n\r\n", 431),
    ],
)
def test_bytes_that_are_no_request_are_answered_and_hung_up_on(shop, sent, status):
    answer = raw(shop[1], sent)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:80]
    assert b"Connection: close" in answer
    assert ask(shop[1], "GET", "/version")[0] == 200


def test_a_connection_carries_many_requests(shop):
    answer = raw(shop[1], b"GET /version HTTP/1.1\r\n\r\n" * 3 + b"HEAD /version HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 4
    assert answer.count(b"\r\n\r\n1.0.0\n") == 3


def test_stopping_hangs_up_on_idle_connections_and_finishes_answers(shop):
    """A balancer's idle pool must not hold it; a request under way must not be cut."""
    process, port = shop
    with socket.create_connection(("127.0.0.1", port), timeout=12) as idle:
        idle.sendall(b"GET /version HTTP/1.1\r\n\r\n")
        assert b"1.0.0" in idle.recv(4096)
        with socket.create_connection(("127.0.0.1", port), timeout=12) as busy:
            busy.sendall(b"GET /version HTTP/1.1\r\nContent-Length: 1\r\n\r\n")
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert idle.recv(4096) == b""
            assert time.monotonic() - began < 1.0
            busy.sendall(b"x")
            answer = busy.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 OK")
            assert b"Connection: close" in answer
    assert process.wait(timeout=3) == 0
    assert "0 requests cut short" in process.stderr.read()


def read_stream(connection, seconds):
    """What comes within `seconds`, and whether the server has hung up."""
    connection.settimeout(0.2)
    answer, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(TimeoutError):
            part = connection.recv(65536)
            if not part:
                return answer, True
            answer += part
    return answer, False


def test_a_stream_goes_on_until_its_client_leaves(shop):
    process, port = shop
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /api/stream HTTP/1.1\r\n\r\n")
        answer, over = read_stream(connection, 3.5)
        assert not over
        assert b"Transfer-Encoding: chunked" in answer
        assert [line for line in answer.split(b"\r\n") if line.startswith(b"app9")][:3] == [
            b"app9 0\n",
            b"app9 1\n",
            b"app9 2\n",
        ]
        assert ask(port, "GET", "/version")[0] == 200  # others are served meanwhile
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=4) == 0
    assert "0 requests cut short" in process.stderr.read()


def test_a_stream_is_cut_when_the_patience_of_a_stop_is_over(shop):
    process, port = shop
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /api/stream HTTP/1.1\r\n\r\n")
        read_stream(connection, 1.0)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        answer, over = read_stream(connection, 12.0)
        assert over
        assert 4.0 < time.monotonic() - began < 8.0
        assert b"app9 4" in answer
        assert not answer.endswith(b"0\r\n\r\n")  # cut, and the client can tell
    assert process.wait(timeout=3) == 0
    assert "1 requests cut short" in process.stderr.read()


def test_the_head_of_a_stream_alone(shop):
    answer = raw(shop[1], b"HEAD /api/stream HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\n")


def test_files_are_kept_by_name_and_replaced(shop, tmp_path):
    _, port = shop
    assert ask(port, "GET", "/api/uploads") == (200, "[]\n")
    status, body = ask(port, "POST", "/api/uploads?name=photo-1.jpg", b"\xff\x00first")
    assert (status, json.loads(body)) == (201, {"name": "photo-1.jpg", "size": 7, "node": "app9"})
    assert ask(port, "POST", "/api/uploads?name=photo-1.jpg", b"again")[0] == 200
    assert ask(port, "GET", "/api/uploads/photo-1.jpg") == (200, "again")
    assert json.loads(ask(port, "GET", "/api/uploads")[1]) == [{"name": "photo-1.jpg", "size": 5}]
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == ["photo-1.jpg"]


@pytest.mark.parametrize("name", ["", ".hidden", "..", "a/b", "a%2Fb", "a" * 101, "a%20b", "a%0Ab", "%C3%A9"])
def test_a_name_stays_in_the_folder(shop, tmp_path, name):
    _, port = shop
    status, body = ask(port, "POST", f"/api/uploads?name={name}", b"x")
    assert (status, "name must be" in body) == (400, True)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_what_cannot_be_kept_is_said(shop, tmp_path):
    _, port = shop
    (tmp_path / "uploads").rmdir()
    status, body = ask(port, "POST", "/api/uploads?name=a", b"x")
    assert (status, json.loads(body)["error"]) == (507, "files cannot be kept here")
    assert ask(port, "GET", "/api/uploads")[0] == 507
    assert ask(port, "GET", "/api/uploads/a")[0] == 404
