"""The operator's own machine, for verbs: reading a file, running a program. Never through a shell, always bounded."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path

from hactl.engine.clock import Clock
from hactl.model.command import Command, Completed
from hactl.model.errors import CommandTimeoutError, InputError
from hactl.model.text import safe_text

FILE_LIMIT = 16 * 1024 * 1024  # bytes of a file that is read
_KEPT = 1024 * 1024  # bytes of each output that are kept; the rest is read and dropped
_GRACE = 5.0  # seconds from TERM to KILL
HERE = "this machine"
UNREADABLE = "unreadable"


async def read_file(path: str) -> bytes:
    """The whole file. Raises InputError."""
    return await asyncio.to_thread(_read, path)


def _read(path: str) -> bytes:
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > FILE_LIMIT:
        raise InputError(f"{path} is larger than {FILE_LIMIT // 2**20} MiB.")
    return data


def checksum(data: bytes) -> str:
    """What tells two versions of a file apart, short enough to be read."""
    return hashlib.sha256(data).hexdigest()[:16]


async def checksums(paths: Iterable[str]) -> Mapping[str, str]:
    """Of each file, by path; "unreadable" where it cannot be read."""
    found = {}
    for path in paths:
        try:
            found[path] = checksum(await read_file(path))
        except InputError:
            found[path] = UNREADABLE
    return found


async def run_program(command: Command, environment: Mapping[str, str], clock: Clock) -> Completed:
    """Run it to its end. Raises InputError when it cannot be started, CommandTimeoutError when it takes too long.

    When that happens, or the caller is cancelled, the program and all that it started are ended.
    """
    begun = clock.monotonic()
    try:
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(f"{command.argv[0]} cannot be run on {HERE}: {error.strerror}.") from error
    try:
        async with asyncio.timeout(command.timeout):
            out, err, _, status = await asyncio.gather(
                _kept(process.stdout), _kept(process.stderr), _feed(process.stdin, command.stdin), process.wait()
            )
    except TimeoutError:
        await _end(process)
        raise CommandTimeoutError(
            HERE, f"{command.shown()} took more than {command.timeout:g} s. Whether it took effect is unknown."
        ) from None
    except BaseException:
        await _end(process)
        raise
    seconds = clock.monotonic() - begun
    cut = max(len(out), len(err)) > _KEPT
    return Completed(
        status if status >= 0 else 128 - status, safe_text(out[:_KEPT]), safe_text(err[:_KEPT]), seconds, cut
    )


async def _kept(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None  # noqa: S101 - it was asked for
    kept = bytearray()
    while data := await stream.read(65536):
        kept += data[: _KEPT + 1 - len(kept)]
    return bytes(kept)


async def _feed(stream: asyncio.StreamWriter | None, data: bytes) -> None:
    assert stream is not None  # noqa: S101 - it was asked for
    with contextlib.suppress(ConnectionError):  # a program need not read what it is given
        stream.write(data)
        await stream.drain()
        stream.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """The program, and what it has started: that may go on although the program itself has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:  # nobody of them is left
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await process.wait()
