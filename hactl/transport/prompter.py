"""Asking a person for a secret: each question once, however many connections want the answer at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import TypeAlias

Ask: TypeAlias = Callable[[str], str]
"""Shows a question and returns what was typed, without echo. May raise EOFError when there is nobody. Blocks."""


class Prompter:
    """Answers by key, asked at most once each. Without a terminal (`ask` None) every answer is None."""

    def __init__(self, ask: Ask | None = None) -> None:
        self._ask = ask
        self._answers: dict[Hashable, str | None] = {}
        self._lock = asyncio.Lock()

    async def answer(self, key: Hashable, question: str) -> str | None:
        """What was typed, now or earlier; None when nobody can be asked or nothing was given."""
        if self._ask is None:
            return None
        async with self._lock:  # one question on the terminal at a time
            if key not in self._answers:
                self._answers[key] = await asyncio.to_thread(self._put, question)
            return self._answers[key]

    def forget(self, key: Hashable) -> None:
        """The answer was wrong: the next `answer` asks again."""
        self._answers.pop(key, None)

    def _put(self, question: str) -> str | None:
        assert self._ask is not None  # noqa: S101 - checked by the only caller
        try:
            return self._ask(question) or None
        except EOFError:
            return None
