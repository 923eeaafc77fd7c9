"""The lab's own network: one namespace with a bridge, no route out of it, and the faults a network can have.

Every fault is a nftables table or queueing discipline of its own, so that undoing it is deleting it, and what is
active can be read back from the kernel.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from hactl.lab import shell
from hactl.lab.spec import NETNS_DIRECTORY, PREFIX, RELAY_ADDRESS, LabSpec
from hactl.model.errors import LabError

BRIDGE = "br0"


def inside(spec: LabSpec, argv: Sequence[str | Path]) -> list[str]:
    """`argv` in the lab's network namespace. Not `ip netns exec`: it remounts /sys and hides the cgroups."""
    return ["nsenter", f"--net={NETNS_DIRECTORY / spec.netns}", "--", *map(str, argv)]


def up(spec: LabSpec) -> None:
    """Makes the namespace and its bridge; leaves existing ones alone."""
    if not (NETNS_DIRECTORY / spec.netns).exists():
        shell.run(["ip", "netns", "add", spec.netns])
    if shell.attempt(["ip", "-n", spec.netns, "link", "show", BRIDGE]).returncode != 0:
        batch = "\n".join(
            (
                "link set lo up",
                # A bridge that forwards at once: no node waits 15 s for its first packet.
                f"link add {BRIDGE} type bridge forward_delay 0",
                f"addr add {RELAY_ADDRESS}/{PREFIX} dev {BRIDGE}",
                f"link set {BRIDGE} up",
            )
        )
        shell.run(["ip", "-n", spec.netns, "-batch", "-"], stdin=batch)


def exists(spec: LabSpec) -> bool:
    return (NETNS_DIRECTORY / spec.netns).exists()


def down(spec: LabSpec) -> None:
    if exists(spec):
        shell.run(["ip", "netns", "delete", spec.netns])


def processes(spec: LabSpec) -> set[int]:
    """Processes that stand in the lab's own namespace (the nodes' are others)."""
    if not exists(spec):
        return set()
    return {int(pid) for pid in shell.run(["ip", "netns", "pids", spec.netns]).split()}


def ports(spec: LabSpec) -> dict[str, bool]:
    """The bridge's ports by name; whether each is up."""
    if not exists(spec):
        return {}
    links = json.loads(shell.run(["ip", "-n", spec.netns, "-json", "link", "show", "master", BRIDGE]) or "[]")
    return {link["ifname"]: "UP" in link["flags"] for link in links if link}


def load_rules(spec: LabSpec, rules: str) -> None:
    shell.run(inside(spec, ["nft", "-f", "-"]), stdin=rules)


def tables(spec: LabSpec) -> list[tuple[str, str]]:
    """(family, name) of every nftables table in the lab's namespace."""
    if not exists(spec):
        return []
    lines = shell.run(inside(spec, ["nft", "list", "tables"])).splitlines()
    return [(family, name) for _, family, name in (line.split() for line in lines)]


def delete_table(spec: LabSpec, name: str) -> None:
    """Deletes the table if it is there."""
    for family, found in tables(spec):
        if found == name:
            shell.run(inside(spec, ["nft", "delete", "table", family, name]))


def delete_tables(spec: LabSpec, prefix: str) -> list[str]:
    """Deletes the tables whose names start with `prefix`; their names."""
    gone = []
    for family, name in tables(spec):
        if name.startswith(prefix):
            shell.run(inside(spec, ["nft", "delete", "table", family, name]))
            gone.append(name)
    return gone


def cut_rules(table: str, links: Iterable[str], others: Iterable[str] | None) -> str:
    """Nftables text that stops all traffic between `links` and `others`; others None: everything else, the relay too.

    Traffic among `links` goes on, and so does that among `others`.
    """
    group = "{ " + ", ".join(f'"{link}"' for link in links) + " }"
    if others is None:
        forward = [f"iifname {group} oifname != {group} drop", f"iifname != {group} oifname {group} drop"]
        local = [f"  chain input {{ type filter hook input priority 0; iifname {group} drop; }}"]
        local += [f"  chain output {{ type filter hook output priority 0; oifname {group} drop; }}"]
    else:
        rest = "{ " + ", ".join(f'"{link}"' for link in others) + " }"
        forward = [f"iifname {group} oifname {rest} drop", f"iifname {rest} oifname {group} drop"]
        local = []
    body = "\n".join(f"    {rule};" for rule in forward)
    chain = f"  chain forward {{\n    type filter hook forward priority 0;\n{body}\n  }}"
    return "\n".join([f"table bridge {table} {{", chain, *local, "}"])


def loss_rules(table: str, link: str, percent: int) -> str:
    """Nftables text that drops `percent` of what arrives on `link`."""
    if not 0 < percent <= 100:
        raise LabError(f"{percent} percent of packets cannot be lost.", remedy="Say a number from 1 to 100.")
    return (
        f"table netdev {table} {{\n"
        f'  chain ingress {{ type filter hook ingress device "{link}" priority 0;\n'
        f"    numgen random mod 100 <= {percent - 1} drop; }}\n"
        "}"
    )
