"""The lab's keys and the operator's way in: host keys, the operator's key, known_hosts, ssh_config, inventory.

Host keys and the operator's key are made once for each lab and put into the nodes' disks before they boot, so that
known_hosts is exact from the first connection on.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Set as AbstractSet
from pathlib import Path

import tomlkit

from hactl.config.share import share_path
from hactl.lab import shell
from hactl.lab.spec import LabNode, LabSpec

LOGIN = "hactl"
KEY_FILE = "ssh_host_ed25519_key"


def make_keys(spec: LabSpec) -> None:
    """Makes what is missing of the host keys and the operator's key, kept with the lab's disks."""
    keys = spec.paths.host_keys
    keys.mkdir(parents=True, exist_ok=True)
    keys.chmod(0o700)
    for name, comment in [
        *((node.name, f"root@{node.name}") for node in spec.nodes),
        ("operator", f"{LOGIN}@{spec.name}"),
    ]:
        if not (keys / f"{name}.pub").exists():
            (keys / name).unlink(missing_ok=True)  # ssh-keygen was killed half-way: it asks before it overwrites
            shell.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", keys / name])


def operator_key(spec: LabSpec) -> str:
    """The line for the login user's authorized_keys."""
    return (spec.paths.host_keys / "operator.pub").read_text(encoding="ascii").strip()


def install_host_key(spec: LabSpec, node: LabNode, root: Path) -> None:
    """Puts the node's host key into a root file system."""
    target = root / "etc/ssh"
    target.mkdir(parents=True, exist_ok=True)
    for suffix, mode in (("", 0o600), (".pub", 0o644)):
        file = target / f"{KEY_FILE}{suffix}"
        shutil.copyfile(spec.paths.host_keys / f"{node.name}{suffix}", file)
        file.chmod(mode)


def write_access(spec: LabSpec) -> None:
    """Writes id_ed25519, known_hosts, ssh_config and inventory.toml into the lab's runtime folder."""
    paths, keys = spec.paths, spec.paths.host_keys
    _write(paths.identity, (keys / "operator").read_text(encoding="ascii"), 0o600)
    publics = {node.name: (keys / f"{node.name}.pub").read_text(encoding="ascii") for node in spec.nodes}
    _write(paths.known_hosts, known_hosts(spec, publics), 0o644)
    _write(paths.ssh_config, ssh_config(spec), 0o644)
    source = share_path("inventory", "lab.toml").read_text(encoding="utf-8")
    _write(paths.inventory, inventory(source, spec.name), 0o644)


def known_hosts(spec: LabSpec, public_keys: dict[str, str]) -> str:
    """One line a node, valid for its name and its address."""
    lines = []
    for node in spec.nodes:
        kind, blob, *_ = public_keys[node.name].split()
        lines.append(f"{node.name},{node.address} {kind} {blob}\n")
    return "".join(lines)


def ssh_config(spec: LabSpec) -> str:
    """For `ssh -F`: every node by name, through the relay. The helper hands ssh the connected socket and ends."""
    helper = Path(__file__).with_name("connect.py")
    blocks = [
        f"Host {node.name} {node.address}\n"
        f"  HostName {node.address}\n"
        f"  HostKeyAlias {node.name}\n"
        f"  ProxyCommand {sys.executable} -IS {helper} {spec.paths.ssh_socket(node.name)}\n"
        for node in spec.nodes
    ]
    shared = (
        "Host *\n"
        f"  User {LOGIN}\n"
        f"  IdentityFile {spec.paths.identity}\n"
        "  IdentitiesOnly yes\n"
        "  IdentityAgent none\n"
        f"  UserKnownHostsFile {spec.paths.known_hosts}\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  StrictHostKeyChecking yes\n"
        "  UpdateHostKeys no\n"
        "  ProxyUseFdpass yes\n"
        "  LogLevel ERROR\n"
    )
    return "\n".join([*blocks, shared])


def inventory(source: str, name: str) -> str:
    """The shipped inventory for a lab called `name`, comments kept: every path in it follows {cluster}."""
    document = tomlkit.parse(source)
    document["cluster"]["name"] = name
    return tomlkit.dumps(document)


def part(source: str, names: AbstractSet[str]) -> str:
    """The inventory `source` for only these of its nodes: no service, pool or server of another is in it."""
    document = tomlkit.parse(source)
    nodes = [node for node in document["nodes"] if node["name"] in names]
    roles = {role for node in nodes for role in node["roles"]}
    services = [
        service
        for service in document["services"]
        if service.get("role", "") in roles or names & set(service.get("nodes", ()))
    ]
    kept = {service["name"] for service in services}
    pools = [pool for pool in document.get("pools", ()) if {pool["service"], pool["balancer"]} <= kept]
    for pool in pools:
        servers = pool.get("servers", {})
        for name in set(servers) - names:
            del servers[name]
        pool["minimum"] = max(1, min(pool["minimum"], len(servers) - 1)) if servers else pool["minimum"]
    for key, tables in (("nodes", nodes), ("services", services), ("pools", pools)):
        document[key] = tables
    document["vips"] = [vip for vip in document.get("vips", ()) if vip["service"] in kept]
    if document["cluster"].get("drill_node", "") not in names:
        document["cluster"].pop("drill_node", None)
    thresholds = document.get("thresholds", {}).get("roles", {})
    for role in set(thresholds) - roles:
        del thresholds[role]
    return tomlkit.dumps(document)


def _write(path: Path, text: str, mode: int) -> None:
    """Replaces `path` in one step, so that a reader never sees half of it; unchanged files are left alone."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    draft.chmod(mode)
    draft.rename(path)
