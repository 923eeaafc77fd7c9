"""Names of keys: every binding of the dashboard has one ("nodes.drain"), by which the user's key map finds it.

The name is that of the screen or widget and the binding's description, so that whoever reads the help knows it. What
holds everywhere has no part before the dot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

_PLAIN = {"Base", "Picture", "Table"}  # screens that others are made from: their keys are everybody's


class NamedKeys:
    """Mixed into screens and widgets, before Textual's class: names the bindings of each subclass.

    `KEYS_OF` is what stands before the dot; without it a screen's own name does.
    """

    KEYS_OF: ClassVar[str | None] = None
    BINDINGS: ClassVar[list[BindingType]]

    def __init_subclass__(cls, **options: bool) -> None:
        if "BINDINGS" in cls.__dict__:
            owner = cls.KEYS_OF if cls.KEYS_OF is not None else _owner(cls.__name__)
            cls.BINDINGS = named(owner, cls.BINDINGS)
        super().__init_subclass__(**options)


def named(owner: str, bindings: Iterable[BindingType]) -> list[BindingType]:
    """The bindings with their names; one that has a name already keeps it."""
    full = (one if isinstance(one, Binding) else Binding(*one) for one in bindings)
    return [one if one.id is not None else replace(one, id=_name(owner, one.description)) for one in full]


def _name(owner: str, description: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "-", description.casefold()).strip("-")
    return f"{owner}.{word}" if owner else word


def _owner(name: str) -> str:
    """NodesScreen: "nodes"; RunReportScreen: "run-report"."""
    bare = name.removesuffix("Screen")
    return "" if bare in _PLAIN else re.sub(r"(?<!^)(?=[A-Z])", "-", bare).lower()
