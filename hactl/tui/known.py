"""The findings that the operator has acknowledged, kept up to date beside the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hactl.model.ack import Ack
from hactl.model.acks import Ended, Settling, acknowledged
from hactl.model.errors import HactlError
from hactl.model.findings import Finding
from hactl.model.picture import Picture


class AckSource(Protocol):
    """Where acknowledgements are kept: `hactl.control.acks.Acks`. Everything blocks and may raise HactlError."""

    def look(self) -> tuple[Ack, ...]: ...

    def add(self, finding: Finding, *, reason: str, who: str, until: float) -> Ack: ...

    def remove(self, key: str, who: str) -> Ack: ...

    def settle(self, ended: Sequence[Ended], who: str) -> None: ...


class Known:
    """`source` None: nothing can be acknowledged. `problem` says why they are not known; "" when they are."""

    def __init__(self, source: AckSource | None) -> None:
        self.source = source
        self.problem = ""
        self._acks: tuple[Ack, ...] = ()
        self._settling = Settling()
        self._over: tuple[Ended, ...] = ()

    def look(self, *, settle: bool = True) -> bool:
        """Take out what is over and read the others again; whether they are others now. Blocks: for a thread."""
        if self.source is None:
            return False
        before = self._acks, self.problem
        try:
            if settle and self._over:
                self.source.settle(self._over, _operator())
                self._over = ()
            self._acks, self.problem = self.source.look(), ""
        except HactlError as error:
            self._acks, self.problem = (), str(error)
        return (self._acks, self.problem) != before

    def marked(self, picture: Picture) -> Picture:
        """The picture with what is acknowledged of it. Cheap."""
        if self._acks:
            self._over = self._settling.ended(picture, self._acks)
        return acknowledged(picture, self._acks)

    def add(self, finding: Finding, reason: str, until: float) -> Ack:
        """Blocks. Raises HactlError."""
        return self._required().add(finding, reason=reason, who=_operator(), until=until)

    def remove(self, key: str) -> Ack:
        """Blocks. Raises HactlError."""
        return self._required().remove(key, _operator())

    def _required(self) -> AckSource:
        if self.source is None:
            raise HactlError("Nothing can be acknowledged here.")
        return self.source


def _operator() -> str:
    from hactl.control.operator import operator  # noqa: PLC0415 - loaded when something is acknowledged

    return operator()
