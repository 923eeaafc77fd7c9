"""Shapes of inline SVG. Colours are classes of the page's style; text from nodes is made harmless here."""

from __future__ import annotations

from collections.abc import Sequence

from hactl.view.report_text import shown

WIDTH = 960  # of every drawing, in pixels of its own


def svg(height: float, shapes: Sequence[str], name: str) -> str:
    inside = "\n".join(shapes)
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{shown(name)}">\n{inside}\n</svg>'


def rect(corner: tuple[float, float], width: float, height: float, kind: str, told: str) -> str:
    """`told` is what it says of itself under the pointer."""
    x, y = corner
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(0.0, height):.1f}"'
    return f'<rect class="{kind}" {place}><title>{shown(told)}</title></rect>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{shown(words)}</text>'
