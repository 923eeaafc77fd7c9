"""Acknowledgements beside a picture: which of them count now, and which are over for good.

One is over at its end, when its finding gets worse, and when its finding has gone: one that comes again is news.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hactl.model.ack import Ack
from hactl.model.findings import Finding
from hactl.model.gone import surely_gone
from hactl.model.picture import Picture

SETTLES = 60.0  # seconds for which a finding has to be worse, or gone, before its acknowledgement is over for good


class Ending(StrEnum):
    """Why an acknowledgement is over."""

    EXPIRED = "expired"
    WORSE = "worse"
    GONE = "gone"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Ended:
    ack: Ack
    why: Ending


def acknowledged(picture: Picture, acks: Sequence[Ack]) -> Picture:
    """The picture with those of `acks` that cover one of its findings as it is now."""
    if not acks:
        return replace(picture, acks={}) if picture.acks else picture
    wall, by_key = picture.state.wall(picture.now), {ack.key: ack for ack in acks}
    covering = {
        finding.key: ack
        for finding in picture.assessment.findings
        if (ack := by_key.get(finding.key)) is not None and ack.covers(finding, wall)
    }
    return replace(picture, acks=covering)


def open_findings(picture: Picture) -> tuple[Finding, ...]:
    """What nobody has acknowledged, in the picture's order."""
    findings = picture.assessment.findings
    return tuple([one for one in findings if one.key not in picture.acks]) if picture.acks else findings


class Settling:
    """Which acknowledgements are over, as picture after picture shows. Only who watches can know: to one look a finding
    that is away for a moment looks like one that is over.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[str, float, Ending], float] = {}

    def ended(self, picture: Picture, acks: Iterable[Ack]) -> tuple[Ended, ...]:
        """Those that are over for good, and why."""
        findings = {finding.key: finding for finding in picture.assessment.findings}
        since: dict[tuple[str, float, Ending], float] = {}
        over = []
        for ack in acks:
            why = _over(ack, findings.get(ack.key), picture)
            if why is None:
                continue
            mark = ack.key, ack.at, why
            since[mark] = min(picture.now, self._since.get(mark, picture.now))
            if why is Ending.EXPIRED or picture.now - since[mark] >= SETTLES:
                over.append(Ended(ack, why))
        self._since = since
        return tuple(over)


def _over(ack: Ack, finding: Finding | None, picture: Picture) -> Ending | None:
    if picture.state.wall(picture.now) >= ack.until:
        return Ending.EXPIRED
    if finding is not None:
        return Ending.WORSE if finding.level > ack.finding.level else None
    return Ending.GONE if surely_gone(ack.finding, picture) else None
