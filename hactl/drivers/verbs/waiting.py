"""Verbs that wait: for an answer, or for a time that is stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.model.parameters import About, ParameterKind
from hactl.model.text import one_line
from hactl.model.verb import AnyVerb, Doing, Memory, Scene, Shown, Standing, Verb, fetch, wait


@dataclass(frozen=True, slots=True)
class PauseArguments:
    seconds: Annotated[float, About("how long", ParameterKind.DURATION, minimum=0)]
    why: Annotated[str, About("what for; it is shown while it lasts")] = "to settle"


class Pause(Verb[PauseArguments]):
    name = "pause"
    summary = "Wait a stated time."
    arguments = PauseArguments
    per_node = False
    mutates = False
    always = True
    deadline = 3600.0

    def seconds(self, args: PauseArguments) -> float:
        return args.seconds

    def first(self, scene: Scene, args: PauseArguments) -> tuple[Shown, ...]:  # noqa: ARG002 - it runs nothing
        return ()

    def check(self, scene: Scene, args: PauseArguments) -> Doing[Standing]:  # noqa: ARG002 - a time that has passed
        yield from ()
        return Standing(done=True, sentence=f"waited {args.seconds:g} s: {args.why}")

    def do(self, scene: Scene, args: PauseArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002
        yield from wait(args.seconds, args.why)
        return f"waited {args.seconds:g} s: {args.why}"


@dataclass(frozen=True, slots=True)
class WaitHttpArguments:
    port: Annotated[int, About("the port on the node", minimum=1)]
    path: Annotated[str, About("what is asked for")] = "/"
    host: Annotated[str, About("the Host header; empty: the node's address")] = ""
    expect_status: Annotated[int, About("the status that is waited for", minimum=100)] = 200
    contains: Annotated[str, About("what the answer has to contain; empty: anything")] = ""


class WaitHttp(Verb[WaitHttpArguments]):
    name = "wait_http"
    summary = "Wait until an HTTP server on the node answers as it should."
    arguments = WaitHttpArguments
    mutates = False

    def problem(self, scene: Scene, args: WaitHttpArguments) -> str:  # noqa: ARG002 - it is about the words alone
        if not args.path.startswith("/") or any(not "!" <= letter <= "~" for letter in args.path + args.host):
            return f'"{one_line(args.path)}" cannot be asked for: a path begins with / and has no blanks'
        return "" if args.port < 65536 else f"there is no port {args.port}"

    def first(self, scene: Scene, args: WaitHttpArguments) -> tuple[Shown, ...]:
        return (Shown(scene.target.name, f"GET http://{args.host or scene.target.address}:{args.port}{args.path}"),)

    def check(self, scene: Scene, args: WaitHttpArguments) -> Doing[Standing]:
        answer = yield from fetch(args.port, args.path, args.host or scene.target.address)
        said = answer.error or (f"status {answer.status}" if answer.status else "no answer")
        where = f"{scene.target.name}:{args.port}{args.path}"
        if answer.error or answer.status != args.expect_status:
            return Standing(done=False, sentence=f"{where}: {said}, not {args.expect_status}")
        if args.contains not in answer.body:
            wanted, got = one_line(args.contains, 60), one_line(answer.body, 60)
            return Standing(done=False, sentence=f'{where}: "{wanted}" is not in the answer, which begins "{got}"')
        return Standing(done=True, sentence=f"{where}: {said}")

    def do(self, scene: Scene, args: WaitHttpArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - only waits
        yield from ()
        return "waiting for an answer"


VERBS: tuple[AnyVerb, ...] = (Pause(), WaitHttp())
