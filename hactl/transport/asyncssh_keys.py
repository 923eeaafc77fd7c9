"""Private keys for asyncssh: each file read and decrypted once for all nodes, the agent asked where it is needed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from hactl.transport.asyncssh_lib import asyncssh
from hactl.transport.endpoint import Endpoint
from hactl.transport.prompter import Prompter

Offer: TypeAlias = "asyncssh.SSHKey | asyncssh.SSHKeyPair | tuple[asyncssh.SSHKey, list[asyncssh.SSHCertificate]]"

_TRIES = 3  # at one passphrase prompt, as ssh does


@dataclass(slots=True)
class Offered:
    """What a login was tried with, for the error when it fails."""

    keys: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # why a key was not offered
    locked: list[str] = field(default_factory=list)  # encrypted keys that nobody opened
    wrong_passphrase: bool = False


@dataclass(slots=True)
class _KeyFile:
    path: str
    key: asyncssh.SSHKey | None = None  # None: encrypted, public only, or unusable
    public: bytes | None = None
    encrypted: bool = False
    note: str = ""
    absent: bool = False
    certificates: list[asyncssh.SSHCertificate] = field(default_factory=list)

    def offer(self) -> Offer:
        assert self.key is not None  # noqa: S101 - only called for usable keys
        return (self.key, self.certificates) if self.certificates else self.key


class KeyRing:
    """The keys of one operator."""

    def __init__(self, prompter: Prompter) -> None:
        self._prompter = prompter
        self._files: dict[str, _KeyFile] = {}

    async def offers(self, endpoint: Endpoint, offered: Offered) -> AsyncGenerator[Offer]:
        """The keys to try at `endpoint`, best first; what needs a person's passphrase comes last.

        Named keys come before the agent's, the agent's before the usual files. Notes into `offered` what it gave out.
        """
        files = [self._file(path) for path in endpoint.identities]
        # That one of the usual files is absent is no news.
        offered.notes += [file.note for file in files if file.note and (endpoint.identities_only or not file.absent)]
        plain = [file for file in files if file.key]
        if endpoint.identities_only:
            for file in plain:
                offered.keys.append(file.path)
                yield file.offer()
        from_agent: set[bytes] = set()
        if endpoint.agent and not (endpoint.identities_only and len(plain) == len(files)):
            async with asyncssh.SSHAgentClient(endpoint.agent) as agent:
                for pair in await self._agent_keys(agent, endpoint, files, offered):
                    from_agent.add(pair.public_data)
                    offered.keys.append(f"agent key {_described(pair)}")
                    yield pair
        if not endpoint.identities_only:
            for file in plain:
                if file.public not in from_agent:
                    offered.keys.append(file.path)
                    yield file.offer()
        for file in files:
            if file.encrypted and not file.key and file.public not in from_agent and await self._unlock(file, offered):
                offered.keys.append(file.path)
                yield file.offer()

    async def _agent_keys(
        self, agent: asyncssh.SSHAgentClient, endpoint: Endpoint, files: list[_KeyFile], offered: Offered
    ) -> list[asyncssh.SSHKeyPair]:
        try:
            pairs = list(await agent.get_keys())
        except (OSError, ValueError):
            offered.notes.append(f"the agent at {endpoint.agent} does not answer")
            return []
        if endpoint.identities_only:
            named = {file.public for file in files}
            pairs = [pair for pair in pairs if pair.public_data in named]
        return pairs

    async def _unlock(self, file: _KeyFile, offered: Offered) -> bool:
        """Ask for the passphrase of an encrypted key and open it, for good. Notes it as locked when that fails."""
        question = f"Passphrase for {file.path}: "
        for _ in range(_TRIES):
            passphrase = await self._prompter.answer(file.path, question)
            if passphrase is None:
                break
            try:
                # Deriving the key from a passphrase takes 100 ms and more, on purpose.
                file.key = await asyncio.to_thread(asyncssh.read_private_key, file.path, passphrase)
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
                offered.wrong_passphrase = True
                self._prompter.forget(file.path)
            else:
                file.public = file.key.public_data
                return True
        offered.locked.append(file.path)
        return False

    def _file(self, path: str) -> _KeyFile:
        file = self._files.get(path) or _read(path)
        if file.key or file.encrypted:  # what could not be used may be mended before the next login
            self._files[path] = file
        return file


def _described(pair: asyncssh.SSHKeyPair) -> str:
    comment = pair.get_comment() or "without a comment"
    return f"{comment} ({pair.algorithm.decode('ascii', 'replace')})"


def _read(path: str) -> _KeyFile:
    """A key file, as far as it can be used without a passphrase. `note` says why not, for a file that exists."""
    try:
        status = os.stat(path)  # noqa: PTH116 - same reason
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return _KeyFile(path, public=_public_beside(path), note=f"{path} does not exist", absent=True)
    except OSError as error:
        return _KeyFile(path, public=_public_beside(path), note=f"{path}: {error.strerror}")
    mode = status.st_mode & 0o777
    if status.st_uid == os.getuid() and mode & 0o077 and b"PRIVATE KEY" in data:
        return _KeyFile(path, note=f"{path} was not used: others may read it (mode {mode:04o}); run `chmod 600 {path}`")
    return _parse(path, data)


def _parse(path: str, data: bytes) -> _KeyFile:
    try:
        key = asyncssh.import_private_key(data)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        public = _public_of(data)  # a .pub file stands for a key that the agent holds
        if str(error).startswith("Passphrase"):
            return _KeyFile(path, public=public or _public_beside(path), encrypted=True)
        return _KeyFile(path, public=public, note="" if public else f"{path} is not a private key")
    return _KeyFile(path, key, key.public_data, certificates=_certificates(path))


def _public_of(data: bytes) -> bytes | None:
    try:
        return asyncssh.import_public_key(data).public_data
    except asyncssh.KeyImportError:
        return None


def _public_beside(path: str) -> bytes | None:
    try:
        return asyncssh.read_public_key(f"{path}.pub").public_data
    except (OSError, asyncssh.KeyImportError):
        return None


def _certificates(path: str) -> list[asyncssh.SSHCertificate]:
    try:
        return [asyncssh.read_certificate(f"{path}-cert.pub")]
    except (OSError, asyncssh.KeyImportError):
        return []
