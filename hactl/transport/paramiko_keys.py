"""Private keys for paramiko, in the same order and by the same rules as `asyncssh_keys`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from hactl.transport.endpoint import Endpoint
from hactl.transport.prompter import Prompter

_TRIES = 3


@dataclass(slots=True)
class Offered:
    """What a login was tried with, for the error when it fails."""

    keys: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    wrong_passphrase: bool = False


async def offers(endpoint: Endpoint, prompter: Prompter, offered: Offered) -> AsyncGenerator[paramiko.PKey]:
    """The keys to try, best first; what needs a person's passphrase comes last."""
    agent = paramiko.Agent() if endpoint.agent else None
    try:
        from_agent = list(agent.get_keys()) if agent else []
        plain, locked = _files(endpoint, offered)
        if endpoint.identities_only:
            named = {_public_beside(path) for path in endpoint.identities}
            from_agent = [key for key in from_agent if key.asbytes() in named]
        groups: list[tuple[str, paramiko.PKey]] = [(f"agent key {key.get_name()}", key) for key in from_agent]
        groups = [*plain, *groups] if endpoint.identities_only else [*groups, *plain]
        for name, key in groups:
            offered.keys.append(name)
            yield key
        held = {key.asbytes() for key in from_agent}
        for path in locked:
            if _public_beside(path) in held:
                continue
            opened = await _unlock(path, prompter, offered)
            if opened is not None:
                offered.keys.append(path)
                yield opened
    finally:
        if agent is not None:
            agent.close()


def _files(endpoint: Endpoint, offered: Offered) -> tuple[list[tuple[str, paramiko.PKey]], list[str]]:
    """The keys that need no passphrase, and the paths of those that do."""
    plain: list[tuple[str, paramiko.PKey]] = []
    locked: list[str] = []
    for path in endpoint.identities:
        try:
            status = os.stat(path)  # noqa: PTH116 - a stat, nothing else
            if status.st_uid == os.getuid() and status.st_mode & 0o077:
                offered.notes.append(f"{path} was not used: others may read it; run `chmod 600 {path}`")
                continue
            plain.append((path, _load(path)))
        except paramiko.PasswordRequiredException:
            locked.append(path)
        except FileNotFoundError:
            if endpoint.identities_only:
                offered.notes.append(f"{path} does not exist")
        except (OSError, ValueError, paramiko.SSHException) as error:
            offered.notes.append(f"{path} cannot be used: {error}")
    return plain, locked


async def _unlock(path: str, prompter: Prompter, offered: Offered) -> paramiko.PKey | None:
    for _ in range(_TRIES):
        passphrase = await prompter.answer(path, f"Passphrase for {path}: ")
        if passphrase is None:
            break
        try:
            return await asyncio.to_thread(_load, path, passphrase)
        except (ValueError, paramiko.SSHException):
            offered.wrong_passphrase = True
            prompter.forget(path)
    offered.locked.append(path)
    return None


def _load(path: str, passphrase: str | None = None) -> paramiko.PKey:
    """The private key in a file. Raises PasswordRequiredException for an encrypted one, whatever its format."""
    data = Path(path).read_bytes()
    if passphrase is None and (b"ENCRYPTED" in data or _is_encrypted_openssh(data)):
        raise paramiko.PasswordRequiredException(path)
    kinds: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
    for kind in kinds:
        with contextlib.suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key_file(path, passphrase)
    raise paramiko.SSHException(f"{path} holds no key that paramiko can use, or the passphrase is wrong")


def _is_encrypted_openssh(data: bytes) -> bool:
    """Whether an OPENSSH PRIVATE KEY names a cipher: the first field after the magic word."""
    if b"BEGIN OPENSSH PRIVATE KEY" not in data:
        return False
    body = base64.b64decode(b"".join(line for line in data.splitlines() if not line.startswith(b"-----")))
    return body[15:23] != b"\x00\x00\x00\x04none"


def _public_beside(path: str) -> bytes | None:
    """The public half of a key file, from the .pub beside it or the file itself when that is one."""
    for candidate in (f"{path}.pub", path):
        try:
            return base64.b64decode(Path(candidate).read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return None
