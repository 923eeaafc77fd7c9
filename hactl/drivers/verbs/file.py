"""The verb that puts a file on a node: whole or not at all, with what was there kept beside it.

All that is done there is one of three fixed scripts with the path and rights as arguments; what differs from run to
run (the run, checksums, the contents) comes on standard input. So a sudo rule can allow one file and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated

from hactl.drivers.verbs.command_lines import ROOT, answered, known, mutating, shown, user
from hactl.model.command import Command
from hactl.model.parameters import About, ParameterKind
from hactl.model.verb import (
    AnyVerb,
    Doing,
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

_OWNER = re.compile(r"[a-z_][a-z0-9_-]{0,31}|\d{1,10}")
_MODE = re.compile(r"[0-7]{3,4}")
_RUN = re.compile(r"[^A-Za-z0-9-]")

# No line ends in them, because a sudo rule is one line. A path that leads over symbolic links is refused: it would be
# written somewhere else than it says.
_PLACE = (
    "set -eu; d=${1%/*}; d=${d:-/}; "
    '{ [ -d "$d" ] && [ "$(readlink -e -- "$d")" = "$d" ]; } || '
    '{ echo "$d is no folder, or leads over a symbolic link" >&2; exit 3; }; '
    '{ [ ! -L "$1" ] && { [ ! -e "$1" ] || [ -f "$1" ]; }; } || { echo "$1 is no regular file" >&2; exit 3; }; '
)
_LOOK = (
    f'{_PLACE}[ -e "$1" ] || {{ echo absent; exit 0; }}; stat -c "%U:%G %a" -- "$1"; sha256sum <"$1" | cut -d " " -f 1'
)
_PUT = (
    f"{_PLACE}umask 077; IFS= read -r run; IFS= read -r sum; "
    'n=$(mktemp -- "$d/.hactl.XXXXXXXXXX"); trap "rm -f -- \\"\\$n\\"" EXIT; cat >"$n"; '
    '[ "$(sha256sum <"$n" | cut -d " " -f 1)" = "$sum" ] || { echo "it did not arrive whole" >&2; exit 4; }; '
    'chown -- "$2:$3" "$n"; chmod -- "$4" "$n"; sync -- "$n"; k=$1.hactl-$run; '
    'if [ -e "$1" ] && [ ! -e "$k" ]; then ln -- "$1" "$k" 2>/dev/null || cp -aT -- "$1" "$k"; fi; '
    'mv -fT -- "$n" "$1"; trap - EXIT; sync -- "$d"'
)
_BACK = (
    f"{_PLACE}IFS= read -r run; IFS= read -r sum; k=$1.hactl-$run; "
    '[ ! -e "$1" ] || [ "$(sha256sum <"$1" | cut -d " " -f 1)" = "$sum" ] || '
    '{ echo "somebody has changed $1 since" >&2; exit 5; }; '
    'if [ -f "$k" ] && [ ! -L "$k" ]; then mv -fT -- "$k" "$1"; else rm -f -- "$1"; fi; sync -- "$d"'
)


@dataclass(frozen=True, slots=True)
class PutArguments:
    source: Annotated[str, About("the file on the operator's machine", ParameterKind.FILE)]
    path: Annotated[str, About("where it belongs on the node", ParameterKind.PATH)]
    owner: Annotated[str, About("its owner there")] = ROOT
    group: Annotated[str, About("its group there")] = ROOT
    mode: Annotated[str, About("its permissions, in octal digits")] = "0644"
    as_user: Annotated[str, About("who writes it; empty: the login user")] = ROOT


class Put(Verb[PutArguments]):
    name = "file.put"
    summary = "Put a file on the node in one step; the previous one stays beside it as PATH.hactl-RUN."
    arguments = PutArguments
    has_undo = True

    def problem(self, scene: Scene, args: PutArguments) -> str:  # noqa: ARG002 - the same everywhere
        if not _MODE.fullmatch(args.mode):
            return f'"{args.mode}" is not a mode of three or four octal digits'
        wrong = next((name for name in (args.owner, args.group) if not _OWNER.fullmatch(name)), None)
        if wrong is not None:
            return f'"{wrong}" is not the name of a user or group'
        plain = not args.path.endswith("/") and "//" not in args.path and "." not in args.path.split("/")
        return "" if plain else f"{args.path} is not written plainly"

    def first(self, scene: Scene, args: PutArguments) -> tuple[Shown, ...]:
        return (shown(scene, _put(args)),)

    def rights(self, scene: Scene, args: PutArguments) -> tuple[Command, ...]:  # noqa: ARG002 - the same everywhere
        return (_look(args), _put(args), _back(args)) if args.as_user else ()

    def check(self, scene: Scene, args: PutArguments) -> Doing[Standing]:  # noqa: ARG002 - asked of its node
        wanted = _sum((yield from read_local(args.source)))
        rights, found = yield from _present(args)
        if not found:
            return Standing(done=False, sentence=f"{args.path} is absent")
        same = rights == f"{args.owner}:{args.group} {args.mode.lstrip('0') or '0'}"
        sentence = f"{args.path} {'has' if found == wanted else 'has not'} these contents and is {rights}"
        return Standing(found == wanted and same, sentence, {"sha256": found, "rights": rights})

    def remember(self, scene: Scene, args: PutArguments) -> Doing[Memory]:
        rights, found = yield from _present(args)
        wanted = _sum((yield from read_local(args.source)))
        return {"before": found, "rights": rights, "put": wanted, "run": _RUN.sub("", scene.run)}

    def do(self, scene: Scene, args: PutArguments, memory: Memory) -> Doing[str]:
        data = yield from read_local(args.source)
        if _sum(data) != memory["put"]:
            raise VerbError(f"{args.source} has changed since this step began")
        done = yield from run(_put(args, _told(memory) + data))
        if known(scene, done, f"putting {args.path}") != 0:
            raise VerbError(exit_sentence(done, f"putting {args.path}"))
        kept = f", the previous one is {args.path}.hactl-{memory['run']}" if memory["before"] else ""
        return f"{args.path} put ({len(data)} bytes){kept}"

    def undo(self, scene: Scene, args: PutArguments, memory: Memory) -> Doing[str]:
        rights, found = yield from _present(args)
        if (found, rights) == (memory["before"], memory["rights"]):
            return f"{args.path} is as before"
        done = yield from run(_back(args, _told(memory)))
        if known(scene, done, f"putting {args.path} back") != 0:
            raise VerbError(exit_sentence(done, f"putting {args.path} back"))
        _, found = yield from _present(args)
        if found != memory["before"]:
            raise VerbError(f"{args.path} is not what it was")
        return f"{args.path} is what it was" if found else f"{args.path} is absent again"


def _look(args: PutArguments) -> Command:
    return Command(("sh", "-c", _LOOK, "sh", args.path), as_user=user(args.as_user))


def _put(args: PutArguments, stdin: bytes = b"") -> Command:
    argv = ("sh", "-c", _PUT, "sh", args.path, args.owner, args.group, args.mode)
    return mutating(argv, as_user=user(args.as_user), timeout=30.0, stdin=stdin)


def _back(args: PutArguments, stdin: bytes = b"") -> Command:
    return mutating(("sh", "-c", _BACK, "sh", args.path), as_user=user(args.as_user), timeout=30.0, stdin=stdin)


def _present(args: PutArguments) -> Doing[tuple[str, str]]:
    """Owner, group and mode of what is there, and its checksum; both "" for nothing."""
    done = answered((yield from run(_look(args))), f"looking at {args.path}")
    lines = done.stdout.split("\n")
    if lines[0] == "absent":
        return "", ""
    if len(lines) < 2 or not re.fullmatch(r"[0-9a-f]{64}", lines[1]):
        raise VerbError(f"what {args.path} holds was not told")
    return lines[0], lines[1]


def _told(memory: Memory) -> bytes:
    return f"{memory['run']}\n{memory['put']}\n".encode()


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


VERBS: tuple[AnyVerb, ...] = (Put(),)
