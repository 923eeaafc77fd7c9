"""Who has an address, and the track_file that makes a node give its addresses up: what all verbs about them share.

The truth is `ip addr` on every node that may hold the address: right is exactly one holder.
"""

from __future__ import annotations

from dataclasses import dataclass

from hactl.drivers import keepalived
from hactl.drivers.verbs.vip_takers import keeper
from hactl.model.command import Command
from hactl.model.errors import TransportError
from hactl.model.inventory import Node, Vip
from hactl.model.verb import Doing, Scene, VerbError, exit_sentence, now, run, tell, wait

HOLD, CLEAR = "1", "0"
"""What a track_file says: the node takes no address until somebody clears it; it may take one. See also MARK."""

_MOVES_WITHIN = 8.0  # seconds; three advertisements missed and a bit: all the while nobody may have it
_POLL = 0.3


@dataclass(frozen=True, slots=True)
class Holders:
    """Who has the address, and which nodes could not be asked."""

    names: tuple[str, ...]
    silent: tuple[str, ...]

    @property
    def one(self) -> str:
        """The holder, if there is exactly one; else ""."""
        return self.names[0] if len(self.names) == 1 else ""

    def moved(self, away: str, to: str) -> bool:
        """A node that cannot be asked may hold it too: then nothing is sure."""
        return not self.silent and self.one not in {"", away} and to in {"", self.one}

    def __str__(self) -> str:
        said = f"held by {' and '.join(self.names)}" if self.names else "held by nobody"
        return said + (f"; {' and '.join(self.silent)} cannot be asked" if self.silent else "")


def holders(scene: Scene, vip: Vip) -> Doing[Holders]:
    names, silent = [], []
    for node in keeper(scene, vip).nodes:
        try:
            done = yield from run(keepalived.ADDRESSES, node)
        except TransportError:
            silent.append(node)
            continue
        if not done.ok:
            silent.append(node)
        elif keepalived.has(vip, keepalived.addresses(done.stdout)):
            names.append(node)
    return Holders(tuple(names), tuple(silent))


def awaited(scene: Scene, vip: Vip, away: str, to: str) -> Doing[Holders]:
    began = yield from now()
    while True:
        found = yield from holders(scene, vip)
        if found.moved(away, to):
            return found
        second = yield from now()
        if second - began >= _MOVES_WITHIN:
            raise VerbError(f"{vip.name} did not move within {_MOVES_WITHIN:.0f} s: {found}; {away} may have it again")
        yield from tell(f"{vip.name} is {found}")
        yield from wait(_POLL, f"{vip.name} to move")


def write(node: Node, path: str, *, text: str) -> Doing[None]:
    done = yield from run(written(path, text=text), node.name)
    if not done.ok:
        raise VerbError(exit_sentence(done, f"writing {path} on {node.name}"))


def written(path: str, *, text: str) -> Command:
    return Command(("tee", "--", path), stdin=f"{text}\n".encode(), mutates=True)


def vips(scene: Scene, name: str) -> tuple[Vip, ...]:
    """Those that the node may hold; just the one that is named."""
    node = scene.target.name
    return tuple(
        vip for vip in scene.inventory.vips.values() if node in keeper(scene, vip).nodes and name in {"", vip.name}
    )


def files(scene: Scene, name: str) -> tuple[str, ...]:
    paths = (keeper(scene, vip).track_file for vip in vips(scene, name))
    return tuple(dict.fromkeys(path for path in paths if path))
