"""The command line of a shell on a node: OpenSSH with the inventory's own settings, or this machine's shell."""

from __future__ import annotations

import os

from hactl.config.export import ssh_argv
from hactl.lab.connect import pipe
from hactl.model.inventory import Inventory, Node, TransportKind


def shell_argv(inventory: Inventory, node: Node) -> tuple[str, ...]:
    """For a terminal of its own; nothing of it is hactl's connection, which goes on."""
    if node.ssh.transport is TransportKind.LOCAL:
        return (os.environ.get("SHELL") or "/bin/sh",)
    return ssh_argv(inventory, node, pipe())
