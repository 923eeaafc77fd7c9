"""Getting to know a node: its host keys, fetched without logging in, beside what is stored; and storing them.

Fetching proves nothing by itself: whoever sits in between presents a key, too. Only a person who compares the
fingerprint with the node's own console, or with one that came another way, can tell.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hactl.model.errors import UnreachableError, UnsupportedError
from hactl.model.inventory import Inventory, Node, TransportKind
from hactl.transport.factory import TransportFactory
from hactl.transport.known_hosts import Entry, HostKey, KnownHosts, Trust, amended, judge

_KINDS = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a node presents and what is stored for it."""

    node: str
    where: str  # how it was reached, for people
    name: str  # under which it is, or would be, stored
    path: str  # the known_hosts file that would be written
    presented: tuple[HostKey, ...]
    stored: tuple[Entry, ...]

    @property
    def trust(self) -> Trust:
        """The worst that can be said of a presented key: a login may be offered any of them."""
        verdicts = [judge(self.stored, key) for key in self.presented]
        for worst in (Trust.REVOKED, Trust.TRUSTED):
            if worst in verdicts:
                return worst
        return Trust.CHANGED if Trust.CHANGED in verdicts else Trust.UNKNOWN


async def introduce(inventory: Inventory, node: Node) -> Introduction:
    """Ask `node` for its host keys. Raises UnreachableError and its kin, UnsupportedError for the local machine."""
    if node.ssh.transport is TransportKind.LOCAL:
        raise UnsupportedError(node.name, "this machine is reached without SSH: it has no host key to trust.")
    # Also for nodes that paramiko serves later: a key is a key, whoever asks for it.
    from hactl.transport.asyncssh_transport import AsyncsshTransport  # noqa: PLC0415 - not for `hactl trust --help`

    asked = replace(node, ssh=replace(node.ssh, transport=TransportKind.ASYNCSSH))
    transport = TransportFactory(inventory).make(asked)
    assert isinstance(transport, AsyncsshTransport)  # noqa: S101 - just asked for
    endpoint, presented = await transport.host_keys(_KINDS)
    if not presented:
        raise UnreachableError(node.name, f"{endpoint.where} presents no host key of a type that hactl uses.")
    known = KnownHosts.read(endpoint.known_hosts)
    name = next((name for name in endpoint.names if known.lookup([name])), endpoint.names[0])
    stored = known.lookup(endpoint.names)
    return Introduction(node.name, endpoint.where, name, endpoint.known_hosts[0], presented, stored)


def remember(introduction: Introduction, keys: Sequence[HostKey], *, replace_stored: bool = False) -> None:
    """Store `keys` for the node, atomically; with `replace_stored`, instead of what is stored. Raises OSError.

    A file that hashes its names gets a hashed one; its mode is kept, a new one is for its owner only.
    """
    path = Path(os.path.realpath(introduction.path))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path.parent):
        text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
        drop = (introduction.name,) if replace_stored else ()
        _replace(path, amended(text, introduction.name, keys, drop=drop))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time, without a lock file that would stay behind."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
