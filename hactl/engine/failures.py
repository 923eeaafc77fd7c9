"""Errors as data: what goes into the picture when a question was not answered usefully."""

from __future__ import annotations

import logging

from hactl.model.errors import CommandTimeoutError, HactlError, InternalError
from hactl.model.state import Failure
from hactl.model.text import one_line

log = logging.getLogger("hactl.engine")

_REPORT = "This is a defect of hactl: the log has the details; please report it."


def failure(error: HactlError, at: float) -> Failure:
    """An expected error. The node's name is where the failure is kept, so the reason does not repeat it."""
    return Failure(error.code, reason(error), at, error.remedy)


def reason(error: HactlError) -> str:
    """The error's sentence without the node's name in front."""
    node = getattr(error, "node", "")
    return one_line(error.message.removeprefix(f"{node}: ") if node else error.message, 400)


def timed_out(seconds: float, at: float) -> Failure:
    return Failure(CommandTimeoutError.code, f"no answer within {seconds:g} s", at)


def defect(error: Exception, doing: str) -> InternalError:
    """An error that nobody expected, as one that can be shown. It is logged with its traceback: never swallowed."""
    log.error("unexpected error while %s", doing, exc_info=error)
    return InternalError(one_line(f"hactl failed while {doing}: {type(error).__name__}: {error}", 300), remedy=_REPORT)
