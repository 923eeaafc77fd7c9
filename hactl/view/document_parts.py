"""Pieces that every part of the status document is made of."""

from __future__ import annotations

from datetime import UTC, datetime

from hactl.model.findings import Level, Verdict
from hactl.model.picture import Picture
from hactl.view.status import Judgement, LevelName

_NAMES: dict[Level, LevelName] = {Level.OK: "ok", Level.WARN: "warn", Level.UNKNOWN: "unknown", Level.CRIT: "crit"}


def level_name(level: Level) -> LevelName:
    return _NAMES[level]


def moment(picture: Picture, monotonic: float) -> str:
    """A second of the picture's clock as ISO 8601 in UTC, to the second."""
    return iso(picture.state.wall(monotonic))


def iso(epoch: float) -> str:
    """The same of epoch seconds."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def judgement(picture: Picture, verdict: Verdict) -> Judgement:
    return Judgement(level_name(verdict.level), verdict.sentence, moment(picture, verdict.since))
