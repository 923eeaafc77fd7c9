"""Requests at a steady rate, as the shop's users send them; knows nothing of hactl.

    python3 client.py HOST:PORT RATE

Half of them on connections that are kept, half on new ones; reads and writes mixed. It opens each request at its own
time whatever became of the last one, and repeats nothing. Ends at SIGTERM or when stdin closes, when what is under way
has been answered; then one line of JSON says what was sent and every failure.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import sys
import time
from dataclasses import asdict, dataclass, field

PATIENCE = 10.0  # seconds for an answer; later is a failure
KEPT = 16  # connections that are kept at most

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Tally:
    sent: int = 0
    failed: int = 0
    writes: int = 0
    slowest: float = 0.0
    gap: float = 0.0  # the longest time between two good answers
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class Client:
    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.tally = Tally()
        self.idle: list[Connection] = []
        self.began = self.good = time.monotonic()

    async def request(self, number: int) -> None:
        method, path, body, extra = requests(number)
        self.tally.sent += 1
        self.tally.writes += method == "POST"
        keep = number % 2 == 0
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                status = await self.exchange(method, path, body, extra, keep=keep)
        except Exception as error:  # noqa: BLE001 - whatever it is, a user's request has failed
            self.fail(number, f"{method} {path}: {type(error).__name__} {error}", began)
            return
        self.tally.statuses[str(status)] = self.tally.statuses.get(str(status), 0) + 1
        if status >= 400:
            self.fail(number, f"{method} {path}: status {status}", began)
            return
        now = time.monotonic()
        self.tally.slowest = max(self.tally.slowest, now - began)
        self.tally.gap = max(self.tally.gap, now - self.good)
        self.good = now

    def fail(self, number: int, why: str, began: float) -> None:
        self.tally.failed += 1
        if len(self.tally.failures) < 50:
            self.tally.failures.append(f"{began - self.began:.2f} s, request {number}, {why}")

    async def exchange(self, method: str, path: str, body: bytes, extra: str, *, keep: bool) -> int:
        reader, writer = await self.connection(keep=keep)
        done = False
        try:
            close = "" if keep else "Connection: close\r\n"
            head = f"{method} {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: {len(body)}\r\n{close}{extra}\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            status, reusable = await answer(reader)
            done = True
        finally:
            if done and keep and reusable and len(self.idle) < KEPT:
                self.idle.append((reader, writer))
            else:
                writer.close()
        return status

    async def connection(self, *, keep: bool) -> Connection:
        while keep and self.idle:
            reader, writer = self.idle.pop()
            # The server may end a connection that is not in use: nobody's request was on it.
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self.host, self.port)


async def answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the connection may be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if "content-length" not in fields:
        await reader.read()
        return int(head[0].split()[1]), False
    await reader.readexactly(int(fields["content-length"]))
    return int(head[0].split()[1]), fields.get("connection", "").lower() != "close"


def requests(number: int) -> tuple[str, str, bytes, str]:
    """Method, path, body and further header lines of a request."""
    match number % 10:
        case 0 | 3:
            key = "" if number % 20 == 0 else f"Idempotency-Key: load-{time.time_ns()}-{number}\r\n"
            return "POST", "/api/orders", b'{"item": "load", "quantity": 1}', f"Content-Type: application/json\r\n{key}"
        case 1 | 6 | 7:
            return "GET", "/api/orders?limit=5", b"", ""
        case 2:
            return "GET", "/", b"", ""
    return "GET", "/version", b"", ""


async def main(where: str, rate: float) -> Tally:
    host, _, port = where.rpartition(":")
    client, loop, over = Client(host, int(port)), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_reader(sys.stdin, over.set)
    running: set[asyncio.Task[None]] = set()
    for number in itertools.count():
        ahead = client.began + number / rate - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
        if over.is_set():
            break
        task = asyncio.create_task(client.request(number))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    client.tally.seconds = time.monotonic() - client.began
    return client.tally


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(main(sys.argv[1], float(sys.argv[2]))))))
