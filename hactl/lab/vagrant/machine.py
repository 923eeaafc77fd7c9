"""One node of the lab as a virtual machine: its power by Vagrant, everything inside it over Vagrant's own login.

That login goes past the lab's network, so a node that is cut off from the others can still be told to do something.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence

from hactl.lab import shell
from hactl.lab.spec import LabNode
from hactl.lab.vagrant.tool import OFF, Tool
from hactl.model.errors import LabError

_SETTINGS = ("LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=10")
_UP = "Bring it up: hactl lab --backend vagrant up"
_LOST = 255  # what ssh exits with when it never got there


class VagrantMachine:
    def __init__(self, tool: Tool, node: LabNode) -> None:
        self.tool = tool
        self.node = node

    def on(self) -> bool:
        """Raises LabError where there is no lab: of machines that somebody else made nothing is known."""
        if not self.tool.paths.root.exists():
            raise LabError("There is no lab in Vagrant's machines here.", remedy=_UP)
        return self.tool.states(self.node.name)[self.node.name] not in OFF

    def answers(self) -> bool:
        try:
            return shell.attempt(self.command(["true"])).returncode == 0
        except LabError:
            return False

    def start(self) -> None:
        """Boots it and waits until it can be logged in to."""
        self.tool.run(["up", "--no-provision", self.node.name])
        self.tool.refresh(self.node.name)

    def command(self, argv: Sequence[str]) -> list[str]:
        """The argv that runs `argv` as root in the node. Raises LabError when nobody knows the way yet."""
        config = self.tool.paths.vagrant_ssh_config
        if not config.exists():
            raise LabError(f"{self.node.name} has not been made.", remedy=_UP)
        there = shlex.join(["env", *_SETTINGS, "sh", "-c", 'cd / && exec "$@"', "sh", *argv])
        return ["ssh", "-F", str(config), *_OPTIONS, self.node.name, f"sudo -H {there}"]

    def attempt(
        self, argv: Sequence[str], *, stdin: str | None = None, timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Runs `argv` as root in the node; a non-zero exit is data. Raises LabError when it cannot be logged in to."""
        done = shell.attempt(self.command(argv), stdin=stdin, timeout=timeout)
        if done.returncode == _LOST:
            said = done.stderr.strip().splitlines()
            raise LabError(
                f"{self.node.name} cannot be logged in to{f': {said[-1]}' if said else ''}.",
                remedy=f"See whether it is on: hactl lab --backend vagrant power {self.node.name}",
            )
        return done

    def script(self, text: str, *arguments: str, timeout: float = 60.0) -> str:
        """Runs a POSIX shell script as root in the node; what it wrote. Raises LabError unless it exits 0."""
        argv = ["sh", "-eu", "-s", "--", *arguments]
        done = self.attempt(argv, stdin=text, timeout=timeout)
        if done.returncode != 0:
            raise shell.failed(argv, done, what=f"{self.node.name}: {shlex.join(argv)}")
        return done.stdout
