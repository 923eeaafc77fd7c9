"""HAProxy, by its runtime API: three answers, read by their headers, joined into one picture.

`show stat` has the counters and the operational state, `show servers state` the administrative state (a drained server
whose check fails reads DOWN in the former), `show info` who is speaking. A process that is being replaced after a
reload goes on answering whoever is still connected, with numbers that no longer move: it is refused here, and the next
question goes to its successor over a new channel.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hactl.drivers.probe import Asked, AskProbe, Cadence
from hactl.drivers.reading import integer, number, optional_integer
from hactl.model.errors import ParseError, SupersededError
from hactl.model.facts import AdminState, HaproxyBackend, HaproxyFacts, HaproxyFrontend, HaproxyServer, ServerState
from hactl.model.inventory import HaproxyService
from hactl.model.text import one_line

REQUESTS = ("show info", "show stat", "show servers state")
_FRONTEND, _BACKEND, _SERVER = "0", "1", "2"  # the column `type`; 3 is a listening socket
_ADMIN_BITS = 63

# The column `status` begins with one of these; the first that fits decides, so longer ones come first.
_STATES = (
    ("UP ", ServerState.GOING_DOWN),  # UP 1/3
    ("UP", ServerState.UP),
    ("DOWN (", ServerState.DOWN),  # DOWN (agent)
    ("DOWN ", ServerState.COMING_UP),  # DOWN 1/2
    ("DOWN", ServerState.DOWN),
    ("NOLB", ServerState.NOLB),
    ("DRAIN", ServerState.DRAIN),
    ("MAINT", ServerState.MAINT),
    ("no check", ServerState.NO_CHECK),
)


def picture(service: HaproxyService) -> AskProbe:
    """Everything that one balancer knows, over its admin socket."""
    return AskProbe(f"haproxy:{service.name}", Cadence.FAST, 4.0, service.admin_socket, REQUESTS, parse)


def parse(answers: tuple[str, ...], asked: Asked) -> HaproxyFacts:  # noqa: ARG001 - every probe's parse has this shape
    try:
        info, stat, state = answers
    except ValueError:
        raise ParseError(f"HAProxy gave {len(answers)} answers to {len(REQUESTS)} questions.") from None
    told = dict(_pairs(info))
    if told.get("Stopping", "0") != "0":
        raise SupersededError("A HAProxy process that a reload has replaced answered; its successor was not asked yet.")
    if "Version" not in told or "Pid" not in told:
        raise ParseError(f'HAProxy did not say who it is: "{one_line(info, 80)}".')
    rows = [Row(fields) for fields in _table(stat, "show stat", csv.reader)]
    servers = _servers(rows, _admin_states(state))
    return HaproxyFacts(
        version=told["Version"],
        uptime=number(told.get("Uptime_sec") or "0", "HAProxy's uptime"),
        pid=integer(told["Pid"], "HAProxy's pid"),
        backends={row.text("pxname"): _backend(row, servers) for row in rows if row.text("type") == _BACKEND},
        frontends={row.text("pxname"): _frontend(row) for row in rows if row.text("type") == _FRONTEND},
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `show stat`, by the names in its header."""

    fields: Mapping[str, str]

    def text(self, key: str) -> str:
        try:
            return self.fields[key]
        except KeyError:
            raise ParseError(f'"show stat" has no column {key}.') from None

    def count(self, key: str) -> int:
        """A counter; 0 where HAProxy leaves it empty because it does not apply."""
        return integer(self.text(key) or "0", f"{self.text('pxname')}/{self.text('svname')} {key}")

    def requests(self) -> int | None:
        """HTTP requests; None in tcp mode, which counts none."""
        return None if self.fields.get("mode") == "tcp" else self.maybe("req_tot")

    def maybe(self, key: str) -> int | None:
        """A number that older versions or other modes do not have."""
        return optional_integer(self.fields.get(key, ""), f"{self.text('pxname')}/{self.text('svname')} {key}")


# --- for those that act ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """What a server's health check last said, from `show stat`. `status` "": it is not checked, or not now (maint).

    Leaving maint keeps the old `status` and sets `health` to `rise`, as if checks had passed; a check that really does
    lifts it to its highest, `rise + fall - 1`. With `fall` 1 those are the same, and nothing tells them apart.
    """

    status: str
    health: int
    rise: int
    fall: int

    @property
    def telling(self) -> bool:
        """Whether `passed` proves a check since maint was left."""
        return self.fall > 1

    @property
    def passed(self) -> bool:
        """The newest check passed."""
        return _PASSED.fullmatch(self.status) is not None and self.health >= self.rise + self.fall - 1


_PASSED = re.compile(r"(L[467]|PROC)OKC?")
# `;` ends a command, a blank a word, `/` a backend's name; a leading `#` would be a number's sign.
_NAME = re.compile(r"[A-Za-z0-9_.:-]+")


def checks(stat: str) -> dict[tuple[str, str], Check]:
    """The check of every server, by backend and server, from the answer to `show stat`. Raises ParseError."""
    found = {}
    for row in map(Row, _table(stat, "show stat", csv.reader)):
        if row.text("type") == _SERVER:
            status = row.fields.get("check_status", "").removeprefix("* ")
            health, rise, fall = (row.maybe(f"check_{what}") or 0 for what in ("health", "rise", "fall"))
            found[row.text("pxname"), row.text("svname")] = Check(status, health, rise, fall)
    return found


def speakable(backend: str, server: str) -> bool:
    """Whether these names can stand in a request as themselves and nothing else."""
    return all(_NAME.fullmatch(name) for name in (backend, server))


def set_state(backend: str, server: str, state: str) -> str:
    """`state` is ready, drain or maint. Raises ParseError for a name that the admin socket would take apart."""
    return f"set server {_spoken(backend, server)} state {state}"


def shut_sessions(backend: str, server: str) -> str:
    return f"shutdown sessions server {_spoken(backend, server)}"


def disable_frontend(name: str) -> str:
    """It stops taking connections; those that it has go on."""
    return f"disable frontend {_spoken_frontend(name)}"


def enable_frontend(name: str) -> str:
    return f"enable frontend {_spoken_frontend(name)}"


def set_health(backend: str, server: str, health: str) -> str:
    """`health` is up or down: what its check is taken to have said, until the next one says something else."""
    return f"set server {_spoken(backend, server)} health {health}"


def _spoken_frontend(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ParseError(f'"{one_line(name)}" cannot be named in a request to HAProxy.')
    return name


def _spoken(backend: str, server: str) -> str:
    if not speakable(backend, server):
        raise ParseError(f'"{one_line(f"{backend}/{server}")}" cannot be named in a request to HAProxy.')
    return f"{backend}/{server}"


# --- reading --------------------------------------------------------------------------------------------------


def state_of(status: str) -> ServerState:
    """The operational state by the beginning of `status`; OTHER for what a future HAProxy may invent."""
    return next((state for prefix, state in _STATES if status.startswith(prefix)), ServerState.OTHER)


def _servers(rows: list[Row], admin: Mapping[tuple[str, str], AdminState]) -> dict[str, dict[str, HaproxyServer]]:
    """Servers by backend and name."""
    found: dict[str, dict[str, HaproxyServer]] = {}
    for row in rows:
        if row.text("type") == _SERVER:
            backend, name = row.text("pxname"), row.text("svname")
            found.setdefault(backend, {})[name] = _server(row, admin.get((backend, name)))
    return found


def _backend(row: Row, servers: Mapping[str, Mapping[str, HaproxyServer]]) -> HaproxyBackend:
    return HaproxyBackend(
        name=row.text("pxname"),
        status=row.text("status"),
        servers=servers.get(row.text("pxname"), {}),
        sessions=row.count("scur"),
        queue=row.count("qcur"),
        rate=row.count("rate"),
        requests_total=row.requests(),
        errors_5xx=row.maybe("hrsp_5xx"),
        response_ms=None if row.fields.get("mode") == "tcp" else row.maybe("rtime"),
    )


def _server(row: Row, admin: AdminState | None) -> HaproxyServer:
    status = row.text("status")
    return HaproxyServer(
        name=row.text("svname"),
        status=status,
        state=state_of(status),
        admin=admin,
        weight=row.count("weight"),
        backup=row.count("bck") > 0,
        sessions=row.count("scur"),
        session_limit=row.maybe("slim"),
        queue=row.count("qcur"),
        sessions_total=row.count("stot"),
        bytes_in=row.count("bin"),
        bytes_out=row.count("bout"),
        errors_connection=row.count("econ"),
        errors_response=row.count("eresp"),
        http_5xx=row.maybe("hrsp_5xx"),
        rate=row.count("rate"),
        check_status=row.fields.get("check_status", "").removeprefix("* "),  # the star: a check is under way
        check_code=row.maybe("check_code"),
        check_ms=row.maybe("check_duration"),
        last_change=row.count("lastchg"),
        address=row.fields.get("addr", ""),
    )


def _frontend(row: Row) -> HaproxyFrontend:
    return HaproxyFrontend(
        name=row.text("pxname"),
        status=row.text("status"),
        sessions=row.count("scur"),
        session_limit=row.count("slim"),
        rate=row.count("rate"),
        requests_total=row.requests(),
    )


def _admin_states(text: str) -> dict[tuple[str, str], AdminState]:
    """`show servers state`: the format's version on a line of its own, a header, then a line for each server."""
    states = {}
    version, _, table = text.lstrip().partition("\n")
    for fields in _table(table or version, "show servers state", _words):
        try:
            key = (fields["be_name"], fields["srv_name"])
            bits = fields["srv_admin_state"]
        except KeyError as missing:
            raise ParseError(f'"show servers state" has no column {missing.args[0]}.') from None
        states[key] = AdminState(abs(integer(bits, f"{key[0]}/{key[1]} srv_admin_state")) & _ADMIN_BITS)
    return states


def _table(text: str, what: str, split: Callable[[list[str]], Iterable[list[str]]]) -> Iterator[dict[str, str]]:
    """Rows under a header that begins with `# `. A row that does not fit its header was cut off: ParseError."""
    marked = text.lstrip()
    if not marked.startswith("# "):
        raise ParseError(f'"{what}" did not begin with a header: "{one_line(text, 80)}".')
    header: list[str] = []
    try:
        for words in split(marked[2:].split("\n")):
            if not header:
                header = words
            elif words and len(words) != len(header):
                raise ParseError(f'"{what}": a line of {len(words)} columns under a header of {len(header)}.')
            elif words:
                yield dict(zip(header, words, strict=True))
    except csv.Error as error:
        raise ParseError(f'"{what}" is not a table: {error}.') from None


def _words(lines: list[str]) -> Iterator[list[str]]:
    return (line.split() for line in lines)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """`Name: value` lines of `show info`."""
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()
