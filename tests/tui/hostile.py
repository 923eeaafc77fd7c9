"""Facts, events and pictures whose every string is hostile: made from the dataclasses themselves, so that a new field
is hostile the day it is added.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import sys
import time
import types
import typing
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence

from hactl.drivers.catalogue import probes_for
from hactl.model import facts
from hactl.model.ack import Ack
from hactl.model.acks import Ended
from hactl.model.dashboard import Settings
from hactl.model.events import Event
from hactl.model.findings import Finding
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.journal import RunSummary
from hactl.model.lock import Holder, LockPicture, NodeLock
from hactl.model.picture import Picture
from hactl.model.plan import Plan, Request
from hactl.model.playbook import Playbook
from hactl.model.state import Failure, Link, LinkChanged, LinkPhase, Sample, StateEvent
from hactl.model.text import safe
from hactl.model.verb import Shown
from hactl.tui.app import HactlApp
from hactl.tui.beside import Doors
from tests.tui.acts import RUN, Runs
from tests.tui.pictures import INVENTORY, Reel, picture

# What no terminal may get, and what makes markup, width and length go wrong. Each ends in a word to be found again.
PIECES = {
    "title": "\x1b]0;owned\x07owned-title",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07owned-clip",
    "clear": "\x1b[2Jowned-clear",
    "device": "\x1bP$q\x1b\\\x1b[c\x05owned-ask",
    "c1": "\x9b2J\x9d0;owned\x9cowned-c1",
    "bidi": "\u202eowned-bidi\u2066",
    "zero": "\u200bowned\u200d-zero\ufeff\u00ad",
    "tags": "\U000e0041\u180e\u3164owned-tags",
    "click": "[@click=app.quit]owned-click[/]",
    "markup": "[red on blue][/x][/]owned-markup[",
    "wide": "全角文字owned-wide🧨",
    "marks": "e" + "\u0301" * 64 + "owned-marks",
    "lines": "a\nb\r\nc\td\x0b\x0c\x85\u2028owned-lines",
    "long": "owned-long" * 400,
}
_KINDS: Mapping[str, type[facts.Facts]] = {
    "host": facts.HostFacts,
    "disk": facts.DiskFacts,
    "clock": facts.ClockFacts,
    "units": facts.UnitFacts,
    "note": facts.NoteFacts,
    "packages": facts.PackageFacts,
    "http": facts.HttpFacts,
    "version": facts.VersionFacts,
    "haproxy": facts.HaproxyFacts,
    "postgresql": facts.PostgresqlFacts,
    "pgbackrest": facts.PgbackrestFacts,
    "drill": facts.DrillFacts,
    "restic": facts.ResticFacts,
    "room": facts.RoomFacts,
}


def names() -> tuple[str, ...]:
    """What the inventory's own things are called, so that hostile rows are found where real ones are looked for."""
    pools = INVENTORY.pools.values()
    units = [unit for service in INVENTORY.services.values() for unit in service.units]
    return tuple(dict.fromkeys((*INVENTORY.nodes, *INVENTORY.pools, *(pool.backend for pool in pools), *units)))


def made(kind: object, text: str) -> object:  # noqa: C901 - one case a kind of type
    """A value of this type in which every string is `text`, and every mapping has the inventory's names as well."""
    origin, given = typing.get_origin(kind), typing.get_args(kind)
    if kind is str:
        return text
    if kind is bool:
        return True
    if kind in {int, float}:
        return kind(7)  # type: ignore[operator]
    if origin in {typing.Union, types.UnionType}:
        return made(next(one for one in given if one is not type(None)), text)
    if origin is tuple:
        return tuple(made(one, text) for one in given if one is not Ellipsis)
    if origin in {frozenset, set}:
        return frozenset({made(given[0], text)})
    if isinstance(origin, type) and issubclass(origin, Mapping):
        keys = (text, *names()) if given[0] is str else (made(given[0], text),)
        return {key: named(made(given[1], text), key) for key in keys}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return (made(given[0], text),)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{one.name: made(hints[one.name], text) for one in dataclasses.fields(kind) if one.init})
    if kind is object:
        return text
    raise TypeError(f"how is a {kind} made hostile?")


def named(value: object, name: str) -> object:
    """What a mapping holds under a name has that name for its own."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and hasattr(value, "name"):
        return dataclasses.replace(value, name=name)
    return value


def told(text: str) -> Iterator[StateEvent]:
    """Every answer of every node, of which the last node gives none but says why in the same words."""
    *nodes, silent = INVENTORY.nodes.values()
    for node in nodes:
        yield LinkChanged(node.name, Link(LinkPhase.UP, 1.0, address=text, software=text))
        for number, probe in enumerate(probes_for(INVENTORY, node)):
            kind = _KINDS[probe.key.partition(":")[0]]
            yield Sample(node.name, probe.key, 1.0, 2.0, typing.cast("facts.Facts", made(kind, text)))
            if number % 3 == 2:  # answered once, and then no more
                yield Sample(node.name, probe.key, 1.5, 2.0, Failure("parse", text, 1.5, text))
    yield LinkChanged(silent.name, Link(LinkPhase.DOWN, 1.0, "unreachable", text, text, 3, text, text))


def hostile_picture(text: str) -> Picture:
    return picture(*told(text))


def hostile_events(text: str) -> tuple[Event, ...]:
    """One of every event that a journal can hold, but for the end; of the first step where it is of one."""
    kinds = [kind for kind in typing.get_args(Event) if kind.__name__ != "RunEnded"]
    first = sorted(kinds, key=lambda kind: kind.__name__ != "RunStarted")
    return tuple(_of_the_first_step(made(kind, text)) for kind in first)


def _of_the_first_step(event: object) -> Event:
    changes = {"step": 0} if hasattr(event, "step") else {}
    return typing.cast("Event", dataclasses.replace(event, **changes))  # type: ignore[type-var]


def everything(*, raw: bool) -> str:
    """All pieces in one string: as `transport` lets it in, or as it must never come in."""
    text = " ".join(piece for name, piece in PIECES.items() if name != "long") + PIECES["long"]
    return text if raw else safe(text)


@dataclasses.dataclass
class Source(Reel):
    """Pictures, and a journal that says `text`."""

    text: str = ""

    async def journal(self, node: str, unit: str = "") -> AsyncIterator[tuple[str, ...]]:
        yield (
            (self.text, *PIECES.values()) if self.text != safe(self.text) else (self.text, *map(safe, PIECES.values()))
        )
        await asyncio.Event().wait()


@dataclasses.dataclass
class Told(Runs):
    """Runs whose every word is `text`, where a journal or a playbook file has words."""

    text: str = ""

    async def plan(self, request: Request, progress: Callable[[str], None] | None = None) -> Plan:
        plan = await super().plan(request, progress)
        text, (first, *rest) = self.text, plan.steps
        first = dataclasses.replace(first, note=text, skip=text, first=(typing.cast("Shown", made(Shown, text)),))
        verdict = dataclasses.replace(typing.cast("GuardVerdict", made(GuardVerdict, text)), ruling=Ruling.WARN)
        return dataclasses.replace(
            plan, title=text, untouched={"app3": text}, notes=(text,), steps=(first, *rest), verdicts=(verdict,)
        )

    def runs(self) -> list[RunSummary]:
        made_up = typing.cast("RunSummary", made(RunSummary, self.text))
        return [dataclasses.replace(made_up, run=RUN, outcome=None, alive=True), *super().runs()]

    def playbooks(self) -> tuple[Playbook, ...]:
        return tuple(
            dataclasses.replace(book, title=self.text, description=self.text, notes=(self.text,), source=self.text)
            for book in super().playbooks()
        )


class Acks:
    """The first finding is acknowledged by somebody else, in their words."""

    def __init__(self, text: str) -> None:
        self._acks = (Ack(hostile_picture(text).assessment.findings[0], text, text, 0.0, time.time() * 2),)

    def look(self) -> tuple[Ack, ...]:
        return self._acks

    def add(self, finding: Finding, *, reason: str, who: str, until: float) -> Ack:
        return Ack(finding, reason, who, 0.0, until)

    def remove(self, key: str, who: str) -> Ack:
        return dataclasses.replace(self._acks[0], who=f"{key} {who}")

    def settle(self, ended: Sequence[Ended], who: str) -> None:
        """They stay."""


def dashboard(text: str) -> HactlApp:
    """The whole dashboard over all of it."""
    runs = Told(events=hostile_events(text), text=text)
    holder = typing.cast("Holder", made(Holder, text))
    lock = LockPicture("lab", tuple(NodeLock(name, held=True, holder=holder, epoch=1) for name in INVENTORY.nodes))

    async def look_at_lock(_connected: Collection[str]) -> LockPicture:
        return lock

    return HactlApp(
        picture(now=0.0),
        lambda: Source([hostile_picture(text)], text=text),
        lambda: runs,
        runs.runs,
        settings=Settings(bell=False),
        open_beside=lambda: Doors(Acks(text), look_at_lock, runs.runs),
    )


if __name__ == "__main__":
    dashboard(everything(raw=sys.argv[1] == "raw")).run()
