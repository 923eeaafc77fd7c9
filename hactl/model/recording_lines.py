"""A recording's entries as lines of JSON and back. docs/reference/recording.md describes them.

The first key of a line says what it is. Facts are written whole once a block, then as what has changed since: `Encoder`
and `Decoder` remember the newest facts of every probe, and begin anew with each checkpoint. Whatever is read is
checked, and made safe for a terminal once more: a recording may have been written by anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias, cast, get_args

from hactl.model.codec import Json, plain, restored
from hactl.model.events import Event, Recorded, Said
from hactl.model.facts import Facts
from hactl.model.findings import Assessment, Level
from hactl.model.observed import Observed
from hactl.model.plan import Plan
from hactl.model.recording import (
    FORMAT,
    Checkpoint,
    Entry,
    Frame,
    Header,
    News,
    RunEntry,
    RunLives,
    RunPlanned,
    within,
)
from hactl.model.recording_checks import cleaned, consistent, inventory_from, one_run_event, one_run_plan
from hactl.model.state import ClusterState, Failure, Link, LinkChanged, NodeState, Reading, Sample
from hactl.model.text import one_line

Document: TypeAlias = "dict[str, Json]"

_FACTS: Mapping[str, type[Facts]] = {kind.__name__: kind for kind in get_args(Facts)}
_EVENTS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
_EPOCHS = 1e11  # epoch seconds beyond which no calendar goes


# --- what has changed -----------------------------------------------------------------------------------------------


def change(old: Json, new: Json) -> Json:
    """What makes `new` of `old`: an object names the keys that change, an array of one is the value that replaces."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        return {key: change(old[key], new[key]) for key in new if old[key] != new[key] or _kinds_differ(old, new, key)}
    return [new]


def _kinds_differ(old: Document, new: Document, key: str) -> bool:
    """True and 1, or 1 and 1.0, are equal and yet not the same."""
    return type(old[key]) is not type(new[key])


def changed(old: Json, difference: Json) -> Json:
    """The inverse. Raises ValueError when `difference` does not fit."""
    if isinstance(difference, list) and len(difference) == 1:
        return difference[0]
    if not isinstance(difference, dict) or not isinstance(old, dict) or not difference.keys() <= old.keys():
        raise ValueError("a change of something that was not there")
    return old | {key: changed(old[key], inner) for key, inner in difference.items()}


# --- writing --------------------------------------------------------------------------------------------------------


def header_line(header: Header) -> str:
    return _text({
        "recording": FORMAT,
        "hactl": header.hactl,
        "began": header.began,
        "interval": header.interval,
        "note": header.note,
        "inventory": plain(header.inventory),
    })  # fmt: skip


class Encoder:
    """Writes the entries of one recording, in their order."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str], Json] = {}

    def line(self, entry: Entry) -> str:  # noqa: PLR0911 - one return a kind
        match entry:
            case Sample():
                return _text(self._sample(entry))
            case LinkChanged(node, link):
                return _text({"link": node, "to": plain(link)})
            case Frame(at, level, news):
                frame: Document = {"frame": at}
                if level is not None:
                    frame["level"] = level.word
                if news:
                    frame["news"] = [[one.scope, one.sentence] for one in news]
                return _text(frame)
            case Checkpoint():
                return _text(self._checkpoint(entry))
            case RunPlanned(run, planned_at, who, plan):
                return _text({"plan": run, "at": planned_at, "who": who, "is": plain(plan)})
            case RunLives(run, alive):
                return _text({"life": run, "alive": alive})
            case Recorded(run, number, at, event):
                return _text({"run": run, "number": number, "at": round(at, 3), "event": plain(event)})

    def _sample(self, sample: Sample) -> Document:
        document: Document = {"sample": sample.node, "key": sample.key, "at": sample.at, "every": sample.interval}
        if isinstance(sample.result, Failure):
            return document | {"failure": plain(sample.result)}
        facts, of = plain(sample.result), (sample.node, sample.key)
        old, self._facts[of] = self._facts.get(of), facts
        if isinstance(old, dict) and isinstance(facts, dict) and old["type"] == facts["type"]:
            return document | {"change": change(old, facts)}
        return document | {"facts": facts}

    def _checkpoint(self, checkpoint: Checkpoint) -> Document:
        self._facts = {}
        nodes: Document = {}
        for name, node in checkpoint.state.nodes.items():
            readings: Document = {key: self._reading(name, key, reading) for key, reading in node.readings.items()}
            nodes[name] = {"link": plain(node.link), "readings": readings}
        return {
            "checkpoint": checkpoint.at,
            "at": checkpoint.state.at,
            "nodes": nodes,
            "assessment": plain(checkpoint.assessment),
        }

    def _reading(self, node: str, key: str, reading: Reading) -> Document:
        document: Document = {"every": reading.interval}
        if reading.last is not None:
            self._facts[node, key] = last = plain(reading.last.value)
            document |= {"at": reading.last.at, "facts": last}
            if reading.before is not None:
                document |= {"before_at": reading.before.at, "before": change(last, plain(reading.before.value))}
        if reading.failure is not None:
            document |= {"failure": plain(reading.failure), "failing_since": reading.failing_since}
        return document


def _text(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


# --- reading --------------------------------------------------------------------------------------------------------


def parsed(line: bytes, *, lines: bool = False) -> Document:
    """A line as a document whose texts are safe and whose numbers can be reckoned with. Raises ValueError.

    `lines`: its texts may be of several lines.
    """
    try:
        document = cleaned(json.loads(line, parse_constant=_no_number), lines=lines)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(document, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - whoever reads a file expects one error
    return document


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number")


def read_header(line: bytes) -> Header:
    """Raises ValueError."""
    document = parsed(line)
    number = document.get("recording")
    if number != FORMAT:
        newer = isinstance(number, int) and number > FORMAT
        raise ValueError(
            f"it is of format {number}, this hactl reads {FORMAT}: upgrade hactl" if newer else "it is no recording"
        )
    with _sense("header"):
        return Header(
            hactl=_str(document["hactl"]),
            began=within(_float(document["began"]), high=_EPOCHS),
            interval=within(_float(document["interval"])),
            inventory=inventory_from(document["inventory"]),
            note=_str(document.get("note", "")),
        )


class Decoder:
    """Reads the entries of one block, in their order, the checkpoint first. Every method raises ValueError."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._facts: dict[tuple[str, str], Json] = {}

    def entry(self, line: bytes) -> Entry:
        if is_run_line(line):
            return run_entry(line)
        document = parsed(line)
        kind = next(iter(document), "")
        reads: Mapping[str, Callable[[Document], Entry]] = {
            "sample": self._sample,
            "link": self._link,
            "frame": frame_of,
            "checkpoint": self._checkpoint,
        }
        if kind not in reads:
            raise ValueError(f'nobody knows what "{one_line(kind, 40)}" is')
        with _sense(kind):
            return reads[kind](document)

    def _sample(self, document: Document) -> Sample:
        node, key = self._node(document["sample"]), _str(document["key"])
        at, every = within(_float(document["at"])), within(_float(document["every"]))
        if "failure" in document:
            return Sample(node, key, at, every, _failure(document["failure"]))
        whole = "facts" in document
        facts = document["facts"] if whole else changed(self._facts.get((node, key)), document["change"])
        self._facts[node, key] = facts
        return Sample(node, key, at, every, _facts(facts))

    def _link(self, document: Document) -> LinkChanged:
        return LinkChanged(self._node(document["link"]), _link(document["to"]))

    def _checkpoint(self, document: Document) -> Checkpoint:
        self._facts = {}
        inventory = self._header.inventory
        nodes = {name: NodeState(name) for name in inventory.nodes}
        for name, node in _dict(document["nodes"]).items():
            self._node(name)
            held = _dict(node)
            readings = {key: self._reading(name, key, _dict(one)) for key, one in _dict(held["readings"]).items()}
            nodes[name] = NodeState(name, _link(held["link"]), readings)
        at = within(_float(document["checkpoint"]))
        state = ClusterState(inventory, nodes, within(_float(document["at"])), self._header.began)
        assessment = restored(Assessment, document["assessment"])
        consistent(assessment, inventory)
        return Checkpoint(at, state, assessment)

    def _reading(self, node: str, key: str, document: Document) -> Reading:
        last: Observed[Facts] | None = None
        before: Observed[Facts] | None = None
        if "facts" in document:
            facts = self._facts[node, key] = document["facts"]
            last = Observed(_facts(facts), within(_float(document["at"])))
            if "before" in document:
                earlier = changed(facts, document["before"])
                before = Observed(_facts(earlier), within(_float(document["before_at"])))
        failure = _failure(document["failure"]) if "failure" in document else None
        since = within(_float(document.get("failing_since", 0.0)))
        return Reading(within(_float(document["every"])), last, before, failure, since)

    def _node(self, name: Json) -> str:
        if not isinstance(name, str) or name not in self._header.inventory.nodes:
            raise ValueError(f'the inventory in it names no node "{one_line(str(name), 60)}"')
        return name


def frame_of(document: Document) -> Frame:
    """Raises ValueError."""
    with _sense("frame"):
        level = document.get("level")
        return Frame(
            within(_float(document["frame"])),
            Level[_str(level).upper()] if level is not None else None,
            tuple(News(*(_str(word) for word in _list(one, 2))) for one in _list(document.get("news", []))),
        )


def is_run_line(line: bytes) -> bool:
    """Whether the line is about a run: told by its first bytes, since most are not."""
    return line.startswith((b'{"run"', b'{"plan"', b'{"life"'))


def run_entry(line: bytes) -> RunEntry:
    """What a line about a run says. Raises ValueError."""
    document = parsed(line, lines=True)
    with _sense("run"):
        if "plan" in document:
            plan = restored(Plan, document["is"])
            one_run_plan(plan)
            at = within(_float(document["at"]), high=_EPOCHS)
            return RunPlanned(one_line(_str(document["plan"])), at, one_line(_str(document["who"])), plan)
        if "life" in document:
            return RunLives(one_line(_str(document["life"])), document["alive"] is True)
        number, at = document["number"], within(_float(document["at"]), high=_EPOCHS)
        if not isinstance(number, int) or number < 1:
            raise ValueError("an event's number counts from 1")
        return Recorded(one_line(_str(document["run"])), number, at, _event(_dict(document["event"])))


def _event(document: Document) -> Event:
    """The event; one of a newer hactl as words, as the journal does it."""
    kind = _str(document["type"])
    if kind not in _EVENTS:
        return Said(f"{one_line(kind, 40)} (written by another version of hactl)")
    event: Event = restored(_EVENTS[kind], document)
    one_run_event(event)
    return event


@contextmanager
def _sense(kind: str) -> Iterator[None]:
    """What is missing or of another type is a ValueError, as everything that is wrong with a line."""
    try:
        yield
    except KeyError as error:
        raise ValueError(f"this {kind} lacks {one_line(str(error), 60)}") from error
    except (TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"this {kind} makes no sense: {one_line(str(error), 100)}") from error


def _facts(document: Json) -> Facts:
    kind = _dict(document).get("type")
    if not isinstance(kind, str) or kind not in _FACTS:
        raise ValueError(f'nobody knows facts called "{one_line(str(kind), 40)}"')
    return restored(cast("type[Any]", _FACTS[kind]), document)  # type: ignore[no-any-return]


def _failure(document: Json) -> Failure:
    failure = restored(Failure, document)
    within(failure.at)
    return failure


def _link(document: Json) -> Link:
    link = restored(Link, document)
    within(link.since)
    return link


def _str(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _float(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.40} is no number")
    return float(value)


def _dict(value: Json) -> Document:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.40} is no object")
    return value


def _list(value: Json, length: int | None = None) -> list[Json]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise TypeError(f"{value!r:.40} is no array that may stand there")
    return value
