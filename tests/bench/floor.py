"""The floor: what bare, tuned asyncssh costs, with nothing of hactl in it. Everything is measured against this.

python -m tests.bench.floor FOLDER PORT ADDRESS...        connect everywhere and run one command
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import sys
import time
from pathlib import Path

import asyncssh

_TUNED = {
    "config": None,
    "agent_path": None,
    "kex_algs": ["curve25519-sha256"],
    "encryption_algs": ["aes128-gcm@openssh.com"],
    "server_host_key_algs": ["ssh-ed25519"],
    "compression_algs": ["none"],
    "preferred_auth": ["publickey"],
    "x509_trusted_certs": None,
    "gss_host": None,
}
_COMMAND = "cat /proc/loadavg /proc/uptime"


class Floor:
    """One program's worth of connections: key and known host are parsed once."""

    def __init__(self, folder: Path, port: int) -> None:
        self._key = asyncssh.read_private_key(folder / "key")
        self._host_key = asyncssh.read_public_key(folder / "host_key.pub")
        self._port = port

    async def connect(self, address: str) -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            address,
            self._port,
            username=getpass.getuser(),
            client_keys=[self._key],
            known_hosts=([self._host_key], [], []),
            **_TUNED,
        )


async def run_everywhere(floor: Floor, addresses: list[str], at_once: int = 64) -> int:
    """Connect to all, run one command each, leave. Returns how many answered."""
    places = asyncio.Semaphore(at_once)

    async def one(address: str) -> bool:
        async with places:
            connection = await floor.connect(address)
        answer = await connection.run(_COMMAND, encoding=None)
        return answer.exit_status == 0

    return sum(await asyncio.gather(*map(one, addresses)))


class _Channel(asyncssh.SSHClientSession[bytes]):
    """Counts what arrives."""

    def __init__(self, arrived: list[int]) -> None:
        self._arrived = arrived

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._arrived[0] += 1


async def stream(floor: Floor, addresses: list[str], loop_script: str, interval: float, seconds: float) -> float:
    """Seconds of CPU a node-sample of a bare channel: a shell loop asked by stdin, its answers thrown away."""
    arrived = [0]
    connections = [await floor.connect(address) for address in addresses]
    channels = []
    for connection in connections:
        channel, _ = await connection.create_session(lambda: _Channel(arrived), loop_script, encoding=None)
        channels.append(channel)
    loop = asyncio.get_running_loop()
    asked = 0

    def ask(channel: asyncssh.SSHClientChannel[bytes], at: float) -> None:
        nonlocal asked
        asked += 1
        channel.write(b"1 0\n")
        timers[channel] = loop.call_at(at + interval, ask, channel, at + interval)

    timers: dict[asyncssh.SSHClientChannel[bytes], asyncio.TimerHandle] = {}
    start = loop.time()
    for place, channel in enumerate(channels):
        first = start + interval * place / len(channels)
        timers[channel] = loop.call_at(first, ask, channel, first)
    await asyncio.sleep(interval)
    asked, cpu = 0, time.process_time()
    await asyncio.sleep(seconds)
    used = time.process_time() - cpu
    for timer in timers.values():
        timer.cancel()
    for connection in connections:
        connection.abort()
    return used / asked


def main() -> None:
    folder, port, *addresses = sys.argv[1:]
    answered = asyncio.run(run_everywhere(Floor(Path(folder), int(port)), addresses))
    print(f"{answered} of {len(addresses)} answered")
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    raise SystemExit(answered != len(addresses))


if __name__ == "__main__":
    main()
