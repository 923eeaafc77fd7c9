"""Starts the client and the observer beside a lab, and brings their reports home."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hactl.lab import Lab
from hactl.lab.network import inside

HERE = Path(__file__).parent
BACKEND = "be_shop"


class Report(dict[str, object]):
    """What a program said last, filled in when it has ended."""


@contextmanager
def load(lab: Lab, rate: float = 200.0, *, warm: float = 2.0) -> Iterator[Report]:
    """Requests to the VIP at `rate` a second while the block runs, `warm` seconds before and after it."""
    argv = inside(lab.spec, [sys.executable, HERE / "client.py", f"{lab.spec.vip}:80", str(rate)])
    with _told(argv) as report:
        time.sleep(warm)
        yield report
        time.sleep(warm)


@contextmanager
def observer(lab: Lab, backend: str = BACKEND) -> Iterator[Report]:
    """The admin sockets of both balancers, looked at five times a second from outside."""
    sockets = {name: admin_socket(lab, name) for name in ("lb1", "lb2")}
    with _told([sys.executable, str(HERE / "observer.py"), backend, *sockets.values()]) as report:
        yield report
    for name, path in sockets.items():
        report[name] = report.pop(path)


def admin_socket(lab: Lab, balancer: str) -> str:
    """A path on this machine that leads into the balancer's own file system."""
    return f"/proc/{lab.machine(balancer).leader()}/root/run/haproxy/admin.sock"


@contextmanager
def _told(argv: list[str]) -> Iterator[Report]:
    report = Report()
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield report
        finally:
            said, _ = process.communicate(timeout=60)  # it ends when its stdin closes
    report.update(json.loads(said))
