"""What hactl's exit status means: the one table, and the one place where an error becomes a number.

`hactl check` alone answers with the four codes of monitoring plugins instead, because schedulers read those.
docs/reference/exit-codes.md is this table for people; a test holds the two equal.
"""

from __future__ import annotations

from enum import IntEnum

from hactl.model import errors


class ExitCode(IntEnum):
    OK = 0
    NEGATIVE = 1
    USAGE = 2
    FAILED = 3
    UNREACHABLE = 4
    REFUSED = 5
    UNSUPPORTED = 6
    GUARDED = 7
    UNDONE = 8
    STOPPED = 9
    UNCERTAIN = 10
    CHANGED = 11
    CRASHED = 70
    BUSY = 75
    INTERRUPTED = 130
    PIPE_CLOSED = 141


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "It was done, or the question was answered.",
    ExitCode.NEGATIVE: "The answer is no: doctor or audit found something wrong, `status --exit-code` is not ok,"
    " or the operator said no to a plan: nothing was touched.",
    ExitCode.USAGE: "What was given cannot be used: arguments, inventory, limit expression. Nothing was tried.",
    ExitCode.FAILED: "It was tried and did not work.",
    ExitCode.UNREACHABLE: "A node could not be asked: no connection, lost connection, or no answer in time.",
    ExitCode.REFUSED: "Trust or permission is missing: host key, login, sudo rule, socket.",
    ExitCode.UNSUPPORTED: "This machine or transport cannot do what was asked.",
    ExitCode.GUARDED: "A guard refuses: nothing was touched. Every refusal names its override.",
    ExitCode.UNDONE: "It failed and was undone: the cluster is as it was before.",
    ExitCode.STOPPED: "The run was stopped or aborted before its end, by Ctrl-C too: `hactl runs resume` or `hactl runs"
    " undo`.",
    ExitCode.UNCERTAIN: "It could not be found out whether something was done; the run's report names it.",
    ExitCode.CHANGED: "The cluster has changed since the plan was made: plan again.",
    ExitCode.CRASHED: "A fault in hactl itself; a report was written.",
    ExitCode.BUSY: "Somebody else is at it: the lock is held. Try again later.",
    ExitCode.INTERRUPTED: "Ctrl-C while nothing was being changed, or a third one while following a run: it goes on.",
    ExitCode.PIPE_CLOSED: "Whoever read the output went away first (`hactl status | head`).",
}


class CheckCode(IntEnum):
    """What `hactl check` exits with."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


CHECK_MEANINGS: dict[CheckCode, str] = {
    CheckCode.OK: "Everything that was asked about is good.",
    CheckCode.WARNING: "Something deserves a look.",
    CheckCode.CRITICAL: "Something that users depend on is broken or about to be.",
    CheckCode.UNKNOWN: "It could not be found out, or the check itself failed; never shown as good.",
}

# The first class that an error is an instance of decides: specific before general.
_BY_ERROR: tuple[tuple[type[errors.HactlError], ExitCode], ...] = (
    (errors.InputError, ExitCode.USAGE),
    (errors.GuardError, ExitCode.GUARDED),
    (errors.PlanChangedError, ExitCode.CHANGED),
    (errors.LockHeldError, ExitCode.BUSY),
    (errors.LabUnsupportedError, ExitCode.UNSUPPORTED),
    (errors.UnsupportedError, ExitCode.UNSUPPORTED),
    (errors.HostKeyError, ExitCode.REFUSED),
    (errors.AuthenticationError, ExitCode.REFUSED),
    (errors.BecomeDeniedError, ExitCode.REFUSED),
    (errors.SocketUnavailableError, ExitCode.REFUSED),
    (errors.TransportError, ExitCode.UNREACHABLE),
    (errors.HactlError, ExitCode.FAILED),
)


def exit_code(error: errors.HactlError) -> ExitCode:
    """The exit status for an error that ends a command."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))
