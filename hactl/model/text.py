"""Text from a node, made safe for a terminal: control, bidirectional and zero-width characters become visible once.

`transport` calls this on every byte that arrives; drivers call it again on whatever they unescape (JSON). After that no
string in hactl can move a cursor, set a title, write a clipboard or reorder a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# C0 without tab and newline, DEL, C1; soft hyphen, Arabic letter mark, zero-width and bidi controls, line and
# paragraph separators, invisible operators, BOM, interlinear annotation, tag characters.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_ACTS = re.compile(f"{_UNSAFE.pattern}|[\t\n]")


def _placeholder(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ESC shows as ␛
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def safe(text: str) -> str:
    """`text` with every unsafe character replaced by something visible. Tab and newline stay: parsers need them."""
    return _UNSAFE.sub(_placeholder, text) if _UNSAFE.search(text) else text


def acts(text: str) -> bool:
    """Whether a terminal would do something with it other than show it on one line."""
    return not text.isprintable() if text.isascii() else _ACTS.search(text) is not None


def inert(text: str, cells: Callable[[str], int]) -> str:
    """`text`, in as many cells, with nothing in it that acts: for what has been measured already. ? stands for what
    takes room. This is the last look before a terminal; what is unsafe was made visible long before, by `safe`.
    """
    return "".join("?" * cells(one) if acts(one) else one for one in text)


def safe_text(data: bytes) -> str:
    r"""Bytes from a node as safe text; bytes that are not UTF-8 show as `\xNN`. CRLF counts as a newline."""
    return safe(data.decode("utf-8", "backslashreplace").replace("\r\n", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    """Safe text for one line of a table or a sentence: whitespace runs become one space, overlong text is cut with …"""
    line = " ".join(safe(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
