"""What moves between the dashboard's parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.message import Message

from hactl.model.picture import Picture

if TYPE_CHECKING:  # the first paint does not wait for what acts
    from hactl.model.findings import Finding
    from hactl.model.plan import Request
    from hactl.view.whereto import Where


class PictureArrived(Message):
    """A newer picture. Queued ones that nobody handled yet are replaced: only the newest counts."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, PictureArrived)


class PictureWanted(Message):
    """A screen has come to the top and wants the newest picture."""


class OpenNode(Message):
    """The operator wants a node's page."""

    def __init__(self, node: str) -> None:
        super().__init__()
        self.node = node


class GoTo(Message):
    """The operator wants to see what something is about, wherever that is shown."""

    def __init__(self, where: Where) -> None:
        super().__init__()
        self.where = where


class AckGiven(Message):
    """The operator knows of a finding. `until` is epoch seconds."""

    def __init__(self, finding: Finding, reason: str, until: float) -> None:
        super().__init__()
        self.finding = finding
        self.reason = reason
        self.until = until


class AckTaken(Message):
    """The operator takes an acknowledgement back."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class OpenRun(Message):
    """The operator wants to see a run."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run


class ActWanted(Message):
    """The operator wants something done: plan it and ask."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


class FormWanted(Message):
    """The operator wants to fill in a playbook; `given` stands in its lines already."""

    def __init__(self, playbook: str, given: Mapping[str, str]) -> None:
        super().__init__()
        self.playbook = playbook
        self.given = given


class ShellWanted(Message):
    """The operator wants a shell on a node, in this terminal."""

    def __init__(self, node: str) -> None:
        super().__init__()
        self.node = node


class JournalWanted(Message):
    """The operator wants to follow a node's journal, or that of one unit there."""

    def __init__(self, node: str, unit: str = "") -> None:
        super().__init__()
        self.node = node
        self.unit = unit
