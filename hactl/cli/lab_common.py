"""What all `hactl lab` commands share: which lab, and the way to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from hactl.cli.params import shown_as

if TYPE_CHECKING:
    from hactl.lab.backend import AnyLab

AnyCommand = TypeVar("AnyCommand", bound=Callable[..., object])
FORMAT = shown_as("table", "json")


def named(command: AnyCommand) -> AnyCommand:
    """Gives a command `--name`: which lab it is about."""
    option = click.option(
        *("-n", "--name"), default="lab", show_default=True, envvar="HACTL_LAB", metavar="LAB", help="Which lab."
    )
    return option(command)


BACKEND = "hactl.lab.backend"


def with_backend(command: AnyCommand) -> AnyCommand:
    """Gives a group `--backend`, which `opened` obeys below it."""

    def chosen(ctx: click.Context, _: click.Parameter, value: str) -> None:
        ctx.meta[BACKEND] = value

    option = click.option(
        "--backend",
        type=click.Choice(["namespaces", "vagrant"]),
        default="namespaces",
        show_default=True,
        envvar="HACTL_LAB_BACKEND",
        callback=chosen,
        expose_value=False,
        help="What the nodes are made of. [env: HACTL_LAB_BACKEND]",
    )
    return option(command)


def backend() -> str:
    """The one that was chosen."""
    return str(click.get_current_context().meta.get(BACKEND, "namespaces"))


def opened(name: str, nodes: str = "") -> AnyLab:
    """The lab, where this machine can host one. Raises LabUnsupportedError where it cannot."""
    from hactl.lab.backend import open_lab

    this = open_lab(name, tuple(filter(None, nodes.split(","))), backend())
    this.require_quickly()
    return this
