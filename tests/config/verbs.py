"""Verbs for tests of playbooks: they say what they take, and do nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import Doing, Memory, Scene, Shown, Standing, Verb, Verbs


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


@dataclass(frozen=True, slots=True)
class Everything:
    """An argument of every sort that a reference could miss."""

    package: Annotated[str, About("the package", ParameterKind.PACKAGE)]
    version: Annotated[str, About("its version", ParameterKind.VERSION)] = ""
    timeout: Annotated[float, About("how long", ParameterKind.DURATION, minimum=1)] = 60.0
    mode: Annotated[str, About("in which way", choices=("wait", "abort"))] = "wait"
    argv: Annotated[tuple[str, ...], About("an argument list")] = ()
    script: Annotated[str, About("a script", ParameterKind.TEXT)] = ""
    where: Annotated[str, About("nodes", ParameterKind.LIMIT)] = "all"
    count: Annotated[int, About("how many")] = 1
    loud: Annotated[bool, About("whether it says so")] = False


class _Idle(Verb[Nothing]):
    summary = "Does nothing."
    arguments: type = Nothing

    def first(self, scene: Scene, args: Nothing) -> tuple[Shown, ...]:
        return ()

    def check(self, scene: Scene, args: Nothing) -> Doing[Standing]:
        yield from ()
        return Standing(done=True, sentence="nothing")

    def do(self, scene: Scene, args: Nothing, memory: Memory) -> Doing[str]:
        yield from ()
        return "nothing"


class Act(_Idle):
    name = "test.act"
    arguments = Everything
    has_undo = True


class Final(_Idle):
    name = "test.final"
    irreversible = True
    idempotent = False


class Whole(_Idle):
    name = "test.whole"
    per_node = False


VERBS: Verbs = {verb.name: verb for verb in (Act(), Final(), Whole())}
