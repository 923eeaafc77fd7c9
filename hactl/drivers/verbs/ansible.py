"""The verb that hands a step to Ansible: an existing playbook, limited to the step's node.

Ansible runs on the operator's machine, in a process of its own (`hactl.control.ansible_play`) that is told what to do
on its standard input and exports the inventory for it. Only that process needs the extra `hactl[ansible]`.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated

from hactl.drivers.verbs.command_lines import known
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
    run_local,
)

NOT_INSTALLED = 69  # the process's exit where ansible-runner is not installed
_PROGRAM = "hactl.control.ansible_play"
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_MOST = 300  # characters of its last line in a sentence


@dataclass(frozen=True, slots=True)
class PlayArguments:
    playbook: Annotated[str, About("the Ansible playbook on the operator's machine", ParameterKind.FILE)]
    variables: Annotated[tuple[str, ...], About('extra variables, each a word "NAME=VALUE"')] = ()
    timeout: Annotated[float, About("how long it may take", ParameterKind.DURATION, minimum=1.0)] = 600.0


class Play(Verb[PlayArguments]):
    """Whether a playbook has had its effect only its author knows: an unknown outcome stays unknown."""

    name = "ansible"
    summary = "Run an Ansible playbook for the node, with hactl's inventory (needs hactl[ansible])."
    arguments = PlayArguments
    idempotent = False
    reads_back = False
    effect = Effect.INTERRUPTS
    deadline = 660.0
    usual = 30.0

    def problem(self, scene: Scene, args: PlayArguments) -> str:
        if not scene.inventory.path:
            return "the inventory is in no file, so Ansible cannot be given it"
        if not PurePath(args.playbook).is_absolute():
            return f"{args.playbook} is not an absolute path"
        wrong = next((word for word in args.variables if not _VARIABLE.fullmatch(word)), None)
        return "" if wrong is None else f'"{wrong}" is not NAME=VALUE'

    def first(self, scene: Scene, args: PlayArguments) -> tuple[Shown, ...]:
        words = ["ansible-playbook", "--limit", scene.target.name]
        for word in args.variables:
            words += ["--extra-vars", word]
        return (Shown(scene.target.name, f"{shlex.join([*words, args.playbook])} # on this machine"),)

    def check(self, scene: Scene, args: PlayArguments) -> Doing[Standing]:  # noqa: ARG002 - nobody can tell
        yield from ()
        return Standing(done=False, sentence="is run whenever its turn comes")

    def do(self, scene: Scene, args: PlayArguments, memory: Memory) -> Doing[str]:  # noqa: ARG002 - it has none
        done = yield from run_local(_command(scene, args))
        code = known(scene, done, "ansible-playbook")
        if code == NOT_INSTALLED:
            raise VerbError("ansible-runner is not installed on this machine", remedy="Install hactl[ansible].")
        if code != 0:
            raise VerbError(exit_sentence(done, "ansible-playbook"))
        said = next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "")
        return f"{PurePath(args.playbook).name}: {said.strip()[:_MOST]}"


def _command(scene: Scene, args: PlayArguments) -> Command:
    """What is to be played goes through standard input: values of variables stand in no process list."""
    asked = {
        "inventory": scene.inventory.path,
        "playbook": args.playbook,
        "node": scene.target.name,
        "variables": dict(word.split("=", 1) for word in args.variables),
    }
    argv = (sys.executable, "-m", _PROGRAM)
    return Command(argv, stdin=json.dumps(asked).encode(), mutates=True, timeout=args.timeout)


VERBS: tuple[AnyVerb, ...] = (Play(),)
