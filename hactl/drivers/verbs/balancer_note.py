"""Writes the note on a drained node for whoever comes next, and removes it; `drivers.drain_note` reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hactl.drivers.drain_note import folder, path
from hactl.model.command import Command
from hactl.model.errors import TransportError
from hactl.model.verb import Doing, Scene, exit_sentence, run, tell

# The clock is the node's. Others than its writer may replace or remove it: the folder is everybody's.
_WRITE = r"""
umask 0
mkdir -p "$1" && printf '{"when": "%s", %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" >"$1/.drained.$$" &&
mv -f "$1/.drained.$$" "$1/drained.json"
"""


def written(scene: Scene, pools: Iterable[str]) -> Doing[None]:
    said = {"node": scene.target.name, "pools": list(pools), "who": scene.who, "why": scene.reason, "run": scene.run}
    rest = json.dumps(said).removeprefix("{")
    yield from _try(Command(("sh", "-c", _WRITE, "sh", folder(scene.inventory.name), rest), mutates=True), "written")


def removed(scene: Scene) -> Doing[None]:
    yield from _try(Command(("rm", "-f", "--", path(scene.inventory.name)), mutates=True), "removed")


def _try(command: Command, what: str) -> Doing[None]:
    """A note that fails is said and stops nothing: the node may well be down."""
    try:
        done = yield from run(command)
    except TransportError as error:
        yield from tell(f"The note about the drain could not be {what}: {error.message}")
        return
    if not done.ok:
        yield from tell(f"The note about the drain could not be {what}: {exit_sentence(done, command.argv[0])}")
