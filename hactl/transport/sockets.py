"""Why a socket on a node cannot be opened. sshd says "open failed" for every reason; the node itself knows better."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hactl.model.command import Command, Completed
from hactl.model.errors import SocketAbsentError, SocketUnavailableError
from hactl.model.text import one_line

LISTENING = "listening"
"""The answer to `look` when the socket is in order: whoever could not open it was kept from it by sshd."""

# Answers one line: a word, then what goes with it. Only builtins and stat, so that it also runs on a bare node.
_LOOK = """
p=$1
if [ -S "$p" ]; then
    if [ ! -w "$p" ]; then echo "denied $(stat -Lc '%U:%G mode %a' -- "$p" 2>/dev/null)"; exit; fi
    while read -r _ _ _ flags _ _ _ name; do
        case $name in "$p"|"$p".*) [ "$flags" = 00010000 ] && { echo listening; exit; } ;; esac
    done < /proc/net/unix
    real=$(readlink -f -- "$p")
    while read -r _ _ _ flags _ _ _ name; do
        case $name in "$real"|"$real".*) [ "$flags" = 00010000 ] && { echo listening; exit; } ;; esac
    done < /proc/net/unix
    echo nobody
elif [ -e "$p" ]; then echo other
else
    d=$p
    while d=${d%/*}; [ -n "$d" ]; do
        if [ -d "$d" ]; then
            [ -x "$d" ] || { echo "hidden $d $(stat -Lc '%U:%G mode %a' -- "$d" 2>/dev/null)"; exit; }
            break
        fi
    done
    echo absent
fi
"""


def look(path: str) -> Command:
    """The question to the node: what about the Unix socket at `path`?"""
    return Command(("sh", "-c", _LOOK, "sh", path), timeout=5.0)


def explained(node: str, login: str, path: str, answer: Completed) -> SocketUnavailableError:
    """The node's answer to `look` as an error that says which case it is, and the remedy."""
    word, _, rest = answer.stdout.strip().partition(" ")
    owner = f" (it belongs to {one_line(rest)})" if rest else ""
    message, remedy = {
        "absent": (
            f"there is no socket {path}.",
            "Is the service running? Does the inventory name the right path?",
        ),
        "hidden": (
            f"{login} may not look for {path}: no way through {one_line(rest)}.",
            f"Give {login} search permission on that folder, mostly by its group.",
        ),
        "denied": (
            f"permission denied: {login} may not write to {path}{owner}.",
            f"Add {login} to the socket's group and let the group write, then connect anew.",
        ),
        "other": (f"{path} is not a socket.", "Correct the path in the inventory."),
        "nobody": (
            f"nobody listens on {path}; it was left behind.",
            "Restart the service that makes it.",
        ),
        LISTENING: (
            f"{path} is in order, but sshd forbids forwarding to it.",
            "Allow it in the node's sshd_config: AllowStreamLocalForwarding yes, DisableForwarding no.",
        ),
    }.get(word, (f"{path} cannot be opened.", f"The node says: {one_line(answer.stderr or answer.stdout)}"))
    kind = SocketAbsentError if word in {"absent", "nobody"} else SocketUnavailableError
    return kind(node, message, remedy=remedy)


async def why_not(
    run: Callable[[Command], Awaitable[Completed]], node: str, login: str, path: str
) -> SocketUnavailableError:
    """Ask the node why `path` could not be opened. Raises what `run` raises."""
    return explained(node, login, path, await run(look(path)))


def port_unavailable(
    node: str, host: str, port: int, reason: str, *, forbidden: bool = False, refused: bool = False
) -> SocketUnavailableError:
    """A TCP port as seen from the node. `refused`: nobody listens there, as opposed to no way or no answer."""
    if forbidden:
        return SocketUnavailableError(
            node,
            f"sshd forbids forwarding to {host} port {port}.",
            remedy="Allow it in the node's sshd_config: AllowTcpForwarding yes (or local), PermitOpen.",
        )
    kind = SocketAbsentError if refused else SocketUnavailableError
    return kind(
        node,
        f"cannot connect to {host} port {port} from there: {one_line(reason)}.",
        remedy="Is the service running and listening on that address?",
    )
