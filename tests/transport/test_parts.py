"""The small parts: frames, waits, queues, prompts, buffers."""

from __future__ import annotations

import asyncio
import threading
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hactl.model.errors import UnreachableError
from hactl.transport.attempts import Attempts
from hactl.transport.backoff import Backoff
from hactl.transport.framing import FrameOverflowError, FrameSplitter
from hactl.transport.gate import SessionGate
from hactl.transport.inbox import HIGH_WATER, Inbox
from hactl.transport.prompter import Prompter


@given(st.lists(st.text(alphabet="abc\n é"), max_size=8), st.data())
def test_frames_are_the_same_however_the_bytes_arrive(frames: list[str], data: st.DataObject) -> None:
    sent = b"".join(frame.encode() + b"\x1e" for frame in frames) + b"unfinished"
    splitter, got = FrameSplitter(), []
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        got += splitter.feed(sent[:size])
        sent = sent[size:]
    assert got == frames


@pytest.mark.parametrize(("before", "last"), [(b"", b"x" * 11), (b"x" * 6, b"x" * 5), (b"x" * 6, b"xxxxx\x1e")])
def test_a_frame_has_a_limit(before: bytes, last: bytes) -> None:
    splitter = FrameSplitter(limit=10)
    assert splitter.feed(before) == []
    with pytest.raises(FrameOverflowError):
        splitter.feed(last)


def test_the_limit_is_for_one_frame_not_for_all() -> None:
    splitter = FrameSplitter(limit=10)
    assert splitter.feed(b"0123456789\x1e" * 50) == ["0123456789"] * 50


def test_waits_double_to_the_cap_and_start_again() -> None:
    backoff = Backoff(1, 8, floor=0, uniform=lambda _, high: high)
    assert list(islice(backoff, 6)) == [1, 2, 4, 8, 8, 8]
    backoff.reset()
    assert next(backoff) == 1


def test_waits_are_spread_over_the_whole_range() -> None:
    drawn = [next(Backoff(10, 10, floor=1)) for _ in range(500)]
    assert 1 <= min(drawn) < 2
    assert 9 < max(drawn) <= 10


async def test_a_gate_lets_through_in_order() -> None:
    gate, order = SessionGate(2), []

    async def one(number: int) -> None:
        place = await gate.enter()
        order.append(number)
        await asyncio.sleep(0)
        assert gate.active <= 2
        place.leave()
        place.leave()

    await asyncio.gather(*(one(number) for number in range(20)))
    assert order == list(range(20))
    assert gate.active == 0


async def test_a_gate_learns_the_limit_from_a_refusal() -> None:
    gate = SessionGate(8)
    held = [await gate.enter() for _ in range(3)]
    assert held.pop().refused()
    assert gate.limit == 2
    third = asyncio.ensure_future(gate.enter())
    await asyncio.sleep(0)
    assert not third.done()
    held.pop().leave()
    (await third).leave()


async def test_a_gate_that_learned_too_little_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hactl.transport.gate._TRY_MORE", 0.01)
    gate = SessionGate(3)
    stays, refused = await gate.enter(), await gate.enter()
    assert refused.refused()  # by a server that still counted a session which had just ended
    assert gate.limit == 1
    places = [await asyncio.wait_for(gate.enter(), 1) for _ in range(2)]
    assert gate.limit == 3
    over = asyncio.ensure_future(gate.enter())
    await asyncio.sleep(0.05)
    assert not over.done()  # never more than it began with
    for place in (stays, *places):
        place.leave()
    (await over).leave()
    assert gate.active == 0


async def test_a_refusal_of_the_only_one_teaches_nothing() -> None:
    gate = SessionGate(8)
    assert not (await gate.enter()).refused()
    assert (gate.limit, gate.active) == (8, 0)


@pytest.mark.parametrize("given_first", [False, True])
async def test_a_cancelled_waiter_takes_no_place(given_first):
    gate = SessionGate(1)
    first = await gate.enter()
    waiting = asyncio.ensure_future(gate.enter())
    await asyncio.sleep(0)
    if given_first:
        first.leave()  # the place is on its way when the cancellation comes
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    first.leave()
    (await asyncio.wait_for(gate.enter(), 1)).leave()
    assert gate.active == 0


async def test_a_question_is_asked_once_and_off_the_loop() -> None:
    asked: list[tuple[str, str]] = []

    def ask(question: str) -> str:
        asked.append((question, threading.current_thread().name))
        return "answer"

    prompter = Prompter(ask)
    assert await asyncio.gather(*(prompter.answer("key", "Q: ") for _ in range(5))) == ["answer"] * 5
    assert [question for question, _ in asked] == ["Q: "]
    assert asked[0][1] != threading.main_thread().name
    prompter.forget("key")
    await prompter.answer("key", "Q: ")
    assert len(asked) == 2


async def test_nobody_answers() -> None:
    def ask(_: str) -> str:
        raise EOFError

    assert await Prompter(ask).answer("key", "Q: ") is None
    assert await Prompter(None).answer("key", "Q: ") is None
    assert await Prompter(lambda _: "").answer("key", "Q: ") is None


async def test_an_inbox_holds_the_far_side_back() -> None:
    calls: list[str] = []
    inbox = Inbox(lambda: calls.append("hold"), lambda: calls.append("release"))
    for _ in range(HIGH_WATER // 65536 + 1):
        inbox.push(b"x" * 65536)
    assert calls == ["hold"]
    for _ in range(HIGH_WATER // 65536 + 1):
        assert len(await inbox.read()) == 65536
    assert calls == ["hold", "release"]
    inbox.push(b"last")
    inbox.finish()
    assert [await inbox.read(3), await inbox.read(), await inbox.read()] == [b"las", b"t", b""]


async def test_who_waits_for_an_attempt_that_fails_does_not_try_again() -> None:
    attempts, tried = Attempts(), 0

    async def connect() -> None:
        nonlocal tried
        async with attempts.turn():
            tried += 1
            await asyncio.sleep(0)
            raise UnreachableError("app1", "no route")

    for round_ in (1, 2):  # who comes later tries anew
        ends = await asyncio.gather(*(connect() for _ in range(3)), return_exceptions=True)
        assert [type(end) for end in ends] == [UnreachableError] * 3
        assert tried == round_


async def test_an_attempt_that_was_given_up_is_nobody_elses_failure() -> None:
    attempts, begun = Attempts(), asyncio.Event()

    async def hang() -> None:
        async with attempts.turn():
            begun.set()
            await asyncio.Event().wait()

    async def connect() -> str:
        async with attempts.turn():
            return "connected"

    hanging = asyncio.create_task(hang())
    await begun.wait()
    waiting = asyncio.create_task(connect())
    await asyncio.sleep(0)
    hanging.cancel()
    assert await waiting == "connected"
