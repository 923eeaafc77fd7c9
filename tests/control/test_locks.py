"""A look at the lock over connections that are there."""

from __future__ import annotations

import json

from hactl.control import Control
from hactl.control.locks import look
from hactl.engine.lock_script import heard
from hactl.model.codec import plain
from hactl.model.command import Completed
from hactl.model.errors import ConnectionLostError
from hactl.model.inventory import Node
from hactl.model.lock import Holder
from hactl.transport.fake import FakeTransport
from hactl.transport.protocol import Transport
from tests.model.builders import lab

BERT = Holder("5f3a9c", "bert@desk", "desk", 99, "run-1", "drain", 1_700_000_000.0, 7)
BUSY = f"busy 7 99 {json.dumps(plain(BERT), separators=(',', ':'))}"


class Factory:
    """Nodes that say `said`; those in `lost` lose their connection over it."""

    def __init__(self, said: str, lost: tuple[str, ...] = ()) -> None:
        self.made: dict[str, FakeTransport] = {}
        self._said, self._lost = said, lost

    def make(self, node: Node) -> Transport:
        fake = self.made[node.name] = FakeTransport(node.name)
        gone = ConnectionLostError(node.name, "lost")
        fake.on(("sh",), gone if node.name in self._lost else Completed(0, self._said, "", 0.01))
        return fake


async def test_only_those_that_are_connected_are_asked() -> None:
    factory = Factory("free 6")
    async with Control(lab(), factory=factory) as control:
        seen = await look(control, lab(), {"lb1", "lb2", "app1", "app2", "app3", "db1"})
    assert seen.certain
    assert seen.holder is None
    assert [node.node for node in seen.nodes if node.problem] == ["db2", "db3", "backup1", "backup2"]
    assert [name for name, fake in factory.made.items() if fake.commands] == [
        "lb1",
        "lb2",
        "app1",
        "app2",
        "app3",
        "db1",
    ]


async def test_the_holder_is_who_a_majority_names() -> None:
    assert heard(BUSY) is not None
    async with Control(lab(), factory=Factory(BUSY, lost=("lb1", "lb2"))) as control:
        seen = await look(control, lab(), set(lab().nodes))
    assert seen.holder == BERT
    async with Control(lab(), factory=Factory(BUSY, lost=tuple(lab().nodes)[:5])) as control:
        seen = await look(control, lab(), set(lab().nodes))
    assert (seen.holder, seen.certain) == (None, False)
