"""What is recorded besides what nodes say: the runs of the cluster, as they come into the journal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from hactl.control.recording import Taped, record
from hactl.control.replay import Replay
from hactl.engine.journal import Journal, default_journal
from hactl.model.events import Outcome
from hactl.model.inventory import Node
from hactl.model.state import LinkPhase
from hactl.transport.protocol import Transport
from tests.engine.scripted import ScriptedTransport, inventory
from tests.view import stories


@dataclass
class Unreachable:
    """Nobody answers: what nodes say is tested elsewhere."""

    def make(self, node: Node) -> Transport:
        return ScriptedTransport(node.name, connects=["hang"])


async def test_a_run_is_recorded_as_it_goes_on_and_others_are_not(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    plan, story = stories.story("done")
    journal = Journal(default_journal(env))
    journal.create("20200101-000000-old", plan, "anna@laptop")
    other = replace(plan, cluster="another")
    enough, taped = asyncio.Event(), list[Taped]()
    recording = asyncio.create_task(
        record(
            inventory("n1"),
            tmp_path / "tape.gz",
            interval=2.0,
            enough=enough,
            told=taped.append,
            env=env,
            factory=Unreachable(),
        )
    )

    async def frames(count: int) -> None:
        goal = len(taped) + count
        while len(taped) < goal:
            await asyncio.sleep(0.05)

    await frames(1)
    journal.create(stories.RUN, replace(plan, cluster="test"), "anna@laptop")
    journal.create("20261121-120000-oth", other, "anna@laptop")
    with journal.live(stories.RUN):
        for recorded in story[:-1]:
            journal.append(stories.RUN, recorded.event)
        await frames(2)
        middle = taped[-1].seconds
        journal.append(stories.RUN, story[-1].event)
    await frames(2)
    enough.set()
    await asyncio.wait_for(recording, 10.0)
    journal.close()

    replay = Replay(tmp_path / "tape.gz")
    replay.go_to(middle)
    [summary] = replay.runs.runs()
    assert (summary.run, summary.alive, summary.outcome) == (stories.RUN, True, None)
    replay.go_to(replay.length)
    [summary] = replay.runs.runs()
    assert (summary.alive, summary.outcome) == (False, Outcome.DONE)
    assert [one.event for one in replay.runs.story(stories.RUN)] == [one.event for one in story]
    assert replay.picture(replay.length).state.nodes["n1"].link.phase is LinkPhase.CONNECTING
    replay.close()


async def test_it_ends_after_its_time_without_a_journal(tmp_path: Path) -> None:
    taped: list[Taped] = []
    env = {"XDG_STATE_HOME": str(tmp_path / "none")}
    await record(
        inventory("n1"),
        tmp_path / "tape.gz",
        interval=2.0,
        enough=asyncio.Event(),
        seconds=1.0,
        told=taped.append,
        env=env,
        factory=Unreachable(),
    )
    assert taped[-1].seconds >= 1.0
    assert taped[-1].size > 0
    assert not (tmp_path / "none").exists()
