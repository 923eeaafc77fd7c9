"""Files that were restored against the files that they were made from, one by one. Pure.

A file whose entry has not changed since the snapshot was begun has to be what was restored. The kernel keeps that time
(ctime) and nobody can set it, as they can the time of the last modification.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hactl.model.text import safe

_LISTED = re.compile(r"(\d+):([0-7]+):(\d+\.\d+):(/.*)", re.DOTALL)
_SUMMED = re.compile(r"(\\?)([0-9a-f]{64})  (/.*)")
_ESCAPED = {"\\n": "\n", "\\r": "\r", "\\\\": "\\"}


@dataclass(frozen=True, slots=True)
class File:
    """`changed`: epoch seconds of its entry. `sha256` is "" where the file was gone before it was read."""

    size: int
    mode: str
    changed: float
    sha256: str

    def same(self, other: File) -> bool:
        return (self.size, self.mode, self.sha256) == (other.size, other.mode, other.sha256) and self.sha256 != ""


@dataclass(frozen=True, slots=True)
class Compared:
    """`differ` and `missing` name what cannot be explained by what happened since; the others are only counted.
    `behind`: seconds from the snapshot to the newest change of a file that is there.
    """

    files: int  # restored
    size: int
    same: int
    differ: tuple[str, ...]  # not what they were, and nobody has touched them since
    missing: tuple[str, ...]  # there before the snapshot, and not in it
    changed: int
    gone: int
    added: int
    behind: float = 0.0

    @property
    def differing(self) -> str:
        return _told(self.differ, "differ from what was restored")

    @property
    def lacking(self) -> str:
        return _told(self.missing, "were not in the snapshot")

    @property
    def wrong(self) -> tuple[str, ...]:
        """In sentences; empty when all is as it was."""
        return tuple(filter(None, (self.differing, self.lacking)))

    @property
    def since(self) -> str:
        told = (("changed", self.changed), ("gone", self.gone), ("added", self.added))
        return ", ".join(f"{count} {word}" for word, count in told if count)


def _told(names: tuple[str, ...], what: str) -> str:
    return f"{len(names)} {what}: {_named(names)}" if names else ""


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(safe(name).replace("\n", "␊") for name in names[:3]) + (", ..." if len(names) > 3 else "")


def read_files(listed: str, summed: str, below: str = "") -> Mapping[str, File]:
    """What `find` has said of files, by their path with `below` taken from its front. Raises ValueError."""
    sums = {
        _plain(found[3], escaped=bool(found[1])): found[2] for found in map(_SUMMED.fullmatch, _lines(summed)) if found
    }
    seen: dict[str, File] = {}
    for entry in _entries(listed):
        if (found := _LISTED.fullmatch(entry)) is None or not found[4].startswith(below):
            raise ValueError(f"this is no file: {entry[:80]}")
        size, mode, changed, name = int(found[1]), found[2], float(found[3]), found[4]
        seen[name.removeprefix(below)] = File(size, mode, changed, sums.get(name, ""))
    return seen


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _entries(text: str) -> list[str]:
    """A name may have line breaks in it: what does not begin as an entry does goes on with the one before."""
    found: list[str] = []
    for line in _lines(text.removesuffix("\n")) if text else ():
        if found and _LISTED.fullmatch(line) is None:
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found


def _plain(name: str, *, escaped: bool) -> str:
    """A name as `find` spells it: what sha256sum has escaped, as the transport would have made it safe."""
    if not escaped:
        return name
    return safe(re.sub(r"\\[nr\\]", lambda found: _ESCAPED[found[0]], name).replace("\r\n", "\n"))


def compare(restored: Mapping[str, File], live: Mapping[str, File], taken: float) -> Compared:
    """`taken`: the epoch second at which the snapshot was begun, by the clock of the files' node."""
    differ, missing = list[str](), list[str]()
    same = changed = gone = 0
    for name, copy in restored.items():
        if (file := live.get(name)) is None:
            gone += 1
        elif copy.same(file):
            same += 1
        elif file.changed > taken or file.sha256 == "":
            changed += 1
        else:
            differ.append(name)
    new = [name for name in live if name not in restored]
    missing = [name for name in new if live[name].changed <= taken]
    return Compared(
        files=len(restored),
        size=sum(copy.size for copy in restored.values()),
        same=same,
        differ=tuple(sorted(differ)),
        missing=tuple(sorted(missing)),
        changed=changed,
        gone=gone,
        added=len(new) - len(missing),
        behind=max((file.changed - taken for file in live.values() if file.changed > taken), default=0.0),
    )
