"""Verbs for what hactl has no word of its own for: a command, and a script from the operator's machine.

Every argument stays one word, whatever is in it: no shell reads it.
"""

from __future__ import annotations

import shlex
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from hactl.drivers.verbs.command_lines import known, shown, user
from hactl.model.command import Command
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import (
    AnyVerb,
    Doing,
    Effect,
    Memory,
    Scene,
    Shown,
    Standing,
    Verb,
    VerbError,
    exit_sentence,
    read_local,
    run,
)

_MOST = 300  # characters of a command's last line in a sentence

_User = Annotated[str, About("who it runs as on the node; empty: the login user")]
_Expect = Annotated[tuple[str, ...], About("the exit statuses that mean success")]
_Changes = Annotated[bool, About("whether it changes anything: then it is never repeated blindly")]
_Unless = Annotated[tuple[str, ...], About("a command that only reads; exit status 0 means there is nothing to do")]
_Timeout = Annotated[float, About("how long it may take", ParameterKind.DURATION, minimum=1.0)]


@dataclass(frozen=True, slots=True)
class CommandArguments:
    argv: Annotated[tuple[str, ...], About("the program and its arguments, each one word")]
    as_user: _User = ""
    expect: _Expect = ("0",)
    changes: _Changes = True
    unless: _Unless = ()
    timeout: _Timeout = 60.0


@dataclass(frozen=True, slots=True)
class ScriptArguments:
    source: Annotated[str, About("the script, which the interpreter reads from its standard input", ParameterKind.FILE)]
    interpreter: Annotated[tuple[str, ...], About("what runs it, with the words that make it read standard input")] = (
        "sh",
        "-s",
        "--",
    )
    arguments: Annotated[tuple[str, ...], About("the script's own arguments, each one word")] = ()
    as_user: _User = ""
    expect: _Expect = ("0",)
    changes: _Changes = True
    unless: _Unless = ()
    timeout: _Timeout = 60.0


A = TypeVar("A", CommandArguments, ScriptArguments)


class _Free(Verb[A], Generic[A]):
    """Nobody but `unless` knows whether it has been done: unknown outcomes stay unknown."""

    idempotent = False
    reads_back = False
    deadline = 600.0

    @abstractmethod
    def argv(self, args: A) -> tuple[str, ...]:
        """The words that run on the node."""

    def problem(self, scene: Scene, args: A) -> str:  # noqa: ARG002 - the same everywhere
        if not self.argv(args) or not self.argv(args)[0]:
            return "there is no program to run"
        wrong = [word for word in args.expect if not (word.isascii() and word.isdigit() and int(word) < 256)]
        if wrong or not args.expect:
            return f"an exit status is a number from 0 to 255, not {', '.join(map(repr, wrong)) or 'nothing'}"
        return "" if not any("\0" in word for word in (*self.argv(args), *args.unless)) else "an argument holds a NUL"

    def first(self, scene: Scene, args: A) -> tuple[Shown, ...]:
        return (shown(scene, self._command(args)),)

    def rights(self, scene: Scene, args: A) -> tuple[Command, ...]:  # noqa: ARG002 - the same everywhere
        if not args.as_user:
            return ()
        return (self._command(args), *([self._unless(args)] if args.unless else []))

    def check(self, scene: Scene, args: A) -> Doing[Standing]:
        if not args.unless:
            return Standing(done=False, sentence="is run whenever its turn comes")
        done = yield from run(self._unless(args))
        code = known(scene, done, args.unless[0])
        return Standing(code == 0, f"{shlex.join(args.unless)[:_MOST]} has exit status {code}")

    def _unless(self, args: A) -> Command:
        return Command(args.unless, as_user=user(args.as_user), timeout=args.timeout)

    def _command(self, args: A, stdin: bytes = b"") -> Command:
        return Command(
            self.argv(args), stdin=stdin, as_user=user(args.as_user), mutates=args.changes, timeout=args.timeout
        )

    def _carry_out(self, scene: Scene, args: A, stdin: bytes = b"") -> Doing[str]:
        name = self.argv(args)[0]
        done = yield from run(self._command(args, stdin))
        code = known(scene, done, name)
        if str(code) not in args.expect:
            raise VerbError(exit_sentence(done, name))
        said = next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "")
        return f"{name} ended with exit status {code}" + (f": {said.strip()[:_MOST]}" if said else "")


class RunCommand(_Free[CommandArguments]):
    name = "command"
    summary = "Run a program on the node. Its arguments are words; no shell reads them."
    arguments = CommandArguments
    effect = Effect.NONE

    def argv(self, args: CommandArguments) -> tuple[str, ...]:
        return args.argv

    def do(self, scene: Scene, args: CommandArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - it has none
        return (yield from self._carry_out(scene, args))


class Script(_Free[ScriptArguments]):
    name = "script"
    summary = "Run a script of the operator's machine on the node, sent through the interpreter's standard input."
    arguments = ScriptArguments

    def argv(self, args: ScriptArguments) -> tuple[str, ...]:
        return (*args.interpreter, *args.arguments)

    def first(self, scene: Scene, args: ScriptArguments) -> tuple[Shown, ...]:
        (line,) = super().first(scene, args)
        return (Shown(line.node, f"{line.text} < {shlex.quote(args.source)}"),)

    def do(self, scene: Scene, args: ScriptArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - it has none
        return (yield from self._carry_out(scene, args, (yield from read_local(args.source))))


VERBS: tuple[AnyVerb, ...] = (RunCommand(), Script())
