"""What a lab is to everybody else, whatever its machines are made of, and the way to one of either kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hactl.lab.faults import Faults, Ground
from hactl.lab.helpers import Helpers
from hactl.lab.lab import Lab, LabStatus
from hactl.lab.node import Node
from hactl.lab.progress import Reporter
from hactl.lab.spec import LabSpec
from hactl.lab.vagrant.lab import VagrantLab

NAMESPACES, VAGRANT = "namespaces", "vagrant"
BACKEND_VARIABLE = "HACTL_LAB_BACKEND"


class Paths(Protocol):
    """The files of a lab that others read."""

    @property
    def inventory(self) -> Path: ...

    @property
    def ssh_config(self) -> Path: ...

    @property
    def life(self) -> Path: ...

    @property
    def shelf(self) -> Path:
        """Where its exercises are written down; a reset leaves it alone."""
        ...


class AnyLab(Protocol):
    """See `Lab`, whose words these are."""

    @property
    def backend(self) -> str: ...

    @property
    def command(self) -> str:
        """What is typed before a verb to say this lab."""
        ...

    @property
    def spec(self) -> LabSpec: ...

    @property
    def paths(self) -> Paths: ...

    @property
    def machines(self) -> Sequence[Node]: ...

    @property
    def ground(self) -> Ground[Node]: ...

    @property
    def faults(self) -> Faults: ...

    @property
    def helpers(self) -> Helpers: ...

    def machine(self, name: str) -> Node: ...

    def require(self) -> None:
        """Raises LabUnsupportedError, with everything that this computer lacks for it."""
        ...

    def require_quickly(self) -> None:
        """The part of that which costs nothing to ask."""
        ...

    def up(self, report: Reporter = ...) -> None: ...

    def down(self, report: Reporter = ..., *, now: bool = False, disks: bool = False) -> None: ...

    def reset(self, report: Reporter = ...) -> None: ...

    def status(self) -> LabStatus: ...

    def ssh_config(self) -> str:
        """An ssh_config that reaches the nodes."""
        ...

    def public(self) -> Path:
        """The socket that leads to the shop. Raises InputError where none is needed."""
        ...


def open_lab(name: str, nodes: Sequence[str] = (), backend: str = NAMESPACES) -> AnyLab:
    """The lab called `name`, of that kind."""
    if backend == VAGRANT:
        return VagrantLab(name, nodes)
    return Lab(name, nodes)
