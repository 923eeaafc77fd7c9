"""Cutting a stream of bytes into frames at 0x1E, with a bound on how long a frame may grow. Pure."""

from __future__ import annotations

from hactl.model.text import safe_text

TERMINATOR = b"\x1e"
FRAME_LIMIT = 4 * 1024 * 1024  # bytes; a longer frame is a fault of the far side


class FrameOverflowError(Exception):
    """A frame grew past its limit."""


class FrameSplitter:
    """Feed it what arrives; it gives back every frame that became complete, as safe text."""

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []  # the unfinished frame, unjoined: long frames cost no repeated copying
        self._held = 0

    def feed(self, data: bytes) -> list[str]:
        """Frames completed by `data`. Raises FrameOverflowError."""
        *complete, rest = data.split(TERMINATOR)
        frames = []
        for piece in complete:
            if self._held + len(piece) > self._limit:
                raise FrameOverflowError
            frames.append(safe_text(b"".join([*self._parts, piece])) if self._parts else safe_text(piece))
            self._parts.clear()
            self._held = 0
        if rest:
            self._parts.append(rest)
            self._held += len(rest)
            if self._held > self._limit:
                raise FrameOverflowError
        return frames
