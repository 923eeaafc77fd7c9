"""The relay as the rest of the lab uses it: start it, ask it, delay a link."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

from hactl.lab import cgroups, network
from hactl.lab.spec import LabSpec
from hactl.model.errors import LabError

_START_TIMEOUT = 10.0
SSH_PORT = 22
VIP_PORT = 80


def routes(spec: LabSpec) -> dict[str, str]:
    """Socket (relative to the lab's runtime folder) -> where it leads."""
    table = {f"ssh/{node.name}.sock": f"{node.address}:{SSH_PORT}" for node in spec.nodes}
    if spec.vip:
        table[spec.paths.vip_socket.name] = f"{spec.vip}:{VIP_PORT}"
    return table


def open_door(spec: LabSpec) -> None:
    """Starts the relay unless one answers; returns when its sockets are there."""
    if answers(spec):
        return
    if cgroups.existing(spec.name, cgroups.RELAY):
        cgroups.kill(spec.name, cgroups.RELAY)
    cgroups.create(spec.name, cgroups.RELAY)
    spec.paths.sockets.mkdir(exist_ok=True)
    script = Path(__file__).with_name("relay.py")
    targets = [f"{name}={target}" for name, target in routes(spec).items()]
    relay = network.inside(spec, [sys.executable, "-IS", script, spec.paths.run, *targets])
    with (spec.paths.run / "relay.log").open("ab") as log:
        subprocess.run(
            [
                "setsid",
                "--fork",
                "sh",
                "-c",
                f"{cgroups.join_script(spec.name, cgroups.RELAY)}; exec {shlex.join(relay)}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
        )
    deadline = time.monotonic() + _START_TIMEOUT
    while not answers(spec):
        if time.monotonic() > deadline:
            said = (spec.paths.run / "relay.log").read_text(encoding="utf-8", errors="replace")
            raise LabError(f"The lab's relay did not start.\n{said[-1000:]}")
        time.sleep(0.02)


def answers(spec: LabSpec) -> bool:
    """A relay is there, and it is the one for these nodes."""
    try:
        ask(spec, "delays")
    except OSError:
        return False
    return all((spec.paths.run / name).exists() for name in routes(spec))


def ask(spec: LabSpec, line: str) -> object:
    """The relay's answer to one control line. Raises OSError when there is no relay."""
    with socket.socket(socket.AF_UNIX) as near:
        near.settimeout(5.0)
        near.connect(str(spec.paths.control_socket))
        near.sendall(line.encode() + b"\n")
        with near.makefile("rb") as answer:
            return json.loads(answer.readline())


def delays(spec: LabSpec) -> dict[str, float]:
    """Seconds that each delayed node's link waits, by node; empty when the relay is gone."""
    try:
        answer = ask(spec, "delays")
    except OSError:
        return {}
    if not isinstance(answer, dict):
        raise LabError(f"The relay answered {answer!r}.")
    return {Path(name).stem: float(seconds) for name, seconds in answer.items()}


def delay(spec: LabSpec, node: str, seconds: float) -> None:
    """From now on what goes to `node` or comes from it waits that long; 0 ends it."""
    answer = ask(spec, f"delay ssh/{node}.sock {seconds:g}")
    if answer != "ok":
        raise LabError(f"The relay would not delay {node}: {answer!r}.")
