"""Which critical findings are news to somebody who looks at the dashboard: those that begin while it is open."""

from __future__ import annotations

from hactl.model.findings import Finding, Level
from hactl.model.picture import Picture

_GRACE = 20.0  # seconds after the first picture: what is found then was so before
_QUIET = 60.0  # seconds after its end in which a finding that comes back is no news
_FRESH = 60.0  # seconds for which news stay news


class News:
    """Told of every picture; acknowledged findings are never news. Time is the pictures' own, also in a replay."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._last = 0.0
        self._seen: dict[str, float] = {}  # critical findings by key, and when they were last there
        self._fresh: dict[str, tuple[float, Finding]] = {}  # news by key, and since when

    def take(self, picture: Picture) -> tuple[Finding, ...]:
        """What is critical since this picture and was not before."""
        now = picture.now
        if self._began is None or now < self._last:  # the first one, or time was turned back
            self._began, self._fresh, self._seen = now, {}, {}
        self._last = now
        crits = {one.key: one for one in picture.assessment.findings if one.level is Level.CRIT}
        new = tuple(
            one
            for key, one in crits.items()
            if now - self._began >= _GRACE and key not in self._seen and key not in picture.acks
        )
        self._seen = {key: at for key, at in self._seen.items() if now - at < _QUIET} | dict.fromkeys(crits, now)
        held = {key: (at, one) for key, (at, one) in self._fresh.items() if key in crits and now - at < _FRESH}
        self._fresh = held | {one.key: (now, one) for one in new}
        return new

    @property
    def subjects(self) -> frozenset[str]:
        """Keys of rows that are about news: of findings, nodes and services."""
        found = [(one.key, one.node, one.service) for _at, one in self._fresh.values()]
        return frozenset(key for keys in found for key in keys if key is not None)
