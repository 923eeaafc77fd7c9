"""What all `hactl lab` commands share: which lab, and the way to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from hactl.lab import Lab

AnyCommand = TypeVar("AnyCommand", bound=Callable[..., object])
FORMAT = click.option("-o", "--output", "fmt", type=click.Choice(["table", "json"]), default="table", help="Format.")


def named(command: AnyCommand) -> AnyCommand:
    """Gives a command `--name`: which lab it is about."""
    option = click.option(
        *("-n", "--name"), default="lab", show_default=True, envvar="HACTL_LAB", metavar="LAB", help="Which lab."
    )
    return option(command)


def opened(name: str, nodes: str = "") -> Lab:
    """The lab, where this machine can host one. Raises LabUnsupportedError where it cannot."""
    from hactl.lab import Lab, support

    support.require_quickly()
    return Lab(name, tuple(filter(None, nodes.split(","))))
