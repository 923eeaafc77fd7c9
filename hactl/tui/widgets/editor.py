"""One line that is being typed: text, a cursor, and what keys do to them. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType


class Editor:
    """`cursor` stands before the character of that index."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.cursor = len(text)

    def write(self, text: str) -> None:
        """Put text in where the cursor is. What is not printable, line ends too, is left out."""
        clean = "".join(filter(str.isprintable, text))
        self.text = self.text[: self.cursor] + clean + self.text[self.cursor :]
        self.cursor += len(clean)

    def replace(self, text: str) -> None:
        self.text, self.cursor = text, len(text)

    def press(self, key: str, character: str | None) -> bool:
        """Whether the key meant something here."""
        if (act := _KEYS.get(key)) is not None:
            act(self)
            return True
        if character is None or not character.isprintable():
            return False
        self.write(character)
        return True

    def _cut(self, start: int, end: int) -> None:
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    def _word(self) -> int:
        """Where the word before the cursor begins."""
        return self.text[: self.cursor].rstrip().rfind(" ") + 1

    def backspace(self) -> None:
        self._cut(max(0, self.cursor - 1), self.cursor)

    def delete(self) -> None:
        self._cut(self.cursor, self.cursor + 1)

    def clear_before(self) -> None:
        self._cut(0, self.cursor)

    def cut_word(self) -> None:
        self._cut(self._word(), self.cursor)

    def left(self) -> None:
        self.cursor = max(0, self.cursor - 1)

    def right(self) -> None:
        self.cursor = min(len(self.text), self.cursor + 1)

    def home(self) -> None:
        self.cursor = 0

    def end(self) -> None:
        self.cursor = len(self.text)


_KEYS: Mapping[str, Callable[[Editor], None]] = MappingProxyType(
    {
        "backspace": Editor.backspace,
        "delete": Editor.delete,
        "ctrl+u": Editor.clear_before,
        "ctrl+w": Editor.cut_word,
        "left": Editor.left,
        "right": Editor.right,
        "home": Editor.home,
        "ctrl+a": Editor.home,
        "end": Editor.end,
        "ctrl+e": Editor.end,
    }
)
