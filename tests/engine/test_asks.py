"""What verbs ask for, carried out: reads that may be repeated, acts that may not, deadlines, the local machine."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from hactl.engine.asks import Actor, Errand, Reader
from hactl.engine.clock import FakeClock, RealClock
from hactl.engine.hands import Hands
from hactl.engine.local import FILE_LIMIT, read_file, run_program
from hactl.model.abreast import both, together
from hactl.model.command import FENCED_OUT, Command, Completed, Fence
from hactl.model.errors import (
    BecomeDeniedError,
    CommandTimeoutError,
    ConnectionLostError,
    InputError,
    InternalError,
    LockError,
    TransportError,
    UnreachableError,
)
from hactl.model.events import CommandDone, CommandStarted, StepProgress
from hactl.model.verb import Meanwhile, ask, fetch, now, read_local, run, run_local, tell, tell_socket, wait
from hactl.transport.fake import FakeTransport
from tests.engine.acting import played
from tests.engine.scripted import inventory

SOCKET = "/run/haproxy/admin.sock"
DONE = Completed(0, "yes\n", "", 0.01)
READ, ACT = Command(("cat", "x")), Command(("rm", "x"), mutates=True)


class Lock:
    def __init__(self) -> None:
        self.lost = asyncio.Event()

    async def cover(self, node: str) -> bool:
        return True

    def fenced(self, command: Command) -> Command:
        return Command(command.argv, mutates=command.mutates, fence=Fence("/run/epoch", 7))


class Bench:
    """One node, one step."""

    def __init__(self, deadline: float = 60.0) -> None:
        self.clock, self.lock, self.events = FakeClock(), Lock(), []
        self.node = FakeTransport("lb1")
        self.said: list[str] = []
        everything = inventory("lb1")
        self.hands = Hands(everything, {"lb1": self.node}, self.clock)
        self.errand = Errand(0, "lb1", self.clock.monotonic() + deadline)

    def reader(self) -> Reader:
        return Reader(self.hands, self.clock, self.errand, lambda sentence, _: self.said.append(sentence))

    def actor(self) -> Actor:
        return Actor(
            self.hands, self.clock, self.errand, self.lock, lambda event, secrets=(): self.events.append(event)
        )

    async def act(self, doing):
        self.acting = self.actor()
        return await played(self.clock, self.acting.carry(doing))

    async def read(self, doing):
        return await played(self.clock, self.reader().carry(doing))


def prompt(answers: dict[bytes, bytes]):
    return lambda request: b"\n> " if request == b"prompt\n" else answers[request] + b"\n\n> "


async def test_reads_are_answered_and_not_journaled():
    bench = Bench()
    bench.node.on(("cat",), DONE)
    bench.node.sockets[SOCKET] = prompt({b"show info\n": b"Name: HAProxy"})
    assert await bench.act(run(READ)) == DONE
    assert await bench.act(ask("lb1", SOCKET, "show info")) == ("Name: HAProxy",)
    assert bench.events == []


@pytest.mark.parametrize(
    "doing", [run(ACT), tell_socket("lb1", SOCKET, "x"), run_local(ACT)], ids=["run", "tell", "local"]
)
async def test_who_may_only_look_changes_nothing(doing):
    bench = Bench()
    with pytest.raises(InternalError, match="may only look"):
        await bench.read(doing)
    assert bench.node.commands == []


async def test_an_act_is_fenced_and_written_down_before_and_after():
    bench = Bench()
    bench.node.on(("rm",), DONE)
    assert await bench.act(run(ACT)) == DONE
    assert bench.node.commands[0].fence == Fence("/run/epoch", 7)
    assert bench.events == [CommandStarted(0, "lb1", "rm x"), CommandDone(0, "lb1", 0, "yes\n", "", 0.01)]
    assert bench.acting.uncertain == ""


async def test_a_socket_is_told_only_where_the_epoch_holds():
    bench = Bench()
    bench.node.on(("true",), DONE)
    bench.node.sockets[SOCKET] = prompt({b"set server b/s state drain\n": b""})
    assert await bench.act(tell_socket("lb1", SOCKET, "set server b/s state drain")) == ("",)
    assert [type(event) for event in bench.events] == [CommandStarted, CommandDone]

    bench.node.on(("true",), Completed(FENCED_OUT, "", "fenced out: the lock is at epoch 8, not 7", 0.01))
    with pytest.raises(LockError):
        await bench.act(tell_socket("lb1", SOCKET, "set server b/s state drain"))
    assert len(bench.events) == 2


async def test_without_the_lock_there_is_no_act_but_looking():
    bench = Bench()
    bench.node.on(("cat",), DONE)
    bench.lock.lost.set()
    with pytest.raises(LockError):
        await bench.act(run(ACT))
    assert bench.events == []
    assert await bench.act(run(READ)) == DONE


async def test_a_program_of_its_own_may_exit_as_the_fence_does():
    bench = Bench()
    bench.node.on(("rm",), Completed(FENCED_OUT, "", "rm: 86 bottles", 0.01))
    assert (await bench.act(run(ACT))).exit == FENCED_OUT


# error, whether its outcome is unknown
ENDS = [
    (ConnectionLostError("lb1", "lost"), True),
    (CommandTimeoutError("lb1", "late"), True),
    (BecomeDeniedError("lb1", "sudo says no"), False),
]


@pytest.mark.parametrize(("error", "uncertain"), ENDS)
async def test_an_act_that_nobody_heard_of_again_is_not_repeated(error, uncertain):
    bench = Bench()
    bench.node.on(("rm",), error)
    with pytest.raises(type(error)):
        await bench.act(run(ACT))
    assert len(bench.node.commands) == 1
    assert bool(bench.acting.uncertain) is uncertain
    assert bench.events[-1].exit is None


async def test_an_act_waits_for_the_way_to_its_node():
    bench = Bench()
    bench.node.on(("rm",), DONE)
    bench.node.unreachable = UnreachableError("lb1", "no route")
    bench.clock.call_at(bench.clock.monotonic() + 5, lambda: setattr(bench.node, "unreachable", None))
    assert await bench.act(run(ACT)) == DONE
    assert [type(event) for event in bench.events if not isinstance(event, StepProgress)] == [
        CommandStarted,
        CommandDone,
    ]


@pytest.mark.parametrize("asked", [ask, tell_socket])
async def test_a_socket_that_says_nothing_is_not_waited_for_until_the_deadline(asked):
    """A frozen HAProxy: the connection is made, and nobody answers. The step may have hours."""
    bench = Bench(deadline=7200.0)
    bench.node.sockets[SOCKET] = lambda data: b""
    bench.node.on(("true",), DONE)
    began = bench.clock.monotonic()
    with pytest.raises(CommandTimeoutError, match="gave no answer within 10 s"):
        await bench.act(asked("lb1", SOCKET, "show info"))
    assert bench.clock.monotonic() - began < 15
    assert bool(bench.acting.uncertain) is (asked is tell_socket)


async def test_a_read_is_asked_again_until_patience_ends():
    bench = Bench()
    bench.node.on(("cat",), [ConnectionLostError("lb1", "lost"), UnreachableError("lb1", "no route"), DONE])
    assert await bench.read(run(READ)) == DONE
    assert bench.said == ["lb1: lost; trying again", "lb1: no route; trying again"]
    bench.node.on(("cat",), UnreachableError("lb1", "no route"))
    began = bench.clock.monotonic()
    with pytest.raises(UnreachableError):
        await bench.read(run(READ))
    assert 20 < bench.clock.monotonic() - began <= 31


async def test_errors_are_thrown_into_the_verb():
    def doing():
        try:
            yield from run(READ)
        except TransportError as error:
            return f"caught {error.message}"

    bench = Bench()
    bench.node.on(("cat",), BecomeDeniedError("lb1", "sudo says no"))
    assert await bench.read(doing()) == "caught lb1: sudo says no"


async def test_what_is_asked_together_takes_as_long_as_the_slowest():
    bench = Bench()
    begun = bench.clock.monotonic()
    await bench.read(together((wait(3, "one"), wait(5, "two"), wait(1, "three"))))
    assert bench.clock.monotonic() - begun == pytest.approx(5.0)
    assert bench.said == ["one", "two", "three"]


async def test_what_one_part_is_not_answered_is_its_own_matter():
    bench = Bench()
    bench.node.on(("cat",), DONE)
    bench.node.on(("rm",), BecomeDeniedError("lb1", "sudo says no"))

    def refused():
        try:
            yield from run(ACT)
        except BecomeDeniedError as error:
            return error.message
        return ""

    answered, why = await bench.act(both(run(READ), refused()))
    assert answered == DONE
    assert "sudo says no" in why
    assert [type(event) for event in bench.events] == [CommandStarted, CommandDone]


async def test_without_the_lock_nothing_is_done_together():
    bench = Bench()
    bench.node.on(("cat",), DONE)
    bench.lock.lost.set()
    with pytest.raises(LockError):
        await bench.act(together((run(READ), run(ACT))))
    assert bench.events == []


async def test_a_deadline_strikes_once_and_leaves_time_to_put_back():
    bench = Bench(deadline=10.0)
    bench.node.on(("rm",), DONE)

    def doing():
        try:
            yield from wait(100.0, "sessions")
        except TransportError:
            yield from wait(5.0, "cleaning up")
            yield from run(ACT)
            raise

    with pytest.raises(CommandTimeoutError, match="sessions"):
        await bench.act(doing())
    assert [command.argv for command in bench.node.commands] == [("rm", "x")]
    assert bench.acting.waited == pytest.approx(15.0, abs=1.0)


async def test_a_verb_that_ignores_its_deadline_is_ended():
    def doing():
        while True:
            try:
                yield from wait(100.0, "ever")
            except TransportError:
                continue

    bench = Bench(deadline=10.0)
    began = bench.clock.monotonic()
    with pytest.raises(CommandTimeoutError):
        await bench.act(doing())
    assert bench.clock.monotonic() - began < 60


async def test_an_act_that_the_deadline_cuts_off_is_uncertain():
    bench = Bench(deadline=10.0)

    class Slow(FakeTransport):
        async def run(self, command):
            await bench.clock.sleep(100)

    bench.hands = Hands(inventory("lb1"), {"lb1": Slow("lb1")}, bench.clock)
    with pytest.raises(CommandTimeoutError):
        await bench.act(run(ACT))
    assert bench.acting.uncertain
    assert bench.events[-1].exit is None


async def test_waits_are_stated_and_counted_and_progress_is_not_a_flood():
    def doing():
        begun = yield from now()
        for sessions in range(20):
            yield from tell(f"{sessions} sessions", sessions=float(sessions))
            yield from wait(0.1, "the sessions")
        return (yield from now()) - begun

    bench = Bench()
    assert await bench.act(doing()) == pytest.approx(2.0)
    assert bench.acting.waited == pytest.approx(2.0)
    told = [event for event in bench.events if isinstance(event, StepProgress)]
    assert 3 <= len(told) <= 5
    assert told[0].numbers == {"sessions": 0.0}


async def test_while_something_long_goes_on_it_is_told_how_far_it_is():
    bench = Bench()
    asked = Command(("info",))

    class Slow(FakeTransport):
        async def run(self, command):
            if command == asked:
                self.commands.append(command)
                if len(self.commands) == 2:
                    raise ConnectionLostError("lb1", "gone")  # the next answer will do
                return Completed(0, f"{len(self.commands)}0 %", "", 0.01)
            await bench.clock.sleep(7)
            return DONE

    node = Slow("lb1")
    bench.hands = Hands(inventory("lb1"), {"lb1": node}, bench.clock)
    told = Meanwhile(asked, lambda done: (done.stdout, {}), every=2.0)
    assert await bench.act(run(ACT, meanwhile=told)) == DONE
    assert [event.sentence for event in bench.events if isinstance(event, StepProgress)] == ["10 %", "30 %"]
    await played(bench.clock, bench.clock.sleep(10))
    assert len(node.commands) == 3  # it ends with what it was about


async def test_nothing_is_changed_by_asking_how_far_it_is():
    bench = Bench()
    bench.node.on(("rm",), DONE)
    with pytest.raises(InternalError, match="may only look"):
        await bench.act(run(ACT, meanwhile=Meanwhile(ACT, lambda done: (done.stdout, {}))))
    assert bench.node.commands == []


async def test_a_fetch_that_nobody_answers_has_status_0():
    bench = Bench()
    assert (await bench.read(fetch(8080, "/", "app1"))).status == 0
    bench.node.sockets["127.0.0.1:8080"] = lambda request: b""
    fetched = await bench.read(fetch(8080, "/", "app1", timeout=3.0))
    assert (fetched.status, fetched.error) == (0, "no answer within 3 s")


async def test_local_files_whole_and_bounded(tmp_path):
    path = tmp_path / "a file"
    path.write_bytes(b"\x00whole")
    assert await Bench().reader().carry(read_local(str(path))) == b"\x00whole"
    with path.open("wb") as file:
        file.truncate(FILE_LIMIT + 1)
    for wrong, why in ((path, "larger"), (tmp_path, "directory"), (tmp_path / "absent", "No such file")):
        with pytest.raises(InputError, match=why):
            await read_file(str(wrong))


async def test_local_programs_are_not_read_by_a_shell_and_end_in_time(tmp_path):
    clock, words = RealClock(), "'; touch x #"
    done = await run_program(
        Command((sys.executable, "-c", "import os, sys; print(sys.argv[1], os.environ['A'], input())", words), b"in\n"),
        {"A": "b"},
        clock,
    )
    assert (done.exit, done.stdout) == (0, f"{words} b in\n")
    assert (await run_program(Command(("sh", "-c", "exit 7")), {}, clock)).exit == 7
    with pytest.raises(InputError, match="cannot be run"):
        await run_program(Command(("/no/such/program",)), {}, clock)
    with pytest.raises(CommandTimeoutError):
        await run_program(Command(("sleep", "60"), timeout=0.2), {}, clock)


async def test_what_a_program_leaves_running_ends_with_its_time(tmp_path: Path):
    """The program itself has ended; what it started in the background still has its output open."""
    left = tmp_path / "pid"
    command = Command(("sh", "-c", f"sleep 60 & echo $! >{left}"), timeout=0.5)
    with pytest.raises(CommandTimeoutError):
        await run_program(command, {}, RealClock())
    for _ in range(100):
        if _ended(int(left.read_text())):
            return
        await asyncio.sleep(0.02)
    pytest.fail("it still runs")


def _ended(pid: int) -> bool:
    """Gone, or a zombie that its new parent has not taken yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
