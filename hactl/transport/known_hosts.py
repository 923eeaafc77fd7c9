"""known_hosts files: read once and shared, looked up by name, judged, and extended atomically.

Keys stay base64 text here, so that five hundred lines cost a split each and only the lines of one node are ever
decoded. Both SSH libraries are told what to trust from here, which is why both can tell a changed key from an unknown.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


def fingerprint(blob: bytes) -> str:
    """OpenSSH's way to show a public key: "SHA256:..." over its wire form."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public host key: its type ("ssh-ed25519") and its wire form."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.blob)

    def __str__(self) -> str:
        return f"{self.fingerprint} ({self.kind})"


@dataclass(frozen=True, slots=True)
class Entry:
    """One usable line of a known_hosts file."""

    marker: str  # "", "cert-authority" or "revoked"
    names: str
    kind: str
    key: str  # base64
    path: str
    line: int

    @property
    def host_key(self) -> HostKey:
        return HostKey(self.kind, base64.b64decode(self.key))


class Trust(Enum):
    TRUSTED = "trusted"
    UNKNOWN = "unknown"  # nothing is stored for this name
    CHANGED = "changed"  # something else is stored
    REVOKED = "revoked"


def judge(entries: Iterable[Entry], presented: HostKey) -> Trust:
    """What the entries of one node say about the key that it presented."""
    entries = tuple(entries)
    same = [entry for entry in entries if entry.host_key.blob == presented.blob]
    if any(entry.marker == "revoked" for entry in same):
        return Trust.REVOKED
    if any(entry.marker == "" for entry in same):
        return Trust.TRUSTED
    return Trust.CHANGED if any(entry.marker == "" for entry in entries) else Trust.UNKNOWN


def lookup_names(host: str, port: int, alias: str | None, node: str) -> tuple[str, ...]:
    """Under which names a node's key may be stored, best first: its alias alone, or its address, then its name."""
    plain = (alias,) if alias else tuple(dict.fromkeys((host, node)))
    if port == 22:
        return plain
    return tuple(name for each in plain for name in (f"[{each}]:{port}", each))


class KnownHosts:
    """The entries of some files, by name. Missing files count as empty; lines that nobody could use are skipped."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._exact: dict[str, list[Entry]] = {}
        self._matching: list[Entry] = []  # wildcards, negations and hashed names
        for entry in entries:
            if entry.names.startswith("|") or any(char in entry.names for char in "*?!"):
                self._matching.append(entry)
            else:
                for name in entry.names.lower().split(","):
                    self._exact.setdefault(name, []).append(entry)

    @classmethod
    def read(cls, paths: Iterable[str]) -> KnownHosts:
        """Raises OSError for a file that is there and cannot be read."""
        return cls(entry for path in paths for entry in _entries(path))

    def lookup(self, names: Sequence[str]) -> tuple[Entry, ...]:
        """The entries of the first name that has any, and whatever is revoked under any of the names."""
        found: list[Entry] = []
        revoked: list[Entry] = []
        for name in names:
            entries = self._of(name.lower())
            revoked += [entry for entry in entries if entry.marker == "revoked"]
            if not found:
                found = [entry for entry in entries if entry.marker != "revoked"]
        return (*found, *revoked)

    def _of(self, name: str) -> list[Entry]:
        return self._exact.get(name, []) + [entry for entry in self._matching if _matches(entry.names, name)]


class KnownHostsCache:
    """Files read once for all nodes, and again when one of them changes (somebody trusted a key meanwhile)."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], tuple[tuple[object, ...], KnownHosts]] = {}

    def get(self, paths: tuple[str, ...]) -> KnownHosts:
        stamps = tuple(_stamp(path) for path in paths)
        kept = self._kept.get(paths)
        if kept is None or kept[0] != stamps:
            kept = self._kept[paths] = (stamps, KnownHosts.read(paths))
        return kept[1]


def _stamp(path: str) -> object:
    try:
        found = os.stat(path)  # noqa: PTH116 - once per node and connect: no Path to build
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _entries(path: str) -> Iterable[Entry]:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for number, raw in enumerate(text.splitlines(), 1):
        entry = parse_line(raw, path, number)
        if entry is not None:
            yield entry


def parse_line(raw: str, path: str = "", number: int = 0) -> Entry | None:
    """The entry on one line; None for comments, blank lines and what is no entry."""
    words = raw.split()
    if not words or words[0].startswith("#"):
        return None
    marker = words.pop(0)[1:] if words[0].startswith("@") else ""
    if len(words) < 3 or marker not in ("", "cert-authority", "revoked"):
        return None
    names, kind, key = words[:3]
    try:
        binascii.a2b_base64(key, strict_mode=True)
    except binascii.Error:
        return None
    return Entry(marker, names, kind, key, path, number)


def _matches(names: str, name: str) -> bool:
    if names.startswith("|"):
        return _hash_matches(names, name)
    patterns = names.lower().split(",")
    if any(pattern.startswith("!") and _glob(pattern[1:], name) for pattern in patterns):
        return False
    return any(_glob(pattern, name) for pattern in patterns if not pattern.startswith("!"))


def _glob(pattern: str, name: str) -> bool:
    # Only * and ? are special in known_hosts; [host]:port is literal.
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _hash_matches(hashed: str, name: str) -> bool:
    try:
        _, magic, salt, digest = hashed.split("|")
        wanted = binascii.a2b_base64(digest)
        return magic == "1" and hmac.digest(binascii.a2b_base64(salt), name.encode(), "sha1") == wanted
    except ValueError:  # not the form |1|salt|hash; binascii.Error is one
        return False


def hashed_name(name: str) -> str:
    """`name` the way `HashKnownHosts yes` writes it."""
    salt = os.urandom(20)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return "|1|" + "|".join(base64.b64encode(part).decode("ascii") for part in (salt, digest))


def amended(text: str, name: str, keys: Sequence[HostKey], *, drop: Sequence[str] = ()) -> str:
    """The text of a known_hosts file with `keys` stored for `name`, hashed when the file's other names are.

    Every name in `drop` loses its plain entries first; markers, patterns and comments stay as they are.
    """
    kept = [line for raw in text.splitlines() if (line := _without(raw, drop)) is not None]
    entries = [entry for raw in kept if (entry := parse_line(raw))]
    hashes = bool(entries) and all(entry.names.startswith("|") for entry in entries)
    added = [
        f"{hashed_name(name) if hashes else name} {key.kind} {base64.b64encode(key.blob).decode('ascii')}"
        for key in keys
    ]
    return "\n".join([*kept, *added]) + "\n"


def _without(raw: str, drop: Sequence[str]) -> str | None:
    entry = parse_line(raw)
    if entry is None or entry.marker or not drop:
        return raw
    if entry.names.startswith("|"):
        return None if any(_hash_matches(entry.names, name.lower()) for name in drop) else raw
    lowered = {name.lower() for name in drop}
    names = [name for name in entry.names.split(",") if name.lower() not in lowered]
    if not names:
        return None
    return raw.replace(entry.names, ",".join(names), 1)
