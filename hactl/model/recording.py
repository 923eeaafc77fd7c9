"""A recording of a live picture: what it is made of, and the limits within which one is read.

A recording tells time in its own seconds: 0 is when it began. Times in it are whole milliseconds. It holds what nodes
said (state events) and, after each handful of them, a frame: the moment at which they were judged. Judging the same
events at the same moments gives the same pictures again. `model.recording_lines` writes and reads all this as text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from hactl.model.events import Recorded
from hactl.model.findings import Assessment, Level
from hactl.model.inventory import HttpService, Inventory, Service, SshSettings
from hactl.model.plan import Plan
from hactl.model.state import ClusterState, Failure, LinkChanged, Sample, StateEvent

FORMAT = 1
LONGEST = 10 * 366 * 86400.0  # seconds that a recording can last


@dataclass(frozen=True, slots=True)
class Header:
    """The first line. `began` is the epoch second of second 0; `interval` the seconds between two fast samples."""

    hactl: str  # the version that wrote it
    began: float
    interval: float
    inventory: Inventory
    note: str = ""  # what it is about, in its maker's words


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that is known at a moment, so that nobody has to read what comes before it."""

    at: float
    state: ClusterState
    assessment: Assessment


@dataclass(frozen=True, slots=True)
class News:
    """A finding that has become critical."""

    scope: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Frame:
    """All events since the last frame are judged at `at`. `level` is the cluster's, where it is another than before."""

    at: float
    level: Level | None = None
    news: tuple[News, ...] = ()


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """A run of the cluster has come into being. `planned_at` is epoch seconds."""

    run: str
    planned_at: float
    who: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class RunLives:
    """Whether somebody works on a run, from now on."""

    run: str
    alive: bool


RunEntry: TypeAlias = RunPlanned | RunLives | Recorded
Entry: TypeAlias = StateEvent | Checkpoint | Frame | RunEntry


class MarkKind(StrEnum):
    """What makes a moment worth going to."""

    LEVEL = "level"  # the cluster's level is another one from here on
    NEWS = "news"  # a finding became critical
    BEGAN = "began"  # a run began, was resumed or is undone
    STEP = "step"  # a step of a run ended
    ENDED = "ended"  # a run ended


@dataclass(frozen=True, slots=True)
class Mark:
    """`level`: how good or bad that is; None where it is neither."""

    at: float
    kind: MarkKind
    sentence: str
    level: Level | None = None
    run: str = ""


def shifted(event: StateEvent, zero: float) -> StateEvent:
    """An event of a monotonic clock in the seconds of a recording that began when that clock read `zero`."""
    if isinstance(event, LinkChanged):
        return LinkChanged(event.node, replace(event.link, since=moment(event.link.since, zero)))
    result = event.result
    if isinstance(result, Failure):
        result = replace(result, at=moment(result.at, zero))
    return Sample(event.node, event.key, moment(event.at, zero), event.interval, result)


def moment(monotonic: float, zero: float) -> float:
    """The recording's second of a monotonic one, to the millisecond; what was before it began counts as its begin."""
    return max(0.0, round(monotonic - zero, 3))


def within(at: float, low: float = 0.0, high: float = LONGEST) -> float:
    """`at`, if it is a time that can be. Raises ValueError."""
    if not (math.isfinite(at) and low <= at <= high):
        raise ValueError(f"{at:.60g} is no time of a recording")
    return at


def inventory_for_recording(inventory: Inventory) -> Inventory:
    """What judging and showing need; not how nodes are reached, nor programs and URLs that may hold a secret.

    What an inventory may hold besides is left out until somebody decides that it may be told.
    """
    return Inventory(
        name=inventory.name,
        sites=inventory.sites,
        nodes={name: replace(node, ssh=SshSettings()) for name, node in inventory.nodes.items()},
        services={name: _public(service) for name, service in inventory.services.items()},
        pools=inventory.pools,
        vips=inventory.vips,
        thresholds=inventory.thresholds,
        drill_node=inventory.drill_node,
        maintenance=inventory.maintenance,
    )


def _public(service: Service) -> Service:
    return replace(service, public=(), version_command=()) if isinstance(service, HttpService) else service
