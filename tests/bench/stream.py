"""What watching costs: the client's CPU a node-sample, its memory, the nodes' CPU a sample, and whether it is linear.

    python -m tests.bench.stream [--nodes 8,128,512] [--seconds 30] [--interval 2]

A node-sample is one fast answer of one node with everything done to it: received, parsed, put into the state, judged,
published to one listener. Questions of slower cadence are asked as in life and are part of the cost.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from hactl.config import load_inventory
from hactl.control import Control, Picture
from hactl.drivers.host import tick
from hactl.engine.script import loop_script
from hactl.model.state import LinkPhase
from tests.bench import floor
from tests.bench.farm import PORT, Farm, children, cpu_seconds, enter, farm


@dataclass(frozen=True)
class Measured:
    nodes: int
    samples: int
    seconds: float
    cpu: float
    memory: int  # bytes resident, at the end
    node_cpu: float  # of sshd sessions and shells together
    pictures: int

    def __str__(self) -> str:
        return (
            f"{self.nodes:4} nodes: {self.cpu / self.samples * 1000:.3f} ms of client CPU a node-sample, "
            f"{self.cpu / self.seconds * 100:.1f} % of a core, {self.memory / 2**20:.0f} MiB; "
            f"on the node {self.node_cpu / self.samples * 1000:.2f} ms a sample (sshd included); "
            f"{self.samples} samples, {self.pictures} pictures in {self.seconds:.0f} s"
        )


async def measure(served: Farm, count: int, seconds: float, interval: float) -> Measured:
    """Watch until everything has answered twice, then measure."""
    inventory = load_inventory(served.inventory(count))
    counted = 0
    async with Control(inventory, interval=interval) as control:
        pictures = control.watch()
        async for picture in pictures:
            if _warm(picture):
                break
        gc.collect()
        await asyncio.sleep(interval)
        started, cpu, nodes = time.monotonic(), time.process_time(), cpu_seconds(children(served.pid))
        last = first = await anext(pictures)
        async for picture in pictures:
            last = picture
            counted += 1
            if time.monotonic() - started >= seconds:
                break
        took, used = time.monotonic() - started, time.process_time() - cpu
        node_cpu = cpu_seconds(children(served.pid)) - nodes
        samples = round(count * took / interval)
        assert _answers(last) >= _answers(first) + (took - 2 * interval) * 0.95, "samples were lost"
        return Measured(count, samples, took, used, _resident(), node_cpu, counted)


def _warm(picture: Picture) -> bool:
    nodes = picture.state.nodes.values()
    return all(
        node.link.phase is LinkPhase.UP and (host := node.readings.get("host")) is not None and host.before is not None
        for node in nodes
    )


def _answers(picture: Picture) -> float:
    """The oldest of the newest samples, seconds: it moves on only if every node goes on answering."""
    return min(node.readings["host"].last.at for node in picture.state.nodes.values())


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def bare(served: Farm, count: int, seconds: float, interval: float) -> float:
    """Seconds of client CPU a node-sample of asyncssh alone, for the same fast question."""
    served.trust(count)
    script = loop_script([tick(addresses=False)])
    connections = floor.Floor(served.folder, PORT)
    return await floor.stream(connections, served.addresses(count), script, interval, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="8,128,512")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--interval", type=float, default=2.0)
    options = parser.parse_args()
    enter()
    with farm() as served:
        for count in map(int, options.nodes.split(",")):
            least = asyncio.run(bare(served, count, options.seconds, options.interval))
            measured = asyncio.run(measure(served, count, options.seconds, options.interval))
            print(measured, flush=True)
            ratio = measured.cpu / measured.samples / least
            print(
                f"     a bare channel: {least * 1000:.3f} ms a node-sample; hactl is {ratio:.2f} times that", flush=True
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory of the client over all of it: {peak / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
