"""Acknowledgements: somebody knows of a finding and why it may stay for a while.

An acknowledgement takes the noise away, never the truth: the finding stays where it is, and every level is what it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hactl.model.errors import InputError
from hactl.model.findings import Finding
from hactl.model.text import one_line

MOST = 200  # of one cluster
LONGEST = 30 * 86400.0  # seconds
REASON = 200  # characters


@dataclass(frozen=True, slots=True)
class Ack:
    """`finding` is as it was then, its level the one that was acknowledged; its `since` means nothing any more. Times
    are epoch seconds.
    """

    finding: Finding
    reason: str
    who: str
    at: float
    until: float

    @property
    def key(self) -> str:
        return self.finding.key

    def covers(self, finding: Finding, wall: float) -> bool:
        """Whether the finding, as it is at `wall` epoch seconds, is the one that somebody knows of, and no worse."""
        return finding.key == self.key and finding.level <= self.finding.level and wall < self.until


def acknowledge(finding: Finding, *, reason: str, who: str, at: float, until: float) -> Ack:
    """Raises InputError where there is no reason, or the end is not between now and LONGEST from now."""
    said = one_line(reason.strip(), REASON)
    if not said:
        raise InputError("An acknowledgement needs a reason.", remedy="Say why the finding may stay for a while.")
    if not math.isfinite(until) or until <= at:
        raise InputError("An acknowledgement has to end in the future.")
    if until - at > LONGEST:
        raise InputError(
            f"An acknowledgement ends after {LONGEST / 86400:.0f} days at most.",
            remedy="What may stay for longer belongs into the inventory, as a threshold or as a spare node.",
        )
    return Ack(replace(finding, since=0.0), said, who, at, until)
