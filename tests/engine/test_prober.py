"""The prober against a real server on this machine that fails, stalls and hangs up as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hactl.engine.clock import RealClock
from hactl.engine.prober import Prober
from hactl.model.errors import ConnectionLostError
from hactl.model.events import ProbeTick
from hactl.model.inventory import Endpoint
from hactl.transport.fake import FakeTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BROKEN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Shop:
    """`answer` is said to each request; None says nothing. `hangs_up`: after each answer, without a word."""

    answer: bytes | None = OK
    hangs_up: bool = False
    requests: int = 0
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                if self.answer is None:
                    continue
                writer.write(self.answer)
                await writer.drain()
                if self.hangs_up:
                    break
        writer.close()
        self.open.discard(writer)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    made = Shop()
    server = await asyncio.start_unix_server(made.serve, tmp_path / "vip.sock")
    yield made
    server.close()
    for writer in list(made.open):
        writer.close()


@pytest.fixture
def endpoint(tmp_path: Path) -> Endpoint:
    return Endpoint("shop", "http://shop.example/orders?limit=1", str(tmp_path / "vip.sock"), rate=50.0, timeout=0.5)


class Watched:
    """A prober, and all that it told."""

    def __init__(self, *endpoints: Endpoint, transports=None, before=None) -> None:
        self.ticks: list[ProbeTick] = []
        self.prober = Prober(endpoints, transports or {}, RealClock(), self.ticks.append, before or {})

    async def probe(self, seconds: float) -> None:
        self.prober.start()
        await asyncio.sleep(seconds)

    async def end(self) -> tuple[int, int]:
        """How many were sent, and how many failed."""
        await self.prober.stop()
        return sum(tick.sent for tick in self.ticks), sum(tick.failed for tick in self.ticks)


async def test_good_answers_over_old_and_new_connections(shop, endpoint):
    watched = Watched(endpoint)
    await watched.probe(1.3)
    sent, failed = await watched.end()
    assert failed == watched.prober.failed == 0
    assert sent == shop.requests
    assert 30 < sent <= 70
    assert shop.connections < sent * 0.7
    assert shop.connections > sent * 0.3
    assert watched.prober.silent == ()
    assert len(watched.ticks) == 2
    assert all(tick.gap < 0.5 and tick.slowest < 0.5 for tick in watched.ticks)


async def test_a_wrong_status_has_failed_and_counts_once_it_was_good(shop, endpoint):
    shop.answer = BROKEN
    watched = Watched(endpoint)
    await watched.probe(0.3)
    assert watched.prober.silent == (endpoint.url,)
    assert watched.prober.failed == 0
    shop.answer = OK
    await asyncio.sleep(0.3)
    assert watched.prober.silent == ()
    shop.answer = BROKEN
    await asyncio.sleep(0.3)
    sent, failed = await watched.end()
    assert 0 < watched.prober.failed < failed < sent
    assert watched.ticks[-1].error == "status 503"


async def test_what_answered_an_earlier_process_counts_from_the_first_request(shop, endpoint):
    shop.answer = BROKEN
    watched = Watched(endpoint, before={endpoint.url: 2})
    assert watched.prober.silent == ()
    assert watched.prober.failed == 2
    await watched.probe(0.2)
    await watched.prober.stop()
    assert watched.prober.failed > 2


async def test_an_answer_that_comes_too_late_has_failed(shop, endpoint):
    watched = Watched(endpoint)
    await watched.probe(0.2)
    shop.answer = None
    await asyncio.sleep(0.2)
    sent, failed = await watched.end()  # what is under way has its time, and is counted
    assert failed > 0
    assert sent == shop.requests
    assert watched.ticks[-1].error == "no answer within 0.5 s"
    assert watched.ticks[-1].gap >= 0.5


async def test_nobody_listens(endpoint):
    watched = Watched(endpoint)
    await watched.probe(0.2)
    sent, failed = await watched.end()
    assert sent == failed > 0
    assert watched.prober.failed == 0
    assert "No such file" in watched.ticks[-1].error


async def test_a_kept_connection_that_was_closed_is_no_failure(shop, endpoint):
    """As a browser does: nothing was heard on it, so the request is sent once more on a new one."""
    watched = Watched(endpoint)
    await watched.probe(0.2)
    shop.hangs_up = True
    await asyncio.sleep(0.5)
    sent, failed = await watched.end()
    assert sent > 10
    assert failed == 0


async def test_the_gap_spans_ticks(shop, endpoint):
    watched = Watched(replace(endpoint, timeout=0.2))
    await watched.probe(0.2)
    shop.answer = BROKEN
    await asyncio.sleep(1.5)
    shop.answer = OK
    await asyncio.sleep(0.3)
    await watched.end()
    assert max(tick.gap for tick in watched.ticks) == pytest.approx(1.5, abs=0.3)


async def test_by_a_node_and_without_blame_for_the_way_there():
    transport = FakeTransport("lb1")
    transport.sockets["shop.example:8080"] = lambda request: OK
    endpoint = Endpoint("shop", "http://shop.example:8080/", via="lb1", rate=50.0, timeout=0.5)
    watched = Watched(endpoint, transports={"lb1": transport})
    await watched.probe(0.3)
    transport.unreachable = ConnectionLostError("lb1", "the connection was lost")
    await asyncio.sleep(0.3)
    sent, failed = await watched.end()
    assert sent > 5
    assert failed == 0
    assert watched.ticks[-1].error.startswith("nothing could be sent")


async def test_tls_from_a_node_is_not_there_and_says_so():
    watched = Watched(Endpoint("shop", "https://shop.example/", via="lb1", rate=50.0), transports={})
    await watched.probe(0.1)
    await watched.end()
    assert watched.ticks[-1].error.startswith("https through a node (lb1) is not possible.")


async def test_stopping_twice_and_before_it_began(endpoint):
    watched = Watched(endpoint)
    await watched.prober.stop()
    await watched.prober.stop()
    assert watched.ticks == []
