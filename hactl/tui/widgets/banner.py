"""The two lines on top of every screen: how the cluster is and why, since when, who holds its addresses."""

from __future__ import annotations

from collections.abc import Sequence

from hactl.model.picture import Picture
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.view.cluster import Banner as Summary
from hactl.view.cluster import Fact, banner
from hactl.view.severity import severity


class Banner(Lines):
    """Shows `view.cluster.banner`, and the runs that are not over."""

    def show(self, picture: Picture, runs: Sequence[Fact] = ()) -> None:
        self.set_lines(banner_lines(banner(picture), runs))


def banner_lines(summary: Summary, runs: Sequence[Fact] = ()) -> list[Line]:
    """Line one: name, level, runs, why. Line two: since when, addresses, nodes, findings by severity."""
    mark = severity(summary.level)
    first: Line = (
        levelled(f" {mark.symbol} {summary.name} {mark.word.upper()} ", summary.level, badge=True),
        *(Span(f" {fact.value} ", fact.level.word if fact.level is not None else "title") for fact in runs),
        Span(f" {summary.sentence}"),
    )
    second: list[Span] = [Span(f" since {summary.since} ({summary.age})", "dim")]
    for fact in summary.facts:
        second += [Span(f"   {fact.label} ", "dim"), levelled(fact.value, fact.level)]
    for level, count in summary.counts:
        second += [Span("   "), levelled(f"{severity(level).symbol} {count} {level.word}", level)]
    return [first, tuple(second)]
