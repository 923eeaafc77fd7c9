"""Writes what is on the screen as SVG, into the user's pictures where there is such a folder, else into the state."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Mapping
from pathlib import Path

from textual.app import App

from hactl.config.folders import state_folder


def folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where pictures go: $XDG_PICTURES_DIR, ~/Pictures where it exists, else the state folder's screenshots."""
    given = env.get("XDG_PICTURES_DIR", "")
    if given.startswith("/"):
        return Path(given)
    pictures = Path(env.get("HOME") or "/nonexistent", "Pictures")
    return pictures if pictures.is_dir() else state_folder(env) / "screenshots"


def write(svg: str, cluster: str, place: Path | None = None) -> Path:
    """Write the picture under a name that is not taken yet. Raises OSError."""
    where = place or folder()
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = _stem(cluster)
    for number in range(1, 100):
        path = where / (f"{stem}.svg" if number == 1 else f"{stem}-{number}.svg")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(svg)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "too many screenshots within a second", str(where))


def hand_over(app: App[None], svg: str, cluster: str) -> None:
    """To the browser in which the dashboard is shown."""
    app.deliver_text(io.StringIO(svg), save_filename=f"{_stem(cluster)}.svg", mime_type="image/svg+xml")


def _stem(cluster: str) -> str:
    return f"hactl-{cluster}-{time.strftime('%Y%m%d-%H%M%S')}"
