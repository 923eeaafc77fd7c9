"""Watches HAProxy itself, on every balancer, and remembers the fewest servers that were fit at once.

    python3 observer.py BACKEND SOCKET...

Five times a second, until SIGTERM or until stdin closes; then one line of JSON: for each socket the fewest and the
newest count of servers that take new requests, and how often it was asked in vain.
"""

from __future__ import annotations

import csv
import json
import select
import signal
import socket
import sys
from dataclasses import asdict, dataclass

EVERY = 0.2  # seconds


@dataclass
class Seen:
    looks: int = 0
    blind: int = 0
    fewest: int | None = None
    newest: int | None = None


def fit(path: str, backend: str) -> int | None:
    """How many servers take new requests; None when the socket says nothing."""
    try:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(2)
            channel.connect(path)
            channel.sendall(b"show stat\n")
            said = b"".join(iter(lambda: channel.recv(65536), b"")).decode()
    except OSError:
        return None
    rows = [row for row in csv.DictReader(said.removeprefix("# ").splitlines()) if row["pxname"] == backend]
    servers = [row for row in rows if row["svname"] not in {"FRONTEND", "BACKEND"}]
    if not servers:
        return None
    return sum(row["status"].startswith(("UP", "no check")) and int(row["weight"] or 0) > 0 for row in servers)


def main(backend: str, paths: list[str]) -> dict[str, Seen]:
    seen = {path: Seen() for path in paths}
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: over.append(number))
    while not over:
        for path, one in seen.items():
            count = fit(path, backend)
            one.looks += 1
            if count is None:
                one.blind += 1
                continue
            one.newest = count
            one.fewest = count if one.fewest is None else min(one.fewest, count)
        if select.select([sys.stdin], [], [], EVERY)[0]:
            break
    return seen


if __name__ == "__main__":
    print(json.dumps({path: asdict(one) for path, one in main(sys.argv[1], sys.argv[2:]).items()}))
