"""The map: sites down, roles across, every node in its place with the sign of its level."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from hactl.model.picture import Picture
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.view.cluster import SiteMap as Map
from hactl.view.cluster import SiteRow, Spot, site_map
from hactl.view.severity import severity


class SiteMap(Lines):
    """Shows `view.cluster.site_map`."""

    def show(self, picture: Picture) -> None:
        self.set_lines(map_lines(site_map(picture)))


def map_lines(seen: Map) -> list[Line]:
    """A heading of roles; for each site as many lines as its longest column of nodes."""
    names = max([4, *(len(site.name) + 2 for site in seen.sites)])
    widths = [
        max([len(role), *(len(spot_text(spot)) for site in seen.sites for spot in site.spots[index])])
        for index, role in enumerate(seen.roles)
    ]
    heading = "".join(f"  {role:<{width}}" for role, width in zip(seen.roles, widths, strict=True))
    lines: list[Line] = [(Span(f"{'site':<{names}}{heading}", "title"),)]
    for site in seen.sites:
        lines += _site_lines(site, names, widths)
    return lines


def spot_text(spot: Spot) -> str:
    return f"{severity(spot.level).symbol} {spot.name}{' (spare)' if spot.spare else ''}"


def _site_lines(site: SiteRow, names: int, widths: list[int]) -> Iterator[Line]:
    for index, spots in enumerate(zip_longest(*site.spots)):
        head = f"{severity(site.level).symbol} {site.name}" if index == 0 else ""
        spans = [levelled(f"{head:<{names}}", site.level if head else None)]
        for spot, width in zip(spots, widths, strict=True):
            text = spot_text(spot) if spot else ""
            spans += [Span("  "), levelled(f"{text:<{width}}", spot.level if spot else None)]
        yield tuple(spans)
