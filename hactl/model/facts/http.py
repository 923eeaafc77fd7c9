"""What a web service says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpFacts:
    """One health request, made on the node. `status` 0: no HTTP answer; `error` says why."""

    status: int
    latency_ms: float
    body: str  # the start of it
    error: str = ""
    healthy: bool = False


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """The version that a service itself tells."""

    version: str
