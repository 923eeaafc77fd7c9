"""Where a node is and how to log in there: the inventory's word first, ~/.ssh/config where the inventory is silent.

Pure but for reading the configuration, which a `ConfigReader` of the SSH library in use does.
"""

from __future__ import annotations

import getpass
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from hactl.model.inventory import Algorithms, Node
from hactl.transport.known_hosts import lookup_names

Options: TypeAlias = Mapping[str, object]
"""Options of one host by lower-case name: str, int, bool or list of str; tokens are expanded."""

ConfigReader: TypeAlias = Callable[[tuple[str, ...], str], Options]
"""Reads ssh_config files for one host name. Raises ValueError for a file that cannot be understood, OSError."""

_TRUST_NOBODY = frozenset({"none", "/dev/null"})  # ways to say "no file" that must never come to mean "no check"
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")

KEX = (
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
)
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""Quick and accepted by every OpenSSH since 7.2; nothing that OpenSSH itself has retired."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Everything about reaching one node, decided."""

    node: str
    host: str
    port: int
    user: str
    names: tuple[str, ...]  # to look up in known_hosts, best first
    known_hosts: tuple[str, ...]
    identities: tuple[str, ...]  # private key files, in order
    identities_only: bool  # whether the agent may offer other keys than these
    agent: str  # the agent's socket; "" for none
    socket: str | None = None
    jump: tuple[str, ...] = ()  # each "user@host:port" or a node's name
    proxy_command: tuple[str, ...] = ()
    algorithms: Algorithms = field(default_factory=Algorithms)
    connect_timeout: float = 5.0
    keepalive: float = 2.0

    @property
    def where(self) -> str:
        """The address for people."""
        return f"socket {self.socket}" if self.socket else f"{self.host} port {self.port}"


def config_files(node: Node) -> tuple[str, ...]:
    """The ssh_config files that count for `node`."""
    if node.ssh.config is not None:
        return node.ssh.config
    default = os.path.expanduser("~/.ssh/config")  # noqa: PTH111 - once per node: no Path to build
    return (default,) if os.access(default, os.R_OK) else ()


def options_for(node: Node, read: ConfigReader) -> Options:
    """What ssh_config says about `node`, by its name and by its address.

    What is said of the name counts first, then what is said of the address, then what is said of everybody: "Host *"
    in the file must not hide a block for the address, so each is compared with what an unnamed host would get.
    """
    files = config_files(node)
    if not files:
        return {}
    everybody, by_address, by_name = (read(files, name) for name in ("\x01", node.address, node.name))
    merged = dict(everybody)
    for found in (by_address, by_name):
        merged.update({key: value for key, value in found.items() if everybody.get(key) != value})
    return merged


def resolve(node: Node, read: ConfigReader) -> Endpoint:
    """The endpoint of `node`. Raises ValueError or OSError for an ssh_config that cannot be used."""
    ssh, options = node.ssh, options_for(node, read)
    host = _text(options, "hostname") or node.address
    port = ssh.port or _number(options, "port") or 22
    identities, only = _identities(node, options)
    command = _text(options, "proxycommand")
    jump = ssh.proxy_jump if ssh.proxy_jump is not None else (_text(options, "proxyjump") or "")
    hops = () if jump.lower() == "none" else tuple(hop.strip() for hop in jump.split(",") if hop.strip())
    return Endpoint(
        node=node.name,
        host=host,
        port=port,
        user=ssh.user or _text(options, "user") or getpass.getuser(),
        names=lookup_names(host, port, ssh.host_key_alias or _text(options, "hostkeyalias"), node.name),
        known_hosts=_known_hosts(node, options),
        identities=identities,
        identities_only=only,
        agent=_agent(options),
        socket=ssh.socket,
        jump=() if ssh.socket else hops,
        proxy_command=() if ssh.socket or hops or not command else tuple(shlex.split(command)),
        algorithms=_algorithms(ssh.algorithms, options),
        connect_timeout=ssh.connect_timeout,
        keepalive=ssh.keepalive,
    )


def _identities(node: Node, options: Options) -> tuple[tuple[str, ...], bool]:
    if node.ssh.identity:
        return node.ssh.identity, True
    named = tuple(os.path.expanduser(path) for path in _list(options, "identityfile"))  # noqa: PTH111 - as above
    if named:
        return named, options.get("identitiesonly") in (True, "yes")
    return tuple(os.path.expanduser(f"~/.ssh/{name}") for name in _DEFAULT_KEYS), False  # noqa: PTH111 - as above


def _known_hosts(node: Node, options: Options) -> tuple[str, ...]:
    """Never empty: a configuration that wants no check gets the default files instead."""
    if node.ssh.known_hosts:
        return node.ssh.known_hosts
    named = [path for path in _list(options, "userknownhostsfile") if path.lower() not in _TRUST_NOBODY]
    return (*(os.path.expanduser(path) for path in named or ["~/.ssh/known_hosts"]), "/etc/ssh/ssh_known_hosts")  # noqa: PTH111 - as above


def _agent(options: Options) -> str:
    named = _text(options, "identityagent")
    if named and named.lower() == "none":
        return ""
    if named and named != "SSH_AUTH_SOCK":
        return os.path.expanduser(named)  # noqa: PTH111 - as above
    return os.environ.get("SSH_AUTH_SOCK", "")


def _algorithms(ours: Algorithms, options: Options) -> Algorithms:
    """The inventory's lists, else those of ssh_config ("+x" and "-x" edit OpenSSH's defaults: not used), else ours."""

    def choose(named: tuple[str, ...], option: str, default: tuple[str, ...]) -> tuple[str, ...]:
        configured = _text(options, option) or ""
        plain = tuple(configured.split(",")) if configured and configured[0] not in "+-^" else ()
        return named or plain or default

    return Algorithms(
        kex=choose(ours.kex, "kexalgorithms", KEX),
        ciphers=choose(ours.ciphers, "ciphers", CIPHERS),
        macs=choose(ours.macs, "macs", MACS),
        host_keys=choose(ours.host_keys, "hostkeyalgorithms", HOST_KEYS),
    )


def offered_host_keys(wanted: tuple[str, ...], stored: tuple[str, ...]) -> tuple[str, ...]:
    """Host key algorithms in the order to offer: those of the stored key types first.

    The others follow, so that a server whose key changed its type still shows its key and can be told from a stranger.
    """
    known = {name for kind in stored for name in (("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,))}
    return tuple(sorted(wanted, key=lambda name: name not in known))


def _text(options: Options, key: str) -> str | None:
    value = options.get(key)
    return value if isinstance(value, str) and value else None


def _number(options: Options, key: str) -> int | None:
    value = options.get(key)
    return int(value) if isinstance(value, int | str) else None


def _list(options: Options, key: str) -> tuple[str, ...]:
    value = options.get(key)
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def jump_endpoint_parts(hop: str) -> tuple[str | None, str, int | None]:
    """User, host and port of "user@host:port"; an IPv6 address with a port stands in brackets. Raises ValueError."""
    user, _, rest = hop.rpartition("@")
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    else:
        host, port = rest, ""
    if not host:
        raise ValueError(f"{hop!r} names no host")
    return user or None, host, int(port) if port else None
