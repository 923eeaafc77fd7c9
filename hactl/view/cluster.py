"""The cluster at a glance: the banner, and the map of sites and roles."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.model.acks import open_findings
from hactl.model.findings import Level
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase
from hactl.view import units
from hactl.view.services import holder

_WORST_FIRST = sorted(Level, reverse=True)


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled value. `level` None: nothing to say about it."""

    label: str
    value: str
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Banner:
    """`since` and `age` say from when the cluster has had its level; `counts` has those that occur, worst first, and
    leaves out the findings that somebody has acknowledged: there are so many of those. The level is what it is.
    """

    name: str
    level: Level
    sentence: str
    since: str
    age: str
    counts: tuple[tuple[Level, int], ...]
    facts: tuple[Fact, ...]
    acknowledged: int = 0


def banner(picture: Picture) -> Banner:
    """The first line of everything: how the cluster is, since when, who holds its addresses, how many nodes answer."""
    state, assessment = picture.state, picture.assessment
    verdict = assessment.cluster
    levels = [finding.level for finding in open_findings(picture)]
    up = [node.link.phase for node in state.nodes.values()].count(LinkPhase.UP)
    addresses = tuple(Fact(f"vip {vip.name}", holder(vip), vip.verdict.level) for vip in assessment.vips.values())
    return Banner(
        name=state.inventory.name,
        level=verdict.level,
        sentence=verdict.sentence,
        since=units.moment(state.wall(verdict.since), state.wall(picture.now)),
        age=units.age(picture.now - verdict.since),
        counts=tuple((level, levels.count(level)) for level in _WORST_FIRST if level in levels),
        facts=(*addresses, Fact("nodes", f"{up}/{len(state.nodes)} up", None)),
        acknowledged=len(picture.acks),
    )


@dataclass(frozen=True, slots=True)
class Spot:
    """A node on the map."""

    name: str
    level: Level
    spare: bool


@dataclass(frozen=True, slots=True)
class SiteRow:
    """`spots` has one tuple a role, in the order of the map's roles. A node stands under its first role."""

    name: str
    level: Level
    sentence: str
    spots: tuple[tuple[Spot, ...], ...]


@dataclass(frozen=True, slots=True)
class SiteMap:
    roles: tuple[str, ...]
    sites: tuple[SiteRow, ...]


def told_by_map(picture: Picture) -> object:
    """What the map is made of: one that is made of the same says the same."""
    sites = picture.assessment.sites.values()
    levels = [verdict.level for verdict in picture.assessment.nodes.values()]
    return picture.state.inventory, levels, [(verdict.level, verdict.sentence) for verdict in sites]


def site_map(picture: Picture) -> SiteMap:
    """Sites down, roles across, nodes where they meet."""
    inventory, assessment = picture.state.inventory, picture.assessment
    nodes = inventory.nodes.values()
    roles = tuple(dict.fromkeys(node.roles[0] if node.roles else "-" for node in nodes))
    found: dict[tuple[str, str], list[Spot]] = {}
    for node in nodes:
        spot = Spot(node.name, assessment.nodes[node.name].level, node.standing.value == "spare")
        found.setdefault((node.site, node.roles[0] if node.roles else "-"), []).append(spot)
    rows = (
        SiteRow(name, verdict.level, verdict.sentence, tuple(tuple(found.get((name, role), ())) for role in roles))
        for name, verdict in assessment.sites.items()
    )
    return SiteMap(roles, tuple(rows))
