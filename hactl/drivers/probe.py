"""The shape of a question. A probe is data plus a pure `parse`; the engine asks it and keeps time.

Every kind of probe has
- `key`: unique on a node, `kind` or `kind:service` ("host", "disk", "http:shop"); its facts are kept under it;
- `cadence`: how often;
- `deadline`: seconds after which the answer no longer interests anybody;
- `parse(answer, asked)`: the facts, or ParseError. Text in an answer is already safe (`model.text`); what a parser
  unescapes (JSON) it makes safe again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from hactl.model.command import Command, Completed
from hactl.model.facts import Facts


class Cadence(Enum):
    """Seconds between two samples. FAST is what an operator may change; the others are what the facts deserve."""

    FAST = 2.0
    MEDIUM = 6.0
    SLOW = 60.0
    RARE = 3600.0


@dataclass(frozen=True, slots=True)
class Asked:
    """When a question was sent and its answer arrived, epoch seconds of the machine that hactl runs on."""

    sent: float
    received: float


@dataclass(frozen=True, slots=True)
class TickProbe:
    """Shell text run inside the node's one long-lived loop: no new session, and no fork if the text needs none.

    `body` is POSIX sh written by a driver; names from the inventory are in it only through `shlex.quote`. It has no
    stdin, and what it prints is lost: its answer is what it leaves in the variable hactl_out, which is empty when it
    begins. Slow programs are bounded inside it by `timeout`. `parse` gets that answer as stdout, and the last command's
    exit.
    """

    key: str
    cadence: Cadence
    deadline: float
    body: str
    parse: Callable[[Completed, Asked], Facts]

    @property
    def alone(self) -> str:
        """The body as a script of its own, which prints its answer and exits as the body does."""
        return f'hactl_out=\n{self.body}\nhactl_exit=$?\nprintf %s "$hactl_out"\nexit $hactl_exit'


@dataclass(frozen=True, slots=True)
class ExecProbe:
    """A command in a session of its own: for rare questions and for those that need another user."""

    key: str
    cadence: Cadence
    deadline: float
    command: Command
    parse: Callable[[Completed, Asked], Facts]


@dataclass(frozen=True, slots=True)
class AskProbe:
    """Requests to HAProxy's admin socket, over one channel that stays open. One answer a request, in order."""

    key: str
    cadence: Cadence
    deadline: float
    path: str
    requests: tuple[str, ...]
    parse: Callable[[tuple[str, ...], Asked], Facts]


@dataclass(frozen=True, slots=True)
class QueryProbe:
    """One SQL statement that answers with one text value (JSON), over a PostgreSQL session that stays open."""

    key: str
    cadence: Cadence
    deadline: float
    socket_directory: str
    port: int
    user: str | None  # None: the SSH user
    database: str
    sql: str
    parse: Callable[[str, Asked], Facts]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an HTTP server on the node said. `status` 0 with an `error` when it said nothing usable.

    `latency_ms` is the time from request to the end of the answer, less the round trip of the SSH connection.
    """

    status: int
    body: str
    latency_ms: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class FetchProbe:
    """An HTTP GET made on the node, to a port of its own."""

    key: str
    cadence: Cadence
    deadline: float
    port: int
    path: str
    host: str
    parse: Callable[[HttpAnswer, Asked], Facts]


Probe: TypeAlias = TickProbe | ExecProbe | AskProbe | QueryProbe | FetchProbe
