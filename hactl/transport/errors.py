"""What can go wrong on the way to a node, in hactl's words. Both SSH libraries are translated through these functions.

Each error says what happened and where, and its remedy what to do next, as commands where there are any.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

from hactl.model.errors import (
    AuthenticationError,
    BecomeDeniedError,
    ChannelError,
    CommandTimeoutError,
    ConnectionLostError,
    ConnectTimeoutError,
    HostKeyChangedError,
    HostKeyError,
    HostKeyUnknownError,
    KeyEncryptedError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from hactl.model.text import one_line
from hactl.transport.become import Refusal
from hactl.transport.endpoint import Endpoint
from hactl.transport.gate import SessionGate
from hactl.transport.known_hosts import Entry, HostKey, Trust

_MAX_STARTUPS = "Its sshd may be at MaxStartups or a firewall may cut the connection: see `journalctl -u ssh` there."


def from_os_error(endpoint: Endpoint, error: OSError) -> TransportError:
    """A system error while connecting."""
    if isinstance(error, socket.gaierror):
        return UnreachableError(
            endpoint.node,
            f"the name {endpoint.host!r} has no address ({error.strerror or error}).",
            remedy="Correct the node's address in the inventory, or this machine's name resolution.",
        )
    if error.errno == errno.ETIMEDOUT:
        return connect_timeout(endpoint)
    if error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        return cut_short(endpoint)
    return _unreachable(endpoint, error)


def _unreachable(endpoint: Endpoint, error: OSError) -> UnreachableError:
    node, where, number = endpoint.node, endpoint.where, error.errno
    if number == errno.ECONNREFUSED:
        remedy = f"Is sshd running there? Try `systemctl status ssh` on the console of {node}."
        if endpoint.socket:
            remedy = "Nothing listens on that socket: start what should (for the lab, `hactl lab up`)."
        return UnreachableError(node, f"connection refused at {where}.", remedy=remedy)
    if number in (errno.ENOENT, errno.ENOTSOCK) and endpoint.socket:
        return UnreachableError(
            node, f"there is no {where}.", remedy="Start what makes it (for the lab, `hactl lab up`)."
        )
    if number in (errno.EACCES, errno.EPERM) and endpoint.socket:
        return UnreachableError(node, f"this user may not open {where}.", remedy=f"See `ls -l {endpoint.socket}`.")
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        return UnreachableError(
            node,
            f"no route to {where}.",
            remedy="Check the node's power and network, and the VPN or jump host on the way.",
        )
    return UnreachableError(node, f"cannot connect to {where}: {error.strerror or error}.")


def connect_timeout(endpoint: Endpoint, phase: str = "") -> ConnectTimeoutError:
    """`phase` says what was being waited for, when known."""
    waited = f" while {phase}" if phase else ""
    return ConnectTimeoutError(
        endpoint.node,
        f"no answer from {endpoint.where} within {endpoint.connect_timeout:g} s{waited}.",
        remedy="The node may be off, overloaded or cut off; a slow link needs a larger ssh.connect_timeout.",
    )


def cut_short(endpoint: Endpoint) -> UnreachableError:
    return UnreachableError(
        endpoint.node, f"{endpoint.where} closed the connection before the login.", remedy=_MAX_STARTUPS
    )


def not_ssh(endpoint: Endpoint, detail: str) -> UnreachableError:
    return UnreachableError(
        endpoint.node,
        f"no SSH session can be agreed with {endpoint.where}: {one_line(detail)}",
        remedy="Check the port, and ssh.algorithms in the inventory against `sshd -T` on the node.",
    )


def host_key(endpoint: Endpoint, presented: HostKey | None, entries: Sequence[Entry], trust: Trust) -> HostKeyError:
    """The node's host key is not the trusted one; nothing was sent."""
    node, name = endpoint.node, endpoint.names[0]
    shown = str(presented) if presented else "a key that could not be read"
    if trust is Trust.REVOKED:
        return HostKeyError(
            node,
            f"the host key of {endpoint.where}, {shown}, is marked as revoked in known_hosts.",
            remedy="Somebody withdrew this key: do not connect before it is known why.",
        )
    if trust is Trust.CHANGED:
        stored = "; ".join(f"{entry.host_key} at {entry.path}:{entry.line}" for entry in entries if not entry.marker)
        return HostKeyChangedError(
            node,
            f"the host key of {endpoint.where} has CHANGED. Presented: {shown}. Stored for {name}: {stored}. "
            "Nothing was sent.",
            remedy="If the node was reinstalled, compare the fingerprint on its console and run "
            f"`hactl trust --replace {node}`; if not, somebody may be in between.",
        )
    return HostKeyUnknownError(
        node,
        f"the host key of {endpoint.where} is not known. Presented: {shown}. "
        f"Nothing is stored for {name} in {' or '.join(endpoint.known_hosts)}; nothing was sent.",
        remedy=f"Run `hactl trust {node}` and compare the fingerprint.",
    )


def login_refused(endpoint: Endpoint, offered: Sequence[str], notes: Sequence[str]) -> AuthenticationError:
    """The node took none of the keys. `offered` are descriptions of keys, `notes` why others were not offered."""
    tried = ", ".join(offered) or "no key at all"
    why = f" ({'; '.join(notes)})" if notes else ""
    return AuthenticationError(
        endpoint.node,
        f"{endpoint.where} does not let {endpoint.user} in; offered: {tried}{why}.",
        remedy=f"Put one of these public keys into ~{endpoint.user}/.ssh/authorized_keys there, or name the right "
        "ssh.identity or ssh.user in the inventory.",
    )


def key_encrypted(endpoint: Endpoint, paths: Sequence[str], *, wrong: bool = False) -> KeyEncryptedError:
    """An identity is encrypted and there is no agent and nobody to ask; `wrong`: what was typed did not open it."""
    path = paths[0]
    why = "the passphrase was not right" if wrong else "no agent holds it, and there is no terminal to ask on"
    return KeyEncryptedError(
        endpoint.node,
        f"the key {path} is encrypted; {why}.",
        remedy=f"Run `ssh-add {path}` (with an ssh-agent running).",
    )


def lost(node: str, why: str) -> ConnectionLostError:
    why = one_line(why).removeprefix("Connection lost").removeprefix(": ")  # asyncssh says again what we say
    return ConnectionLostError(
        node,
        f"the connection was lost: {why or 'the far side closed it'}.",
        remedy="What was under way has an unknown outcome; it is looked at again after the reconnect.",
    )


def unanswered(node: str, keepalive: float) -> ConnectionLostError:
    """The peer was silent for three keepalives."""
    return lost(node, f"no answer to three keepalives, one each {keepalive:g} s")


def timed_out(node: str, what: str, seconds: float, *, mutates: bool = False) -> CommandTimeoutError:
    outcome = " Whether it took effect is unknown." if mutates else ""
    return CommandTimeoutError(
        node,
        f"no answer to `{one_line(what)}` within {seconds:g} s.{outcome}",
        remedy="The node may be overloaded: see `hactl doctor`.",
    )


def no_session(node: str, gate: SessionGate, seconds: float) -> TransportError:
    """No session could be opened in time: all are taken, or the server opens none, or it does not answer."""
    if gate.active >= gate.limit:
        return CommandTimeoutError(
            node,
            f"none of the {gate.limit} sessions of the connection came free within {seconds:g} s.",
            remedy="Raise MaxSessions in the node's sshd_config and ssh.max_sessions in the inventory.",
        )
    if gate.refusal:
        return ChannelError(
            node,
            f"sshd opens no session: {one_line(gate.refusal)}.",
            remedy="Check MaxSessions in the node's sshd_config; commands that do not end may hold every session.",
        )
    return timed_out(node, "open a session", seconds)


def impossible_argument(node: str, error: ValueError) -> UnsupportedError:
    return UnsupportedError(node, f"the command cannot be sent: {error}.")


def become_denied(node: str, why: Refusal, shown: str, rule: str) -> BecomeDeniedError:
    """Sudo did not run `shown`; `rule` would allow it."""
    messages = {
        Refusal.WANTS_PASSWORD: f"sudo does not run `{shown}` without a password.",
        Refusal.NOT_ALLOWED: f"sudo does not allow `{shown}`.",
        Refusal.WRONG_PASSWORD: f"sudo did not accept the password; `{shown}` was not run and no further try is made.",
        Refusal.ABSENT: f"sudo is not installed, so `{shown}` cannot run as another user.",
    }
    remedy = f"Add with visudo: {rule}"
    if why is Refusal.ABSENT:
        remedy = 'Install sudo there, or log in as the user who may and set ssh.become = "none".'
    return BecomeDeniedError(node, messages[why], rule=rule, remedy=remedy)


def bad_config(node: str, error: Exception) -> UnreachableError:
    return UnreachableError(
        node,
        f"the ssh configuration cannot be used: {one_line(str(error))}.",
        remedy="Correct the ssh_config file, or name another with ssh.config in the inventory.",
    )
