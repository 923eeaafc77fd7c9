"""One node's watcher under a clock that the test holds: schedules, deadlines, hung questions, lost connections."""

from __future__ import annotations

import asyncio
from itertools import repeat

import pytest

from hactl.drivers.probe import Cadence, ExecProbe
from hactl.engine.clock import FakeClock, settle
from hactl.engine.node import Watcher, Watching
from hactl.model.command import Completed, command
from hactl.model.errors import ChannelError, ConnectionLostError, ConnectTimeoutError, UnreachableError
from hactl.model.facts import VersionFacts
from hactl.model.observed import Observed, Unknown
from hactl.model.state import Failure, LinkChanged, LinkPhase, Sample, apply, initial
from tests.engine.scripted import ScriptedTransport, inventory, tick


class Bench:
    """A watcher of node n1 and everything it said."""

    def __init__(self, *probes, transport: ScriptedTransport | None = None, interval: float = 2.0, phase: float = 0.0):
        self.clock = FakeClock(monotonic=1000.0)
        self.inventory = inventory("n1")
        self.transport = transport or ScriptedTransport()
        self.state = initial(self.inventory, now=1000.0, epoch=0.0)
        self.events: list = []
        shared = Watching(self.clock, self.emit, interval, lambda: repeat(3.0))
        self.watcher = Watcher(self.inventory.nodes["n1"], self.transport, probes, shared, phase=phase)
        self.task: asyncio.Task | None = None

    def emit(self, event) -> None:
        self.events.append(event)
        self.state = apply(self.state, event)

    async def start(self) -> None:
        self.task = asyncio.create_task(self.watcher.run())
        await settle()

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])

    def samples(self, key: str) -> list[Sample]:
        return [event for event in self.events if isinstance(event, Sample) and event.key == key]

    def good(self, key: str) -> list[float]:
        return [sample.at - 1000 for sample in self.samples(key) if not isinstance(sample.result, Failure)]

    def failures(self, key: str) -> list[tuple[float, str]]:
        return [(s.at - 1000, s.result.code) for s in self.samples(key) if isinstance(s.result, Failure)]

    def links(self) -> list[tuple[LinkPhase, float]]:
        return [(e.link.phase, e.link.since - 1000) for e in self.events if isinstance(e, LinkChanged)]

    def read(self, key: str):
        return self.state.nodes["n1"].read(key, VersionFacts, self.clock.monotonic())


@pytest.fixture
def bench():
    benches = []

    def make(*probes, **options) -> Bench:
        benches.append(Bench(*probes, **options))
        return benches[-1]

    return make


async def test_first_samples_come_at_once_and_the_rest_on_the_grid(bench):
    b = bench(tick("host"), tick("disk", Cadence.MEDIUM), phase=0.25)
    await b.start()
    assert b.good("host") == b.good("disk") == [0.0]
    await b.clock.advance(20.6)
    # Interval 2 s, phase a quarter of it: 1000 is on the grid, so ticks fall on 0.5 + 2 n. The first is at least half
    # an interval away. The six-second question shares those ticks.
    assert b.good("host") == pytest.approx([0, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5, 16.5, 18.5, 20.5])
    assert b.good("disk") == pytest.approx([0, 8.5, 14.5, 20.5])
    await b.stop()


async def test_questions_due_together_are_written_together(bench):
    b = bench(tick("host"), tick("disk"), tick("units"))
    await b.start()
    await b.clock.advance(2.0)
    [stream] = b.transport.streams
    assert [word for _, word in stream.heard] == [0, 1, 2, 0, 1, 2]
    await b.stop()


async def test_what_a_login_shell_prints_is_no_answer(bench):
    b = bench(tick("host"))
    await b.start()
    assert b.read("host") == Observed(VersionFacts("answer 0"), 1000.0)
    await b.stop()


async def test_the_interval_scales_the_fast_questions_only(bench):
    b = bench(tick("host"), tick("disk", Cadence.MEDIUM), interval=0.5)
    await b.start()
    await b.clock.advance(12.0)
    assert len(b.good("host")) == 25
    assert len(b.good("disk")) == 2
    assert {s.interval for s in b.samples("host")} == {0.5}
    await b.stop()


async def test_nothing_is_asked_more_often_than_the_interval(bench):
    b = bench(tick("disk", Cadence.MEDIUM), interval=20)
    await b.start()
    await b.clock.advance(41)
    assert len(b.good("disk")) == 3
    await b.stop()


async def test_a_hung_question_does_not_hold_up_the_others_for_longer_than_its_deadline(bench):
    b = bench(tick("host"), tick("disk", deadline=1.5), tick("units", deadline=3.0))
    await b.start()
    b.transport.holding.add(1)
    await b.clock.advance(20)
    assert b.failures("disk")[0] == (3.5, "timeout")
    assert b.failures("host") == []
    assert b.failures("units") == []
    late = [b.good("units")[i + 1] - b.good("units")[i] for i in range(len(b.good("units")) - 1)]
    assert max(late) <= 3.5 + 0.01
    assert len(b.good("host")) >= 10
    assert isinstance(b.read("disk"), Unknown)
    # Two loops at most: the one that hangs, and the one that was opened for the others.
    assert len([s for s in b.transport.streams if s.open]) == 2
    # And the hung one is asked nothing more while it owes an answer.
    assert sum(word == 1 for s in b.transport.streams for _, word in s.heard) == 2
    await b.stop()


async def test_a_late_answer_is_dropped_and_the_next_one_counts(bench):
    said = iter(["first", "late", "fresh", *["fresh"] * 50])
    b = bench(tick("host"), transport=ScriptedTransport(says=lambda word: next(said)))
    await b.start()
    b.transport.holding.add(0)
    await b.clock.advance(3.5)  # asked at 2.0, given up at 3.0
    assert b.failures("host") == [(3.0, "timeout")]
    b.transport.release(0)
    await settle()
    assert b.read("host") == Unknown("no answer within 1 s", 1003.0)
    await b.clock.advance(1.0)
    assert b.read("host") == Observed(VersionFacts("fresh"), 1004.0)
    assert "late" not in {getattr(s.result, "version", "") for s in b.samples("host")}
    await b.stop()


async def test_an_answer_grows_stale_without_any_event(bench):
    b = bench(tick("host", deadline=60.0))
    await b.start()
    b.transport.holding.add(0)
    await b.clock.advance(4.0)
    assert b.read("host") == Observed(VersionFacts("answer 0"), 1000.0)
    await b.clock.advance(0.1)
    assert b.read("host") == Unknown("no answer for 4 s", 1000.0)
    assert b.failures("host") == []
    await b.stop()


async def test_a_dead_node_is_down_with_the_reason_and_tried_again(bench):
    refused = UnreachableError("n1", "connection refused", remedy="Is sshd running?")
    b = bench(tick("host"), transport=ScriptedTransport(connects=[refused, refused, refused, None]))
    await b.start()
    link = b.state.nodes["n1"].link
    assert (link.phase, link.code, link.reason, link.remedy) == (
        LinkPhase.DOWN,
        "unreachable",
        "connection refused",
        "Is sshd running?",
    )
    await b.clock.advance(6.5)
    assert b.state.nodes["n1"].link.attempts == 3
    assert b.state.nodes["n1"].link.since == 1000.0  # since when it is down, not when it was last tried
    await b.clock.advance(3)
    assert [phase for phase, _ in b.links()] == ["connecting", "down", "down", "down", "up"]
    assert b.good("host") == [9.0]
    await b.stop()


async def test_a_lost_connection_makes_everything_unknown_and_comes_back(bench):
    b = bench(tick("host"), tick("packages", Cadence.RARE))
    await b.start()
    await b.clock.advance(3)
    b.transport.lose(ConnectionLostError("n1", "keepalive unanswered"))
    await settle()
    assert b.read("host") == Unknown("keepalive unanswered", 1003.0)
    assert b.state.nodes["n1"].last_known("host", VersionFacts).at == 1002.0
    await b.clock.advance(3)
    assert b.links()[-1] == (LinkPhase.UP, 6.0)
    assert b.good("host")[-1] == 6.0
    assert b.good("packages") == [0.0]  # rare and answered lately: not asked again for a short break
    await b.stop()


async def test_refresh_connects_and_asks_now(bench):
    b = bench(tick("host"), transport=ScriptedTransport(connects=[UnreachableError("n1", "no"), None]))
    await b.start()
    b.watcher.refresh()
    await settle()
    assert b.good("host") == [0.0]
    await b.clock.advance(0.5)
    b.watcher.refresh()
    await settle()
    assert b.good("host") == [0.0, 0.5]
    await b.stop()


async def test_a_loop_that_dies_is_made_again(bench):
    b = bench(tick("host"))
    await b.start()
    b.transport.streams[0].end(None)
    await b.clock.advance(2)
    assert b.good("host") == [0.0, 2.0]
    assert len(b.transport.streams) == 2
    await b.stop()


async def test_a_refused_loop_fails_every_shell_question(bench):
    b = bench(tick("host"), tick("disk"))
    b.transport.refuse_streams = ChannelError("n1", "no session", remedy="MaxSessions")
    await b.start()
    assert b.failures("host") == b.failures("disk") == [(0.0, "channel")]
    b.transport.refuse_streams = None
    await b.clock.advance(2)
    assert b.good("host") == b.good("disk") == [2.0]
    await b.stop()


async def test_parse_errors_and_defects_are_shown_and_hurt_nobody_else(bench, caplog):
    b = bench(tick("host"), tick("a"), tick("b"))
    b.transport.says = lambda word: ["fine", "bad", "defect"][word]
    await b.start()
    assert b.failures("a") == [(0.0, "parse")]
    assert b.failures("b") == [(0.0, "internal")]
    assert "ZeroDivisionError" in b.samples("b")[0].result.reason
    assert "ZeroDivisionError" in caplog.text
    assert b.good("host") == [0.0]
    await b.clock.advance(2)
    assert b.good("host") == [0.0, 2.0]
    await b.stop()


async def test_a_defect_outside_the_questions_shows_on_the_link_and_is_tried_again(bench, caplog):
    b = bench(tick("host"), transport=ScriptedTransport(connects=[RuntimeError("a defect of the transport"), None]))
    await b.start()
    assert b.state.nodes["n1"].link.code == "internal"
    assert "a defect of the transport" in b.state.nodes["n1"].link.reason
    await b.clock.advance(3)
    assert b.good("host") == [3.0]
    await b.stop()


async def test_commands_run_beside_the_loop_with_their_own_deadline(bench):
    slow = ExecProbe("backup", Cadence.SLOW, 5.0, command("pgbackrest", "info"), lambda c, a: VersionFacts(c.stdout))
    b = bench(tick("host"), slow)
    b.transport.answers[("pgbackrest", "info")] = Completed(0, "fine", "", 0.1)
    await b.start()
    assert b.read("backup") == Observed(VersionFacts("fine"), 1000.0)
    await b.stop()


async def test_a_command_that_hangs_is_cancelled_at_its_deadline(bench):
    cancelled = asyncio.Event()

    class Hanging(ScriptedTransport):
        async def run(self, command):
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

    slow = ExecProbe("backup", Cadence.MEDIUM, 5.0, command("sleep"), lambda c, a: VersionFacts(c.stdout))
    b = bench(tick("host"), slow, transport=Hanging())
    await b.start()
    await b.clock.advance(5.5)
    assert b.failures("backup") == [(5.0, "timeout")]
    assert cancelled.is_set()
    assert len(b.good("host")) == 3
    await b.stop()


async def test_once_returns_when_all_have_answered(bench):
    b = bench(tick("host"), tick("disk", Cadence.MEDIUM), tick("packages", Cadence.RARE))
    await b.watcher.once(["host", "disk"])
    assert b.good("host") == b.good("disk") == [0.0]
    assert b.samples("packages") == []
    b.watcher.release()
    assert not any(stream.open for stream in b.transport.streams)


async def test_once_ends_at_the_deadline_of_what_hangs(bench):
    b = bench(tick("host"), tick("disk", deadline=2.0))
    b.transport.holding.add(1)
    task = asyncio.create_task(b.watcher.once(["host", "disk"]))
    await b.clock.advance(1.9)
    assert not task.done()
    await b.clock.advance(0.1)
    assert task.done()
    assert b.good("host") == [0.0]
    assert b.failures("disk") == [(2.0, "timeout")]


async def test_once_shows_why_a_node_could_not_be_reached(bench):
    b = bench(tick("host"), transport=ScriptedTransport(connects=[ConnectTimeoutError("n1", "no answer in 5 s")]))
    await b.watcher.once(["host"])
    assert b.read("host") == Unknown("no answer in 5 s", 1000.0)


async def test_once_notices_a_connection_that_dies_meanwhile(bench):
    b = bench(tick("host"))
    b.transport.holding.add(0)
    task = asyncio.create_task(b.watcher.once(["host"]))
    await settle()
    b.transport.lose(ConnectionLostError("n1", "reset by peer"))
    await asyncio.wait_for(task, 1)
    assert b.state.nodes["n1"].link.phase is LinkPhase.DOWN
    assert b.read("host") == Unknown("reset by peer", 1000.0)


async def test_a_watcher_that_is_stopped_closes_its_loop(bench):
    b = bench(tick("host"))
    await b.start()
    await b.stop()
    assert [stream.open for stream in b.transport.streams] == [False]


async def test_answers_to_once_do_not_turn_stale_while_others_are_waited_for(bench):
    b = bench(tick("host"))
    await b.watcher.once(["host"], lasting=12.0)
    await b.clock.advance(11.0)
    assert isinstance(b.read("host"), Observed)
