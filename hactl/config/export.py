"""The inventory in other programs' words: Ansible's, OpenSSH's, and plain JSON.

Everything is a pure function of the inventory. `pipe` is the command (argv without the socket's path) that connects to
a Unix socket and hands the connection to ssh; it serves nodes that are reached through one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hactl.config.codec import Json, to_json
from hactl.model.inventory import Algorithms, BecomeMethod, Inventory, Node, SshSettings, Standing, TransportKind

FORMAT = 1  # of the JSON export; grows when a field changes its meaning


def json_document(inventory: Inventory) -> dict[str, Json]:
    """Everything that the inventory says, resolved: defaults filled in, roles expanded, paths absolute."""
    document = to_json(inventory)
    if not isinstance(document, dict):
        raise TypeError("an inventory is a table")
    return {"format": FORMAT, **document}


def ssh_config(inventory: Inventory, pipe: Sequence[str]) -> str:
    """A complete ssh_config: `ssh -F FILE NODE` goes the way that hactl goes. Ends with a newline."""
    lines = [f"# The nodes of {inventory.name}, written by `hactl inventory export --format ssh-config`."]
    for node in inventory.nodes.values():
        lines += ["", f"Host {node.name}"]
        if node.ssh.transport is TransportKind.LOCAL:
            lines.append("  # hactl does not use ssh for this node: it is the machine that hactl runs on.")
        lines += [f"  {key} {value}" for key, value in _options(node, pipe)]
        lines += [f"  Include {_word(path)}" for path in _config_files(node.ssh)]
    return "\n".join(lines) + "\n"


def ssh_argv(inventory: Inventory, node: Node, pipe: Sequence[str]) -> tuple[str, ...]:
    """The command line that logs in to `node` with OpenSSH, the way that hactl goes."""
    return ("ssh", *_ssh_words(inventory, node, pipe, told=frozenset()), node.name)


def _config_files(ssh: SshSettings) -> tuple[str, ...]:
    return ("~/.ssh/config",) if ssh.config is None else ssh.config


def _options(node: Node, pipe: Sequence[str]) -> Iterator[tuple[str, str]]:
    """ssh_config options that say what the node's settings say, values quoted for ssh_config."""
    ssh = node.ssh
    yield "HostName", node.address
    if ssh.user is not None:
        yield "User", _word(ssh.user)
    if ssh.port is not None:
        yield "Port", str(ssh.port)
    for path in ssh.identity:
        yield "IdentityFile", _word(path.replace("%", "%%"))
    if ssh.identity:
        yield "IdentitiesOnly", "yes"
    yield "StrictHostKeyChecking", "yes"
    if ssh.known_hosts:
        yield "UserKnownHostsFile", " ".join(_word(path.replace("%", "%%")) for path in ssh.known_hosts)
    if ssh.host_key_alias is not None:
        yield "HostKeyAlias", _word(ssh.host_key_alias)
    if ssh.proxy_jump is not None:
        yield "ProxyJump", ssh.proxy_jump
    if ssh.socket is not None:
        yield "ProxyCommand", shlex.join([*pipe, ssh.socket]).replace("%", "%%")
        yield "ProxyUseFdpass", "yes"
    yield "ConnectTimeout", str(max(1, round(ssh.connect_timeout)))
    yield "ServerAliveInterval", str(max(1, round(ssh.keepalive)))
    yield from _algorithms(ssh.algorithms)


def _algorithms(names: Algorithms) -> Iterator[tuple[str, str]]:
    given = {
        "KexAlgorithms": names.kex,
        "Ciphers": names.ciphers,
        "MACs": names.macs,
        "HostKeyAlgorithms": names.host_keys,
    }
    yield from ((key, ",".join(choice)) for key, choice in given.items() if choice)


def _word(value: str) -> str:
    """One argument of an ssh_config line."""
    return f'"{value}"' if re.search(r"[\s#]", value) else value


def ansible(inventory: Inventory, pipe: Sequence[str]) -> dict[str, Json]:
    """An Ansible inventory (YAML or JSON): hosts with their way in; groups role_R, site_S, service_S, pool_P, spare."""
    groups: dict[str, list[str]] = {}
    for node in inventory.nodes.values():
        for role in node.roles:
            groups.setdefault(_group("role", role), []).append(node.name)
        groups.setdefault(_group("site", node.site), []).append(node.name)
        if node.standing is Standing.SPARE:
            groups.setdefault("spare", []).append(node.name)
    for service in inventory.services.values():
        groups.setdefault(_group("service", service.name), []).extend(service.nodes)
    for pool in inventory.pools.values():
        groups.setdefault(_group("pool", pool.name), []).extend(pool.servers)
    children: dict[str, Json] = {
        group: {"hosts": {name: {} for name in members}} for group, members in groups.items() if group != "all"
    }
    hosts: dict[str, Json] = {node.name: _host_vars(inventory, node, pipe) for node in inventory.nodes.values()}
    return {"all": {"hosts": hosts, "children": children}}


def _group(kind: str, name: str) -> str:
    """A group's name, which Ansible wants to be an identifier: `-` and `.` become `_`."""
    return f"{kind}_{re.sub(r'[^a-z0-9_]', '_', name)}"


def _host_vars(inventory: Inventory, node: Node, pipe: Sequence[str]) -> Json:
    values: dict[str, Json] = {"ansible_host": node.address}
    if node.ssh.transport is TransportKind.LOCAL:
        values["ansible_connection"] = "local"
    else:
        if node.ssh.user is not None:
            values["ansible_user"] = node.ssh.user
        if node.ssh.port is not None:
            values["ansible_port"] = node.ssh.port
        values["ansible_ssh_common_args"] = shlex.join(
            _ssh_words(inventory, node, pipe, told=frozenset({"HostName", "User", "Port"}))
        )
    if node.ssh.become is BecomeMethod.SUDO:
        values["ansible_become_method"] = "sudo"
    return values | {"hactl_site": node.site, "hactl_roles": list(node.roles), "hactl_labels": dict(node.labels)}


def _ssh_words(inventory: Inventory, node: Node, pipe: Sequence[str], *, told: frozenset[str]) -> list[str]:
    """The words for an ssh command line that say how `node` is reached, but for the options in `told`."""
    words: list[str] = []
    if node.ssh.config is not None:
        words += ["-F", node.ssh.config[0] if node.ssh.config else "none"]
    for key, value in _options(node, pipe):
        if key == "ProxyJump" and (through := _through(inventory, value.split(","), pipe)):
            words += ["-o", f"ProxyCommand={through}"]
        elif key not in told:
            words += ["-o", f"{key}={value}"]
    return words


def _through(inventory: Inventory, hops: Sequence[str], pipe: Sequence[str]) -> str | None:
    """A ProxyCommand that goes over `hops` to %h:%p; None when no hop is a node, so that ProxyJump says the same.

    ProxyJump cannot name a node here, because no ssh_config says what the name means.
    """
    *before, last = hops
    node = inventory.nodes.get(last)
    if node is None:
        return None if not any(hop in inventory.nodes for hop in before) else _beyond(inventory, before, last, pipe)
    if before:
        node = replace(node, ssh=replace(node.ssh, proxy_jump=",".join(before)))
    words = _ssh_words(inventory, node, pipe, told=frozenset({"HostName"}))
    return _proxy_command(words, node.address)


def _beyond(inventory: Inventory, before: Sequence[str], host: str, pipe: Sequence[str]) -> str:
    """A ProxyCommand to a machine that is no node, over hops of which some are."""
    through = _through(inventory, before, pipe)
    return _proxy_command(["-o", "StrictHostKeyChecking=yes", "-o", f"ProxyCommand={through}"], f"ssh://{host}")


def _proxy_command(words: Sequence[str], host: str) -> str:
    way = shlex.join(["ssh", *words]).replace("%", "%%")  # only what follows is for ssh to fill in
    return f"{way} -W '[%h]:%p' {shlex.quote(host)}"
