"""How the dashboard looks: three themes, and the one that was chosen last, kept in the user's state folder.

Colours only repeat what signs and words say. Where the choice cannot be kept, the next start has the first theme again.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

from textual.theme import BUILTIN_THEMES, Theme

from hactl.config.folders import state_folder
from hactl.model.dashboard import THEMES

DARK, LIGHT, CONTRAST = THEMES
_MAX = 4096  # bytes of the file

ALL = (
    replace(BUILTIN_THEMES["textual-dark"], name=DARK),
    Theme(
        name=LIGHT,
        primary="#004578",
        secondary="#0178D4",
        accent="#7A3E9D",
        warning="#8A5A00",
        error="#B3123B",
        success="#1B6E3C",
        foreground="#1A1A1A",
        background="#F4F4F4",
        surface="#E9E9E9",
        panel="#DDE3E9",
        dark=False,
        variables={"footer-key-foreground": "#004578", "foreground-darken-3": "#555555"},
    ),
    Theme(
        name=CONTRAST,
        primary="#4FC3FF",
        secondary="#FFFFFF",
        accent="#FF9DFF",
        warning="#FFE100",
        error="#FF7A7A",
        success="#5CFF5C",
        foreground="#FFFFFF",
        background="#000000",
        surface="#000000",
        panel="#1C1C1C",
        text_alpha=1.0,
        variables={
            "text-muted": "#FFFFFF",
            "foreground-darken-3": "#E0E0E0",
            "block-cursor-background": "#FFFFFF",
            "block-cursor-foreground": "#000000",
            "footer-key-foreground": "#FFE100",
        },
    ),
)


def following(name: str) -> str:
    """The theme after this one, round the end."""
    return THEMES[(THEMES.index(name) + 1) % len(THEMES)] if name in THEMES else DARK


class Memory:
    """The last choice, in a file of its own."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    @property
    def file(self) -> Path:
        return self._file or state_folder() / "dashboard.json"

    def recall(self) -> str | None:
        """The theme that was chosen last; None where that is not known."""
        try:
            with self.file.open(encoding="utf-8") as file:
                found = json.loads(file.read(_MAX))
        except (OSError, ValueError, RecursionError):
            return None
        name = found.get("theme") if isinstance(found, dict) else None
        return name if name in THEMES else None

    def keep(self, name: str) -> str:
        """Remember a choice; why that could not be done, or ""."""
        temporary = self.file.with_suffix(".tmp")
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"theme": name}) + "\n", encoding="utf-8")
            temporary.replace(self.file)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return error.strerror or str(error)
        return ""
