"""Writes the notes on a drained node for whoever comes next, and removes them; `drivers.drain_note` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hactl.drivers.drain_note import folder, name
from hactl.model.command import Command
from hactl.model.errors import TransportError
from hactl.model.verb import Doing, Scene, exit_sentence, run, tell

# The clock is the node's. Others than its writer may replace or remove it: the folder is everybody's.
_WRITE = r"""
umask 0
folder=$1 when=$(date -u +%Y-%m-%dT%H:%M:%SZ)
shift
mkdir -p "$folder" || exit
while [ "$#" -ge 2 ]; do
  printf '{"when": "%s", %s\n' "$when" "$2" >"$folder/.drained.$$" && mv -f "$folder/.drained.$$" "$folder/$1" || exit
  shift 2
done
"""


def written(scene: Scene, pools: Iterable[str]) -> Doing[None]:
    """One for each pool, over whatever was there."""
    words = [word for pool in dict.fromkeys(pools) for word in (name(pool), _rest(scene, pool))]
    if words:
        argv = ("sh", "-c", _WRITE, "sh", folder(scene.inventory.name), *words)
        yield from _try(Command(argv, mutates=True), "written")


def removed(scene: Scene, pools: Iterable[str]) -> Doing[None]:
    """Those of these pools; what somebody has written about others stays."""
    paths = [f"{folder(scene.inventory.name)}/{name(pool)}" for pool in dict.fromkeys(pools)]
    if paths:
        yield from _try(Command(("rm", "-f", "--", *paths), mutates=True), "removed")


def _rest(scene: Scene, pool: str) -> str:
    """The note but for its beginning, which the node's clock writes."""
    said = {"node": scene.target.name, "pools": [pool], "who": scene.who, "why": scene.reason, "run": scene.run}
    return json.dumps(said).removeprefix("{")


def _try(command: Command, what: str) -> Doing[None]:
    """A note that fails is said and stops nothing: the node may well be down."""
    try:
        done = yield from run(command)
    except TransportError as error:
        yield from tell(f"The note about the drain could not be {what}: {error.message}")
        return
    if not done.ok:
        yield from tell(f"The note about the drain could not be {what}: {exit_sentence(done, command.argv[0])}")
