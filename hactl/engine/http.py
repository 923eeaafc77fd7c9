"""The least of HTTP/1.1 that a health check needs: one GET, one answer, bounded. Bytes in, an answer out; no I/O."""

from __future__ import annotations

import re

from hactl.model.text import one_line, safe_text

BODY_LIMIT = 64 * 1024  # bytes that are kept; health checks say less
HEAD_LIMIT = 32 * 1024
_STATUS = re.compile(r"HTTP/1\.[01] (\d{3})(?: |$)")


class HttpError(Exception):
    """What came is no HTTP answer. The message is safe text."""


def get(path: str, host: str, *, keep: bool = False) -> bytes:
    """The request. `path` and `host` come from the inventory, which allows no blanks or line ends in them.

    `keep`: the connection is to stay open for another one.
    """
    then = f"Connection: {'keep-alive' if keep else 'close'}"
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: hactl", "Accept: */*", then, "", "")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


class Response:
    """Feed it what arrives until `complete`; then `status` and `body` hold."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._body_at = -1
        self._length: int | None = None  # None: to the end of the connection
        self._chunked = False
        self.status = 0
        self.complete = False

    def feed(self, data: bytes) -> None:
        """The next bytes; b"" is the end of the connection. Raises HttpError."""
        if data:
            self._data += data
        if self._body_at < 0:
            self._head(ended=not data)
        if self._body_at >= 0:
            self.complete = not data or self._is_whole()

    @property
    def body(self) -> str:
        """The body as safe text, at most BODY_LIMIT bytes of it."""
        raw = bytes(self._data[self._body_at :])
        return safe_text((_unchunked(raw)[0] if self._chunked else raw[: self._length])[:BODY_LIMIT])

    def _is_whole(self) -> bool:
        got = len(self._data) - self._body_at
        if got >= BODY_LIMIT:
            return True
        if self._chunked:
            return _unchunked(bytes(self._data[self._body_at :]))[1]
        return self._length is not None and got >= self._length

    def _head(self, *, ended: bool) -> None:
        """Read the status line and the fields when they are there, skipping interim answers."""
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            first, *fields = bytes(self._data[:end]).decode("latin-1").split("\r\n")
            match = _STATUS.match(first)
            if match is None:
                raise self._nonsense()
            if match[1].startswith("1"):
                del self._data[: end + 4]
                continue
            self.status = int(match[1])
            self._body_at = end + 4
            self._fields(fields)
            return
        if ended:
            raise HttpError("half an answer" if self._data else "the connection was closed without an answer")
        if len(self._data) > HEAD_LIMIT:
            raise HttpError(f"headers of more than {HEAD_LIMIT} bytes")
        if self._data[:5] != b"HTTP/"[: len(self._data)]:
            raise self._nonsense()

    def _fields(self, fields: list[str]) -> None:
        for field in fields:
            name, _, value = field.partition(":")
            name, value = name.strip().lower(), value.strip()
            if name == "transfer-encoding":
                self._chunked = "chunked" in value.lower()
            elif name == "content-length" and value.isdecimal():
                self._length = int(value)
        if self.status in {204, 304}:
            self._length, self._chunked = 0, False

    def _nonsense(self) -> HttpError:
        return HttpError(f'no HTTP answer but "{one_line(safe_text(bytes(self._data[:60])), 60)}"')


def _unchunked(raw: bytes) -> tuple[bytes, bool]:
    """The content of what has arrived of a chunked body, and whether the last chunk is there. Raises HttpError."""
    content, at = bytearray(), 0
    while (end := raw.find(b"\r\n", at)) >= 0:
        try:
            size = int(raw[at:end].partition(b";")[0], 16)
        except ValueError:
            raise HttpError("a broken chunk") from None
        if size == 0:
            return bytes(content), True
        content += raw[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
        if len(content) > BODY_LIMIT:
            break
    return bytes(content), False
