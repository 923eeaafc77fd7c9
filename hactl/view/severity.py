"""How a level is called and marked. Style names are names only: who draws decides what colour "crit" is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hactl.model.findings import Level


@dataclass(frozen=True, slots=True)
class Severity:
    """`symbol` is one terminal cell wide; `ascii` is for terminals and files that take nothing else."""

    word: str
    symbol: str
    ascii: str
    style: str


SEVERITIES: Mapping[Level, Severity] = MappingProxyType(
    {
        Level.OK: Severity("ok", "●", ".", "ok"),
        Level.WARN: Severity("warn", "▲", "!", "warn"),
        Level.UNKNOWN: Severity("unknown", "?", "?", "unknown"),
        Level.CRIT: Severity("crit", "✖", "X", "crit"),
    }
)


def severity(level: Level) -> Severity:
    return SEVERITIES[level]
