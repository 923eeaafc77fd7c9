"""A small story to be recorded: the healthy lab, sampled every two seconds; one node is lost and comes back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hactl.engine.recorder import Recorder
from hactl.model.events import Outcome, Recorded, RunEnded
from hactl.model.facts import Facts, HostFacts
from hactl.model.picture import Picture
from hactl.model.plan import Request
from hactl.model.recording import RunEntry, RunLives, RunPlanned
from hactl.model.state import Failure, Link, LinkChanged, LinkPhase, Sample, StateEvent
from tests.model.builders import healthy_facts, lab
from tests.tui.acts import RUN, STORY, plan_for

ZERO, WALL = 5000.0, 1_760_000_000.0  # what the clocks read when it begins
LOST, BACK = 41.0, 77.0  # seconds of the recording at which app2 is lost and comes back
RUN_AT, RUN_OVER = 20, 50


def events(second: int) -> Iterator[StateEvent]:
    """What nodes say in this second of the recording, by the clock that began at ZERO."""
    at = ZERO + second
    if second == 1:
        for name in lab().nodes:
            yield LinkChanged(name, Link(LinkPhase.UP, at + 0.25, address="192.0.2.1", software="OpenSSH_9.2"))
    if second == LOST:
        yield LinkChanged("app2", Link(LinkPhase.DOWN, at, "unreachable", "no route to 192.168.56.22", attempts=1))
        yield Sample("app2", "host", at, 2.0, Failure("connection-lost", "the connection was lost", at))
    if second == BACK:
        yield LinkChanged("app2", Link(LinkPhase.UP, at))
    if second % 2:
        for (node, key), facts in healthy_facts(lab()).items():
            if LOST <= second < BACK and node == "app2":
                continue
            yield Sample(node, key, at + 0.5, 2.0, later(facts, second))


def later(facts: Facts, second: int) -> Facts:
    """A tenth of the processors' time is used."""
    if not isinstance(facts, HostFacts):
        return facts
    return replace(facts, cpu_busy=facts.cpu_busy + 20 * second, cpu_total=facts.cpu_total + 200 * second)


def run_entries(second: int) -> Iterator[RunEntry]:
    """A run that begins at RUN_AT, says one thing a second, and ends at RUN_OVER."""
    at = WALL + second
    if second == RUN_AT:
        yield RunPlanned(RUN, at, "anna@laptop", plan_for(Request("drain")))
        yield RunLives(RUN, alive=True)
    number = second - RUN_AT + 1
    if 1 <= number <= len(STORY):
        yield Recorded(RUN, number, at, STORY[number - 1])
    if second == RUN_OVER:
        yield Recorded(RUN, len(STORY) + 1, at, RunEnded(Outcome.DONE, "app1 and app2 are out", 30.0))
        yield RunLives(RUN, alive=False)


def record(path: Path, *, seconds: int = 100, block: float = 30.0, note: str = "") -> list[Picture]:
    """Record the story to `path`; the pictures of its frames, one a second, as the recorder judged them."""
    with Recorder(path, lab(), now=ZERO, wall=WALL, interval=2.0, note=note, block=block) as recorder:
        pictures = []
        for second in range(1, seconds + 1):
            for event in events(second):
                recorder.event(event)
            for entry in run_entries(second):
                recorder.run_entry(entry)
            pictures.append(recorder.frame(ZERO + second + 0.75))
    return pictures


def documents(path: Path) -> list[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(path: Path, *lines: object) -> Path:
    """A file of these documents (or texts as they are), in one block."""
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode("utf-8", "surrogatepass")))
    return path
