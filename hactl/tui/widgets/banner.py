"""The two lines on top of every screen: how the cluster is and why, since when, who has addresses and lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from hactl.model.findings import Level
from hactl.model.picture import Picture
from hactl.tui.widgets.lines import Line, Lines, Span, levelled
from hactl.view.cluster import Banner as Summary
from hactl.view.cluster import Fact, banner
from hactl.view.severity import severity

LOCK = "lock"  # the label of the one fact around the picture that is no run


class Banner(Lines):
    """Shows `view.cluster.banner`, the runs that are not over, and who holds the lock."""

    _summary: Summary | None = None
    _around: Sequence[Fact] = ()

    def show(self, picture: Picture, around: Sequence[Fact] = ()) -> None:
        self._summary, self._around = banner(picture), around
        self.draw()

    def draw(self) -> None:
        if self._summary is not None:
            self.set_lines(banner_lines(self._summary, self._around, self.size.width or 80))


def banner_lines(summary: Summary, around: Sequence[Fact] = (), width: int = 1000) -> list[Line]:
    """Line one: name, level, runs, why. Line two: since when, addresses, nodes, lock, findings by severity; what there
    is no room for is left out whole, the least important first.
    """
    mark = severity(summary.level)
    runs = [fact for fact in around if fact.label != LOCK]
    first: Line = (
        levelled(f" {mark.symbol} {summary.name} {mark.word.upper()} ", summary.level, badge=True),
        *(Span(f" {fact.value} ", fact.level.word if fact.level is not None else "title") for fact in runs),
        Span(f" {summary.sentence}"),
    )
    pieces = list(_pieces(summary, [fact for fact in around if fact.label == LOCK]))
    while sum(piece.width for piece in pieces) > width and any(piece.rank for piece in pieces):
        pieces.remove(max(pieces, key=lambda piece: piece.rank))
    return [first, tuple(span for piece in pieces for span in piece.spans)]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stays together. The highest `rank` is the first to go; 0 stays."""

    rank: int
    spans: Line

    @property
    def width(self) -> int:
        return sum(cell_len(span.text) for span in self.spans)


def _pieces(summary: Summary, locks: Sequence[Fact]) -> Iterator[_Piece]:
    yield _Piece(3, (Span(f" since {summary.since} ({summary.age})", "dim"),))
    for fact in summary.facts:
        yield _piece(2 if fact.label == "nodes" else 1, fact)
    for fact in locks:
        yield _piece(1 if fact.level is Level.WARN else 5, fact)
    for level, count in summary.counts:
        yield _Piece(0, (Span("   "), levelled(f"{severity(level).symbol} {count} {level.word}", level)))
    if summary.acknowledged:
        yield _Piece(4, (Span(f"   {summary.acknowledged} acknowledged", "dim"),))


def _piece(rank: int, fact: Fact) -> _Piece:
    return _Piece(rank, (Span(f"   {fact.label} ", "dim"), levelled(fact.value, fact.level)))
