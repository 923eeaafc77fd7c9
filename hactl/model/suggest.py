"""What to say about a word that names nothing: the word made visible, and the nearest word that would have done."""

from __future__ import annotations

from collections.abc import Iterable

from hactl.model.text import one_line

_BLANKS = {9: "\u2409", 10: "\u240a", 13: "\u240d"}  # shown, because inside a value they are what is wrong


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` most likely meant, or None when nothing is near enough to be worth saying."""
    import difflib  # noqa: PLC0415 - only wanted once something is wrong

    folded: dict[str, str] = {}
    for choice in choices:
        folded.setdefault(choice.casefold(), choice)
    swapped = sorted(word[:200].casefold())
    if anagram := next((choice for choice in folded if sorted(choice) == swapped), None):
        return folded[anagram]  # swapped letters, the commonest slip, look less alike to difflib than they are
    found = difflib.get_close_matches(word[:200].casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`; did you mean "x"?` to end a sentence with, or nothing."""
    found = nearest(word, choices)
    return f'; did you mean "{found}"?' if found is not None and found != word else ""


def quoted(value: str, limit: int = 60) -> str:
    """`value` in quotes, safe for a terminal and short enough for a sentence."""
    return f'"{one_line(value.translate(_BLANKS), limit)}"'
