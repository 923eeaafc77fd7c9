"""The little HTTP that health checks need: answers as servers really send them, in pieces, cut and hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hactl.engine.http import BODY_LIMIT, HttpError, Response, get

GOOD = [
    ("length", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
    ("more than its length", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1", 200, "ok"),
    ("no reason", b"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", 503, ""),
    ("interim", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x"),
    (
        "chunks",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
        200,
        "abcde",
    ),
    ("no content", b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    ("case of names", b"HTTP/1.1 200 OK\r\ncontent-LENGTH:  1 \r\n\r\nx", 200, "x"),
]
TO_THE_END = [
    ("old and without a length", b"HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello"),
    ("shorter than its length", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 200, "half"),
    ("bad bytes", b"HTTP/1.1 200 OK\r\n\r\n\xff\x1b[2J", 200, "\\xff␛[2J"),
]
BAD = [
    ("nothing", b""),
    ("half a head", b"HTTP/1.1 200 OK\r\nContent-Le"),
    ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("a greeting", b"220 mail ESMTP\r\n\r\n"),
    ("a broken chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
]


def read(data: bytes, step: int | None = None) -> Response:
    response = Response()
    for at in range(0, len(data), step or max(1, len(data))):
        if not response.complete:
            response.feed(data[at : at + (step or len(data))])
    if not response.complete:
        response.feed(b"")
    return response


@pytest.mark.parametrize(("data", "status", "body"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD])
@pytest.mark.parametrize("step", [None, 1, 7])
def test_an_answer_is_complete_without_waiting_for_the_end(data, status, body, step):
    response = Response()
    for at in range(0, len(data), step or len(data)):
        if not response.complete:
            response.feed(data[at : at + (step or len(data))])
    assert response.complete
    assert (response.status, response.body) == (status, body)


@pytest.mark.parametrize(("data", "status", "body"), [c[1:] for c in TO_THE_END], ids=[c[0] for c in TO_THE_END])
@pytest.mark.parametrize("step", [None, 1])
def test_an_answer_that_ends_with_the_connection(data, status, body, step):
    response = read(data, step)
    assert (response.complete, response.status, response.body) == (True, status, body)


@pytest.mark.parametrize("data", [case[1] for case in BAD], ids=[case[0] for case in BAD])
@pytest.mark.parametrize("step", [None, 1])
def test_what_is_no_answer_is_an_error(data, step):
    with pytest.raises(HttpError):
        read(data, step)


@pytest.mark.parametrize(
    "encoding", [b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", b"\r\n", b"Content-Length: 999999999\r\n\r\n"]
)
def test_a_body_without_end_is_cut(encoding):
    response = Response()
    response.feed(b"HTTP/1.1 200 OK\r\n" + encoding)
    for _ in range(100):
        if response.complete:
            break
        response.feed(b"x" * 10_000)
    assert response.complete
    assert len(response.body) <= BODY_LIMIT


def test_headers_without_end_are_refused():
    with pytest.raises(HttpError, match="headers of more than"):
        read(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, 1000)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_an_answer_or_an_http_error(pieces):
    response = Response()
    try:
        for piece in [b"HTTP/1.1 200 OK\r\n", *pieces, b""]:
            response.feed(piece)
        assert len(response.body) <= BODY_LIMIT * 8
    except HttpError:
        pass


def test_the_request():
    assert get("/healthz?a=b", "shop.example").startswith(b"GET /healthz?a=b HTTP/1.1\r\nHost: shop.example\r\n")
    assert get("/", "x").endswith(b"Connection: close\r\n\r\n")
