"""`python -m tests.cli.fake_runs SCENE ARGUMENTS...`: the real command line with runs that are played, not done.

Real are the process, its terminal, signals and exit status; played are the planning and the runner, from the stories of
`tests.view.stories`. What was asked of the runs is written to $FAKE_RUNS_LOG, a line of JSON each.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hactl.model.errors import RunNotFoundError
from hactl.model.events import Outcome, Recorded, RunEnded, StepProgress, Wished, WishKind
from hactl.model.journal import RunSummary
from hactl.model.lock import Holder, LockBroken, LockPicture, NodeLock
from hactl.model.plan import Plan, Request
from hactl.model.run import RunState, folded
from tests.view import stories


@dataclass(frozen=True)
class Scene:
    """How the played runs behave: which plan is made, which story a run tells."""

    plan: Plan
    story: str = "done"
    pace: float = 0.0  # seconds between two events
    hold: bool = False  # the run waits in its first step until somebody wishes something
    alive: bool = False  # a runner works on the run that is in the journal
    problems: tuple[str, ...] = ()
    locked: bool = False


SCENES: dict[str, Scene] = {
    **{name: Scene(stories.plan(), name) for name in stories.STORIES},
    "refused": Scene(stories.refused()),
    "busy": Scene(stories.busy()),
    "nothing": Scene(stories.plan(nodes=(), title="nothing", weakest=())),
    "irreversible": Scene(stories.plan(irreversible=True, confirm="lab")),
    "slow": Scene(stories.plan(), "done", pace=0.05),
    "held": Scene(stories.plan(), "done", hold=True),
    "going-on": Scene(stories.plan(), "killed", alive=True, hold=True),
    "tampered": Scene(stories.plan(), problems=("entry 7 is not as it was written",)),
    "taken": Scene(stories.plan(), locked=True),
}


class FakeRuns:
    """What `hactl.control.runs.Runs` offers, played."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._plan = scene.plan
        self._wishes: list[WishKind] = []

    async def plan(self, request: Request, progress: Callable[[str], None] | None = None) -> Plan:
        if progress:
            progress("asking 10 nodes")
        _note(
            "plan",
            playbook=request.playbook,
            parameters=dict(request.parameters),
            limit=request.limit,
            overrides=sorted(request.overrides),
            reason=request.reason,
            who=request.who,
            origin=request.origin,
        )
        self._plan = replace(self._plan, request=request)
        return self._plan

    def start(self, plan: Plan) -> str:
        _note("start", digest=plan.digest)
        return stories.RUN

    def resume(self, run: str) -> None:
        _note("resume", run=run)

    def undo(self, run: str) -> None:
        _note("undo", run=run)

    async def follow(self, run: str, after: int = 0) -> AsyncIterator[Recorded]:
        story = self.story(run)
        late = time.time() - story[0].at if self._scene.hold else 0.0
        for told in story:
            recorded = replace(told, at=told.at + late)  # what goes on has begun now
            if recorded.number <= after:
                continue
            await asyncio.sleep(self._scene.pace)
            yield recorded
            if self._scene.hold and isinstance(recorded.event, StepProgress):
                async for ending in self._held(recorded):
                    yield ending
                return

    async def _held(self, last: Recorded) -> AsyncIterator[Recorded]:
        seen = 0
        while True:
            await asyncio.sleep(0.02)
            while seen < len(self._wishes):
                wish, seen = self._wishes[seen], seen + 1
                last = replace(last, number=last.number + 1, event=Wished(wish, "anna@laptop"))
                yield last
                if wish is WishKind.ABORT:
                    yield replace(last, number=last.number + 1, event=RunEnded(Outcome.CANCELLED, "aborted", 1.0))
                    return

    def wish(self, run: str, kind: WishKind) -> None:
        _note("wish", run=run, kind=kind.value)
        self._wishes.append(kind)

    def state(self, run: str) -> RunState:
        return folded(run, self._plan, self.story(run))

    def story(self, run: str) -> list[Recorded]:
        return stories.story(self._scene.story, self._plan)[1]

    def runs(self, playbook: str | None = None, limit: int = 50) -> list[RunSummary]:
        done = RunSummary(
            run=stories.RUN,
            cluster="lab",
            playbook="rolling-upgrade",
            title="Rolling upgrade of shop",
            who="anna@laptop",
            reason="release",
            targets=("app1", "app2"),
            planned_at=stories.WALL,
            began_at=stories.WALL + 1,
            ended_at=stories.WALL + 71,
            outcome=Outcome.DONE,
            sentence="3 nodes are at 1.1.0",
            attempts=1,
            steps=12,
            done=12,
            alive=False,
        )
        killed = replace(done, run="20251008-killed", ended_at=None, outcome=None, sentence="", done=3)
        return [one for one in (done, killed) if playbook in {None, one.playbook}][:limit]

    def resolve(self, prefix: str) -> str:
        if prefix == "last" or stories.RUN.startswith(prefix):
            return stories.RUN
        raise RunNotFoundError(f"There is no run {prefix}.")

    def alive(self, run: str) -> bool:
        return self._scene.alive

    def audit(self) -> list[str]:
        return list(self._scene.problems)

    async def lock(self) -> LockPicture:
        holder = Holder("5f3a9c", "bert@desk", "desk", 99, stories.RUN, "drain", stories.WALL, 7)
        held = self._scene.locked
        nodes = tuple(NodeLock(name, held, holder if held else None, 7) for name in ("lb1", "lb2"))
        return LockPicture("lab", (*nodes, NodeLock("db3", problem="no connection")))

    async def break_lock(self, lock_id: str) -> LockBroken:
        _note("break", id=lock_id)
        return LockBroken(8, ("lb1", "lb2"), ("db3",))


def _note(what: str, **details: object) -> None:
    if path := os.environ.get("FAKE_RUNS_LOG"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, **details}) + "\n")


def main() -> int:
    from hactl import __main__
    from hactl.cli import acting

    scene = SCENES[sys.argv.pop(1)]
    acting.open_runs = lambda *_: FakeRuns(scene)
    return __main__.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
