"""What the node of the restore drills has: the history of drills, what drills have left behind, the room for another.

One question, asked as the drill's user, for nobody else may look there. Whoever still holds the cluster's lock for a
run works in that run's scratch space; all other scratch space was left behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from hactl.drivers.drain_note import folder
from hactl.drivers.probe import Asked, Cadence, ExecProbe
from hactl.drivers.reading import explained
from hactl.model.command import Completed, command
from hactl.model.drill_lines import read_records
from hactl.model.drilled import DrilledService
from hactl.model.drills import DrillFacts, Leftover
from hactl.model.errors import ParseError

KEPT = 262_144  # bytes of the history that are read, its newest
MARKER = ".hactl-drill"
_LOCKS = "/run/lock"  # where the folders of clusters' locks are
_TIMEOUT = 30.0
_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-z]{3}")


def argv(service: DrilledService) -> tuple[str, ...]:
    """The one spelling of the question: a sudoers rule allows exactly these words.

    It prints paths, each on a line of its own with what is known of it below: room, history, whose a scratch space is
    and how much it takes, who holds the lock of a cluster; and empty scratch spaces, which say nothing of themselves.
    """
    at = service.drill_directory
    return (
        *("find", at, _LOCKS, "-maxdepth", "2"),
        *("(", "-path", at, "-print", "-exec", "df", "--block-size=1", "--output=avail", "{}", ";", ")"),
        *("-o", "(", "-path", f"{at}/history.jsonl", "-print", "-exec", "tail", f"--bytes={KEPT}", "{}", ";", ")"),
        *("-o", "(", "-name", "holder", "-print", "-exec", "cat", "{}", ";", ")"),
        *("-o", "(", "-name", MARKER, "-print", "-exec", "cat", "{}", ";"),
        *("-execdir", "du", "--summarize", "--block-size=1", ".", ";", ")"),
        *("-o", "(", "-type", "d", "-empty", "-regex", f"{at}/[0-9]*-[0-9]*-[0-9a-z]*", "-print", ")"),
    )


def probe(service: DrilledService, cluster: str) -> ExecProbe:
    asked = command(*argv(service), as_user=service.drill_user, timeout=_TIMEOUT)
    parsed = partial(parse, service, cluster)
    return ExecProbe(f"drill:{service.name}", Cadence.SLOW, _TIMEOUT, asked, parsed)


def parse(service: DrilledService, cluster: str, done: Completed, asked: Asked) -> DrillFacts:
    """Raises ParseError where the drill's directory cannot be read. The lock's folder need not be there."""
    told = _told(done.stdout, (service.drill_directory, _LOCKS))
    room = told.get(service.drill_directory)
    if room is None:
        raise ParseError(explained(done, f"reading {service.drill_directory}"))
    history = read_records(_whole(told.get(f"{service.drill_directory}/history.jsonl", "")))
    own = history.of(cluster, service.name)
    holding = _run_of(told.get(f"{folder(cluster)}/holder", "").partition(" ")[2])
    scratch = (
        _leftover(path, text, service.name, cluster, holding)
        for path, text in told.items()
        if path.endswith(f"/{MARKER}")
    )
    empty = (_empty(path, service.drill_directory, holding) for path, text in told.items() if not text)
    left = tuple(filter(None, (*scratch, *empty)))
    return DrillFacts(own.records, own.unreadable, left, _number(room), (asked.sent + asked.received) / 2)


def _told(text: str, roots: tuple[str, ...]) -> Mapping[str, str]:
    """What is said below each path."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if any(line == root or line.startswith(f"{root}/") for root in roots):
            current = found.setdefault(line, [])
        else:
            current.append(line)
    return {path: "\n".join(lines) for path, lines in found.items()}


def _whole(history: str) -> str:
    """Without the line that was cut where the reading began."""
    return history.partition("\n")[2] if len(history.encode()) >= KEPT - 1 else history


def _number(text: str) -> int | None:
    found = re.search(r"^\s*(\d+)\b", text, re.MULTILINE)
    return int(found[1]) if found else None


def _run_of(holder: str) -> str:
    told = _object(holder)
    return str(told.get("run", ""))


def _object(text: str) -> Mapping[str, object]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


@dataclass(frozen=True, slots=True)
class Marker:
    """Whose scratch space it is. `since`: epoch second."""

    run: str
    cluster: str
    service: str
    since: float

    @property
    def text(self) -> str:
        told = {"run": self.run, "cluster": self.cluster, "service": self.service, "since": self.since}
        return f"{json.dumps(told, separators=(',', ':'))}\n"


def read_marker(text: str) -> Marker | None:
    """None where it is none of hactl's."""
    first, _, _ = text.partition("\n")
    told = _object(first)
    run, cluster, service, since = (told.get(key) for key in ("run", "cluster", "service", "since"))
    if not (isinstance(run, str) and isinstance(cluster, str) and isinstance(service, str)):
        return None
    if not _RUN.fullmatch(run) or not isinstance(since, int | float):
        return None
    return Marker(run, cluster, service, float(since))


def _leftover(path: str, text: str, service: str, cluster: str, holding: str) -> Leftover | None:
    """None for what is another cluster's or service's, or lies elsewhere than it says."""
    marker = read_marker(text)
    if marker is None or (marker.cluster, marker.service) != (cluster, service):
        return None
    if not path.endswith(f"/{marker.run}/{MARKER}"):
        return None
    return Leftover(marker.run, _number(text.partition("\n")[2]), marker.since, holding == marker.run)


def _empty(path: str, directory: str, holding: str) -> Leftover | None:
    """A folder with nothing in it, where a run's scratch space would be."""
    run = path.removeprefix(f"{directory}/")
    return Leftover(run, 0, began(run), holding == run, marked=False) if _RUN.fullmatch(run) else None


def began(run: str) -> float:
    """The epoch second that a run's id tells."""
    try:
        return datetime.strptime(run[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:  # of the right form, and no time all the same
        return 0.0
