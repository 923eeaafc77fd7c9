"""Logging in with paramiko. Every step that blocks runs in a thread; every one of them is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import paramiko

from hactl.model.errors import TransportError
from hactl.model.text import safe
from hactl.transport import errors
from hactl.transport.backoff import Backoff
from hactl.transport.endpoint import Endpoint, Options, offered_host_keys
from hactl.transport.gate import Handshakes
from hactl.transport.known_hosts import Entry, HostKey, KnownHostsCache, Trust, judge
from hactl.transport.paramiko_keys import Offered, offers
from hactl.transport.prompter import Prompter
from hactl.transport.protocol import Peer

T = TypeVar("T")

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # else it talks to stderr about what we handle

_THREADS = 64  # for all nodes together; each command and each open channel takes one


@dataclass(slots=True)
class ParamikoContext:
    """What all paramiko connections of one program share."""

    prompter: Prompter = field(default_factory=Prompter)
    handshakes: Handshakes = field(default_factory=Handshakes)
    known_hosts: KnownHostsCache = field(default_factory=KnownHostsCache)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "hactl-paramiko"))

    async def threaded(self, call: Callable[[], T]) -> T:
        """Run `call` in a thread. Cancelling stops the waiting, not the thread: what blocks there has a bound too."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, call)


def read_config(files: tuple[str, ...], host: str) -> Options:
    """endpoint.ConfigReader by paramiko's own reader."""
    options: dict[str, object] = {}
    for path in files:
        try:
            found = paramiko.SSHConfig.from_path(path).lookup(host)
        except paramiko.SSHException as error:
            raise ValueError(str(error)) from None
        for key, value in found.items():
            options.setdefault(key, value)
    if options.get("hostname") == host:  # paramiko makes one up
        del options["hostname"]
    return options


class Login:
    """One attempt to get into a node."""

    def __init__(self, endpoint: Endpoint, context: ParamikoContext, way: Callable[[], socket.socket] | None) -> None:
        """`way` gives an open socket that leads to the node's sshd; None: connect directly."""
        self._endpoint, self._context, self._way = endpoint, context, way
        self._offered = Offered()
        self._transport: paramiko.Transport | None = None
        self._entries: tuple[Entry, ...] = ()

    async def run(self) -> tuple[paramiko.Transport, Peer]:
        """Raises what Transport.connect raises."""
        endpoint, context = self._endpoint, self._context
        try:
            self._entries = context.known_hosts.get(endpoint.known_hosts).lookup(endpoint.names)
        except OSError as error:
            raise errors.bad_config(endpoint.node, error) from error
        try:
            async with (
                context.handshakes.place((endpoint.host, endpoint.port, endpoint.socket)),
                asyncio.timeout(endpoint.connect_timeout) as bound,
            ):
                peer = await self._exchange_keys()
                await self._log_in(bound)
        except TimeoutError:
            self._drop()
            raise errors.connect_timeout(endpoint) from None
        except (OSError, EOFError, ValueError, paramiko.SSHException) as error:
            self._drop()
            raise self._translated(error) from error
        except BaseException:
            self._drop()
            raise
        assert self._transport is not None  # noqa: S101 - the key exchange made it
        return self._transport, peer

    async def _exchange_keys(self) -> Peer:
        waits = Backoff(first=0.1, cap=1.0, floor=0.02)
        while True:
            try:
                await self._context.threaded(self._start)
                break
            except (EOFError, ConnectionResetError, BrokenPipeError, paramiko.SSHException) as error:
                self._drop()
                banner = isinstance(error, paramiko.SSHException) and "banner" not in str(error)
                if banner or self._way is not None:
                    raise
                await asyncio.sleep(next(waits))  # dropped before the banner: sshd does so at MaxStartups
        assert self._transport is not None  # noqa: S101 - `_start` made it
        key = self._transport.get_remote_server_key()
        presented = HostKey(key.get_name(), key.asbytes())
        trust = judge(self._entries, presented)
        if trust is not Trust.TRUSTED:
            raise errors.host_key(self._endpoint, presented, self._entries, trust)
        software = safe(self._transport.remote_version).removeprefix("SSH-2.0-")
        return Peer(self._endpoint.where, software, presented.fingerprint, presented.kind)

    def _start(self) -> None:
        """In a thread: connect and exchange keys."""
        endpoint = self._endpoint
        sock = self._way() if self._way is not None else _connected(endpoint)
        try:
            transport = self._transport = paramiko.Transport(sock)
        except BaseException:
            sock.close()
            raise
        transport.banner_timeout = endpoint.connect_timeout
        transport.handshake_timeout = endpoint.connect_timeout
        transport.auth_timeout = endpoint.connect_timeout
        options = transport.get_security_options()
        stored = tuple(entry.kind for entry in self._entries if not entry.marker)
        options.key_types = _known(offered_host_keys(endpoint.algorithms.host_keys, stored), options.key_types)
        options.kex = _known(endpoint.algorithms.kex, options.kex)
        options.ciphers = _known(endpoint.algorithms.ciphers, options.ciphers)
        options.digests = _known(endpoint.algorithms.macs, options.digests)
        transport.start_client(timeout=endpoint.connect_timeout)

    async def _log_in(self, bound: asyncio.Timeout) -> None:
        transport, endpoint, loop = self._transport, self._endpoint, asyncio.get_running_loop()
        assert transport is not None  # noqa: S101 - the key exchange made it
        keys = offers(endpoint, self._context.prompter, self._offered)
        async with contextlib.aclosing(keys):
            while True:
                left = (bound.when() or loop.time()) - loop.time()
                bound.reschedule(None)  # a person who types a passphrase does so off the clock
                key = await anext(keys, None)
                bound.reschedule(loop.time() + left)
                if key is None:
                    raise paramiko.AuthenticationException("no key was accepted")
                try:
                    await self._context.threaded(partial(transport.auth_publickey, endpoint.user, key))
                except paramiko.AuthenticationException:
                    if not transport.is_active():
                        raise
                else:
                    return

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _translated(self, error: Exception) -> TransportError:
        """Paramiko's and the system's errors in hactl's words: the one place for those of connecting."""
        endpoint, offered = self._endpoint, self._offered
        if isinstance(error, paramiko.AuthenticationException):
            if offered.locked and (not offered.keys or offered.wrong_passphrase):
                return errors.key_encrypted(endpoint, offered.locked, wrong=offered.wrong_passphrase)
            notes = [*offered.notes, *(f"{path} is encrypted and was not offered" for path in offered.locked)]
            return errors.login_refused(endpoint, offered.keys, notes)
        if isinstance(error, TimeoutError):
            return errors.connect_timeout(endpoint)
        if isinstance(error, OSError):
            return errors.from_os_error(endpoint, error)
        if isinstance(error, EOFError) or "banner" in str(error):
            return errors.cut_short(endpoint)
        return errors.not_ssh(endpoint, str(error))


def _connected(endpoint: Endpoint) -> socket.socket:
    if endpoint.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(endpoint.connect_timeout)
        try:
            sock.connect(endpoint.socket)
        except BaseException:
            sock.close()
            raise
        return sock
    if endpoint.proxy_command:
        import shlex  # noqa: PLC0415 - rarely wanted

        return paramiko.ProxyCommand(shlex.join(endpoint.proxy_command))  # type: ignore[return-value] # acts as one
    sock = socket.create_connection((endpoint.host, endpoint.port), endpoint.connect_timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _known(wanted: Sequence[str], have: Sequence[str]) -> Sequence[str]:
    """Those of `wanted` that paramiko has. Raises ValueError when it has none of them."""
    # The older name of the same thing is the only one that paramiko has.
    names = dict.fromkeys(_OLDER.get(name, name) if name not in have else name for name in wanted)
    found = tuple(name for name in names if name in have)
    if not found:
        raise ValueError(f"paramiko has none of the algorithms {', '.join(wanted)}")
    return found


_OLDER = {"curve25519-sha256": "curve25519-sha256@libssh.org"}
