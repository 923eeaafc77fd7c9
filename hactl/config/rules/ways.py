"""Nodes: where they are, and how they are reached."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from hactl.config.draft import Draft, Found
from hactl.config.positions import KeyPath
from hactl.config.problems import Problem
from hactl.config.resolve import Scope, effective_ssh, host_of, jumps, socket_path
from hactl.config.rules.names import dangling, repeated
from hactl.config.schema import NodeEntry
from hactl.model.suggest import did_you_mean, quoted

SOCKET_LIMIT = 107  # bytes of sun_path, less the final NUL


def nodes(draft: Draft) -> Iterator[Problem]:
    for path, node in _pairs(draft.nodes):
        yield from dangling(draft, "sites", node.site, (*path, "site"))
        yield from repeated((*path, "roles"), node.roles)


def _pairs(found: Iterable[Found[NodeEntry]]) -> Iterator[tuple[KeyPath, NodeEntry]]:
    return ((item.path, item.entry) for item in found)


def addresses(draft: Draft) -> Iterator[Problem]:
    """Two nodes that are one machine: same address, port and way there."""
    seen: dict[tuple[str, int, str], KeyPath] = {}
    for path, node in _pairs(found for found in draft.nodes if found.whole):
        ssh = effective_ssh(draft.ssh, node)
        key = (canonical(node.address), ssh.port or 22, ",".join(jumps(node.name, ssh.proxy_jump)))
        if key in seen:
            message = f"another node has the address {quoted(node.address)} and port {ssh.port or 22}"
            yield Problem((*path, "address"), message, also=(*seen[key], "address"))
        seen.setdefault(key, path)


def canonical(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address.lower().removesuffix(".")


def ways(draft: Draft) -> Iterator[Problem]:
    """How nodes are reached: jumps that lead nowhere or in a circle, two ways at once, sockets with too long a path."""
    if draft.ssh.proxy_jump is not None:
        yield from _jump_targets(draft, draft.ssh.proxy_jump, ("ssh", "proxy_jump"))
    cluster = draft.cluster.name if draft.cluster is not None else ""
    by_name = {node.name: node for _, node in _pairs(draft.nodes)}
    for path, node in _pairs(draft.nodes):
        here = (*path, "ssh")
        if node.ssh.proxy_jump is not None:
            yield from _jump_targets(draft, node.ssh.proxy_jump, (*here, "proxy_jump"))
            if node.name in node.ssh.proxy_jump.split(","):
                yield Problem((*here, "proxy_jump"), f"{quoted(node.name)} cannot be reached through itself")
                continue
        ssh = effective_ssh(draft.ssh, node)
        if circle := _circle(draft, by_name, node):
            yield Problem((*here, "proxy_jump"), f"proxy_jump leads in a circle: {' -> '.join(circle)}")
        given = socket_path(ssh.socket)
        if given is None:
            continue
        if jumps(node.name, ssh.proxy_jump):
            message = 'has both `socket` and `proxy_jump`; take the one from [ssh] back with "none"'
            yield Problem(here, f"{quoted(node.name)} {message}")
        expanded = Scope(cluster, node.name).expand(given)
        if len(expanded.encode()) > SOCKET_LIMIT:
            where = (*here, "socket") if node.ssh.socket is not None else ("ssh", "socket")
            yield Problem(where, f"the socket of {node.name} has a path of more than {SOCKET_LIMIT} bytes")


def _jump_targets(draft: Draft, text: str, path: KeyPath) -> Iterator[Problem]:
    """A bare word must be a node, or "none"; anything else must read as [USER@]HOST[:PORT]."""
    for hop in text.split(","):
        if hop == "none" and text == "none":
            continue
        if re.fullmatch(r"[A-Za-z0-9_-]*", hop):
            if hop not in draft.names["nodes"]:
                hint = did_you_mean(hop, draft.names["nodes"])
                yield Problem(
                    path,
                    f"no node is called {quoted(hop)}{hint or '; a machine outside the inventory'}"
                    f"{'' if hint else ' is written user@host or host:port'}",
                )
        elif hop not in draft.names["nodes"] and host_of(hop) is None:
            yield Problem(path, f"{quoted(hop)} is neither a node nor of the form user@host:port")


def _circle(draft: Draft, by_name: dict[str, NodeEntry], start: NodeEntry) -> list[str]:
    """The names along a circle of jumps that leads back to `start`, or nothing."""
    trail, pending = [start.name], start
    while True:
        hops = [hop for hop in jumps(pending.name, effective_ssh(draft.ssh, pending).proxy_jump) if hop in by_name]
        if not hops or hops[0] in trail[1:]:
            return []
        trail.append(hops[0])
        if hops[0] == start.name:
            return trail
        pending = by_name[hops[0]]
