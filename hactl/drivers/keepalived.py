"""keepalived: who really has an address. It answers no questions itself: the truth is the addresses of every node."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import ip_address

from hactl.model.command import command
from hactl.model.facts import HostFacts
from hactl.model.inventory import Vip

ADDRESSES = command("ip", "-o", "addr", "show")


def holds(vip: Vip, host: HostFacts) -> bool:
    """Does this node have the address? Spellings of one IPv6 address are the same address."""
    return has(vip, host.addresses)


def has(vip: Vip, addresses: Collection[str]) -> bool:
    return vip.address in addresses or _canonical(vip.address) in addresses


def addresses(answer: str) -> tuple[str, ...]:
    """Every address in the answer to ADDRESSES: `2: host0    inet 192.168.56.11/24 brd ...`."""
    lines = (line.split() for line in answer.splitlines())
    return tuple(words[3].partition("/")[0] for words in lines if len(words) > 3 and words[2] in {"inet", "inet6"})


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
