from __future__ import annotations

import pytest

from hactl.drivers.probe import Cadence, FetchProbe
from hactl.engine.clock import FakeClock
from hactl.engine.fetch import Fetcher
from hactl.model.errors import ConnectionLostError, SocketAbsentError, SocketUnavailableError
from tests.engine.scripted import ScriptedChannel, ScriptedTransport

PROBE = FetchProbe("http:shop", Cadence.FAST, 5.0, 8080, "/healthz", "shop", lambda answer, asked: None)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Timed(ScriptedTransport):
    """Every channel costs one round trip to open; the service answers `thinks` after it was asked."""

    def __init__(self, clock: FakeClock, round_trip: float, thinks: float):
        super().__init__("app1")
        self.clock, self.round_trip, self.thinks = clock, round_trip, thinks

    async def open_tcp(self, host, port):
        self.clock._now += self.round_trip

        def respond(data):
            self.clock._now += self.round_trip + self.thinks
            return OK

        return ScriptedChannel(respond)


async def test_latency_is_the_services_own_without_the_way_there():
    clock = FakeClock()
    fetcher = Fetcher(Timed(clock, round_trip=0.2, thinks=0.03), "192.0.2.1", clock)
    answer = await fetcher.fetch(PROBE)
    assert (answer.status, answer.body, answer.error) == (200, "ok", "")
    assert answer.latency_ms == pytest.approx(30)


def refusing(*allowed: str) -> ScriptedTransport:
    class Refusing(ScriptedTransport):
        async def open_tcp(self, host, port):
            if host not in allowed:
                raise SocketAbsentError(self.node, f"port {port} refused")
            return ScriptedChannel(lambda data: OK)

    return Refusing("app1")


async def test_a_refused_port_is_an_answer_about_the_service():
    answer = await Fetcher(refusing(), "192.0.2.1", FakeClock()).fetch(PROBE)
    assert (answer.status, answer.error) == (0, "port 8080 refused")


async def test_a_service_that_listens_on_the_nodes_address_only_is_found():
    answer = await Fetcher(refusing("192.0.2.1"), "192.0.2.1", FakeClock()).fetch(PROBE)
    assert answer.status == 200


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-x\r\n"])
async def test_what_speaks_no_http_has_status_0_and_a_reason(said):
    transport = ScriptedTransport("app1")
    transport.channels["127.0.0.1:8080"] = lambda: ScriptedChannel(lambda data: said)
    answer = await Fetcher(transport, "192.0.2.1", FakeClock()).fetch(PROBE)
    assert answer.status == 0
    assert answer.error


async def test_a_lost_connection_is_an_error_and_no_fact_about_the_service():
    class Lost(ScriptedTransport):
        async def open_tcp(self, host, port):
            raise ConnectionLostError(self.node, "keepalive")

    with pytest.raises(ConnectionLostError):
        await Fetcher(Lost("app1"), "192.0.2.1", FakeClock()).fetch(PROBE)


class Forbidding(ScriptedTransport):
    async def open_tcp(self, host, port):
        raise SocketUnavailableError(self.node, f"forwarding to {host} port {port} is forbidden")


async def test_a_way_that_sshd_forbids_says_nothing_about_the_service():
    with pytest.raises(SocketUnavailableError, match="forbidden"):
        await Fetcher(Forbidding("app1"), "192.0.2.1", FakeClock()).fetch(PROBE)
