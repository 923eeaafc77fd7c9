"""The line above the keys: where one is, or what is being typed: a filter, or the name of a place to go to.

It stands on every screen and is always laid out, so that it can take the focus in the moment in which `/` or `:` is
pressed: whatever is typed right after them goes here, however quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.message import Message

from hactl.model.findings import Level
from hactl.tui.widgets.editor import Editor
from hactl.tui.widgets.lines import Line, Lines, Span, levelled

_SEPARATOR = " > "
_FILTER, _GO = "/ filter", ": go to"
_OFFERED = 6  # words at most, however wide the terminal is


def _no_offers(_text: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is being typed: `purpose` says for whom, `sign` stands before it, `hint` where nothing is typed yet."""

    purpose: str
    sign: str
    hint: str = ""
    text: str = ""
    offers: Callable[[str], Sequence[str]] = _no_offers  # what the text may become, the likeliest first


class StatusLine(Lines, can_focus=True, inherit_bindings=False):
    """Shows the way here; while a question is open, its text, what it may become, and complaints."""

    class About(Message):
        """Something about the question of this purpose."""

        def __init__(self, line: StatusLine, purpose: str, text: str) -> None:
            super().__init__()
            self.line = line
            self.purpose = purpose
            self.text = text

        @property
        def control(self) -> StatusLine:
            return self.line

    class Typed(About):
        """The text is another one now."""

    class Given(About):
        """The operator pressed enter. The question stays open until `close`."""

    class Left(About):
        """The operator gave it up; the question is closed."""

    class Wanted(Message):
        """The operator clicked on a step of the way: go back until that many screens are left."""

        def __init__(self, depth: int) -> None:
            super().__init__()
            self.depth = depth

    def __init__(self) -> None:
        super().__init__(id="status")
        self.question: Question | None = None
        self._way: tuple[str, ...] = ()
        self._hints = ""
        self._badge = ""
        self._editor = Editor()
        self._offers: tuple[str, ...] = ()
        self._complaint = ""
        self._given = False  # and nobody has closed or complained yet
        self._early: list[events.Key] = []  # pressed meanwhile

    def allow_focus(self) -> bool:
        """Only while something is typed: tab does not come here."""
        return self.question is not None

    # --- the way ---

    def show_way(self, way: Sequence[str], badge: str = "", *, filters: bool = True) -> None:
        """Where the operator is, from the cluster to the screen on top, and what holds everywhere ("read-only").
        `filters`: there is something to filter.
        """
        self._way, self._badge = tuple(way), badge
        self._hints = f"{_FILTER}  {_GO}" if filters else _GO
        self.draw()

    # --- typing ---

    def ask(self, question: Question) -> None:
        """Open a question; the caller gives the focus."""
        self.question = question
        self._editor = Editor(question.text)
        self._complaint = ""
        self._given = False
        self._offer()

    def complain(self, sentence: str) -> None:
        """Say why what was given will not do; the question stays open."""
        self._complaint = sentence
        self.draw()
        self._pass_on()

    def close(self) -> None:
        """The question is answered."""
        self.question = None
        self.draw()
        self._pass_on()

    def _pass_on(self) -> None:
        """What was pressed since enter goes to whoever has the focus by then: a quick operator does not wait."""
        self._given = False
        early, self._early = self._early, []
        for event in early:
            again = events.Key(event.key, event.character)
            again.set_sender(self.app)  # as the terminal's: what comes from a screen does not bubble up to it
            self.app.post_message(again)

    @property
    def typed(self) -> str:
        return self._editor.text

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002 - Textual's signature
        return self.question is not None and character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        question = self.question
        if question is None and self.has_focus:
            return
        if question is None or self._given:
            self._early.append(event)
            if question is None:  # it was on its way here when the focus went
                self._pass_on()
        elif event.key in {"enter", "escape", "tab", "up", "down"}:
            self._command(question, event.key)
        elif self._editor.press(event.key, event.character):
            self._changed(question)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self.question is not None:
            event.stop()
            self._editor.write(event.text)
            self._changed(self.question)

    def _command(self, question: Question, key: str) -> None:
        if key == "enter":
            self._given = True
            self.post_message(self.Given(self, question.purpose, self._editor.text))
        elif key == "escape":
            self.close()
            self.post_message(self.Left(self, question.purpose, self._editor.text))
        elif self._offers:
            self._take(key)

    def _take(self, key: str) -> None:
        """Tab takes the word that is offered first; the arrows turn through the others."""
        if key == "tab":
            self._editor.replace(self._offers[0])
            self._offer()
            return
        turn = 1 if key == "down" else -1
        self._offers = (*self._offers[turn:], *self._offers[:turn])
        self.draw()

    def _changed(self, question: Question) -> None:
        self._complaint = ""
        self._offer()
        self.post_message(self.Typed(self, question.purpose, self._editor.text))

    def _offer(self) -> None:
        question = self.question
        self._offers = tuple(question.offers(self._editor.text)) if question is not None else ()
        self.draw()

    # --- drawing ---

    def draw(self) -> None:
        question = self.question
        spans = self._way_spans() if question is None else tuple(self._question_spans(question))
        self.set_lines([spans])

    def _way_spans(self) -> Line:
        """The way at the left, its end at all costs; hints at the right where there is room; the badge always."""
        badge = f" {self._badge} " if self._badge else ""
        room = self.size.width - len(badge) - 2
        way = list(self._way)
        cut = False
        while len(way) > 1 and cell_len(_SEPARATOR.join(way)) + 2 * cut > room:
            way, cut = way[1:], True
        last = way.pop() if way else ""
        before = ("… " if cut else "") + "".join(step + _SEPARATOR for step in way)
        left = cell_len(before + last)
        hints = self._hints if left + len(self._hints) + 3 <= room else ""
        gap = max(1, self.size.width - 1 - left - len(hints) - len(badge) - bool(hints))
        spans = [Span(" "), Span(before, "dim"), Span(last, "title"), Span(" " * gap), Span(hints, "dim")]
        if badge:
            spans += [Span(" " if hints else ""), levelled(badge, Level.WARN, badge=True)]
        return tuple(spans)

    def _question_spans(self, question: Question) -> Iterator[Span]:
        text, cursor = self._editor.text, self._editor.cursor
        yield Span(f" {question.sign}", "title")
        rest = ""
        if self._offers and cursor == len(text) and self._offers[0].startswith(text):
            rest = self._offers[0][len(text) :]
        at = text[cursor : cursor + 1] or rest[:1] or " "
        yield Span(text[:cursor])
        yield Span(at, "cursor")
        yield Span(text[cursor + 1 :])
        yield Span(rest[1:], "dim")
        if self._complaint:
            yield Span(f"   ▲ {self._complaint}", "warn")
        elif not text and question.hint:
            yield Span(f"  {question.hint}", "dim")
        elif self._offers[1:]:
            yield Span("   " + "  ".join(self._offers[1:_OFFERED]), "dim")

    # --- the mouse ---

    def on_click(self, event: events.Click) -> None:
        """A step of the way leads back to it."""
        if self.question is not None or not self._lines:
            return
        shown = self.text.split(_SEPARATOR)
        missing, at = len(self._way) - len(shown), 0
        for index, step in enumerate(shown):
            at += cell_len(step) + len(_SEPARATOR)
            if event.x < at and index < len(shown) - 1:
                self.post_message(self.Wanted(max(1, index + missing)))
                return
