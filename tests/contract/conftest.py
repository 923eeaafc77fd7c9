from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from hactl.model.inventory import Inventory, Node, Site, SshSettings, Thresholds, TransportKind
from hactl.transport.factory import TransportFactory
from hactl.transport.protocol import Transport
from tests.contract import sshd


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "contract" in item.path.parts and sshd.MISSING and item.get_closest_marker("sshd"):
            item.add_marker(pytest.mark.skip(reason=sshd.MISSING))


@pytest.fixture(scope="session")
def who() -> Iterator[sshd.Account]:
    with sshd.account() as account:
        yield account


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ssh")


@pytest.fixture(scope="session")
def identity(work: Path) -> Path:
    return sshd.keygen(work / "id_user")


@pytest.fixture(scope="session")
def server(work: Path, who: sshd.Account, identity: Path) -> Iterator[sshd.Sshd]:
    """One server for everything that does not change it."""
    with sshd.Sshd(work / "server", who, identity).running() as running:
        yield running


@pytest.fixture
def another(tmp_path: Path, who: sshd.Account, identity: Path) -> Iterator[Callable[..., sshd.Sshd]]:
    """Starts further servers: `another("MaxSessions 2")`."""
    with contextlib.ExitStack() as stack:
        count = iter(range(100))

        def start(options: str = "", port: int | None = None) -> sshd.Sshd:
            made = sshd.Sshd(tmp_path / f"sshd{next(count)}", who, identity, options + "\n", port)
            return stack.enter_context(made.running())

        yield start


def settings(server: sshd.Sshd, kind: TransportKind = TransportKind.ASYNCSSH, **changes: object) -> SshSettings:
    given: dict[str, object] = {
        "user": server.who.name,
        "port": server.port,
        "identity": (str(server.identity),),
        "known_hosts": (str(server.known_hosts),),
        "config": (),
        "transport": kind,
    }
    return SshSettings(**{**given, **changes})  # type: ignore[arg-type]


def node(ssh: SshSettings, name: str = "n1", address: str = "127.0.0.1") -> Node:
    return Node(name, address, "here", (), ssh)


def inventory(*nodes: Node) -> Inventory:
    named = {each.name: each for each in nodes}
    return Inventory("test", {"here": Site("here")}, named, {}, {}, {}, Thresholds())


@pytest_asyncio.fixture
async def made() -> AsyncIterator[Callable[..., Transport]]:
    """Makes transports and closes them: `made(ssh)`, `made(node, others, ask=...)`; the first node's is returned."""
    transports: list[Transport] = []

    def make(first: Node | SshSettings, *others: Node, **options: object) -> Transport:
        main = first if isinstance(first, Node) else node(first)
        transport = TransportFactory(inventory(main, *others), **options).make(main)  # type: ignore[arg-type]
        transports.append(transport)
        return transport

    yield make
    for transport in transports:
        await transport.close()
