"""What a lab is, as data: its nodes, its names and its paths. Pure but for reading the inventory file.

Every name that the kernel sees (namespace, cgroup, link, machine) derives from the lab's name here and nowhere else, so
that two labs stand side by side and cleaning up can recognise what belongs to which.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli

from hactl.config.share import share_path
from hactl.model.errors import LabError

PREFIX = 21
"""All lab addresses are in one /21: both sites, the VIP and the relay's own address."""

RELAY_ADDRESS = "192.168.56.1"
"""The lab's bridge, from which the relay speaks to the nodes; to them it is the control node."""

RUN_ROOT = Path("/run/hactl-lab")
STATE_ROOT = Path("/var/lib/hactl-lab")
CACHE_ROOT = Path("/var/cache/hactl-lab")

NETNS_DIRECTORY = Path("/run/netns")
LINK_NAME_MAX = 15  # IFNAMSIZ less its NUL
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")


@dataclass(frozen=True, slots=True)
class LabNode:
    """One machine of the lab. `roles` is never empty; the first one is what it is provisioned as."""

    name: str
    address: str
    site: str
    roles: tuple[str, ...]

    @property
    def role(self) -> str:
        return self.roles[0]


@dataclass(frozen=True, slots=True)
class LabSpec:
    """A named lab: which nodes it has (perhaps a part of the inventory's) and its VIP ("" when there is none)."""

    name: str
    nodes: tuple[LabNode, ...]
    vip: str
    whole: bool = True  # every node of the inventory is in it

    def node(self, name: str) -> LabNode:
        """Raises LabError for a name that is not in the lab."""
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.nodes)
        raise LabError(f"The lab {self.name} has no node {name!r}.", remedy=f"Its nodes are {known}.")

    def select(self, selector: str) -> tuple[LabNode, ...]:
        """Nodes by name, `role:NAME` or `site:NAME`; a role or site that nobody has selects nothing."""
        kind, colon, value = selector.partition(":")
        if not colon:
            return (self.node(selector),)
        if kind == "role":
            return tuple(node for node in self.nodes if value in node.roles)
        if kind == "site":
            return tuple(node for node in self.nodes if value == node.site)
        raise LabError(f"{selector!r} selects nothing.", remedy="Say NODE, role:NAME or site:NAME.")

    def machine(self, node: str) -> str:
        """The machine's name, short enough that `vb-` plus it is an interface name."""
        plain = f"{self.name}-{node}"
        if len(plain) + len("vb-") <= LINK_NAME_MAX:
            return plain
        return f"{node[:7]}-{hashlib.sha256(plain.encode()).hexdigest()[:4]}"

    def link(self, node: str) -> str:
        """The node's port on the lab's bridge, inside the lab's network namespace."""
        return f"vb-{self.machine(node)}"

    @property
    def netns(self) -> str:
        return f"hactl-{self.name}"

    @property
    def paths(self) -> LabPaths:
        return LabPaths(self.name)


def lab_of(inventory: str) -> str:
    """The running lab whose own inventory stands at this path; "" when it is no lab's."""
    path = Path(inventory)
    return path.parent.name if path.name == "inventory.toml" and path.parent.parent == RUN_ROOT else ""


@dataclass(frozen=True, slots=True)
class LabPaths:
    """Where a lab keeps what: `run` dies with `down`, `state` (the nodes' disks) stays until a reset."""

    name: str

    @property
    def run(self) -> Path:
        return RUN_ROOT / self.name

    @property
    def lock(self) -> Path:
        return RUN_ROOT / f"{self.name}.lock"

    @property
    def state(self) -> Path:
        return STATE_ROOT / self.name

    @property
    def sockets(self) -> Path:
        return self.run / "ssh"

    def ssh_socket(self, node: str) -> Path:
        return self.sockets / f"{node}.sock"

    @property
    def vip_socket(self) -> Path:
        return self.run / "vip.sock"

    @property
    def control_socket(self) -> Path:
        return self.run / "relay.sock"

    @property
    def identity(self) -> Path:
        return self.run / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.run / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        return self.run / "ssh_config"

    @property
    def inventory(self) -> Path:
        return self.run / "inventory.toml"

    @property
    def life(self) -> Path:
        """Holds a word that is another one each time the lab comes up from nothing."""
        return self.run / "life"

    @property
    def shelf(self) -> Path:
        """Where the exercises of all labs are written down; a reset leaves it alone."""
        return STATE_ROOT

    @property
    def faults(self) -> Path:
        """The active faults; with the disks, because some faults are on them."""
        return self.state / "faults"

    @property
    def host_keys(self) -> Path:
        return self.state / "host-keys"

    def disk(self, node: str) -> Path:
        """The node's own folder: upper, work and root of its overlay, and its console's log."""
        return self.state / "nodes" / node

    def root(self, node: str) -> Path:
        return self.disk(node) / "root"


def check_name(name: str) -> str:
    """Returns `name` when it can name a lab; raises LabError otherwise."""
    if _NAME.fullmatch(name):
        return name
    raise LabError(
        f"{name!r} cannot name a lab.",
        remedy="Use a lower-case letter, then up to 19 lower-case letters, digits and dashes.",
    )


def load_spec(name: str, nodes: Sequence[str] = ()) -> LabSpec:
    """The lab called `name` with the inventory's nodes, or only those named in `nodes`."""
    document = tomli.loads(share_path("inventory", "lab.toml").read_text(encoding="utf-8"))
    every = tuple(
        LabNode(entry["name"], entry["address"], entry["site"], tuple(entry["roles"])) for entry in document["nodes"]
    )
    vips = document.get("vips", [])
    spec = LabSpec(check_name(name), every, vips[0]["address"] if vips else "")
    if not nodes:
        return spec
    wanted = {spec.node(node).name for node in nodes}
    part = tuple(node for node in every if node.name in wanted)
    return LabSpec(name, part, spec.vip, whole=len(part) == len(every))
