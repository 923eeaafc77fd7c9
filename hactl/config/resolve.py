"""What entries mean together: [ssh] merged into nodes, paths expanded, thresholds completed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hactl.config.schema import MetricsEntry, NodeEntry, SshEntry
from hactl.config.values import address
from hactl.model.inventory import Threshold
from hactl.model.metrics import METRICS

_HOP = re.compile(r"(?:(?P<user>[^@\s,]+)@)?(?:\[(?P<ip6>[0-9A-Fa-f:.]+)\]|(?P<host>[^@\s,:]+))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Scope:
    """What {cluster} and {node} stand for, and the folder that relative paths start from."""

    cluster: str
    node: str
    folder: Path = Path()

    def expand(self, path: str) -> str:
        """`path` with placeholders and ~ replaced, made absolute by the inventory's folder."""
        filled = path.replace("{cluster}", self.cluster).replace("{node}", self.node)
        return os.path.normpath(self.folder / os.path.expanduser(filled))  # noqa: PTH111 - an unknown ~user stays


def effective_ssh(defaults: SshEntry, node: NodeEntry) -> SshEntry:
    """The defaults with the node's own keys over them."""
    own = {key: getattr(node.ssh, key) for key in node.ssh.model_fields_set}
    return defaults.model_copy(update=own)


def socket_path(given: str | None) -> str | None:
    return None if given == "none" else given


def jumps(node: str, given: str | None) -> list[str]:
    """The hops to `node`, first one first. A jump host that inherits itself from [ssh] is reached directly."""
    if given is None or given == "none":
        return []
    hops = given.split(",")
    return [] if node in hops else hops


def host_of(hop: str) -> str | None:
    """The host of [USER@]HOST[:PORT], an IPv6 address in brackets; None when `hop` does not read so."""
    found = _HOP.fullmatch(hop)
    if found is None or not 0 < int(found["port"] or 22) < 65536:
        return None
    host = found["ip6"] or found["host"]
    try:
        return address(host)
    except ValueError:
        return None


def levels(entry: MetricsEntry, base: Mapping[str, Threshold]) -> dict[str, Threshold]:
    """The complete threshold of each metric that `entry` gives; a level it leaves away is taken from `base`."""
    complete: dict[str, Threshold] = {}
    for name, given in entry.levels().items():
        otherwise = base.get(name, METRICS[name].default)
        complete[name] = Threshold(
            warn=given.warn if "warn" in given.model_fields_set else otherwise.warn,
            crit=given.crit if "crit" in given.model_fields_set else otherwise.crit,
            below=METRICS[name].default.below,
        )
    return complete
