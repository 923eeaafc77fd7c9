"""The sense check: rules that tie tables together. Each rule is a generator of problems over a Draft; RULES lists them.

Rules speak only about sound entries (unsound ones have been reported) and resolve names against everything that is
written, sound or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hactl.config.draft import Draft
from hactl.config.problems import Problem
from hactl.config.rules import names, pools, services, thresholds, ways

RULES: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    names.duplicate_names,
    names.cluster,
    ways.nodes,
    ways.addresses,
    ways.ways,
    services.services,
    pools.pools,
    pools.vips,
    names.maintenance,
    thresholds.thresholds,
)


def check(draft: Draft) -> list[Problem]:
    """Everything about the sense of `draft` that is wrong."""
    return [problem for rule in RULES for problem in rule(draft)]
