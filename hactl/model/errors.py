"""The one tree of errors. A message says what, where and what to do; the CLI maps a class to an exit code once.

Third-party exceptions are translated into this tree at the boundary where they arise (SSH in `transport`, TOML in
`config`) and never travel further.
"""

from __future__ import annotations


class HactlError(Exception):
    """Base of everything hactl reports on purpose.

    `message` is a sentence without the remedy; `remedy` is what to do about it (may be empty); `code` is stable and
    documented in docs/reference/errors.md.
    """

    code = "error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class InputError(HactlError):
    """What the operator gave cannot be used: exit code 2."""

    code = "input"


class InventoryError(InputError):
    """One or more problems in an inventory; `problems` holds every one, in file order."""

    code = "inventory"

    def __init__(self, message: str, problems: tuple[str, ...] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems


class LimitError(InputError):
    """A `--limit` expression that names nothing in the inventory or cannot be read."""

    code = "limit"


class PlaybookError(InputError):
    """One or more problems in a playbook, or none of that name; `problems` holds every one, in file order."""

    code = "playbook"

    def __init__(self, message: str, problems: tuple[str, ...] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems


class ScenarioError(InputError):
    """One or more problems in an exercise of the lab, or none of that name; `problems` holds every one."""

    code = "scenario"

    def __init__(self, message: str, problems: tuple[str, ...] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems


class RecordingError(InputError):
    """A recording that cannot be read; the message says where: FILE:LINE, counted in the lines as `zcat` shows them."""

    code = "recording"


class SettingsError(InputError):
    """One or more problems in the dashboard's settings; `problems` holds every one, in file order."""

    code = "settings"

    def __init__(self, message: str, problems: tuple[str, ...] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems


class RunNotFoundError(InputError):
    """No run of that name is in the journal, or it is not in a state in which this can be done with it."""

    code = "run"


class GuardError(HactlError):
    """Guards refuse; `reasons` holds every refusal, each with the override that sets it aside."""

    code = "refused"

    def __init__(self, message: str, reasons: tuple[str, ...] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.reasons = reasons


class PlanChangedError(HactlError):
    """What was confirmed no longer holds: the cluster has changed since. `changes` says how. Plan again."""

    code = "plan-changed"

    def __init__(self, message: str, changes: tuple[str, ...] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.changes = changes


class LockHeldError(HactlError):
    """Somebody else holds the cluster's lock; the message says who, for what, since when, from where."""

    code = "lock-held"


class LockError(HactlError):
    """The cluster's lock could not be taken on a majority of its nodes, or was lost."""

    code = "lock"


class StateError(HactlError):
    """A file that hactl keeps of its own doings cannot be read or written."""

    code = "state"


class JournalError(HactlError):
    """The journal of runs cannot be read or written: no run starts without it."""

    code = "journal"


class LabError(HactlError):
    """The lab could not do what was asked."""

    code = "lab"


class LabUnsupportedError(LabError):
    """This machine cannot host the lab; `missing` names each capability with its remedy."""

    code = "lab-unsupported"

    def __init__(self, message: str, missing: tuple[str, ...] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.missing = missing


class TransportError(HactlError):
    """A node could not be asked. `node` is its inventory name."""

    code = "transport"

    def __init__(self, node: str, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{node}: {message}", remedy=remedy)
        self.node = node


class UnreachableError(TransportError):
    """No connection: refused, no route, or the peer said nothing within the connect timeout."""

    code = "unreachable"


class ConnectTimeoutError(UnreachableError):
    """The peer did not finish connecting (TCP, key exchange or login) within the connect timeout."""

    code = "connect-timeout"


class ConnectionLostError(TransportError):
    """An established connection died. What was under way has an unknown outcome."""

    code = "connection-lost"


class HostKeyError(TransportError):
    """The host key is not the trusted one; nothing was sent."""

    code = "host-key"


class HostKeyUnknownError(HostKeyError):
    """No host key is stored for this node. `fingerprint` is what the peer presented, when known."""

    code = "host-key-unknown"


class HostKeyChangedError(HostKeyError):
    """Another host key is stored for this node; the message holds both fingerprints."""

    code = "host-key-changed"


class AuthenticationError(TransportError):
    """The node refused every key that was offered, or no key could be used."""

    code = "authentication"


class KeyEncryptedError(AuthenticationError):
    """The identity is encrypted, no agent holds it, and there is no terminal to ask on."""

    code = "key-encrypted"


class CommandTimeoutError(TransportError):
    """The node did not answer a request in time. A mutating request has an unknown outcome."""

    code = "timeout"


class ChannelError(TransportError):
    """The connection is fine, but the node would not open the channel that was asked for."""

    code = "channel"


class SocketUnavailableError(ChannelError):
    """A Unix socket or TCP port on the node cannot be reached; the message says absent, denied or refused."""

    code = "socket"


class SocketAbsentError(SocketUnavailableError):
    """Nothing listens there: no such socket, one that was left behind, or a port that refuses connections."""

    code = "socket-absent"


class QueryError(TransportError):
    """The database on a node refused the session or the statement."""

    code = "query"


class DatabaseDownError(QueryError):
    """The database on a node takes no sessions now: it starts, stops, recovers from a crash, or is full."""

    code = "database-down"


class BecomeDeniedError(TransportError):
    """sudo would not run the command; `rule` is the sudoers line that is missing."""

    code = "sudo-denied"

    def __init__(self, node: str, message: str, *, rule: str = "", remedy: str = "") -> None:
        super().__init__(node, message, remedy=remedy)
        self.rule = rule


class UnsupportedError(TransportError):
    """This transport cannot do what was asked."""

    code = "unsupported"


class ParseError(HactlError):
    """A node answered with something its driver does not understand."""

    code = "parse"


class SupersededError(ParseError):
    """What answers at the far end of a held channel has been replaced (a reload): close it and ask its successor."""

    code = "superseded"


class InternalError(HactlError):
    """hactl itself failed in a way nobody foresaw: a defect. The log holds the traceback."""

    code = "internal"
