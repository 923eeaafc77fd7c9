"""The shape of an act: a verb says what it needs from the world, and is told; it does no I/O of its own.

A verb's methods are generators. They yield an `Ask` and are sent its answer; they return what they found or did:

    def check(self, scene, args):
        done = yield from run(command("systemctl", "is-active", unit))
        return Standing(done.ok, f"{unit} is {done.stdout.strip()}")

The engine carries asks out, bounds them, journals those that change something, and throws a TransportError into the
generator when a node could not be asked. A verb that lets it pass has failed, or, where a command that changes
something was under way, has an unknown outcome: the engine then looks again with `check` and repeats nothing blindly.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from hactl.model.command import Command, Completed
from hactl.model.guard import GuardVerdict
from hactl.model.inventory import Inventory, Node
from hactl.model.observed import Unknown
from hactl.model.picture import Picture

A = TypeVar("A")
T = TypeVar("T")

Memory: TypeAlias = Mapping[str, str]
"""What a verb found before it acted and needs to take its act back. Journaled before the act."""


# --- what may be asked --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What is asked on the same node while a long command runs, every so many seconds, and how its answer is told: a
    sentence and numbers. The command only reads; that it cannot be asked is no harm.
    """

    command: Command
    told: Callable[[Completed], tuple[str, Mapping[str, float]]]
    every: float = 2.0


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Answered with Completed. `node` None: the node that the step is for."""

    command: Command
    node: str | None = None
    meanwhile: Meanwhile | None = None


@dataclass(frozen=True, slots=True)
class AskSocket:
    """Requests to HAProxy's admin socket on a node, in one session; answered with a tuple of texts, one a request."""

    node: str
    path: str
    requests: tuple[str, ...]
    mutates: bool = False


@dataclass(frozen=True, slots=True)
class Fetch:
    """One GET made on the node. Answered with Fetched; no answer at all has status 0."""

    port: int
    path: str
    host: str
    node: str | None = None
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Answered with None after so many seconds. `why` is shown and counted: every wait is a stated one."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Now:
    """Answered with the second of a monotonic clock, a float: a verb with a deadline of its own measures by it."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Progress, for people and for the journal: a sentence and its numbers ("sessions": 3.0). Answered with None."""

    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadLocal:
    """A file of the operator's machine, whole; answered with bytes. At most 16 MiB. Raises InputError."""

    path: str


@dataclass(frozen=True, slots=True)
class RunLocal:
    """A program on the operator's machine (Ansible); answered with Completed. Never through a shell."""

    command: Command
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Together:
    """Several asks at one time (`model.abreast`). Answered with a tuple, one an ask: its answer, or the TransportError
    or InputError that it raised.
    """

    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    body: str
    seconds: float
    error: str = ""


Ask: TypeAlias = RunCommand | AskSocket | Fetch | Wait | Now | Tell | ReadLocal | RunLocal | Together
# What comes back depends on the ask; the functions below give it its type.
Doing: TypeAlias = Generator[Ask, Any, T]


def run(command: Command, node: str | None = None, *, meanwhile: Meanwhile | None = None) -> Doing[Completed]:
    """Run a command on the step's node, or on `node`."""
    done: Completed = yield RunCommand(command, node, meanwhile)
    return done


def ask(node: str, path: str, *requests: str) -> Doing[tuple[str, ...]]:
    """Read from an admin socket."""
    answers: tuple[str, ...] = yield AskSocket(node, path, requests)
    return answers


def tell_socket(node: str, path: str, *requests: str) -> Doing[tuple[str, ...]]:
    """Change something through an admin socket. Its answers prove nothing: read back."""
    answers: tuple[str, ...] = yield AskSocket(node, path, requests, mutates=True)
    return answers


def fetch(port: int, path: str, host: str, *, node: str | None = None, timeout: float = 5.0) -> Doing[Fetched]:
    fetched: Fetched = yield Fetch(port, path, host, node, timeout)
    return fetched


def wait(seconds: float, why: str) -> Doing[None]:
    yield Wait(seconds, why)


def now() -> Doing[float]:
    second: float = yield Now()
    return second


def tell(sentence: str, **numbers: float) -> Doing[None]:
    yield Tell(sentence, numbers)


def read_local(path: str) -> Doing[bytes]:
    data: bytes = yield ReadLocal(path)
    return data


def run_local(command: Command, environment: Mapping[str, str] | None = None) -> Doing[Completed]:
    done: Completed = yield RunLocal(command, environment or {})
    return done


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a step of this run that has ended, for a step after it. `facts` are its last standing's; `seconds`
    are those of its last attempt, of so many, and those that nobody was there to see it end.
    """

    done: bool  # or not needed; else it has failed, or nobody knows
    sentence: str
    facts: Mapping[str, str]
    seconds: float
    attempts: int


# --- what a verb is -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scene:
    """What a verb may know: the inventory, the node it acts for (None: the cluster), the picture when the step began.

    `overrides` are the names of the guards that the operator set aside. `run` and `reason` are for what is left on
    nodes for others to read. `remembered` is what steps of this run found before they acted, `outcomes` what came of
    them. `relieved`, while a plan is made: primaries that steps before this one put another in the place of.
    """

    inventory: Inventory
    node: Node | None
    picture: Picture
    overrides: frozenset[str] = frozenset()
    run: str = ""
    who: str = ""
    reason: str = ""
    remembered: Mapping[str, Memory] = field(default_factory=dict)  # by the run's steps that have acted, by step name
    outcomes: Mapping[str, Came] = field(default_factory=dict)  # of the run's steps that have ended, by step name
    relieved: frozenset[str] = frozenset()

    @property
    def target(self) -> Node:
        """The node. Raises ValueError for a verb that acts for the cluster."""
        if self.node is None:
            raise ValueError("this step is for no node")
        return self.node


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the world is as the verb wants it, in one sentence. `hopeless`: waiting will not make it so."""

    done: bool
    sentence: str
    facts: Mapping[str, str] = field(default_factory=dict)  # observations worth keeping, shown before and after
    hopeless: bool = False


class VerbError(Exception):
    """The verb cannot be done and says why: the step fails with this sentence. What it began it has put back."""

    def __init__(self, sentence: str, *, remedy: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Shown:
    """A first command as a plan prints it: where, and what. `socket`: it goes to an admin socket, not to a shell."""

    node: str
    text: str
    socket: bool = False


class Effect(StrEnum):
    """What a verb does to its node's part in pools and services while it lasts, for the weakest moment of a plan."""

    NONE = "none"
    TAKES_OUT = "takes-out"  # from here on the node serves no pool
    BRINGS_BACK = "brings-back"
    INTERRUPTS = "interrupts"  # its services stop and start again: a node that is not out of its pools loses requests
    MOVES_VIP = "moves-vip"


class Verb(ABC, Generic[A]):
    """One typed act. Subclasses are stateless singletons; `arguments` is a dataclass that `parameters_of` can read.

    `check` only reads, and says whether it is so already; it is also the read-back, asked again until it says done or
    the step's deadline is over; but a verb that is `always` done answers with True for its read-back alone: nothing is
    asked before its turn, and it is never skipped. `remember` only reads, and is journaled before `do`. `undo` takes
    back what `do` did with what `remember` found; it must do no harm when `do` never ran. A verb is `idempotent` when
    doing it twice is doing it once, and `has_undo` when `undo` is there.

    Where `check` cannot tell that it was done (a restart leaves the world as it was), `reads_back` is False: `do`
    itself proves it against its memory before it returns, and the step is done when it has returned. Given the memory
    of an attempt that was cut off, such a `do` sees whether that attempt took effect, and does not act again if so.
    """

    name: ClassVar[str]  # "balancer.drain"
    summary: ClassVar[str]  # one line
    arguments: ClassVar[type]
    per_node: ClassVar[bool] = True  # False: acts for the cluster, once
    mutates: ClassVar[bool] = True
    idempotent: ClassVar[bool] = True
    reads_back: ClassVar[bool] = True
    has_undo: ClassVar[bool] = False
    urgent: ClassVar[bool] = False  # users wait meanwhile: no guard is asked before it, the verb looks for itself
    always: ClassVar[bool] = False  # done whenever its turn comes (a wait, a script): `check` is asked only after `do`
    leaves: ClassVar[bool] = True  # False: what becomes of it is in nobody's way; others need not wait for its end
    irreversible: ClassVar[bool] = False  # a plan with such a step wants the confirmation typed
    one_way: ClassVar[bool] = False  # once it is done its undo refuses: what stands before it stays, too
    effect: ClassVar[Effect] = Effect.NONE
    deadline: ClassVar[float] = 60.0  # seconds for a step that names none, read-back included
    usual: ClassVar[float] = 2.0  # seconds that it probably takes, where its arguments make no difference

    def problem(self, scene: Scene, args: A) -> str:  # noqa: ARG002 - most verbs have nothing to object
        """Why this can never be done to this node ("app1 is in no pool"), for the plan; "" when it can."""
        return ""

    def seconds(self, args: A) -> float:  # noqa: ARG002 - most verbs take as long whatever they are told
        """How long it probably takes when nothing is known from earlier runs."""
        return self.usual

    @abstractmethod
    def first(self, scene: Scene, args: A) -> tuple[Shown, ...]:
        """The exact first commands, for the plan. Asks nobody."""

    def rights(self, scene: Scene, args: A) -> tuple[Command, ...]:  # noqa: ARG002 - most need no sudo
        """Commands like those that `do` and `undo` run as another user: a plan asks sudo whether it may."""
        return ()

    def preflight(self, scene: Scene, args: A) -> Doing[tuple[GuardVerdict, ...]]:  # noqa: ARG002 - most have none
        """What only the nodes can say before anything is touched (package on offer, room on the disk). Only reads."""
        yield from ()
        return ()

    @abstractmethod
    def check(self, scene: Scene, args: A) -> Doing[Standing]: ...

    def remember(self, scene: Scene, args: A) -> Doing[Memory]:  # noqa: ARG002 - those without an undo need nothing
        yield from ()
        return {}

    @abstractmethod
    def do(self, scene: Scene, args: A, memory: Memory) -> Doing[str]:
        """Do it; the sentence says what was done. Raises VerbError."""

    def undo(self, scene: Scene, args: A, memory: Memory) -> Doing[str]:  # noqa: ARG002 - the signature of all
        """Take it back; the sentence says what was put back. Raises VerbError."""
        yield from ()
        raise VerbError(f"{self.name} cannot be undone")


AnyVerb: TypeAlias = Verb[Any]
Verbs: TypeAlias = Mapping[str, AnyVerb]


def exit_sentence(done: Completed, what: str) -> str:
    """How a command ended, for a sentence: "apt-get failed with exit status 100: E: ..."."""
    said = next((line for line in reversed((done.stderr or done.stdout).splitlines()) if line.strip()), "")
    if isinstance(done.exit, Unknown):
        return f"{what} has an unknown outcome: {done.exit.reason}"
    return f"{what} failed with exit status {done.exit}" + (f": {said.strip()}" if said else "")
