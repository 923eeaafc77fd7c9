"""What a node's answers mean for an upgrade, as verdicts: every reason at once."""

from __future__ import annotations

from collections.abc import Iterator

from hactl.drivers.verbs.package_facts import MARGIN, Obstacles, Offer, Trial
from hactl.model.guard import GuardVerdict, Ruling

AVAILABLE = "package-available"
SPACE = "disk-space"


def of_offer(node: str, package: str, version: str, offer: Offer, *, refresh: bool) -> GuardVerdict:
    """Whether the wanted version can be had. With `refresh`, the lists are read anew first, so absence only warns."""
    target = offer.target(version)
    if not offer.installed:
        return _refuse(node, AVAILABLE, f"{package} is not installed on {node}")
    if target == offer.installed:
        return GuardVerdict(AVAILABLE, Ruling.OK, f"{package} {target} is installed on {node}", node)
    if target in offer.offered:
        return GuardVerdict(AVAILABLE, Ruling.OK, f"{package} {target} is on offer for {node}", node)
    sentence = f"{package} {target} is not on offer for {node}, by its package lists"
    if refresh:
        return GuardVerdict(AVAILABLE, Ruling.WARN, f"{sentence} of before apt-get update", node)
    return _refuse(node, AVAILABLE, f"{sentence}: run apt-get update there, or give refresh = true")


def of_return(node: str, package: str, offer: Offer) -> Iterator[GuardVerdict]:
    if offer.installed and not offer.can_return(package):
        sentence = f"{package} {offer.installed} is neither on offer nor kept on {node}: it could not be put back"
        yield GuardVerdict(AVAILABLE, Ruling.WARN, sentence, node)


def of_trial(node: str, trial: Trial) -> Iterator[GuardVerdict]:
    if trial.removes:
        yield _refuse(node, AVAILABLE, f"apt would remove {', '.join(trial.removes)} on {node}")
    elif trial.errors:
        yield _refuse(node, AVAILABLE, f"apt could not do it on {node}: {trial.errors[-1]}")


def of_obstacles(node: str, found: Obstacles, needed: int) -> Iterator[GuardVerdict]:
    """`needed` is in kB, without the margin."""
    if found.holders:
        yield _refuse(node, AVAILABLE, f"{', '.join(found.holders)} is changing packages on {node}")
    if found.unfinished:
        yield _refuse(node, AVAILABLE, f"an installation on {node} is half done: {found.unfinished}")
    short = {mount: free for mount, free in found.free.items() if free < needed + MARGIN}
    for mount, free in short.items():
        sentence = f"{node}:{mount} has {free // 1024} MB free, {(needed + MARGIN) // 1024} MB are needed"
        yield _refuse(node, SPACE, sentence)
    if not short:
        least = min(found.free.values(), default=0) // 1024
        yield GuardVerdict(SPACE, Ruling.OK, f"{node} has {least} MB free for packages", node)


def _refuse(node: str, guard: str, sentence: str) -> GuardVerdict:
    return GuardVerdict(guard, Ruling.REFUSE, sentence, node)
