"""Logging in with asyncssh: the host key judged by hactl, keys offered one by one, everything under one deadline."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache

from hactl.model.errors import AuthenticationError, HostKeyError, TransportError, UnreachableError
from hactl.model.text import safe
from hactl.transport import errors
from hactl.transport.asyncssh_keys import KeyRing, Offer, Offered
from hactl.transport.asyncssh_lib import asyncssh
from hactl.transport.backoff import Backoff
from hactl.transport.cork import cork
from hactl.transport.endpoint import Endpoint, Options, offered_host_keys
from hactl.transport.gate import Handshakes
from hactl.transport.known_hosts import Entry, HostKey, KnownHostsCache, Trust, judge
from hactl.transport.prompter import Prompter
from hactl.transport.protocol import Peer

_DROPPED = (asyncssh.ConnectionLost, ConnectionResetError, BrokenPipeError)


@dataclass(slots=True)
class SshContext:
    """What all asyncssh connections of one program share."""

    prompter: Prompter = field(default_factory=Prompter)
    handshakes: Handshakes = field(default_factory=Handshakes)
    known_hosts: KnownHostsCache = field(default_factory=KnownHostsCache)
    keys: KeyRing = field(init=False)

    def __post_init__(self) -> None:
        self.keys = KeyRing(self.prompter)


@dataclass(slots=True)
class Link:
    """An established connection."""

    connection: asyncssh.SSHClientConnection
    peer: Peer


def read_config(files: tuple[str, ...], host: str) -> Options:
    """endpoint.ConfigReader by asyncssh's own reader."""
    from asyncssh.config import SSHClientConfig  # noqa: PLC0415 - only where there is a configuration to read

    try:
        config = SSHClientConfig.load(None, list(files), False, False, False, _local_user(), (), host, ())  # noqa: FBT003 - asyncssh's signature
    except asyncssh.Error as error:
        raise ValueError(str(error)) from None
    return {key.lower(): value for key, value in config.get_options(False).items()}  # noqa: FBT003 - asyncssh's signature


def _local_user() -> str:
    import getpass  # noqa: PLC0415 - likewise

    return getpass.getuser()


class _Client(asyncssh.SSHClient):
    """Listens to one connection: remembers the key that the node presented, hands out ours, tells when it is over."""

    def __init__(self, next_key: Callable[[], Awaitable[Offer | None]]) -> None:
        self._next_key = next_key
        self._on_lost: Callable[[Exception | None], None] | None = None
        self._over: tuple[Exception | None] | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self.connected = False
        self.presented: HostKey | None = None
        self.logging_in = False

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.connected = True
        self._connection = conn
        cork(conn)

    @property
    def heard(self) -> bool:
        """Whether the node has said at least what it is."""
        return self._connection is not None and self._connection.get_extra_info("server_version") is not None

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = (exc,)
        if self._on_lost is not None:
            self._on_lost(exc)

    def when_lost(self, on_lost: Callable[[Exception | None], None]) -> None:
        """Whom to tell when the connection, now in use, ends. At once, when it already has."""
        self._on_lost = on_lost
        if self._over is not None:
            on_lost(*self._over)

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 - asyncssh's signature
        """Asked only about keys that are not among the trusted ones: never one of them."""
        self.presented = HostKey(key.algorithm.decode("ascii", "replace"), key.public_data)
        return False

    def begin_auth(self, username: str) -> None:  # noqa: ARG002 - asyncssh's signature
        self.logging_in = True

    async def public_key_auth_requested(self) -> Offer | None:  # type: ignore[override] # asyncssh awaits what is awaitable
        self.logging_in = True
        return await self._next_key()


class Login:
    """One attempt to get into a node, from the first packet to the open connection."""

    def __init__(
        self,
        endpoint: Endpoint,
        context: SshContext,
        via: asyncssh.SSHClientConnection | None,
        on_lost: Callable[[Exception | None], None],
    ) -> None:
        self._endpoint, self._context, self._via, self._on_lost = endpoint, context, via, on_lost
        self._entries: tuple[Entry, ...] = ()
        self._offered = Offered()
        self._offers: AsyncGenerator[Offer] | None = None
        self._bound: asyncio.Timeout | None = None
        self._client: _Client | None = None

    async def run(self, sock: socket.socket | None = None) -> Link:
        """Log in. `sock` is an open way to the node's sshd, taken over. Raises what Transport.connect raises."""
        endpoint = self._endpoint
        try:
            self._entries = self._context.known_hosts.get(endpoint.known_hosts).lookup(endpoint.names)
        except OSError as error:
            raise errors.bad_config(endpoint.node, error) from error
        try:
            async with (
                self._context.handshakes.place((endpoint.host, endpoint.port, endpoint.socket), self._heard),
                asyncio.timeout(endpoint.connect_timeout) as self._bound,
            ):
                return await self._until_served(sock)
        except TimeoutError:
            _discard(sock)
            raise errors.connect_timeout(endpoint, self._phase()) from None
        except BaseException:
            _discard(sock)
            raise
        finally:
            if self._offers is not None:
                await self._offers.aclose()

    async def look(self, sock: socket.socket | None = None) -> HostKey | None:
        """The host key that the node presents: trusts nothing, sends nothing. `endpoint.known_hosts` must be empty.

        None when it has no key of the types asked for. Raises what `run` raises for a node that is not reached.
        """
        try:
            await self.run(sock)
        except HostKeyError:
            return self._client.presented if self._client else None
        except UnreachableError as error:
            # Depending on who notices first, asyncssh says so or sshd hangs up.
            if self._heard() and isinstance(error.__cause__, (asyncssh.KeyExchangeFailed, *_DROPPED)):
                return None
            raise
        raise AssertionError("a login without a trusted key cannot succeed")

    async def _until_served(self, sock: socket.socket | None) -> Link:
        """Try again, with jitter, while the node drops us before it says a word: sshd does so at MaxStartups."""
        waits = Backoff(first=0.1, cap=1.0, floor=0.02)
        while True:
            try:
                return await self._attempt(sock)
            except _DROPPED as error:
                if self._heard():
                    raise self._translated(error) from error
                if sock is not None:
                    raise errors.cut_short(self._endpoint) from error
                await self._wait_or_give_up(next(waits), error)
            except (OSError, ValueError, asyncssh.Error) as error:
                raise self._translated(error) from error

    async def _wait_or_give_up(self, wait: float, error: Exception) -> None:
        """Raise the real reason rather than a timeout when the time is nearly over."""
        deadline = self._bound.when() if self._bound else None
        if deadline is not None and asyncio.get_running_loop().time() + wait > deadline - 0.05:
            raise errors.cut_short(self._endpoint) from error
        await asyncio.sleep(wait)

    async def _attempt(self, sock: socket.socket | None) -> Link:
        endpoint = self._endpoint
        client = self._client = _Client(self._next_key)
        if endpoint.socket:
            sock = await _unix_socket(endpoint.socket)
        try:
            connection = await asyncssh.connect(
                endpoint.host,
                endpoint.port,
                sock=sock,
                tunnel=self._via,
                proxy_command=endpoint.proxy_command or None,
                username=endpoint.user,
                client_factory=lambda: client,
                known_hosts=self._trusted,
                server_host_key_algs=self._host_key_algorithms(),
                kex_algs=_known(endpoint.algorithms.kex, "kex"),
                encryption_algs=_known(endpoint.algorithms.ciphers, "encryption"),
                mac_algs=_known(endpoint.algorithms.macs, "mac"),
                **_FIXED,
                keepalive_interval=endpoint.keepalive,
            )
        except BaseException:
            _discard(sock)
            raise
        client.when_lost(self._on_lost)
        return Link(connection, _peer(endpoint, connection))

    def _trusted(self, host: str, addr: str, port: int | None) -> tuple[list[object], ...]:  # noqa: ARG002 - asyncssh's signature
        """What asyncssh may trust: this node's entries and nothing else, whatever name it connects to."""
        keys: dict[str, list[object]] = {"": [], "cert-authority": [], "revoked": []}
        for entry in self._entries:
            with contextlib.suppress(asyncssh.KeyImportError):  # a key type that asyncssh does not know
                keys[entry.marker].append(_public(entry.kind, entry.key))
        return (keys[""], keys["cert-authority"], keys["revoked"], [], [], [], [])

    def _host_key_algorithms(self) -> list[str]:
        stored = tuple(entry.kind for entry in self._entries if not entry.marker)
        algorithms = list(offered_host_keys(self._endpoint.algorithms.host_keys, stored))
        if any(entry.marker == "cert-authority" for entry in self._entries):
            certified = [f"{name}-cert-v01@openssh.com" for name in algorithms]
            algorithms = certified + algorithms
        return algorithms

    async def _next_key(self) -> Offer | None:
        """The next key to offer. A person who types a passphrase does so off the clock."""
        if self._offers is None:
            self._offers = self._context.keys.offers(self._endpoint, self._offered)
        loop, bound = asyncio.get_running_loop(), self._bound
        deadline = bound.when() if bound else None
        if bound is None or deadline is None:
            return await anext(self._offers, None)
        left = deadline - loop.time()
        bound.reschedule(None)
        try:
            return await anext(self._offers, None)
        finally:
            bound.reschedule(loop.time() + left)

    def _heard(self) -> bool:
        return self._client is not None and self._client.heard

    def _phase(self) -> str:
        if self._client is None or not self._client.connected:
            return "connecting"
        return "logging in" if self._client.logging_in else "exchanging keys"

    def _translated(self, error: Exception) -> TransportError:
        """Asyncssh's and the system's errors in hactl's words: the one place for those of connecting."""
        endpoint, reason = self._endpoint, str(error)
        presented = self._client.presented if self._client else None
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            trust = judge(self._entries, presented) if presented else Trust.UNKNOWN
            trust = Trust.REVOKED if "revoked" in reason else trust
            return errors.host_key(endpoint, presented, self._entries, trust)
        if isinstance(error, asyncssh.PermissionDenied) or "authentication failures" in reason:
            return self._login_refused()
        if isinstance(error, asyncssh.ChannelOpenError):
            return UnreachableError(
                endpoint.node,
                f"the jump host {endpoint.jump[-1]} does not connect to {endpoint.where}: {safe(reason)}.",
                remedy="Check the address as the jump host sees it, and AllowTcpForwarding there.",
            )
        if isinstance(error, _DROPPED):
            agreed = self._client is not None and self._client.logging_in
            return errors.cut_short(endpoint) if agreed else errors.not_ssh(endpoint, "it hangs up on our algorithms.")
        if isinstance(error, OSError):
            return errors.from_os_error(endpoint, error)
        return errors.not_ssh(endpoint, reason)

    def _login_refused(self) -> AuthenticationError:
        offered = self._offered
        if offered.locked and (not offered.keys or offered.wrong_passphrase):
            return errors.key_encrypted(self._endpoint, offered.locked, wrong=offered.wrong_passphrase)
        notes = [
            *offered.notes,
            *(f"{path} is encrypted and was not offered: `ssh-add {path}`" for path in offered.locked),
        ]
        return errors.login_refused(self._endpoint, offered.keys, notes)


_FIXED: dict[str, object] = {
    "config": None,  # hactl has read it: see endpoint.resolve
    "client_keys": None,  # offered through _Client; this also keeps asyncssh from the agent and the usual files
    "compression_algs": ["none"],
    "preferred_auth": ["publickey"],
    "x509_trusted_certs": None,
    "x509_trusted_cert_paths": [],
    "gss_host": None,
    "keepalive_count_max": 3,
    "login_timeout": 0,  # bounded from outside, where a prompt can stop the clock
    "connect_timeout": None,
}


@lru_cache(1024)
def _public(kind: str, key: str) -> asyncssh.SSHKey:
    """A stored host key, parsed once for all reconnections. Raises KeyImportError for a type that asyncssh lacks."""
    return asyncssh.import_public_key(f"{kind} {key}")


def _known(names: tuple[str, ...], kind: str) -> list[str]:
    """Those of `names` that asyncssh has: lists come from people and from ssh_config. Raises ValueError for none."""
    from asyncssh import encryption, kex, mac  # noqa: PLC0415 - loaded already; not exported by asyncssh itself

    have = {"kex": kex.get_kex_algs, "encryption": encryption.get_encryption_algs, "mac": mac.get_mac_algs}[kind]()
    found = [name for name in names if name.encode() in have]
    if not found:
        raise ValueError(f"none of the {kind} algorithms {', '.join(names)} is known here")
    return found


def _peer(endpoint: Endpoint, connection: asyncssh.SSHClientConnection) -> Peer:
    key = connection.get_server_host_key()
    software = safe(str(connection.get_extra_info("server_version") or "")).removeprefix("SSH-2.0-")
    if key is None:
        return Peer(endpoint.where, software, "", "")
    shown = HostKey(key.algorithm.decode("ascii", "replace"), key.public_data)
    return Peer(endpoint.where, software, shown.fingerprint, shown.kind)


def _discard(sock: socket.socket | None) -> None:
    """Close a socket that leads to no connection."""
    if sock is not None:
        sock.close()


async def _unix_socket(path: str) -> socket.socket:
    """A connected local Unix socket."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)  # noqa: FBT003 - the socket API
    try:
        await asyncio.get_running_loop().sock_connect(sock, path)
    except BaseException:
        sock.close()
        raise
    return sock
