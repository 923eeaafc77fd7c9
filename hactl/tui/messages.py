"""What moves between the dashboard's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from hactl.model.picture import Picture

if TYPE_CHECKING:  # the first paint does not wait for what acts
    from hactl.model.plan import Request


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
