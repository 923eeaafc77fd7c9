"""Nodes in, transports out. Loads an SSH library only when some node needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hactl.model.inventory import Inventory, Node, TransportKind
from hactl.transport.gate import OVERALL, Handshakes
from hactl.transport.jump import Jumps
from hactl.transport.known_hosts import KnownHostsCache
from hactl.transport.prompter import Ask, Prompter
from hactl.transport.protocol import Transport

if TYPE_CHECKING:
    from hactl.transport.asyncssh_connect import SshContext
    from hactl.transport.paramiko_connect import ParamikoContext

Wrap = Callable[[Transport], Transport]


class TransportFactory:
    """Makes the transport of each node, once: `make` gives the same one again, for one connection a node.

    `ask` asks a person for a passphrase or a sudo password (see `prompter.Ask`); None: nobody is asked. `per_host` and
    `overall` bound the logins under way. `wrap` puts a wrapper (record, trace) around each transport that `make` gives.
    """

    def __init__(
        self,
        inventory: Inventory,
        ask: Ask | None = None,
        *,
        per_host: int = 8,
        overall: int = OVERALL,
        wrap: Wrap | None = None,
    ) -> None:
        self._prompter = Prompter(ask)
        self._handshakes = Handshakes(per_host, overall)
        self._known_hosts = KnownHostsCache()
        self._wrap = wrap
        self._bare: dict[str, Transport] = {}
        self._made: dict[str, Transport] = {}
        self._jumps = Jumps(inventory.nodes, self._build, self._bare)
        self._asyncssh: SshContext | None = None
        self._paramiko: ParamikoContext | None = None

    def make(self, node: Node) -> Transport:
        """The transport of `node`, not connected yet."""
        if node.name not in self._made:
            bare = self._bare[node.name] = self._build(node)
            self._made[node.name] = self._wrap(bare) if self._wrap else bare
        return self._made[node.name]

    def _build(self, node: Node) -> Transport:
        if node.ssh.transport is TransportKind.LOCAL:
            from hactl.transport.local import LocalTransport  # noqa: PLC0415 - loaded where it is used

            return LocalTransport(node, self._prompter)
        if node.ssh.transport is TransportKind.PARAMIKO:
            return self._build_paramiko(node)
        from hactl.transport.asyncssh_connect import SshContext  # noqa: PLC0415 - 70 ms, only where it is used
        from hactl.transport.asyncssh_transport import AsyncsshTransport  # noqa: PLC0415 - likewise

        if self._asyncssh is None:
            self._asyncssh = SshContext(self._prompter, self._handshakes, self._known_hosts)
        return AsyncsshTransport(node, self._asyncssh, self._jumps)

    def _build_paramiko(self, node: Node) -> Transport:
        from hactl.transport.paramiko_connect import ParamikoContext  # noqa: PLC0415 - 135 ms, only where it is used
        from hactl.transport.paramiko_transport import ParamikoTransport  # noqa: PLC0415 - likewise

        if self._paramiko is None:
            self._paramiko = ParamikoContext(self._prompter, self._handshakes, self._known_hosts)
        return ParamikoTransport(node, self._paramiko, self._jumps)
