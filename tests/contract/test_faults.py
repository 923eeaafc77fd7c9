"""What goes wrong between here and a node, provoked for real with OpenSSH, its agent, its configuration and sudo."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.model.command import Command, command
from hactl.model.errors import (
    AuthenticationError,
    BecomeDeniedError,
    ConnectTimeoutError,
    HostKeyChangedError,
    HostKeyUnknownError,
    KeyEncryptedError,
    UnreachableError,
)
from hactl.model.inventory import Algorithms, BecomeMethod, TransportKind
from hactl.transport.protocol import Transport
from tests.contract import sshd
from tests.contract.conftest import node, settings
from tests.contract.sshd import Sshd

pytestmark = [pytest.mark.sshd, pytest.mark.timeout(30)]

Another = Callable[..., Sshd]
Make = Callable[..., Transport]
HELLO = command("echo", "hello")


@pytest.fixture(params=[TransportKind.ASYNCSSH, TransportKind.PARAMIKO])
def kind(request: pytest.FixtureRequest) -> TransportKind:
    return request.param


def nobody(question: str) -> str:
    raise AssertionError(f"nobody should be asked: {question}")


# --- no way there --------------------------------------------------------------------------------------------


async def test_a_frozen_listener_is_a_connect_timeout(kind: TransportKind, another: Another, made: Make) -> None:
    server = another()
    server.freeze()  # the kernel still accepts; nobody says anything
    started = time.monotonic()
    with pytest.raises(ConnectTimeoutError, match=r"within 0\.6 s"):
        await made(settings(server, kind, connect_timeout=0.6)).connect()
    assert 0.5 < time.monotonic() - started < 3
    server.thaw()


@pytest.mark.parametrize("after", [0, 30, 1300])
async def test_a_server_that_falls_silent(kind: TransportKind, server: Sshd, made: Make, after: int) -> None:
    """Before its version, within the key exchange, within the login."""

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server.port)

        async def inward() -> None:
            left = after
            while left and (data := await there.read(left)):
                writer.write(data)
                left -= len(data)

        answering = asyncio.ensure_future(inward())
        while data := await reader.read(65536):
            back.write(data)
        await answering
        back.close()
        writer.close()

    stalling = await asyncio.start_server(stall, "127.0.0.1", 0)
    port = stalling.sockets[0].getsockname()[1]
    known = server.folder / f"known_{port}"
    known.write_text(f"[127.0.0.1]:{port} {server.public}\n")
    with pytest.raises(ConnectTimeoutError):
        await made(settings(server, kind, port=port, known_hosts=(str(known),), connect_timeout=0.6)).connect()
    stalling.close()


async def test_refused(kind: TransportKind, server: Sshd, made: Make) -> None:
    with pytest.raises(UnreachableError, match="connection refused at 127") as caught:
        await made(settings(server, kind, port=sshd.free_port())).connect()
    assert "Is sshd running" in caught.value.remedy


async def test_a_name_without_an_address(kind: TransportKind, server: Sshd, made: Make) -> None:
    with pytest.raises(UnreachableError, match=r"'no-such-host\.invalid' has no address"):
        await made(node(settings(server, kind), address="no-such-host.invalid")).connect()


async def test_something_that_is_no_ssh_server(kind: TransportKind, server: Sshd, made: Make) -> None:
    async def shout(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    web = await asyncio.start_server(shout, "127.0.0.1", 0)
    port = web.sockets[0].getsockname()[1]
    with pytest.raises(UnreachableError):
        await made(settings(server, kind, port=port, connect_timeout=1.0)).connect()
    web.close()


async def test_through_a_local_unix_socket(kind: TransportKind, server: Sshd, made: Make, tmp_path: Path) -> None:
    """As the lab's relay does it: the key is looked up under the node's address or name, never under the socket."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server.port)

        async def lead(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    target.write(data)
            target.close()

        await asyncio.gather(lead(reader, back), lead(there, writer))

    path = tmp_path / "node.sock"
    relaying = await asyncio.start_unix_server(relay, path)
    known = tmp_path / "known"
    known.write_text(f"n1 {server.public}\n")
    ssh = settings(server, kind, socket=str(path), port=None, known_hosts=(str(known),))
    transport = made(node(ssh, address="192.0.2.1"))
    assert (await transport.run(HELLO)).stdout == "hello\n"
    await transport.close()
    relaying.close()
    path.unlink(missing_ok=True)
    with pytest.raises(UnreachableError, match=r"there is no socket .*node\.sock"):
        await made(node(ssh, address="192.0.2.1")).connect()


# --- host keys ------------------------------------------------------------------------------------------------


@pytest.fixture
def talkative(another: Another) -> Sshd:
    """Writes down every step of a login."""
    return another("LogLevel DEBUG1")


def nothing_was_sent(server: Sshd) -> bool:
    return "userauth-request" not in (server.folder / "log").read_text()


async def test_an_unknown_host_key(kind: TransportKind, talkative: Sshd, made: Make, tmp_path: Path) -> None:
    empty = tmp_path / "known"
    with pytest.raises(HostKeyUnknownError) as caught:
        await made(settings(talkative, kind, known_hosts=(str(empty),))).connect()
    assert talkative.fingerprint in str(caught.value)
    assert "hactl trust n1" in caught.value.remedy
    assert nothing_was_sent(talkative)


@pytest.mark.parametrize("other", ["ed25519", "rsa"])
async def test_a_changed_host_key(kind: TransportKind, talkative: Sshd, made: Make, tmp_path: Path, other: str) -> None:
    """Of the same type or of another: both fingerprints are shown."""
    stored = sshd.keygen(tmp_path / "stored", kind=other)
    known = tmp_path / "known"
    public = Path(f"{stored}.pub").read_text()
    known.write_text(f"# a comment\n[127.0.0.1]:{talkative.port} {public}")
    with pytest.raises(HostKeyChangedError) as caught:
        await made(settings(talkative, kind, known_hosts=(str(known),))).connect()
    was = subprocess.run(["ssh-keygen", "-lf", f"{stored}.pub"], check=True, capture_output=True, text=True)
    assert talkative.fingerprint in str(caught.value)
    assert was.stdout.split()[1] in str(caught.value)
    assert f"{known}:2" in str(caught.value)
    assert nothing_was_sent(talkative)


async def test_a_revoked_host_key(talkative: Sshd, made: Make, tmp_path: Path) -> None:
    known = tmp_path / "known"
    name = f"[127.0.0.1]:{talkative.port}"
    known.write_text(f"{name} {talkative.public}\n@revoked {name} {talkative.public}\n")
    with pytest.raises(Exception, match="revoked"):
        await made(settings(talkative, known_hosts=(str(known),))).connect()
    assert nothing_was_sent(talkative)


@pytest.mark.parametrize("form", ["hashed", "pattern", "alias", "name"])
async def test_ways_to_store_a_host_key(
    kind: TransportKind, server: Sshd, made: Make, tmp_path: Path, form: str
) -> None:
    known = tmp_path / "known"
    name = {"hashed": f"[127.0.0.1]:{server.port}", "pattern": "127.0.*,!127.0.0.2", "alias": "ALIAS", "name": "n1"}
    known.write_text(f"{name[form]} {server.public}\n")
    if form == "hashed":
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
        assert known.read_text().startswith("|1|")
    alias = "alias" if form == "alias" else None
    transport = made(settings(server, kind, known_hosts=(str(known),), host_key_alias=alias))
    assert (await transport.run(HELLO)).ok


async def test_a_host_certificate(another: Another, made: Make, tmp_path: Path, who: sshd.Account) -> None:
    authority = sshd.keygen(tmp_path / "ca")
    (tmp_path / "sshd0").mkdir()  # where `another` will find its host key
    host = sshd.keygen(tmp_path / "sshd0" / "host")
    sign = ["ssh-keygen", "-q", "-s", authority, "-I", "host", "-h", "-n", "127.0.0.1", f"{host}.pub"]
    subprocess.run(sign, check=True, capture_output=True)
    server = another(f"HostCertificate {host}-cert.pub")
    known = tmp_path / "known"
    known.write_text(f"@cert-authority * {Path(f'{authority}.pub').read_text()}")
    assert (await made(settings(server, known_hosts=(str(known),))).run(HELLO)).ok


# --- keys, passphrases, agents --------------------------------------------------------------------------------


async def test_a_key_that_nobody_authorized(kind: TransportKind, server: Sshd, made: Make, tmp_path: Path) -> None:
    stranger = sshd.keygen(tmp_path / "stranger")
    with pytest.raises(AuthenticationError, match=f"does not let {server.who.name} in; offered: {stranger}"):
        await made(settings(server, kind, identity=(str(stranger),))).connect()


async def test_a_key_file_that_others_may_read(kind: TransportKind, server: Sshd, made: Make, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    shutil.copy(server.identity, loose)
    loose.chmod(0o644)
    with pytest.raises(AuthenticationError, match=f"chmod 600 {loose}"):
        await made(settings(server, kind, identity=(str(loose),))).connect()


@pytest.fixture
def encrypted(tmp_path: Path, server: Sshd) -> Path:
    """The operator's key under a passphrase."""
    path = tmp_path / "encrypted"
    shutil.copy(server.identity, path)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "open sesame", "-f", path], check=True, capture_output=True)
    shutil.copy(f"{server.identity}.pub", f"{path}.pub")
    return path


async def test_an_encrypted_key_and_nobody_to_ask(
    kind: TransportKind, server: Sshd, made: Make, encrypted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(KeyEncryptedError, match="no agent holds it") as caught:
        await made(settings(server, kind, identity=(str(encrypted),))).connect()
    assert f"ssh-add {encrypted}" in caught.value.remedy


async def test_a_passphrase_is_asked_once_for_all_nodes(
    kind: TransportKind, server: Sshd, made: Make, encrypted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slowly it is typed: the connect timeout stands still meanwhile."""
    from hactl.transport.factory import TransportFactory
    from tests.contract.conftest import inventory

    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        time.sleep(1.0)
        return "open sesame"

    ssh = settings(server, kind, identity=(str(encrypted),), connect_timeout=0.9)
    nodes = [node(ssh, f"n{each}") for each in range(3)]
    factory = TransportFactory(inventory(*nodes), ask)
    transports = [factory.make(each) for each in nodes]
    await asyncio.gather(*(transport.connect() for transport in transports))
    assert questions == [f"Passphrase for {encrypted}: "]
    for transport in transports:
        await transport.close()


async def test_a_wrong_passphrase(
    kind: TransportKind, server: Sshd, made: Make, encrypted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "mellon"

    with pytest.raises(KeyEncryptedError, match="passphrase was not right"):
        await made(settings(server, kind, identity=(str(encrypted),)), ask=ask).connect()
    assert len(asked) == 3


async def test_the_agent_opens_what_is_encrypted(
    kind: TransportKind, server: Sshd, made: Make, encrypted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sshd.agent(server.identity) as (path, _):
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        transport = made(settings(server, kind, identity=(str(encrypted),)), ask=nobody)
        assert (await transport.run(HELLO)).ok


async def test_the_agent_alone(
    kind: TransportKind, server: Sshd, made: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # no usual key files
    with sshd.agent(sshd.keygen(tmp_path / "other"), server.identity) as (path, _):
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        assert (await made(settings(server, kind, identity=())).run(HELLO)).ok


async def test_the_agent_is_gone(
    kind: TransportKind, server: Sshd, made: Make, encrypted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sshd.agent(server.identity) as (path, _):
        pass
    monkeypatch.setenv("SSH_AUTH_SOCK", path)
    with pytest.raises(KeyEncryptedError):
        await made(settings(server, kind, identity=(str(encrypted),))).connect()


async def test_nothing_to_offer(
    kind: TransportKind, server: Sshd, made: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(AuthenticationError, match="offered: no key at all"):
        await made(settings(server, kind, identity=())).connect()


# --- a server that allows little ------------------------------------------------------------------------------


async def test_sessions_queue_at_max_sessions_2(kind: TransportKind, another: Another, made: Make) -> None:
    server = another("MaxSessions 2")
    transport = made(settings(server, kind))
    each = Command(("sh", "-c", "sleep 0.05; echo done"), timeout=15)
    answers = await asyncio.gather(*(transport.run(each) for _ in range(12)))
    assert [answer.stdout for answer in answers] == ["done\n"] * 12


async def test_logins_queue_at_max_startups_2(kind: TransportKind, another: Another, made: Make) -> None:
    server = another("MaxStartups 2:100:2")
    transports = [made(node(settings(server, kind, connect_timeout=15), f"n{each}")) for each in range(8)]
    answers = await asyncio.gather(*(transport.run(HELLO) for transport in transports))
    assert all(answer.ok for answer in answers)


async def test_many_logins_to_one_host_take_turns(another: Another, server: Sshd) -> None:
    """With one factory there are never more than eight under way, and some that sshd has not counted off yet."""
    from hactl.transport.factory import TransportFactory
    from tests.contract.conftest import inventory

    counting = another("MaxStartups 14:100:14")
    nodes = [node(settings(counting, connect_timeout=15), f"n{each}") for each in range(24)]
    factory = TransportFactory(inventory(*nodes))
    transports = [factory.make(each) for each in nodes]
    await asyncio.gather(*(transport.connect() for transport in transports))
    assert "drop connection" not in (counting.folder / "log").read_text()
    for transport in transports:
        await transport.close()


async def test_algorithms_of_the_inventory(kind: TransportKind, another: Another, made: Make) -> None:
    server = another("KexAlgorithms ecdh-sha2-nistp521\nCiphers aes256-ctr\nMACs hmac-sha2-512")
    assert (await made(settings(server, kind)).run(HELLO)).ok  # the defaults reach an odd server, too
    chosen = Algorithms(kex=("curve25519-sha256",), ciphers=("aes256-ctr",))
    with pytest.raises(UnreachableError, match="no SSH session can be agreed"):
        await made(settings(server, kind, algorithms=chosen)).connect()


# --- jump hosts and ssh_config --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["name", "address"])
async def test_a_jump_host(kind: TransportKind, another: Another, made: Make, by: str) -> None:
    behind, door = another(), another("LogLevel DEBUG1")
    bastion = node(settings(door), "bastion")
    known = behind.folder / "both"
    known.write_text(behind.known_hosts.read_text() + door.known_hosts.read_text())
    way = "bastion" if by == "name" else f"{door.who.name}@127.0.0.1:{door.port}"
    ssh = settings(behind, kind, proxy_jump=way, known_hosts=(str(known),))
    transport = made(node(ssh), bastion)
    assert (await transport.run(HELLO)).stdout == "hello\n"
    assert f"127.0.0.1 port {behind.port}" in (door.folder / "log").read_text()
    await transport.close()
    async with asyncio.timeout(5):
        while door.sessions():  # the jump host's connection ends with the last one behind it
            await asyncio.sleep(0.05)


async def test_a_jump_host_that_is_down(kind: TransportKind, server: Sshd, made: Make) -> None:
    ssh = settings(server, kind, proxy_jump=f"127.0.0.1:{sshd.free_port()}")
    with pytest.raises(UnreachableError, match="n1: its jump host cannot be used"):
        await made(ssh).connect()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, with an empty ~/.ssh."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / ".ssh").mkdir(mode=0o700)
    return tmp_path


@pytest.mark.parametrize("matched", ["n1", "node.address.example"])
async def test_ssh_config_is_honoured(kind: TransportKind, server: Sshd, made: Make, home: Path, matched: str) -> None:
    """By the node's name and by its address; `Host *` does not hide what is said of the address."""
    (home / ".ssh/config").write_text(
        f"Host {matched}\n  HostName 127.0.0.1\n  Port {server.port}\n  User {server.who.name}\n"
        f"  IdentityFile {server.identity}\nHost *\n  User nobody\n  Port 9\n"
    )
    (home / ".ssh/known_hosts").write_text(server.known_hosts.read_text())
    ssh = settings(server, kind, user=None, port=None, identity=(), known_hosts=(), config=None)
    assert (await made(node(ssh, address="node.address.example")).run(HELLO)).ok


@pytest.mark.parametrize("word", ["none", "/dev/null"])
async def test_ssh_config_cannot_turn_verification_off(
    kind: TransportKind, talkative: Sshd, made: Make, home: Path, word: str
) -> None:
    (home / ".ssh/config").write_text(f"Host *\n  UserKnownHostsFile {word}\n  StrictHostKeyChecking no\n")
    ssh = settings(talkative, kind, known_hosts=(), config=None)
    with pytest.raises(HostKeyUnknownError):
        await made(ssh).connect()
    assert nothing_was_sent(talkative)
    (home / ".ssh/known_hosts").write_text(talkative.known_hosts.read_text())
    assert (await made(ssh).run(HELLO)).ok


async def test_proxy_jump_of_ssh_config(kind: TransportKind, another: Another, made: Make, home: Path) -> None:
    behind, door = another(), another("LogLevel DEBUG1")
    (home / ".ssh/config").write_text(
        f"Host door\n  HostName 127.0.0.1\n  Port {door.port}\n"
        f"Host n1\n  ProxyJump door\nHost *\n  IdentityFile {behind.identity}\n  User {behind.who.name}\n"
    )
    (home / ".ssh/known_hosts").write_text(behind.known_hosts.read_text() + door.known_hosts.read_text())
    ssh = settings(behind, kind, known_hosts=(), config=None, user=None, identity=())
    assert (await made(ssh).run(HELLO)).ok
    assert f"127.0.0.1 port {behind.port}" in (door.folder / "log").read_text()


async def test_a_broken_ssh_config(kind: TransportKind, server: Sshd, made: Make, home: Path) -> None:
    (home / ".ssh/config").write_text("Host n1\n  Port many\n")
    with pytest.raises(UnreachableError, match="ssh configuration cannot be used"):
        await made(settings(server, kind, port=None, config=None)).connect()


# --- sudo ------------------------------------------------------------------------------------------------------

needs_sudo = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("sudo") is None, reason="needs root and sudo, to make an account with sudo rules"
)
PASSWORD = "correct horse"


@pytest.fixture
def rules(who: sshd.Account) -> Iterator[Callable[[str], None]]:
    """Sets the sudo rules of the test's account."""
    path = Path(f"/etc/sudoers.d/{who.name}")
    subprocess.run(["chpasswd"], input=f"{who.name}:{PASSWORD}", text=True, check=True)

    def write(text: str) -> None:
        path.touch(mode=0o440)
        path.write_text(text.replace("USER", who.name))
        subprocess.run(["visudo", "-qcf", path], check=True)

    yield write
    path.unlink(missing_ok=True)


def as_root(*argv: str, **options: object) -> Command:
    return Command(argv, as_user="root", **options)  # type: ignore[arg-type]


@needs_sudo
async def test_sudo_without_a_password(kind: TransportKind, server: Sshd, made: Make, rules: Callable) -> None:
    rules("USER ALL=(root) NOPASSWD: /usr/bin/id -un, /usr/bin/cat\n")
    transport = made(settings(server, kind), ask=nobody)
    assert (await transport.run(as_root("/usr/bin/id", "-un"))).stdout == "root\n"
    assert (await transport.run(as_root("/usr/bin/cat", stdin=b"a\nb\n", mutates=True))).stdout == "a\nb\n"


@needs_sudo
async def test_sudo_says_no_and_the_missing_rule_is_named(
    kind: TransportKind, server: Sshd, made: Make, rules: Callable
) -> None:
    """The rule that the error names, put into sudoers as it stands, is what was missing."""
    rules("USER ALL=(root) NOPASSWD: /usr/bin/true\n")
    transport = made(settings(server, kind))
    wanted = as_root("printf", "%s", "a, b:c=d*")
    with pytest.raises(BecomeDeniedError, match="sudo does not run") as caught:
        await transport.run(wanted)
    assert caught.value.rule.startswith(f"{server.who.name} ALL=(root) NOPASSWD: /usr/bin/printf ")
    rules(caught.value.rule + "\n")
    assert (await transport.run(replace(wanted, argv=("/usr/bin/printf", *wanted.argv[1:])))).stdout == "a, b:c=d*"
    with pytest.raises(BecomeDeniedError):
        await transport.run(as_root("/usr/bin/printf", "%s", "something else"))


@needs_sudo
async def test_a_sudo_password_is_asked_once_and_shown_nowhere(
    kind: TransportKind, server: Sshd, made: Make, rules: Callable
) -> None:
    rules("USER ALL=(root) /usr/bin/cat, /bin/sh -c *\n")
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return PASSWORD

    transport = made(settings(server, kind), ask=ask)
    running = asyncio.ensure_future(transport.run(as_root("/bin/sh", "-c", "sleep 0.6; cat", stdin=b"payload\n")))
    await asyncio.sleep(0.4)
    shown = b""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            shown += entry.read_bytes()
    assert PASSWORD.encode() not in shown
    assert (await running).stdout == "payload\n"
    assert (await transport.run(as_root("/usr/bin/cat", stdin=b"more"))).stdout == "more"
    assert len(questions) == 1


@needs_sudo
async def test_a_wrong_sudo_password_is_not_tried_again(
    kind: TransportKind, server: Sshd, made: Make, rules: Callable
) -> None:
    rules("USER ALL=(root) /usr/bin/cat\n")
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "battery staple"

    transport = made(settings(server, kind), ask=ask)
    for _ in range(3):
        with pytest.raises(BecomeDeniedError, match="did not accept the password"):
            await transport.run(as_root("/usr/bin/cat", stdin=b"x"))
    assert len(asked) == 1


@needs_sudo
async def test_a_sudo_command_that_takes_too_long_is_ended(
    kind: TransportKind, server: Sshd, made: Make, rules: Callable
) -> None:
    seconds = str(70 + os.getpid() / 1e7)
    rules("USER ALL=(root) NOPASSWD: /usr/bin/sleep\n")
    with pytest.raises(Exception, match="no answer"):
        await made(settings(server, kind)).run(as_root("/usr/bin/sleep", seconds, timeout=0.5))
    async with asyncio.timeout(5):
        while subprocess.run(["pgrep", "-f", f"^/usr/bin/sleep {seconds}"], check=False, capture_output=True).stdout:
            await asyncio.sleep(0.1)


async def test_become_none_runs_as_the_login_user(kind: TransportKind, server: Sshd, made: Make) -> None:
    transport = made(settings(server, kind, become=BecomeMethod.NONE))
    assert (await transport.run(as_root("id", "-un"))).stdout.strip() == server.who.name
