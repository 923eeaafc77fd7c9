"""A small real cluster on loopback: one SSH server that is two nodes, one HTTP service, one node that is off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.contract import sshd


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "cli" in item.path.parts and sshd.MISSING and item.get_closest_marker("sshd"):
            item.add_marker(pytest.mark.skip(reason=sshd.MISSING))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home directory: no inventory, no cache, no keys."""
    return tmp_path


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        pass


@dataclass(frozen=True)
class Small:
    """`inventory` has the nodes `one` and `two` (both the real server); `with_dead` also `dead`: nobody listens."""

    server: sshd.Sshd
    inventory: Path
    with_dead: Path
    off: int  # the port where nobody listens


@pytest.fixture(scope="session")
def web() -> Iterator[int]:
    """The port of a real HTTP server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Healthy)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def login() -> Iterator[sshd.Account]:
    with sshd.account() as account:
        yield account


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sshd.keygen(tmp_path_factory.mktemp("key") / "id")


@pytest.fixture
def small(tmp_path: Path, login: sshd.Account, key: Path, web: int) -> Iterator[Small]:
    folder = tmp_path / "small"
    with sshd.Sshd(folder / "server", login, key, "ListenAddress 127.0.0.2\n").running() as server:
        server.known_hosts.write_text("".join(f"[127.0.0.{n}]:{server.port} {server.public}\n" for n in (1, 2)))
        off = sshd.free_port()
        nodes = {"one": ("127.0.0.1", server.port), "two": ("127.0.0.2", server.port)}
        yield Small(
            server,
            _written(folder / "small.toml", server, web, nodes),
            _written(folder / "dead.toml", server, web, nodes | {"dead": ("127.0.0.1", off)}),
            off,
        )


def _written(path: Path, server: sshd.Sshd, web: int, ports: dict[str, tuple[str, int]]) -> Path:
    nodes = "".join(
        f'[[nodes]]\nname = "{name}"\nsite = "here"\naddress = "{address}"\nroles = ["web"]\n'
        f"ssh = {{ port = {port} }}\n"
        for name, (address, port) in ports.items()
    )
    never = {"load_per_core": 1e6, "http_latency_ms": 1e6} | dict.fromkeys(
        ("disk_percent", "inode_percent", "memory_percent", "swap_percent"), 100
    )
    limits = "".join(f"{metric} = {{ warn = {limit}, crit = {limit} }}\n" for metric, limit in never.items())
    path.write_text(
        f'schema = 1\n[cluster]\nname = "small"\n'
        f'[ssh]\nuser = "{server.who.name}"\nidentity = "{server.identity}"\nknown_hosts = "{server.known_hosts}"\n'
        f'config = []\nbecome = "none"\nconnect_timeout = 20.0\n'
        f'[[sites]]\nname = "here"\n{nodes}'
        f'[[services]]\nname = "web"\nkind = "http"\nrole = "web"\nport = {web}\nhealth = "/"\n'
        # What this machine is like is none of the tests' business.
        f"[thresholds]\n{limits}"
    )
    return path
