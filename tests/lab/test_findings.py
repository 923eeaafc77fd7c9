"""Every fault of the lab shows in the live picture with the right finding, and goes after its undo.

The cluster is watched as the dashboard watches it. Each case names the fault, the finding that must appear (by its key)
and a word of its sentence. A finding counts from the moment the fault has been injected; how long it took is printed,
and bounded by two intervals of the question that sees it, plus the connect timeout where a node is gone.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from hactl.config import load_inventory
from hactl.control import Control, Picture
from hactl.drivers.probe import Cadence
from hactl.lab import Lab
from hactl.model.facts import HaproxyFacts, PackageFacts
from hactl.model.findings import Finding, Level
from hactl.model.observed import Observed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

FAST, MEDIUM, SLOW = (cadence.value for cadence in (Cadence.FAST, Cadence.MEDIUM, Cadence.SLOW))
CONNECT = 5.0  # seconds: the connect timeout
CHECKS = 15.0  # seconds: what HAProxy, keepalived or PostgreSQL themselves need to notice
BUSY = 10.0  # seconds: a CI machine with two cores that also runs ten nodes
HEALED = 120.0  # seconds: connections come back with backoff, pools by their checks, replication by catching up


@dataclass(frozen=True)
class Case:
    """`within` is the bound in seconds without BUSY."""

    fault: str
    arguments: tuple[str, ...]
    key: str  # a regular expression for the finding's key
    level: Level
    says: str  # a regular expression for its sentence
    within: float = 2 * FAST

    def __str__(self) -> str:
        return " ".join((self.fault, *self.arguments))


CASES = (
    Case("power-off", ("app3",), r"link:app3", Level.CRIT, "unreachable", 2 * FAST + CONNECT),
    Case("power-off", ("db1",), r"primary:database", Level.UNKNOWN, "db1 was last seen as primary", 2 * FAST + CONNECT),
    Case("freeze", ("app2",), r"(link|stale):app2", Level.UNKNOWN, "answer|unreachable", 2 * FAST + CONNECT),
    Case("partition", ("db2",), r"link:db2", Level.CRIT, "unreachable", 2 * FAST + 2 * CONNECT),
    Case("partition", ("db2", "db1"), r"streaming:db2:database", Level.CRIT, "does not stream", 60 + CHECKS),
    Case("disk-full", ("db2",), r"disk:db2:.*", Level.CRIT, r"9\d %|100 %", 2 * MEDIUM),
    # Whichever is asked first tells of it; where the unit is known to be down, the request says nothing of its own.
    Case(
        "service-stop", ("app1",), r"http:app1:shop|unit:app1:shop.service", Level.CRIT, "refused|no answer|not running"
    ),
    Case("service-stop", ("role:lb", "keepalived.service"), r"vip:public", Level.CRIT, "nobody|no holder|none"),
    Case("clock-skew", ("app1", "90"), r"clock:app1", Level.CRIT, "clock", 2 * MEDIUM + CONNECT),
    Case(
        "lossy",
        ("app1", "60"),
        r"(link|stale|round-trip|waiting|probe|http):app1.*",
        Level.WARN,
        ".",
        2 * MEDIUM + CHECKS,
    ),
    Case("drain-one", (), r"disagree:shop:.*", Level.WARN, "lb1"),
    Case("stop-archiving", (), r"archiving:.*", Level.WARN, "fail", CHECKS),
    Case("pause-replay", ("db2",), r"replay-paused:db2:database", Level.WARN, "paused"),
    Case("abandoned-slot", (), r"slot:.*", Level.WARN, "B", CHECKS),
)

# What these show, others show in much the same way.
MORE = (
    Case("freeze", ("backup1",), r"link:backup1", Level.CRIT, "unreachable", 2 * FAST + 2 * CONNECT),
    Case("partition", ("site:west",), r"link:(db3|backup1)", Level.CRIT, "unreachable", 2 * FAST + 2 * CONNECT),
    Case("service-stop", ("app1",), r"unit:app1:shop.service", Level.CRIT, "inactive|not running", 2 * MEDIUM),
    Case("service-stop", ("db2",), r"(postgresql|probe):db2:.*", Level.CRIT, "."),
    Case(
        "service-freeze", ("app2",), r"http:app2:shop|probe:app2:http:shop", Level.CRIT, "no answer", 2 * FAST + CONNECT
    ),
    Case("slow", ("db3",), r"round-trip:db3", Level.WARN, "slow to answer", 2 * MEDIUM),
    Case(
        "service-kill",
        ("lb2", "haproxy.service"),
        r"(unit|restarted|haproxy|probe|http):.*lb2.*",
        Level.WARN,
        ".",
        2 * MEDIUM,
    ),
)

# A channel that is already open goes on working, so only who comes next can tell.
COLD = (
    Case("socket-deny", (), r"haproxy:lb1:balancer", Level.UNKNOWN, "permission|denied"),
    Case("socket-remove", (), r"haproxy:lb1:balancer", Level.UNKNOWN, "there is no socket"),
)


class Watched:
    """The live picture, and the moments at which things showed in it."""

    def __init__(self, control: Control) -> None:
        self._pictures = control.watch()
        self.picture: Picture | None = None

    async def until(self, wanted: Callable[[Picture], bool], seconds: float, what: str) -> float:
        """Seconds until a picture satisfies `wanted`; fails with the findings otherwise."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                async for picture in self._pictures:
                    self.picture = picture
                    if wanted(picture):
                        return time.monotonic() - start
        except TimeoutError:
            pass
        seen = self.picture.assessment.findings if self.picture else ()
        lines = "\n".join(f"  {one.level.word:8}{one.key:32} {one.sentence}" for one in seen)
        raise AssertionError(f"{what}: not within {seconds:.0f} s; the findings are\n{lines or '  none'}")


@pytest.fixture
async def watched(lab: Lab) -> AsyncIterator[Watched]:
    inventory = load_inventory(lab.paths.inventory)
    async with Control(inventory) as control:
        seen = Watched(control)
        await seen.until(healthy, HEALED, "the lab is well before the fault")
        yield seen


def healthy(picture: Picture) -> bool:
    return picture.assessment.cluster.level is Level.OK


def found(picture: Picture, case: Case) -> Finding | None:
    return next(
        (
            one
            for one in picture.assessment.findings
            if re.fullmatch(case.key, one.key) and one.level >= case.level and re.search(case.says, one.sentence)
        ),
        None,
    )


@pytest.mark.parametrize("case", [*CASES, *(pytest.param(one, marks=pytest.mark.story) for one in MORE)], ids=str)
async def test_fault_is_found_and_its_undo_too(
    case: Case, lab: Lab, watched: Watched, record_property: Callable[[str, object], None]
) -> None:
    await asyncio.to_thread(lab.faults.inject, case.fault, *case.arguments)
    took = await watched.until(lambda picture: found(picture, case) is not None, case.within + BUSY, f"{case} shows")
    record_property("seconds", round(took, 1))
    assert watched.picture is not None
    finding = found(watched.picture, case)
    assert finding is not None
    print(f"{case}: after {took:.1f} s (of {case.within:.0f}): {finding.level.word} {finding.key}: {finding.sentence}")
    await asyncio.to_thread(lab.faults.undo)
    await watched.until(healthy, HEALED, f"{case} is undone and everything well again")


@pytest.mark.parametrize("case", COLD, ids=str)
async def test_admin_socket_that_is_not_to_be_had(case: Case, lab: Lab) -> None:
    inventory = load_inventory(lab.paths.inventory)
    await asyncio.to_thread(lab.faults.inject, case.fault, *case.arguments)
    async with Control(inventory) as control:
        finding = found(await control.snapshot(), case)
    assert finding is not None
    assert finding.hint
    await asyncio.to_thread(lab.faults.undo)
    async with Control(inventory) as control:
        assert found(await control.snapshot(), case) is None


async def test_a_bad_release_is_offered(lab: Lab) -> None:
    inventory = load_inventory(lab.paths.inventory)
    await asyncio.to_thread(lab.faults.inject, "bad-package")
    async with Control(inventory, limit=("app1",)) as control:
        picture = await control.snapshot(rare=control.inventory.nodes)
    packages = picture.state.nodes["app1"].read("packages", PackageFacts, picture.now)
    assert isinstance(packages, Observed)
    assert packages.value.installed["shop"] == "1.0.0"
    assert packages.value.offered["shop"] == "1.2.0"


async def test_a_held_session_is_counted(lab: Lab, watched: Watched) -> None:
    await asyncio.to_thread(lab.faults.inject, "hold-session", "3")

    def held(picture: Picture) -> bool:
        sessions = 0
        for name in ("lb1", "lb2"):
            answer = picture.state.nodes[name].read("haproxy:balancer", HaproxyFacts, picture.now)
            if isinstance(answer, Observed):
                sessions += answer.value.backends["be_shop"].sessions
        return sessions >= 3

    await watched.until(held, 2 * FAST + BUSY, "held sessions show")
    await asyncio.to_thread(lab.faults.undo)
    await watched.until(lambda picture: not held(picture), HEALED, "they are gone")


async def test_no_fault_makes_other_nodes_slow(lab: Lab, watched: Watched) -> None:
    """A frozen and a slow node delay nobody: the others' samples stay younger than two intervals."""
    await asyncio.to_thread(lab.faults.inject, "freeze", "app3")
    await asyncio.to_thread(lab.faults.inject, "slow", "db3")
    oldest = 0.0
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        await watched.until(lambda _picture: True, 5, "pictures keep coming")
        picture = watched.picture
        assert picture is not None
        for name, node in picture.state.nodes.items():
            last = node.readings["host"].last
            if name not in {"app3", "db3"} and last is not None:
                oldest = max(oldest, last.age(picture.now))
    print(f"oldest sample of an untouched node: {oldest:.1f} s")
    assert oldest < 2 * FAST + BUSY
