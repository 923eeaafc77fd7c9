"""The cluster's lock on real OpenSSH servers: three "nodes" of one machine, whose logins start in different folders."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from hactl.engine.lock import ClusterLock
from hactl.engine.lock_hold import Hold
from hactl.engine.lock_look import break_lock, holders
from hactl.model.command import FENCED_OUT, Command
from hactl.model.errors import LockError, LockHeldError
from hactl.model.inventory import Inventory, Node, Site, SshSettings, Thresholds, TransportKind
from hactl.model.lock import Holder, LockPicture
from hactl.transport.factory import TransportFactory
from hactl.transport.protocol import Transport
from tests.contract import sshd

pytestmark = [pytest.mark.sshd, pytest.mark.timeout(60)]
if sshd.MISSING:
    pytestmark.append(pytest.mark.skip(reason=sshd.MISSING))

FOLDER = "lock-of-test"  # relative: below the folder in which the node's logins start
NODES = ("n1", "n2", "n3")


def holder(name: str) -> Holder:
    return Holder(f"{name}-1", name, "laptop", os.getpid(), f"run-{name}", "drain", time.time())


class Servers:
    """The nodes, and operators who log in on them: each with connections of their own."""

    def __init__(self, folder: Path, who: sshd.Account) -> None:
        self._identity = sshd.keygen(folder / "id")
        self.homes = {name: Path("/tmp") / f"{who.name}-{name}" for name in NODES}
        self.sshds: dict[str, sshd.Sshd] = {}
        for name, home in self.homes.items():
            home.mkdir()
            shutil.chown(home, who.name)
            options = f'ForceCommand cd {home} && exec sh -c "$SSH_ORIGINAL_COMMAND"\n'
            self.sshds[name] = sshd.Sshd(folder / name, who, self._identity, options)

    def operator(self, kind: TransportKind) -> dict[str, Transport]:
        nodes = {name: self._node(name, kind) for name in NODES}
        factory = TransportFactory(Inventory("test", {"here": Site("here")}, nodes, {}, {}, {}, Thresholds()))
        return {name: factory.make(node) for name, node in nodes.items()}

    def _node(self, name: str, kind: TransportKind) -> Node:
        server = self.sshds[name]
        ssh = SshSettings(
            user=server.who.name,
            port=server.port,
            identity=(str(server.identity),),
            known_hosts=(str(server.known_hosts),),
            config=(),
            transport=kind,
            connect_timeout=3.0,
        )
        return Node(name, "127.0.0.1", "here", (), ssh)


@pytest.fixture(scope="module")
def all_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with sshd.account() as who, contextlib.ExitStack() as stack:
        made = Servers(tmp_path_factory.mktemp("nodes"), who)
        for server in made.sshds.values():
            stack.enter_context(server.running())
        yield made
        for home in made.homes.values():
            shutil.rmtree(home)


@pytest.fixture
def servers(all_servers: Servers) -> Servers:
    for name, server in all_servers.sshds.items():
        if server.process is None:
            server.start()
        shutil.rmtree(all_servers.homes[name] / FOLDER, ignore_errors=True)
    return all_servers


@pytest.fixture(params=[TransportKind.ASYNCSSH, TransportKind.PARAMIKO])
def kind(request: pytest.FixtureRequest) -> TransportKind:
    return request.param


Operator = Callable[[str], "tuple[ClusterLock, dict[str, Transport]]"]


@pytest_asyncio.fixture
async def operator(servers: Servers, kind: TransportKind) -> AsyncIterator[Operator]:
    made: list[tuple[ClusterLock, dict[str, Transport]]] = []

    def new(name: str) -> tuple[ClusterLock, dict[str, Transport]]:
        transports = servers.operator(kind)
        made.append((ClusterLock(transports, "test", holder(name), folder=FOLDER), transports))
        return made[-1]

    yield new
    for lock, transports in made:
        await lock.release()
        await cut(transports)


async def cut(transports: Mapping[str, Transport], *names: str) -> None:
    await asyncio.gather(*(transports[name].close() for name in names or transports))


async def seen(transports: Mapping[str, Transport]) -> LockPicture:
    return await holders(transports, "test", folder=FOLDER)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def test_taken_seen_released(operator: Operator) -> None:
    (anna, transports), (bert, _) = operator("anna"), operator("bert")
    assert (await seen(transports)).holders == ()
    taken = await anna.take()
    assert (taken.nodes, taken.missing) == (NODES, ())
    assert taken.epoch == anna.epoch > time.time() - 60
    picture = await seen(transports)
    assert picture.holder is not None
    assert picture.holder.who == "anna"
    assert {node.epoch for node in picture.nodes} == {taken.epoch}
    with pytest.raises(LockHeldError) as error:
        await bert.take()
    for word in ("anna", "laptop", "drain", "run-anna", "since", "break --id anna-1"):
        assert word in str(error.value)
    await anna.release()
    assert (await seen(transports)).holder is None
    assert (await bert.take()).epoch > taken.epoch
    assert not anna.lost.is_set()


async def test_names_are_only_names(operator: Operator) -> None:
    """Whatever stands in them: the shell takes them as they are, and they come back safe."""
    lock, transports = operator("anna")
    nasty = """a'b "c" $(touch x) \\n \\ é \x1b[2J\n`id`"""
    lock._holder = replace(lock._holder, who=nasty, id="it's")
    await lock.take()
    seen_there = (await seen(transports)).holder
    assert seen_there is not None
    assert seen_there.who == """a'b "c" $(touch x) \\n \\ é ␛[2J `id`"""
    with pytest.raises(LockHeldError, match="break --id it's"):
        await operator("bert")[0].take()
    assert (await break_lock(transports, "test", "it's", folder=FOLDER)).nodes == NODES


async def test_who_only_tries_is_waited_for(operator: Operator) -> None:
    """A node on which somebody else happens to try at that moment is ended, too: nothing of the old holder's passes."""
    (anna, transports), (_, others) = operator("anna"), operator("bert")
    trying = Hold(others["n2"], FOLDER, holder("bert"))
    assert (await trying.take()).word == "held"
    taken = await anna.take()
    assert taken.missing == ("n2",)
    breaking = asyncio.create_task(break_lock(transports, "test", "anna-1", folder=FOLDER))
    await asyncio.sleep(0.5)
    await trying.release()
    broken = await breaking
    assert (broken.nodes, broken.missing) == (NODES, ())
    assert {node.epoch for node in (await seen(transports)).nodes} == {broken.epoch}


async def test_another_shells_lock_is_moved_aside(operator: Operator, servers: Servers) -> None:
    """Whose shell cannot be killed (the login is another's): the lock goes to whoever comes next all the same."""
    lock, transports = operator("anna")
    await lock.take()
    for name in NODES:
        file = servers.homes[name] / FOLDER / "holder"
        told = file.read_text().split(" ", 1)
        file.write_text(f"1 {told[1]}")  # a process that none of ours may be
    broken = await break_lock(transports, "test", "anna-1", folder=FOLDER)
    assert broken.nodes == NODES
    bert, _ = operator("bert")
    assert (await bert.take()).nodes == NODES
    assert (await transports["n1"].run(lock.fenced(Command(("true",), mutates=True)))).exit == FENCED_OUT


async def test_two_at_once_one_gets_it(operator: Operator) -> None:
    for _ in range(3):
        pair = [operator("anna")[0], operator("bert")[0]]
        results = await asyncio.gather(*(lock.take() for lock in pair), return_exceptions=True)
        errors = [each for each in results if isinstance(each, BaseException)]
        assert [type(error) for error in errors] == [LockHeldError]
        for lock in pair:
            await lock.release()


async def test_a_holder_that_is_gone_frees_it_within_a_second(operator: Operator) -> None:
    (anna, hers), (bert, _) = operator("anna"), operator("bert")
    await anna.take()
    begun = time.monotonic()
    for keeper in anna._keepers:
        keeper.cancel()
    await cut(hers)
    while True:
        with contextlib.suppress(LockHeldError):
            await bert.take()
            break
    assert time.monotonic() - begun < 1.5


async def test_a_take_that_is_cancelled_holds_nothing(operator: Operator) -> None:
    _, transports = operator("bert")
    await seen(transports)
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
        anna, _ = operator("anna")
        taking = asyncio.ensure_future(anna.take())
        await asyncio.sleep(delay)
        taking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await taking
        await anna.release()
        begun = time.monotonic()
        while (await seen(transports)).holders:
            assert time.monotonic() - begun < 3


async def test_a_minority_is_not_enough_and_is_let_go(operator: Operator, servers: Servers) -> None:
    anna, _ = operator("anna")
    servers.sshds["n1"].stop()
    servers.sshds["n3"].stop()
    with pytest.raises(LockError, match=r"needs 2 of 3 nodes; it could not be taken on n1, n3"):
        await anna.take()
    servers.sshds["n1"].start()
    servers.sshds["n3"].start()
    bert, transports = operator("bert")
    assert (await seen(transports)).holders == ()
    assert (await bert.take()).missing == ()


async def test_a_node_that_comes_back_is_taken_too(operator: Operator, servers: Servers) -> None:
    anna, transports = operator("anna")
    servers.sshds["n2"].stop()
    taken = await anna.take()
    assert (taken.nodes, taken.missing) == (("n1", "n3"), ("n2",))
    servers.sshds["n2"].start()
    await until(lambda: anna.nodes == NODES, 20)
    assert {node.epoch for node in (await seen(transports)).nodes} == {taken.epoch}


async def test_nothing_is_done_on_a_node_before_the_lock_is_held_there(operator: Operator, servers: Servers) -> None:
    bert, _ = operator("bert")
    await bert.take()  # so that n2 knows an epoch, and an older one
    await bert.release()
    anna, transports = operator("anna")
    servers.sshds["n2"].stop()
    assert (await anna.take()).missing == ("n2",)
    servers.sshds["n2"].start()
    assert await anna.cover("n2")
    assert (await transports["n2"].run(anna.fenced(Command(("true",), mutates=True)))).exit == 0
    assert not await anna.cover("a-spare")


async def test_a_cut_connection_is_taken_again(operator: Operator, servers: Servers) -> None:
    anna, transports = operator("anna")
    await anna.take()
    servers.sshds["n1"].stop()  # with every session
    await until(lambda: anna.nodes == ("n2", "n3"))
    servers.sshds["n1"].start()
    await until(lambda: anna.nodes == NODES, 20)
    assert not anna.lost.is_set()
    assert (await seen(transports)).holder == anna._holder


async def test_fewer_than_a_majority_is_lost(operator: Operator, servers: Servers) -> None:
    anna, _ = operator("anna")
    await anna.take()
    servers.sshds["n1"].stop()
    servers.sshds["n2"].stop()
    await asyncio.wait_for(anna.lost.wait(), 5)
    assert "is lost: held on 1 of 3 nodes only (n" in anna.reason
    bert, _ = operator("bert")
    servers.sshds["n1"].start()
    assert (await bert.take()).nodes == ("n1", "n3")


async def test_a_session_of_ours_that_the_node_keeps_is_ended(operator: Operator, servers: Servers) -> None:
    """The connection is gone for us and not for the node: as after a cut without a goodbye."""
    anna, _ = operator("anna")
    await anna.take()
    hold = anna._holds["n1"]
    shell = int((servers.homes["n1"] / FOLDER / "holder").read_text().split()[0])
    hold.ended(None)  # what a dead connection tells
    await until(lambda: anna._holds.get("n1") not in (None, hold), 10)
    assert int((servers.homes["n1"] / FOLDER / "holder").read_text().split()[0]) != shell
    assert not Path(f"/proc/{shell}").exists()
    assert not anna.lost.is_set()


async def test_a_frozen_holder_keeps_it_until_it_is_broken(operator: Operator, servers: Servers) -> None:
    (anna, hers), (bert, his) = operator("anna"), operator("bert")
    await anna.take()
    fenced = anna.fenced(Command(("echo", "done"), mutates=True))
    assert (await hers["n1"].run(fenced)).stdout == "done\n"
    for name in NODES:
        servers.sshds[name].freeze([int((servers.homes[name] / FOLDER / "holder").read_text().split()[0])])
    with pytest.raises(LockHeldError):
        await bert.take()
    with pytest.raises(LockError, match="held by: anna"):
        await break_lock(his, "test", "bert-9", folder=FOLDER)
    broken = await break_lock(his, "test", "anna-1", folder=FOLDER)
    assert (broken.nodes, broken.missing) == (NODES, ())
    assert broken.epoch > anna.epoch
    late = await hers["n1"].run(fenced)
    assert (late.exit, late.stdout) == (FENCED_OUT, "")
    assert f"fenced out: the lock is at epoch {broken.epoch}, not {anna.epoch}" in late.stderr
    await asyncio.wait_for(anna.lost.wait(), 5)
    taken = await bert.take()
    assert taken.epoch > broken.epoch
    assert (await his["n2"].run(bert.fenced(Command(("true",), mutates=True)))).ok
    assert (await hers["n2"].run(fenced)).exit == FENCED_OUT


async def test_a_holder_whose_epoch_is_passed_gives_up(operator: Operator, servers: Servers) -> None:
    """Its one connection was cut; meanwhile another epoch came: it must not take the node again under its old one."""
    anna, _ = operator("anna")
    await anna.take()
    servers.sshds["n1"].stop()
    await until(lambda: anna.nodes == ("n2", "n3"))
    (servers.homes["n1"] / FOLDER / "epoch").write_text(f"{anna.epoch + 1}\n")
    servers.sshds["n1"].start()
    await asyncio.wait_for(anna.lost.wait(), 20)
    assert "above ours" in anna.reason
    assert anna.nodes == ()


async def test_a_killed_process_frees_its_locks(operator: Operator, servers: Servers) -> None:
    """SIGKILL of a whole process that holds the lock."""
    pid = os.fork()
    if pid == 0:  # no test's clean-up may run here
        with contextlib.suppress(BaseException):
            asyncio.new_event_loop().run_until_complete(_hold_for_ever(servers))
        os._exit(1)
    anna, transports = operator("anna")
    try:
        async with asyncio.timeout(15):
            while (held := (await seen(transports)).holder) is None or not held.epoch:
                await asyncio.sleep(0.1)
        with pytest.raises(LockHeldError, match="child"):
            await anna.take()
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    begun = time.monotonic()
    while (await seen(transports)).holders:
        assert time.monotonic() - begun < 1.0
    await anna.take()


async def _hold_for_ever(servers: Servers) -> None:
    lock = ClusterLock(servers.operator(TransportKind.ASYNCSSH), "test", holder("child"), folder=FOLDER)
    await lock.take()
    await asyncio.sleep(60)


async def test_a_folder_that_cannot_be_made(servers: Servers, kind: TransportKind) -> None:
    transports = servers.operator(kind)
    lock = ClusterLock(transports, "test", holder("anna"), folder="/proc/nowhere")
    with pytest.raises(LockError, match="nowhere"):
        await lock.take()
    await lock.release()
    await cut(transports)
