"""What a transport said, as JSON lines, and a transport that says it again.

One object a line: `t` seconds since the recording began, `node`, `op`, and what belongs to the operation. Answers are
recorded after they were made safe; secrets of a command are masked in everything recorded about it.
"""

from __future__ import annotations

import base64
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TypeAlias

from hactl.model import errors
from hactl.model.command import Command, Completed, masked
from hactl.model.errors import TransportError
from hactl.model.observed import Unknown
from hactl.transport.protocol import Duplex, FrameSink, HostFactsSource, Peer, Stream, Transport
from hactl.transport.wrap import WithFacts, Wrapper

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Write: TypeAlias = Callable[[str], None]
"""Takes one line, without its newline."""


class _Tape:
    """Writes entries about one node."""

    def __init__(self, node: str, write: Write) -> None:
        self._node, self._write, self._started = node, write, time.monotonic()

    def put(self, op: str, **fields: Json) -> None:
        entry: dict[str, Json] = {"t": round(time.monotonic() - self._started, 4), "node": self._node, "op": op}
        self._write(json.dumps({**entry, **fields}, ensure_ascii=False, separators=(",", ":")))


class RecordingTransport(Wrapper):
    """Records everything that goes through it."""

    def __init__(self, inner: Transport, write: Write) -> None:
        super().__init__(inner)
        self._tape = _Tape(inner.node, write)

    async def connect(self) -> Peer:
        try:
            peer = await self._inner.connect()
        except TransportError as error:
            self._tape.put("connect", error=_error(error))
            raise
        self._tape.put("connect", peer=dict(asdict(peer)))
        return peer

    async def run(self, command: Command) -> Completed:
        asked = _asked(command)
        try:
            done = await self._inner.run(command)
        except TransportError as error:
            self._tape.put("run", asked=asked, error=_error(error, command))
            raise
        self._tape.put("run", asked=asked, done=_done(done, command))
        return done

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        return await self._inner.stream(command, _RecordingSink(sink, self._tape, command))

    async def open_unix(self, path: str) -> Duplex:
        return await self._opened(f"unix:{path}", self._inner.open_unix(path))

    async def open_tcp(self, host: str, port: int) -> Duplex:
        return await self._opened(f"tcp:{host}:{port}", self._inner.open_tcp(host, port))

    async def _opened(self, where: str, opening: object) -> Duplex:
        try:
            return _RecordingDuplex(await opening, where, self._tape)  # type: ignore[misc] # one of the two above
        except TransportError as error:
            self._tape.put("open", where=where, error=_error(error))
            raise


class _RecordingLocal(RecordingTransport, WithFacts):
    pass


def record(inner: Transport, write: Write) -> Transport:
    """`inner`, with everything it says written down."""
    return (_RecordingLocal if isinstance(inner, HostFactsSource) else RecordingTransport)(inner, write)


class _RecordingSink:
    def __init__(self, inner: FrameSink, tape: _Tape, command: Command) -> None:
        self._inner, self._tape, self._command, self._asked = inner, tape, command, _asked(command)

    def frame(self, text: str) -> None:
        self._tape.put("frame", asked=self._asked, text=masked(text, self._command.secrets))
        self._inner.frame(text)

    def ended(self, error: TransportError | None) -> None:
        self._tape.put("ended", asked=self._asked, error=_error(error, self._command) if error else None)
        self._inner.ended(error)


class _RecordingDuplex:
    def __init__(self, inner: Duplex, where: str, tape: _Tape) -> None:
        self._inner, self._where, self._tape = inner, where, tape
        tape.put("open", where=where)

    async def read(self, limit: int = 65536) -> bytes:
        data = await self._inner.read(limit)
        self._tape.put("read", where=self._where, data=base64.b64encode(data).decode("ascii"))
        return data

    async def write(self, data: bytes) -> None:
        await self._inner.write(data)

    def close(self) -> None:
        self._inner.close()


def _asked(command: Command) -> dict[str, Json]:
    """What identifies a question."""
    return {"argv": [masked(word, command.secrets) for word in command.argv], "as_user": command.as_user}


def _done(done: Completed, command: Command) -> dict[str, Json]:
    return {
        "exit": done.exit if isinstance(done.exit, int) else None,
        "unknown": done.exit.reason if isinstance(done.exit, Unknown) else None,
        "stdout": masked(done.stdout, command.secrets),
        "stderr": masked(done.stderr, command.secrets),
        "seconds": done.seconds,
        "truncated": done.truncated,
    }


def _error(error: TransportError, command: Command | None = None) -> dict[str, Json]:
    secrets = command.secrets if command else ()
    message = masked(error.message, secrets).removeprefix(f"{error.node}: ")
    return {"kind": type(error).__name__, "message": message, "remedy": masked(error.remedy, secrets)}


class ReplayTransport:
    """Answers from a recording: the same question gets its recorded answers in their order, the last for ever.

    Raises TransportError for a question that was never recorded. Frames come as soon as the stream is started.
    """

    def __init__(self, node: str, lines: Iterable[str]) -> None:
        self._node = node
        self._answers: defaultdict[str, deque[dict[str, Json]]] = defaultdict(deque)
        for line in lines:
            entry = json.loads(line)
            if entry["node"] == node:
                self._answers[_key(entry)].append(entry)

    @property
    def node(self) -> str:
        return self._node

    async def connect(self) -> Peer:
        entry = self._next("connect")
        peer = entry["peer"]
        assert isinstance(peer, dict)  # noqa: S101 - as recorded
        return Peer(*(str(peer[name]) for name in ("address", "software", "host_key_fingerprint", "host_key_type")))

    async def run(self, command: Command) -> Completed:
        entry = self._next("run" + json.dumps(_asked(command)))
        done = entry["done"]
        assert isinstance(done, dict)  # noqa: S101 - as recorded
        exit_ = done["exit"] if isinstance(done["exit"], int) else Unknown(str(done["unknown"]), time.monotonic())
        seconds = done["seconds"]
        assert isinstance(seconds, int | float)  # noqa: S101 - as recorded
        return Completed(exit_, str(done["stdout"]), str(done["stderr"]), float(seconds), bool(done["truncated"]))

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        for entry in self._answers["frame" + json.dumps(_asked(command))]:
            sink.frame(str(entry["text"]))
        ends = self._answers["ended" + json.dumps(_asked(command))]
        if ends:
            error = ends[0]["error"]
            sink.ended(_raised(self._node, error) if isinstance(error, dict) else None)
        return _ReplayStream()

    async def open_unix(self, path: str) -> Duplex:
        return self._open(f"unix:{path}")

    async def open_tcp(self, host: str, port: int) -> Duplex:
        return self._open(f"tcp:{host}:{port}")

    async def closed(self) -> TransportError | None:
        return None

    async def close(self) -> None:
        """Nothing is open."""

    def _open(self, where: str) -> Duplex:
        self._next("open" + where)
        return _ReplayDuplex(self._answers["read" + where])

    def _next(self, key: str) -> dict[str, Json]:
        entries = self._answers.get(key)
        if not entries:
            raise TransportError(self._node, f"nothing is recorded for {key}.")
        entry = entries.popleft() if len(entries) > 1 else entries[0]
        if isinstance(error := entry.get("error"), dict):
            raise _raised(self._node, error)
        return entry


def _key(entry: dict[str, Json]) -> str:
    op = str(entry["op"])
    return op + (json.dumps(entry["asked"]) if "asked" in entry else str(entry.get("where", "")))


def _raised(node: str, entry: dict[str, Json]) -> TransportError:
    kind = getattr(errors, str(entry["kind"]), TransportError)
    if not issubclass(kind, TransportError):
        kind = TransportError
    error: TransportError = kind(node, str(entry["message"]), remedy=str(entry["remedy"]))
    return error


class _ReplayStream:
    def write(self, data: bytes) -> None:
        """What was said does not depend on it."""

    def close(self) -> None:
        """Nothing is open."""


class _ReplayDuplex:
    def __init__(self, entries: deque[dict[str, Json]]) -> None:
        self._entries = entries

    async def read(self, limit: int = 65536) -> bytes:
        if not self._entries:
            return b""
        return base64.b64decode(str(self._entries.popleft()["data"]))[:limit]

    async def write(self, data: bytes) -> None:
        """What was said does not depend on it."""

    def close(self) -> None:
        """Nothing is open."""
