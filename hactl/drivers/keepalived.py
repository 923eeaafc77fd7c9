"""keepalived: who really has an address. It answers no questions itself: the truth is the addresses of every node."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from hactl.model.facts import HostFacts
from hactl.model.inventory import Vip


def holds(vip: Vip, host: HostFacts) -> bool:
    """Does this node have the address? Spellings of one IPv6 address are the same address."""
    return vip.address in host.addresses or _canonical(vip.address) in host.addresses


def holders(vip: Vip, hosts: Mapping[str, HostFacts]) -> tuple[str, ...]:
    """The nodes of `hosts` that have the address, in their order. Right is exactly one; of nodes that did not answer
    nothing is said here.
    """
    return tuple(name for name, host in hosts.items() if holds(vip, host))


def _canonical(address: str) -> str:
    try:
        return ip_address(address).compressed
    except ValueError:
        return address
