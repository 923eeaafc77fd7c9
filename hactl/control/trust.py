"""Trusting a node's host key: what `hactl trust` does, without the talking."""

from hactl.transport.known_hosts import HostKey, Trust
from hactl.transport.trust import Introduction, introduce, remember

__all__ = ["HostKey", "Introduction", "Trust", "introduce", "remember"]
