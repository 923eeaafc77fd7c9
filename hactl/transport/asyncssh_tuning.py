"""What asyncssh does for nobody, left out: about a third of the CPU time of a connection and of a streamed sample.

None of it changes what is said on the wire but the first, which is allowed to be left out:
- before every packet asyncssh sends an empty MSG_IGNORE, a defence of CBC ciphers; other ciphers go without;
- it formats a line of its debug log for every packet, and only then asks whether anybody wants it: it is asked before;
- it prepares the options of every connection anew and in a thread, because reading ~/.ssh/config and keys may wait for
  a disk: hactl has read both itself and gives neither, so options that were given the same are prepared once.

These reach into the library, each at one named place. When a later version has no such place, it is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from copy import copy
from typing import Any

import asyncssh.connection
import asyncssh.logging
import asyncssh.packet

_IGNORE = 2  # SSH_MSG_IGNORE, RFC 4253
_CBC = b"cbc"


def tune() -> None:
    """Once, after asyncssh has been imported."""
    _send_no_ignores(asyncssh.connection.SSHConnection)
    _log_for_readers(asyncssh.logging.SSHLogger, asyncssh.packet.SSHPacketLogger)
    _prepare_once(asyncssh.connection.SSHClientConnectionOptions)


def _send_no_ignores(connection: Any) -> None:
    send = connection.send_packet

    def send_packet(self: Any, pkttype: int, *args: bytes, handler: Any = None) -> None:
        if pkttype == _IGNORE and _CBC not in getattr(self, "_enc_alg_cs", _CBC):
            return
        send(self, pkttype, *args, handler=handler)

    connection.send_packet = send_packet


def _log_for_readers(logger: Any, packets: Any) -> None:
    log, log_packet = logger.log, getattr(packets, "_log_packet", None)

    def log_if_wanted(self: Any, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        if self.isEnabledFor(level):
            log(self, level, msg, *args, **kwargs)

    def log_packet_if_wanted(self: Any, *args: Any) -> None:
        if log_packet is not None and self.logger.isEnabledFor(logging.DEBUG):
            log_packet(self, *args)

    logger.log = log_if_wanted
    if log_packet is not None:
        packets._log_packet = log_packet_if_wanted  # noqa: SLF001 - see the module's docstring


# Options that `prepare` only stores, and the attributes that it stores them in.
_STORED = {"host": ("host", "orig_host"), "client_factory": ("protocol_factory",), "known_hosts": ("known_hosts",)}
_DIFFERENT = 64  # sets of options that are remembered; a cluster has one or a few


def _prepare_once(options: Any) -> None:
    prepared: dict[object, Any] = {}

    async def construct(cls: Any, given: Any = None, /, **kwargs: Any) -> Any:
        if given is not None or kwargs.get("config") or kwargs.get("tunnel") or not _STORED.keys() <= kwargs.keys():
            return cls(given, loop=asyncio.get_running_loop(), **kwargs)
        shared = frozenset((name, _frozen(value)) for name, value in kwargs.items() if name not in _STORED)
        if shared not in prepared:
            if len(prepared) >= _DIFFERENT:
                prepared.clear()
            prepared[shared] = cls(None, **kwargs)
        own = copy(prepared[shared])
        own.kwargs = {**own.kwargs, **kwargs}
        for name, attributes in _STORED.items():
            for attribute in attributes:
                setattr(own, attribute, kwargs[name])
        return own

    options.construct = classmethod(construct)


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
