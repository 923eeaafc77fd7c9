"""Is there room for what is installed?"""

from __future__ import annotations

from collections.abc import Iterator

from hactl.model.facts import DiskFacts
from hactl.model.inventory import Threshold
from hactl.model.metrics import threshold
from hactl.model.observed import Unknown
from hactl.model.plan import PlannedStep
from hactl.model.units import size
from hactl.planning.case import Case
from hactl.planning.rules.remark import Remark, refuse, warn
from hactl.planning.touched import nodes_of

INSTALLS = ("package.", "file.")
"""Verbs whose work is to put something on a node's disk, by the beginning of their name."""


def installs(step: PlannedStep) -> bool:
    return step.mutates and step.verb.startswith(INSTALLS)


def disk_space(case: Case) -> Iterator[Remark]:
    for node in nodes_of(step for step in case.steps if installs(step)):
        match case.read(node, "disk", DiskFacts):
            case Unknown(reason=reason):
                yield warn(f"how much room {node} has is not known: {reason.rstrip('.')}", node=node)
            case facts:
                yield from _full(case, node, facts.value)


def _full(case: Case, node: str, facts: DiskFacts) -> Iterator[Remark]:
    space, inodes = (_limit(case, node, metric) for metric in ("disk_percent", "inode_percent"))
    for disk in facts.filesystems:
        if _reached(disk.used_percent, space):
            yield refuse(
                f"{disk.mount} of {node} is {disk.used_percent:.0f} % full, {size(disk.available)} left", node=node
            )
        if _reached(disk.inodes_used_percent, inodes):
            yield refuse(f"{disk.mount} of {node} has {disk.inodes_used_percent:.0f} % of its inodes in use", node=node)


def _limit(case: Case, node: str, metric: str) -> Threshold:
    return threshold(case.inventory.thresholds, metric, case.inventory.nodes[node])


def _reached(value: float, limit: Threshold) -> bool:
    return limit.crit is not None and value >= limit.crit
