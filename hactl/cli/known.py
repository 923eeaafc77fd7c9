"""What the operator has acknowledged, on pictures that commands show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from hactl.model.picture import Picture


def marker(cluster: str) -> Callable[[Picture], Picture]:
    """A function that marks what is acknowledged. A file that cannot be read hides nothing: nothing is marked then, and
    it is told once, on stderr.
    """
    from hactl.control.acks import Acks
    from hactl.model.acks import acknowledged
    from hactl.model.errors import StateError

    acks, told = Acks(cluster), False

    def marked(picture: Picture) -> Picture:
        nonlocal told
        try:
            return acknowledged(picture, acks.look())
        except StateError as error:
            if not told:
                told = True
                click.echo(f"hactl: {error}", err=True)
            return picture

    return marked
