from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.drivers import haproxy
from hactl.drivers.probe import Asked
from hactl.model.errors import SupersededError
from hactl.model.facts import AdminState, HaproxyFacts, ServerState
from hactl.model.inventory import HaproxyService
from tests.drivers.cases import READERS, load
from tests.drivers.real_haproxy import real_haproxy, until

NOW = Asked(0.0, 0.1)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UP", ServerState.UP),
        ("UP 1/3", ServerState.GOING_DOWN),
        ("DOWN", ServerState.DOWN),
        ("DOWN 1/2", ServerState.COMING_UP),
        ("DOWN (agent)", ServerState.DOWN),
        ("NOLB", ServerState.NOLB),
        ("NOLB 1/3", ServerState.NOLB),
        ("DRAIN", ServerState.DRAIN),
        ("DRAIN 1/2", ServerState.DRAIN),
        ("MAINT", ServerState.MAINT),
        ("MAINT (via web/a)", ServerState.MAINT),
        ("MAINT (resolution)", ServerState.MAINT),
        ("no check", ServerState.NO_CHECK),
        ("", ServerState.OTHER),
        ("SOMETHING NEW", ServerState.OTHER),
    ],
)
def test_state_by_prefix(status: str, state: ServerState) -> None:
    assert haproxy.state_of(status) is state


def case(name: str) -> HaproxyFacts:
    facts = next(READERS[case.driver](case) for case in load() if str(case) == f"haproxy/{name}")
    assert isinstance(facts, HaproxyFacts)
    return facts


def test_who_is_available() -> None:
    """What guards count: up, not backup, of some weight, and neither drained nor in maintenance."""
    servers = case("every-state").backends["web"].servers
    assert {name for name, server in servers.items() if server.available} == {"good", "falling"}


def test_a_drained_server_whose_check_fails_is_still_known_as_drained() -> None:
    server = case("every-state").backends["web"].servers["drained-sick"]
    assert (server.state, server.admin) == (ServerState.DOWN, AdminState.FORCED_DRAIN)


def test_the_order_of_columns_does_not_matter() -> None:
    assert case("columns-in-another-order") == case("lab-balancer")


# --- a real HAProxy -------------------------------------------------------------------------------------------


class Admin:
    """One channel to an admin socket, in prompt mode, as the engine holds it."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(5)
        self._socket.connect(str(path))
        self.say("prompt")

    def say(self, request: str) -> str:
        self._socket.sendall(request.encode() + b"\n")
        heard = b""
        while not heard.endswith(b"\n> "):
            heard += self._socket.recv(65536)
        return heard.decode().removesuffix("\n> ").rstrip("\n")

    def picture(self) -> HaproxyFacts:
        requests = haproxy.picture(HaproxyService("balancer", ("lb1",), (), 1)).requests
        return haproxy.parse(tuple(map(self.say, requests)), NOW)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    with real_haproxy(tmp_path) as both:
        yield both


def test_drain_and_maintenance_are_seen(running: tuple[Path, object]) -> None:
    admin = Admin(running[0])
    assert [one.available for one in admin.picture().backends["web"].servers.values()] == [True, True]
    admin.say("set server web/one state drain")
    admin.say("set server web/two state maint")
    one, two = admin.picture().backends["web"].servers.values()
    assert (one.state, one.admin) == (ServerState.DRAIN, AdminState.FORCED_DRAIN)
    assert (two.state, two.admin) == (ServerState.MAINT, AdminState.FORCED_MAINT)
    admin.say("set server web/one state ready")
    assert admin.picture().backends["web"].servers["one"].available
    admin.close()


def test_a_process_that_a_reload_replaced_is_not_believed(running: tuple[Path, subprocess.Popen[bytes]]) -> None:
    """It still answers on a channel that was open before, with a picture in which nothing moves any more."""
    path, process = running
    held = Admin(path)
    first = held.picture().pid

    def replaced() -> bool:
        process.send_signal(signal.SIGUSR2)  # again and again: a master that is not quite up loses the first
        time.sleep(0.5)
        fresh = Admin(path)
        try:
            return fresh.picture().pid != first
        except SupersededError:
            return False
        finally:
            fresh.close()

    until(replaced)
    with pytest.raises(SupersededError):
        held.picture()
    held.close()
