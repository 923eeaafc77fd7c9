"""A small world to act on: nodes whose state is a few words, verbs that change them, a journal in memory, and a clock
that jumps to whatever is waited for. What a process that is killed leaves behind can be picked up by the next one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, TypeVar

from hactl.engine.clock import FakeClock, settle
from hactl.engine.crew import Crew, Rules
from hactl.engine.hands import Hands
from hactl.engine.publisher import Publisher
from hactl.engine.runner import Runner
from hactl.engine.story import Story
from hactl.engine.will import Will
from hactl.model.command import Command, Completed
from hactl.model.errors import CommandTimeoutError, HactlError, JournalError
from hactl.model.events import CommandStarted, LockTaken, Recorded, RunEnded, RunStarted, WishKind
from hactl.model.guard import GuardVerdict
from hactl.model.journal import Wish
from hactl.model.parameters import About, ParameterKind
from hactl.model.plan import Plan, PlannedStep, Request
from hactl.model.playbook import OnFailure
from hactl.model.run import RunState, folded
from hactl.model.verb import (
    Doing,
    Effect,
    Memory,
    Scene,
    Shown,
    Standing,
    Verb,
    VerbError,
    read_local,
    run,
    wait,
)
from hactl.transport.fake import FakeTransport
from tests.engine.scripted import inventory

T = TypeVar("T")

NODES = ("app1", "app2", "app3")
RUN = "20261121-120000-abc"


class Killed(BaseException):
    """The process is no more: nothing of it writes or catches anything."""


# --- verbs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


@dataclass(frozen=True, slots=True)
class Timed:
    seconds: Annotated[float, About("how long")] = 1.0


def get(word: str) -> Doing[str]:
    return (yield from run(Command(("get", word)))).stdout


def put(word: str, value: str) -> Doing[Completed]:
    done = yield from run(Command(("set", word, value), mutates=True))
    if not done.ok:
        raise VerbError(f"set {word} {value} has exit status {done.exit}", remedy="Look at it.")
    return done


class Switch(Verb[Nothing]):
    """Sets a word of its node, and back."""

    arguments = Nothing
    summary = "for tests"
    has_undo = True

    def __init__(self, name: str, word: str, value: str, effect: Effect = Effect.NONE, **traits: object) -> None:
        self.name, self.word, self.value, self.effect = name, word, value, effect
        for trait, is_so in traits.items():
            setattr(self, trait, is_so)

    def first(self, scene: Scene, args: Nothing) -> tuple[Shown, ...]:
        return ()

    def check(self, scene: Scene, args: Nothing) -> Doing[Standing]:
        now = yield from get(self.word)
        return Standing(now == self.value, f"{self.word} is {now}", {self.word: now})

    def remember(self, scene: Scene, args: Nothing) -> Doing[Memory]:
        return {"was": (yield from get(self.word))}

    def do(self, scene: Scene, args: Nothing, memory: Memory) -> Doing[str]:
        yield from put(self.word, self.value)
        return f"{self.word} set to {self.value}"

    def undo(self, scene: Scene, args: Nothing, memory: Memory) -> Doing[str]:
        yield from put(self.word, memory["was"])
        return f"{self.word} set back to {memory['was']}"


class Patient(Switch):
    """Takes out and waits for as long as it may; puts back what it began when it may no longer."""

    def do(self, scene: Scene, args: Nothing, memory: Memory) -> Doing[str]:
        yield from put(self.word, self.value)
        try:
            yield from wait(900.0, "the sessions to end")
        except CommandTimeoutError as error:
            yield from put(self.word, memory["was"])
            raise VerbError(f"{error.message}; {self.word} put back") from error
        return "waited"


class Promote(Switch):
    """Cannot be taken back."""

    def undo(self, scene: Scene, args: Nothing, memory: Memory) -> Doing[str]:
        if (yield from get(self.word)) == self.value:
            raise VerbError(f"{scene.target.name} is promoted")
        return "it was not promoted"


class Slow(Switch):
    """Takes its time to put something back."""

    def undo(self, scene: Scene, args: Nothing, memory: Memory) -> Doing[str]:
        yield from wait(20.0, "nothing in particular")
        return (yield from super().undo(scene, args, memory))


@dataclass(frozen=True, slots=True)
class Word:
    word: Annotated[str, About("what is written")] = ""
    source: Annotated[str, About("a file that is read before", ParameterKind.FILE)] = ""


class Write(Verb[Word]):
    """Writes what it is told."""

    name, summary, arguments = "write", "for tests", Word

    def first(self, scene: Scene, args: Word) -> tuple[Shown, ...]:
        return ()

    def check(self, scene: Scene, args: Word) -> Doing[Standing]:
        now = yield from get("mark")
        return Standing(now == args.word, f"mark is {now}")

    def do(self, scene: Scene, args: Word, memory: Memory) -> Doing[str]:
        if args.source:
            yield from read_local(args.source)
        yield from put("mark", args.word)
        return "written"


class Once(Verb[Nothing]):
    """Adds one; to do it twice is wrong. Whether it was done can be seen."""

    name, summary, arguments, idempotent = "once", "for tests", Nothing, False

    def first(self, scene: Scene, args: Nothing) -> tuple[Shown, ...]:
        return ()

    def check(self, scene: Scene, args: Nothing) -> Doing[Standing]:
        now = yield from get("count")
        return Standing(now == "1", f"count is {now}")

    def do(self, scene: Scene, args: Nothing, memory: Memory) -> Doing[str]:
        yield from run(Command(("add", "count"), mutates=True))
        return "counted"


class Healthy(Verb[Nothing]):
    """Only looks."""

    name, summary, arguments, mutates = "healthy", "for tests", Nothing, False

    def first(self, scene: Scene, args: Nothing) -> tuple[Shown, ...]:
        return ()

    def check(self, scene: Scene, args: Nothing) -> Doing[Standing]:
        now = yield from get("health")
        return Standing(now == "good", f"health is {now}", hopeless=now == "dead")

    def do(self, scene: Scene, args: Nothing, memory: Memory) -> Doing[str]:
        yield from ()
        return "looked"


class Pause(Verb[Timed]):
    """Only waits."""

    name, summary, arguments, mutates, always = "pause", "for tests", Timed, False, True

    def first(self, scene: Scene, args: Timed) -> tuple[Shown, ...]:
        return ()

    def check(self, scene: Scene, args: Timed) -> Doing[Standing]:
        yield from ()
        return Standing(done=True, sentence="waited")

    def do(self, scene: Scene, args: Timed, memory: Memory) -> Doing[str]:
        yield from wait(args.seconds, "a test")
        return "waited"


VERBS = {
    verb.name: verb
    for verb in (
        Switch("out", "in", "no", Effect.TAKES_OUT),
        Switch("change", "version", "2"),
        Switch("mark", "mark", "2", has_undo=False),
        Promote("promote", "mark", "2", one_way=True),
        Switch("only-once", "version", "2", idempotent=False, has_undo=False),
        Patient("patient", "in", "no", Effect.TAKES_OUT),
        Slow("slow", "version", "2"),
        Write(),
        Once(),
        Healthy(),
        Pause(),
        Switch("back", "in", "yes", Effect.BRINGS_BACK),
    )
}
ROLLING = ("out", "change", "healthy", "back")


# --- the world ----------------------------------------------------------------------------------------------------


@dataclass
class World:
    """Every node's words. `fault` may raise or answer instead, before or after a command takes effect."""

    words: dict[str, dict[str, str]] = field(
        default_factory=lambda: {
            node: {"in": "yes", "version": "1", "health": "good", "count": "0", "mark": "1"} for node in NODES
        }
    )
    acts: Counter[str] = field(default_factory=Counter)  # "app1 set in no" -> how often
    order: list[str] = field(default_factory=list)
    before: Callable[[str, Command], Completed | None] = lambda node, command: None
    after: Callable[[str, Command], Completed | None] = lambda node, command: None
    fewest: int = len(NODES)  # of nodes that were in, at any moment

    def run(self, node: str, command: Command) -> Completed:
        if (instead := self.before(node, command)) is not None:
            return instead
        what, *rest = command.argv
        words = self.words[node]
        said = ""
        if what == "get":
            said = words[rest[0]]
        else:
            self.acts[f"{node} {' '.join(command.argv)}"] += 1
            self.order.append(f"{node} {' '.join(command.argv)}")
            words[rest[0]] = rest[1] if what == "set" else str(int(words[rest[0]]) + 1)
            self.fewest = min(self.fewest, sum(each["in"] == "yes" for each in self.words.values()))
        return self.after(node, command) or Completed(0, said, "", 0.01)

    def transports(self) -> dict[str, FakeTransport]:
        made = {node: FakeTransport(node) for node in NODES}
        for node, transport in made.items():
            transport.on((), lambda command, node=node: self.run(node, command))
        return made

    def all(self, word: str) -> list[str]:
        return [words[word] for words in self.words.values()]


@dataclass
class MemoryDiary:
    """The journal. `kill_at`: the process dies at this event, before it is written or right after."""

    clock: FakeClock
    events: list[Recorded] = field(default_factory=list)
    wished: list[Wish] = field(default_factory=list)
    kill_at: int = 0
    written: bool = False  # the event at which it is killed is still written
    full_at: int = 0  # from this event on the disk is full
    room: bool = True
    heard: Callable[[Recorded], None] = lambda recorded: None

    def append(self, run: str, event: object, secrets: Sequence[str] = ()) -> Recorded:
        number = len(self.events) + 1
        if self.full_at and number >= self.full_at:
            raise JournalError("The disk is full.")
        if self.kill_at and number >= self.kill_at and not (self.written and number == self.kill_at):
            raise Killed
        recorded = Recorded(run, number, self.clock.wall(), event)
        self.events.append(recorded)
        self.heard(recorded)
        if number == self.kill_at:
            raise Killed
        return recorded

    def wish(self, kind: WishKind) -> None:
        self.wished.append(Wish(len(self.wished) + 1, RUN, self.clock.wall(), kind, "anna"))

    def wishes(self, run: str, after: int = 0) -> list[Wish]:
        return [wish for wish in self.wished if wish.number > after]

    def check_room(self) -> None:
        if not self.room:
            raise JournalError("There is little room.")

    def of(self, kind: type[T]) -> list[T]:
        return [one.event for one in self.events if isinstance(one.event, kind)]


class FakeLock:
    def __init__(self, refuses: HactlError | None = None) -> None:
        self.lost, self.reason, self.refuses, self.released = asyncio.Event(), "", refuses, 0

    async def cover(self, node: str) -> bool:
        return True

    def fenced(self, command: Command) -> Command:
        return command

    async def take(self) -> LockTaken:
        if self.refuses is not None:
            raise self.refuses
        return LockTaken(1, NODES)

    async def release(self) -> None:
        self.released += 1

    def lose(self) -> None:
        self.reason = "The lock is lost: somebody broke it."
        self.lost.set()


class FakeProber:
    failed, silent, stopped = 0, (), 0

    def start(self) -> None: ...

    async def stop(self) -> None:
        self.stopped += 1


class FakeWatch:
    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.rare: list[tuple[str, str]] = []  # what was asked beside

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def picture(self):
        return self._publisher.picture()

    async def fresh(self, nodes, rare=()):
        self.rare += rare
        return self._publisher.picture()


# --- playing it ---------------------------------------------------------------------------------------------------


def plan(
    steps: Sequence[str | dict[str, object]] = ROLLING,
    nodes: Sequence[str] = NODES,
    batch: int = 1,
    on_failure: OnFailure = OnFailure.UNDO,
    **more: object,
) -> Plan:
    """These steps on each of the nodes, so many at once."""
    made: list[PlannedStep] = []
    batches = tuple(tuple(nodes[start : start + batch]) for start in range(0, len(nodes), batch))
    for number, group in enumerate(batches):
        for node in group:
            for step in steps:
                given = {"verb": step} if isinstance(step, str) else step
                verb = VERBS[given["verb"]]
                planned = PlannedStep(
                    index=len(made),
                    name=verb.name,
                    verb=verb.name,
                    node=node,
                    segment=number,
                    lane=node,
                    batch=number + 1,
                    arguments={},
                    deadline=30.0,
                    on_failure=on_failure,
                    effect=verb.effect,
                    mutates=verb.mutates,
                )
                made.append(replace(planned, **given))
    whole = Plan(
        cluster="test",
        playbook="toy",
        title="A toy",
        request=Request("toy", who="anna@laptop"),
        parameters={},
        targets=tuple(nodes),
        untouched={},
        batches=batches,
        steps=tuple(made),
        verdicts=(),
        weakest=(),
        basis={},
    )
    return replace(whole, **more)


@dataclass
class Play:
    """One run, and as many processes that work on it as it takes."""

    plan: Plan
    world: World = field(default_factory=World)
    guards: Callable[[PlannedStep], tuple[GuardVerdict, ...]] = lambda step: ()
    clock: FakeClock = field(default_factory=FakeClock)
    still: HactlError | None = None

    def __post_init__(self) -> None:
        self.diary = MemoryDiary(self.clock)
        self.renew()

    def renew(self) -> None:
        """What dies with a process, and comes anew with the next."""
        self.lock, self.prober, self.will = FakeLock(), FakeProber(), None

    async def run(self, purpose: str = "run") -> RunEnded:
        """One process. Raises Killed."""
        everything = inventory(*NODES)
        story = Story(self.diary, RUN, self.plan, list(self.diary.events))
        self.will = Will(self.diary, story, self.clock)
        self.watch = FakeWatch(Publisher(everything, self.clock))
        crew = Crew(
            inventory=everything,
            verbs=VERBS,
            clock=self.clock,
            diary=self.diary,
            story=story,
            hands=Hands(everything, self.world.transports(), self.clock),
            fence=self.lock,
            watch=self.watch,
            will=self.will,
            rules=Rules(lambda condition, scene: (False, "it is not so"), lambda *given: self.guards(given[1])),
        )

        async def still() -> tuple[GuardVerdict, ...]:
            if self.still is not None:
                raise self.still
            return ()

        runner = Runner(crew, self.lock, self.prober, still)
        started = RunStarted("digest", "anna", "laptop", 1, story.state.attempt + 1, purpose)
        return await played(self.clock, runner.run(started))

    async def again(self, purpose: str = "resume") -> RunEnded:
        """The next process, which nothing kills."""
        self.renew()
        self.diary.kill_at = self.diary.full_at = 0
        return await self.run(purpose)

    @property
    def state(self) -> RunState:
        return folded(RUN, self.plan, self.diary.events)

    @property
    def phases(self) -> dict[str, str]:
        return {step.label: now.phase.value for step, now in zip(self.plan.steps, self.state.steps, strict=True)}

    @property
    def started(self) -> list[str]:
        return [f"{event.node} {event.text}" for event in self.diary.of(CommandStarted)]


async def played(clock: FakeClock, work):
    """What `work` gives; time jumps to whatever is waited for next."""
    task = asyncio.ensure_future(work)
    for _ in range(200_000):
        await settle()
        if task.done():
            return task.result()
        await clock.advance(max(0.0, clock._timers[0][0] - clock.monotonic()) if clock._timers else 1.0)
    raise AssertionError("it never ends")
