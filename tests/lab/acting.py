"""An operator at a shell, acting on the lab; and what the lab itself says, asked without hactl."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from hactl.lab import Lab
from tests.cli.driving import environment, hactl

APPS = ("app1", "app2", "app3")
SERVERS = {"app1": "shop-a", "app2": "shop-b", "app3": "shop-c"}
BALANCERS = ("lb1", "lb2")
OLD, GOOD, BAD = "1.0.0", "1.1.0", "1.2.0"

Done = subprocess.CompletedProcess[str]


class Operator:
    """Somebody with a home and a journal of their own."""

    def __init__(self, lab: Lab, home: Path, inventory: Path | None = None) -> None:
        self.lab, self.home, self.inventory = lab, home, inventory or lab.paths.inventory

    def __call__(self, *args: str, timeout: float = 240, **env: str) -> Done:
        """One `hactl` command to its end."""
        return hactl("-i", str(self.inventory), *args, home=self.home, timeout=timeout, **env)

    def begin(self, *args: str) -> subprocess.Popen[str]:
        """One that goes on in the background, in a session of its own like a terminal's."""
        words = [sys.executable, "-m", "hactl", "-i", str(self.inventory), *args]
        return subprocess.Popen(
            words,
            env=environment(self.home),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def json(self, *args: str) -> dict[str, object]:
        done = self(*args, "-o", "json")
        assert done.returncode in {0, 7}, done.stderr + done.stdout
        document: dict[str, object] = json.loads(done.stdout)
        return document

    def findings(self) -> dict[str, tuple[str, str]]:
        """What `hactl status` has to say: sentence and hint, by key."""
        found: list[dict[str, str]] = self.json("status")["findings"]  # type: ignore[assignment]
        return {one["key"]: (one["sentence"], one["hint"]) for one in found}

    def runners(self) -> list[int]:
        """The processes that carry out this operator's runs."""
        return [
            process.pid
            for process in psutil.process_iter(["cmdline", "environ"])
            if "hactl.control.runner" in (process.info["cmdline"] or ())
            and (process.info["environ"] or {}).get("HOME") == str(self.home)
        ]

    def kill_runner(self) -> None:
        """As the kernel does when it needs memory: at once and without a word."""
        for pid in self.runners():
            os.kill(pid, signal.SIGKILL)
        until(lambda: not self.runners(), "the runner is gone")


def until(true: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


def servers(lab: Lab, balancer: str, backend: str = "be_shop") -> Mapping[str, str]:
    """What HAProxy says of each server: "UP", "DRAIN", "MAINT" ..."""
    done = lab.exec(balancer, ["sh", "-c", "echo show stat | socat -t 5 - /run/haproxy/admin.sock"])
    rows = csv.DictReader(done.stdout.removeprefix("# ").splitlines())
    own = (row for row in rows if row["pxname"] == backend)
    return {row["svname"]: row["status"] for row in own if row["svname"] not in {"FRONTEND", "BACKEND"}}


def state(lab: Lab, node: str) -> tuple[str, ...]:
    """A node's server on each balancer."""
    return tuple(servers(lab, balancer)[SERVERS[node]] for balancer in BALANCERS)


def drained(lab: Lab, node: str) -> bool:
    return all(word.startswith("DRAIN") for word in state(lab, node))


def all_up(lab: Lab) -> bool:
    return all(word == "UP" for node in APPS for word in state(lab, node))


def version(lab: Lab, node: str) -> str:
    """Of the package, and of what runs."""
    package = lab.exec(node, ["dpkg-query", "-W", "-f", "${Version}", "shop"]).stdout.strip()
    running = lab.exec(node, ["curl", "-s", "-m", "5", "http://127.0.0.1:8080/version"]).stdout.strip()
    return package if package == running else f"package {package}, running {running}"


def versions(lab: Lab) -> dict[str, str]:
    return {node: version(lab, node) for node in APPS}


def set_back(lab: Lab, to: str = OLD) -> None:
    """The lab as it was before anybody acted: version, pool, balancers."""
    for node in APPS:
        if version(lab, node) != to:
            install = ["apt-get", "install", "-y", "-q", "--allow-downgrades", f"shop={to}"]
            done = lab.exec(node, install, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
    for balancer in BALANCERS:
        for server in SERVERS.values():
            words = f"echo set server be_shop/{server} state ready | socat -t 5 - /run/haproxy/admin.sock"
            lab.exec(balancer, ["sh", "-c", words])
    until(lambda: all_up(lab), "every server up on both balancers")
