"""Jump hosts: nodes of the inventory or addresses, each connected once and shared by everything behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from hactl.model.errors import AuthenticationError, ConnectTimeoutError, HostKeyError, TransportError, UnreachableError
from hactl.model.inventory import Node, SshSettings, TransportKind
from hactl.transport.endpoint import jump_endpoint_parts
from hactl.transport.protocol import Transport


class Jumps:
    """The jump hosts in use. `make` makes a transport; `made` are those that somebody else holds and closes."""

    def __init__(
        self, nodes: Mapping[str, Node], make: Callable[[Node], Transport], made: Mapping[str, Transport]
    ) -> None:
        self._nodes, self._make, self._made = nodes, make, made
        self._ours: dict[tuple[str, SshSettings], Transport] = {}
        self._users: dict[int, int] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def take(self, hops: tuple[str, ...], origin: Node) -> Transport | None:
        """The transport of the last of `hops`, on the way to `origin`; None when `origin` is itself that host.

        Raises ValueError for a hop that cannot be read. What is taken is given back with `give_back`.
        """
        node = self._node_of(hops, origin)
        if node.name == origin.name:  # "Host *" with a ProxyJump matches the jump host, too
            return None
        key = (node.name, node.ssh)
        transport = self._made.get(node.name) or self._ours.get(key)
        if transport is None:
            transport = self._ours[key] = self._make(node)
        self._users[id(transport)] = self._users.get(id(transport), 0) + 1
        return transport

    def give_back(self, transport: Transport) -> None:
        """Nobody behind it any more: a jump host that only we hold is closed."""
        self._users[id(transport)] -= 1
        if self._users[id(transport)]:
            return
        del self._users[id(transport)]
        for key, ours in list(self._ours.items()):
            if ours is transport:
                del self._ours[key]
                task = asyncio.ensure_future(transport.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    def _node_of(self, hops: tuple[str, ...], origin: Node) -> Node:
        before, last = hops[:-1], hops[-1]
        known = self._nodes.get(last)
        if known is not None:
            return replace(known, ssh=replace(known.ssh, proxy_jump=",".join(before))) if before else known
        user, host, port = jump_endpoint_parts(last)
        kind = TransportKind.ASYNCSSH if origin.ssh.transport is TransportKind.LOCAL else origin.ssh.transport
        ssh = replace(
            origin.ssh,
            user=user or origin.ssh.user,
            port=port,
            host_key_alias=None,
            socket=None,
            # No list of hops before it: it is reached as ssh_config says, and not through itself.
            proxy_jump=",".join(before) or None,
            transport=kind,
        )
        return Node(f"jump host {last}", host, origin.site, (), ssh)


def behind(node: str, error: TransportError) -> TransportError:
    """An error of a jump host as the error of the node behind it, of the same kind."""
    message = f"its jump host cannot be used: {error.message}"
    for kind in (ConnectTimeoutError, HostKeyError, AuthenticationError):
        if isinstance(error, kind):
            return type(error)(node, message, remedy=error.remedy)
    return UnreachableError(node, message, remedy=error.remedy)
