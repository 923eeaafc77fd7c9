"""Sentences of `view.lines`, wrapped to the width that there is: plans, proofs, stories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import ClassVar

from textual.binding import BindingType

from hactl.tui.keys import NamedKeys
from hactl.tui.widgets.lines import SCROLLING, Line, Lines, Span
from hactl.tui.widgets.paint import folded
from hactl.view.lines import Line as Sentence
from hactl.view.severity import severity


class Prose(NamedKeys, Lines, can_focus=True, inherit_bindings=False):
    """Shows sentences; scrolls by the arrow keys. With `follow` it stays at the end while the end is in sight."""

    KEYS_OF: ClassVar[str | None] = "text"
    BINDINGS: ClassVar[list[BindingType]] = SCROLLING

    def __init__(self, *, follow: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._follow = follow
        self._at_end = True  # as the operator has scrolled it, whatever has become of its height since
        self._sentences: tuple[Sentence, ...] = ()

    def show(self, sentences: Sequence[Sentence]) -> None:
        self._sentences = tuple(sentences)
        self.draw()

    def draw(self) -> None:
        at_end = self._at_end
        width = max(20, self.scrollable_content_region.width or self.app.size.width)  # as long as it has no place
        self.set_lines([line for sentence in self._sentences for line in wrapped(sentence, width)])
        if self._follow and at_end:
            self.scroll_end(animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._at_end = new_value >= self.max_scroll_y


@lru_cache(maxsize=4096)  # a long story is wrapped once, not at every drawing
def wrapped(sentence: Sentence, width: int) -> tuple[Line, ...]:
    """The lines of one sentence; those after its first hang further in."""
    return tuple(_wrapped(sentence, width))


def _wrapped(sentence: Sentence, width: int) -> Iterator[Line]:
    mark, sign = sentence.mark, ""
    if mark and sentence.level is not None:
        sign = f"{severity(sentence.level).symbol} "
        mark = f"{sign}{mark:<8}"
    first = " " * sentence.indent
    rest = " " * (sentence.indent + sentence.hang + len(sign))
    text = f"{mark} {sentence.text}".strip() if mark else sentence.text
    pieces = folded(text, width, first=first, rest=rest)
    style = _style(sentence)
    for number, piece in enumerate(pieces):
        if mark and not number and sentence.level is not None:
            head = first + mark
            yield Span(piece[: len(head)], sentence.level.word), Span(piece[len(head) :])
        else:
            yield (Span(piece, "" if mark else style),)


def _style(sentence: Sentence) -> str:
    if sentence.level is not None and not sentence.mark:
        return sentence.level.word
    if sentence.strong:
        return "title"
    return "dim" if sentence.faint else ""
